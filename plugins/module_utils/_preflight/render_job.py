"""The pod of the new image that renders: it holds no credentials, reaches nobody, and is told the live revisions."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import answers
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RENDERER, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.answer_validation import (
    validated_graph,
    validated_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collector import ANSWER_SECONDS, too_large
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.isolated_image import isolated_task

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Each, Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Options
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Container, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered

Message = dict[str, t.Any]


class RenderJob(contextlib.AbstractContextManager["RenderJob"]):
    """One Job, started once. `findings` holds what was noticed about its pod.

    :raises FindingError: every method, where the pod cannot run or gives no answer
    """

    def __init__(self, cluster: Cluster, wanted: Planned, options: Options) -> None:
        self._cluster, self._migrator, self._options = cluster, wanted.migrator, options
        self._wanted = wanted
        self._stack = contextlib.ExitStack()
        self._run: JobRun | None = None
        self._messages: t.Iterator[Message] = iter(())
        self._graph: Graph | None = None
        self.findings: list[Finding] = []

    def __exit__(self, *error: t.Any) -> None:
        self._stack.__exit__(*error)

    def begin(self, heads: t.Sequence[str] | None) -> None:
        """Start the pod, if it was not started before.

        :param heads: the live revisions, None where `graph` will tell
        """
        if self._run:
            return
        options = self._options
        request = {"target": options.target, "heads": None if heads is None else list(heads)}
        waits = max(ANSWER_SECONDS, options.job_timeout + Task.run_seconds) if heads is None else None
        task = isolated_task(self._cluster, self._wanted, options, "render", command(bundle(RENDERER, request)))
        task = dataclasses.replace(task, run_seconds=options.render_timeout, input_seconds=waits)
        self._run = self._stack.enter_context(JobRun(self._cluster, task))

    def graph(self, heads: t.Sequence[str]) -> Graph:
        """The revisions of the new image; the pod goes on to render from `heads`."""
        self.begin(heads)
        run = t.cast("JobRun", self._run)
        if run.task.input_seconds is not None:
            run.send_input(json.dumps(list(heads)))
        self._messages = self._answers(run)
        for message in self._messages:
            if message.get("egress"):
                words = "The pod that renders could reach the API server in spite of its NetworkPolicy."
                self.findings.append(finding("egress-open", words))
            if "graph" in message:
                self._graph = validated_graph(message["graph"])
                return self._graph
        raise self._broken()

    def render(self, heads: t.Sequence[str], each: Each) -> Rendered:
        """The SQL from `heads` to the target."""
        graph = self._graph or self.graph(heads)
        return validated_sql(self._messages, graph, each)

    def _answers(self, run: JobRun) -> t.Iterator[Message]:
        """The answers of _in_pod/render.py."""
        started = False
        try:
            for answer in answers.of_job(run, large=too_large):
                if not started:
                    self.findings += run.findings()
                started = True
                yield answer
        except FindingError as error:
            named = _of_image(error, self._migrator.image, self._options.render_timeout, started=started)
            if named.id == "alembic-env-failed" and (left := _left_out(self._migrator)):
                named = FindingError(named.id, f"{named.message.rstrip('.')}; its pod holds no Secret: {left}.")
            raise named from None
        problem = run.ended()
        if problem and (problem.id != "image-start" or not started):
            raise problem
        raise self._broken()

    def _broken(self) -> FindingError:
        words = f"Image {self._migrator.image}: the process that renders died without an answer"
        return FindingError("alembic-env-failed", f"{words}; run `alembic upgrade head --sql` in it.")


def _left_out(migrator: Container) -> str:
    """What of its environment the pod got no value of, in words; empty where it got all."""
    parts = []
    if names := sorted(set(migrator.secrets) - {"DATABASE_URL"}):
        parts.append(f"{', '.join(names)} had a placeholder")
    if migrator.opaque:
        parts.append("the variables of a whole Secret (envFrom) were left out, name them in agent.extraEnv")
    return ", and ".join(parts)


def _of_image(error: FindingError, image: str, seconds: int, *, started: bool) -> FindingError:
    """The same error with the image's name where its words come from the worker."""
    if error.id == "pod-timeout" and started:
        words = f"Alembic did not render in the pod of image {image} within {seconds} s"
        return FindingError("alembic-timeout", f"{words}; find what env.py or a revision waits for.")
    if error.id.startswith("alembic-") or error.id in {"image-without-alembic", "database-url-kind"}:
        return FindingError(error.id, f"Image {image}: {error.message.rstrip('.')}.")
    return error


__all__ = ("RenderJob",)
