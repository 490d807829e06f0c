"""Looks at a release while Helm changes it, and says every few seconds what is waited for."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import HIDDEN, without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern
from ansible_collections.ai_platform.agent.plugins.module_utils._release import plan_look, waiting
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import readable, release_selector

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# Bytes that are read for each line of a log, and the seconds that the answer may take.
_BYTES, _LOG_SECONDS = 4096, 5.0
_WORKLOADS: t.Final = (("apps/v1", "deployments", "Deployment"), ("apps/v1", "statefulsets", "StatefulSet"),
                       ("batch/v1", "jobs", "Job"))  # fmt: skip


def scene(cluster: Cluster, release: str, namespace: str, *, every: bool = False) -> waiting.Scene:
    """The release now. What may not be read is left out.

    :param every: with the events of all objects
    :raises FindingError: the API server does not answer
    """
    labels = release_selector(release)
    workloads = [
        item | {"kind": kind}
        for version, plural, kind in _WORKLOADS
        for item in readable(cluster, version, plural, namespace, labels) or ()
    ]
    pods = [item | {"kind": "Pod"} for item in readable(cluster, "v1", "pods", namespace, labels) or ()]
    return waiting.Scene(workloads, pods, events(cluster, namespace, every=every), time.time())


def events(cluster: Cluster, namespace: str, *, every: bool = False) -> list[Object]:
    """What the namespace's events say of pods, and of pods that could not be made; none where they may not be read.

    :param every: of all objects
    """
    found: list[Object] = []
    for fields in [""] if every else ("involvedObject.kind=Pod", "reason=FailedCreate"):
        try:
            found += cluster.list("v1", "events", namespace, fields=fields)
        except FindingError:
            return found
    return found


def last_lines(
    cluster: Cluster, namespace: str, pod: str, container: str, number: int, *, previous: bool = False
) -> list[str]:
    """The last lines of a container's log that are not empty.

    :param previous: of its run before
    :raises FindingError: it has none, or the API server does not answer
    """
    more = {"tailLines": str(number)} | ({"previous": "true"} if previous else {})
    lines = cluster.log(namespace, pod, container, limit_bytes=_BYTES * number, seconds=_LOG_SECONDS, query=more)
    return [line for line in lines if line.strip()]


class Watch:
    """One release while it is being changed."""

    def __init__(self, cluster: Cluster, release: str, namespace: str, limit: float) -> None:
        """:param limit: seconds after which Helm gives up"""
        self._cluster, self._release, self._namespace, self._limit = cluster, release, namespace, limit
        self._began = time.monotonic()
        self._secrets: tuple[frozenset[str], t.Any] = (frozenset(), pattern([]))

    def line(self) -> str:
        """What is waited for now.

        :raises FindingError: the API server does not answer
        """
        there = scene(self._cluster, self._release, self._namespace)
        found = waiting.waits(there)
        elapsed = time.monotonic() - self._began
        told = waiting.line(found, elapsed, self._limit, self._last_line(found))
        return without_named(self._known(there).sub(HIDDEN, told))

    def _last_line(self, found: list[waiting.Wait]) -> str:
        """The last line of the log of the first container that runs."""
        place = next((each for each in found if each.pod and each.container), None)
        if place is None:
            return ""
        try:
            return next(reversed(last_lines(self._cluster, self._namespace, place.pod, place.container, 3)), "")
        except FindingError:
            return ""

    def _known(self, there: waiting.Scene) -> t.Any:
        """The values of the Secrets of what runs, read again where others are named."""
        names = frozenset(f"{item['kind']}/{item['metadata']['name']}" for item in there.workloads)
        if names != self._secrets[0]:
            secrets = plan_look.secrets_of(self._cluster, list(there.workloads), self._namespace)
            self._secrets = (names, pattern(secrets))
        return self._secrets[1]


__all__ = ("Watch", "events", "last_lines", "scene")
