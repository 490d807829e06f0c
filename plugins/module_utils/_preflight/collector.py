"""The collector of facts about the live database: in a running agent pod, in a short Job, or none at all."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import abc
import contextlib
import dataclasses
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import MOST_BYTES
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_startup import NETWORK_SECONDS
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import answers
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import COLLECTOR, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

Message = dict[str, t.Any]

# Beyond this a pod that is alive says nothing more: connecting and the queries have time limits of their own.
ANSWER_SECONDS = 60.0


class Collector(contextlib.AbstractContextManager["Collector"], abc.ABC):
    """Where _in_pod/collect.py runs and answers requests about the database.

    :raises FindingError: every method, where no answer can be had
    """

    # Findings about the transport itself, such as a Job that was slow to start.
    findings: t.Sequence[Finding] = ()

    def __exit__(self, *_: object) -> None:
        return None

    def begin(self, request: Message) -> None:
        """Start to work on a request that will be asked soon, where that is possible."""

    @abc.abstractmethod
    def ask(self, request: Message) -> Message:
        """The answer to one request."""


class NoCollector(Collector):
    """There is no database to ask, or nobody who could: no facts, for which `run.py` has stand-ins."""

    def ask(self, request: Message) -> Message:  # noqa: ARG002 - whatever it is
        return {"live": {"rows": None, "has_tables": False, "characters": None}, "server": None, "facts": None}


class PodCollector(Collector):
    """A ready agent pod: one program in it answers all requests, with the pod's own URL, which stays there."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, container: str, limits: Message) -> None:
        self._session = ExecSession(cluster, namespace, pod, container, command())
        self._session.send(bundle(COLLECTOR, {"limits": limits}))
        self._sent: list[Message] = []

    def __exit__(self, *error: t.Any) -> None:
        self._session.__exit__(*error)

    def begin(self, request: Message) -> None:
        self._send(request)
        self._sent.append(request)

    def ask(self, request: Message) -> Message:
        if request in self._sent:
            self._sent.remove(request)
        else:
            self._send(request)
        line = self._session.receive(ANSWER_SECONDS)
        if line is None:
            words = f"The program in {self._session.where} ended before it answered: {self._session.last_words}."
            raise FindingError("image-start", words)
        return answers.of_line(line, self._session, large=too_large)

    def _send(self, request: Message) -> None:
        self._session.send(json.dumps(request))


class JobCollector(Collector):
    """A Job for each request, of an image that has, or is about to have, the credentials anyway."""

    def __init__(self, cluster: Cluster, task: Task, limits: Message) -> None:
        """:param task: everything but the command"""
        self._cluster, self._task, self._limits = cluster, task, limits

    def ask(self, request: Message) -> Message:
        given = {"limits": self._limits, "once": request, "settle": NETWORK_SECONDS}
        words = command(bundle(COLLECTOR, given))
        with JobRun(self._cluster, dataclasses.replace(self._task, command=words)) as run:
            answer = answers.last_of_job(run, large=too_large)
            self.findings = self.findings or run.findings()
            return answer


def too_large(where: str) -> FindingError:
    """What is said of an answer that is too large, and of where it comes from."""
    words = f"The program in {where} answers with more than {MOST_BYTES >> 20} MiB, or more values than are judged"
    return FindingError("answer-too-large", f"{words}; load data outside of migrations.")


__all__ = ("ANSWER_SECONDS", "Collector", "JobCollector", "NoCollector", "PodCollector", "too_large")
