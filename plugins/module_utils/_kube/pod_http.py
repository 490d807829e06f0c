"""What a pod answers to GET over HTTP, asked from inside it, or through the API server.

From inside no network policy stands in the way: a program in the container asks its own pod (right: pods/exec). Where
that may not be, or the image has no Python, the API server asks as a proxy (right: pods/proxy), if policies let it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import typing as t
import zlib

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import answers
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import HTTP_ANSWERS, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession, may_exec

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

ANSWER_SECONDS: t.Final = 20.0
MOST_BYTES: t.Final = 4 << 20


class Place(t.NamedTuple):
    """Where a pod answers.

    :param address: of the pod
    """

    pod: str
    container: str
    address: str
    port: int


class PodHttp(contextlib.AbstractContextManager["PodHttp"]):
    """Asks pods of one namespace for one path, each as often as wanted; a program in a pod is started once."""

    def __init__(self, cluster: Cluster, namespace: str, path: str) -> None:
        self._cluster, self._namespace, self._path = cluster, namespace, "/" + path.lstrip("/")
        self._sessions: dict[str, ExecSession] = {}
        self._exec: bool | None = None

    def __exit__(self, *_: object) -> None:
        for session in self._sessions.values():
            session.__exit__()
        self._sessions.clear()

    def get(self, place: Place) -> str:
        """The body.

        :raises FindingError: the pod cannot be asked, answers with another status than 200, or says too much
        """
        if self._exec is None:
            self._exec = may_exec(self._cluster, self._namespace)
        if not self._exec:
            return self._proxied(place)
        try:
            return self._from_inside(place)
        except FindingError as error:
            try:
                return self._proxied(place)
            except Forbidden:
                raise error from None

    def _from_inside(self, place: Place) -> str:
        if place.pod in self._sessions:
            # A session that was idle may have been ended by whatever lies between.
            with contextlib.suppress(FindingError):
                return self._answer(place)
            self._sessions.pop(place.pod).__exit__()
        request = {"addresses": ["127.0.0.1", place.address], "port": place.port, "path": self._path}
        session = ExecSession(self._cluster, self._namespace, place.pod, place.container, command())
        self._sessions[place.pod] = session
        session.send(bundle(HTTP_ANSWERS, request | {"most": MOST_BYTES}))
        return self._answer(place)

    def _answer(self, place: Place) -> str:
        session = self._sessions[place.pod]
        session.send("")
        line = session.receive(ANSWER_SECONDS)
        if line is None:
            raise self._unanswered(place, session.last_words)
        told = answers.of_line(line, session)
        if "body" not in told:
            raise self._unanswered(place, str(told.get("problem")))
        try:
            text = zlib.decompressobj().decompress(base64.b64decode(told["body"]), MOST_BYTES)
        except (ValueError, zlib.error):
            raise self._unanswered(place, "what came is incomplete") from None
        return text.decode("utf-8", "replace")

    def _proxied(self, place: Place) -> str:
        """:raises FindingError: as `get`"""
        chunks, size = [], 0
        for chunk in self._cluster.proxied(self._namespace, place.pod, place.port, self._path, ANSWER_SECONDS):
            size += len(chunk)
            if size > MOST_BYTES:
                raise self._unanswered(place, "too large")
            chunks.append(chunk)
        return b"".join(chunks).decode("utf-8", "replace")

    def _unanswered(self, place: Place, why: str) -> FindingError:
        words = f"Pod {self._namespace}/{place.pod} does not answer GET {self._path} on port {place.port} ({why:.200})"
        return FindingError("cluster-refused", f"{words}; look at the pod.")


__all__ = ("MOST_BYTES", "Place", "PodHttp")
