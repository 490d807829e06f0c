"""A throw-away namespace in which an image is tried, with a database and a cache of its own; it goes afterwards."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import pods
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import Ended, Started
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.plan import (
    DESK,
    MADE,
    Plan,
    desk,
    started,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.trial import End
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import CONTRACT, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession, signs_of_life
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import MANAGER, OWN_MANAGER
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.shared import is_ready

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

Row = dict[str, t.Any]

LABEL: t.Final = "ai-agent/check-image"
UNTIL: t.Final = "ai-agent/check-image-until"
# Two hours after it began no run lives any more: the pods of its desk end after one.
LIFE_SECONDS: t.Final = 7200
POLL_SECONDS: t.Final = 0.5
SIGN_SECONDS: t.Final = 5.0
# A load that is stopped finishes its requests.
ANSWER_SECONDS: t.Final = 90.0
LOG_BYTES: t.Final = 64000


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds: until database and cache run, until the server is ready or known not to be, and for a migration."""

    servers: float = 300
    start: float = 300
    migration: float = 600


class ClusterPlace(contextlib.AbstractContextManager["ClusterPlace"]):
    """Implements `trial.Place` in a namespace that is removed afterwards."""

    def __init__(self, cluster: Cluster, namespace: str, plan: Plan, times: Times, desk_image: str = "") -> None:
        self._cluster, self.namespace, self._plan, self._times = cluster, namespace, plan, times
        self._desk_image = desk_image or plan.desk_image
        self._number = 0
        self._pod: str | None = None
        self._session: ExecSession | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> ClusterPlace:
        """:raises FindingError: the namespace cannot be made, or its servers do not start"""
        remove_left(self._cluster)
        labels = {LABEL: "true", MANAGER: OWN_MANAGER}
        about = {"name": self.namespace, "labels": labels, "annotations": {UNTIL: str(int(time.time()) + LIFE_SECONDS)}}
        self._cluster.create("v1", "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        self._stack.callback(self._gone)
        try:
            self._made()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _gone(self) -> None:
        with contextlib.suppress(FindingError):
            self._let_go()
        self._cluster.delete("v1", "namespaces", self.namespace)

    def _let_go(self) -> None:
        """No pod stays because its end was to be seen."""
        for pod in self._cluster.list("v1", "pods", self.namespace):
            if pod["metadata"].get("finalizers"):
                self._release(pod["metadata"]["name"])

    def _release(self, name: str) -> None:
        with contextlib.suppress(Refused):
            self._cluster.patch("v1", "pods", name, {"metadata": {"finalizers": None}}, self.namespace)

    def _made(self) -> None:
        for item in self._plan.objects:
            version, plural = MADE[item["kind"]]
            item["metadata"]["namespace"] = self.namespace
            self._cluster.create(version, plural, item, self.namespace)
        self._create(desk(self._plan, self._desk_image))
        for item in self._plan.objects:
            if item["kind"] == "StatefulSet":
                self._wait_for_servers(item["metadata"]["name"])
        self._open_desk()

    def _create(self, pod: Object) -> None:
        """Make a pod; its account may come a moment after the namespace."""
        end = time.monotonic() + 30
        while True:
            try:
                self._cluster.create("v1", "pods", pod, self.namespace)
            except Refused as error:
                if "serviceaccount" not in error.message or time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return

    def _wait_for_servers(self, name: str) -> None:
        end = time.monotonic() + self._times.servers
        while time.monotonic() < end:
            found = self._cluster.get("apps/v1", "statefulsets", name, self.namespace) or {}
            if ((found.get("status") or {}).get("readyReplicas") or 0) >= 1:
                return
            time.sleep(POLL_SECONDS)
        why = pods.reason(self._get(f"{name}-0") or {})
        words = (
            f"{name} of the throw-away namespace {self.namespace} is not ready within {self._times.servers:g} s ({why})"
        )
        raise FindingError("check-image-place", f"{words}: look at its image (ai_agent_images) and at the nodes.")

    def _open_desk(self) -> None:
        end = time.monotonic() + self._times.start
        while not pods.running(pod := self._get(DESK) or {}):
            if (why := pods.hopeless(pod)) or time.monotonic() > end:
                words = f"Image {self._desk_image} cannot run the pod that asks ({why or pods.reason(pod)})"
                raise FindingError("check-image-place", f"{words}: name one with Python in ai_agent_check_tools_image.")
            time.sleep(POLL_SECONDS)
        self._session = self._stack.enter_context(ExecSession(self._cluster, self.namespace, DESK, "desk", command()))
        self._session.send(bundle(CONTRACT, {}))
        self._stack.enter_context(signs_of_life(self._session, SIGN_SECONDS))
        for name, server in self._plan.servers.items():
            asked = {"do": "relay", "name": name, "port": server.desk_port, "host": server.service}
            answer = self.desk(asked | {"to_port": server.port})
            if "error" in answer:
                raise FindingError(
                    "check-image-place", f"The pod that asks cannot stand before the {name}: {answer['error']}."
                )

    def desk(self, request: Row) -> Row:
        """What it answers."""
        if self._session is None:  # pragma: no cover - the namespace was entered
            return {"error": "it is not there"}
        self._session.send(json.dumps(request))
        line = self._session.receive(ANSWER_SECONDS)
        if line is None:
            words = f"The program in pod {self.namespace}/{DESK} ended ({self._session.last_words})"
            raise FindingError("check-image-place", f"{words}: the image needs Python 3.10 or newer.")
        try:
            return t.cast("Row", json.loads(line))
        except ValueError:
            return {"error": line[:200]}

    def servers(self) -> t.Collection[str]:
        """Which can be taken away."""
        return self._plan.servers

    def url(self) -> str:
        """The URL of the database."""
        return self._plan.url

    def migrate(self, copies: int) -> list[Ended]:
        """Run the migration so many times at once."""
        if self._plan.migration is None:
            return []
        names = []
        for _copy in range(copies):
            pod = started(self._plan.migration, self._name("migration"))
            pod["spec"]["restartPolicy"] = "Never"
            pod["spec"].pop("activeDeadlineSeconds", None)
            self._create(pod)
            names.append(pod["metadata"]["name"])
        end = time.monotonic() + self._times.migration
        ends = [self._end_of(name, end) for name in names]
        for name in names:
            self._cluster.delete("v1", "pods", name, self.namespace)
        return ends

    def _end_of(self, name: str, end: float) -> Ended:
        while True:
            pod = self._get(name) or {}
            over = time.monotonic() > end
            if (code := pods.exit_code(pod)) is not None or (pods.hopeless(pod) or over):
                container = pods.container_of(pod)
                return Ended(code, self._log(name, container) or pods.hopeless(pod) or "its time was over")
            time.sleep(POLL_SECONDS)

    def start(self, *, writable: bool = False, own_user: bool = False, kept: bool = False) -> Started:
        """Start the agent's pod."""
        name = self._name("agent")
        self._create(started(self._plan.agent, name, writable=writable, own_user=own_user, kept=kept))
        self._pod = name
        began = time.monotonic()
        while True:
            pod = self._get(name) or {}
            passed = time.monotonic() - began
            if is_ready(pod):
                return dataclasses.replace(self._process(name), seconds=passed)
            why = pods.hopeless(pod) or (pods.reason(pod) if passed > self._times.start else "")
            if why:
                return self._not_ready(name, pod, why)
            time.sleep(POLL_SECONDS)

    def _not_ready(self, name: str, pod: Object, why: str) -> Started:
        container = pods.container_of(pod)
        words = self._log(name, container, previous=pods.restarts(pod) > 0) or self._log(name, container) or why
        seen = self._process(name) if pods.running(pod) else Started(None)
        return dataclasses.replace(seen, words=words)

    def _process(self, name: str) -> Started:
        """The user of the agent's process, and the ports on which it listens."""
        container = self._plan.container["name"]
        words = ["cat", "/proc/1/status", "/proc/net/tcp", "/proc/net/tcp6"]
        said = []
        try:
            with ExecSession(self._cluster, self.namespace, name, container, words) as session:
                while (line := session.receive(20)) is not None:
                    said.append(line)
        except FindingError:
            return Started(None)
        uid, gid = pods.user(said)
        return Started(None, uid=uid, gid=gid, ports=pods.ports(said))

    def address(self) -> str:
        """The address of the agent's pod."""
        return str(((self._get(self._pod or "") or {}).get("status") or {}).get("podIP") or "")

    def restarts(self) -> int:
        """The restarts of the agent's container."""
        return pods.restarts(self._get(self._pod or "") or {})

    def stop(self) -> End:
        """Delete the pod as everybody does, and see how its container ends."""
        name = self._pod or ""
        pre, grace = self._plan.pre_stop, self._plan.grace
        began = time.time()
        self._cluster.delete("v1", "pods", name, self.namespace)
        end = time.monotonic() + grace + 60
        while (code := pods.exit_code(self._get(name) or {}, self._plan.container["name"])) is None:
            if time.monotonic() > end:
                break
            time.sleep(POLL_SECONDS / 2)
        ended = time.time()
        self._release(name)
        self._pod = None
        return End(code, began + pre, max(0.0, ended - began - pre), grace - pre)

    def remove(self) -> None:
        """Delete it, and wait until it is gone."""
        name, self._pod = self._pod, None
        if name is None:
            return
        self._release(name)
        self._cluster.delete("v1", "pods", name, self.namespace)
        end = time.monotonic() + self._plan.grace + 60
        while self._get(name) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)

    def _name(self, what: str) -> str:
        self._number += 1
        return f"check-image-{what}-{self._number}"

    def _get(self, name: str) -> Object | None:
        found: Object | None = self._cluster.get("v1", "pods", name, self.namespace) if name else None
        return found

    def _log(self, name: str, container: str, *, previous: bool = False) -> str:
        query = {"tailLines": "60"} | ({"previous": "true"} if previous else {})
        try:
            lines = self._cluster.log(self.namespace, name, container, limit_bytes=LOG_BYTES, seconds=15, query=query)
            return "\n".join(lines)
        except FindingError:
            return ""


def remove_left(cluster: Cluster) -> None:
    """Remove what runs left that were killed, where the account may."""
    with contextlib.suppress(FindingError):
        for found in cluster.list("v1", "namespaces", labels=f"{LABEL}=true"):
            until = (found["metadata"].get("annotations") or {}).get(UNTIL, "")
            name = found["metadata"]["name"]
            if not until.isdigit() or int(until) > time.time():
                continue
            for pod in cluster.list("v1", "pods", name):
                if pod["metadata"].get("finalizers"):
                    cluster.patch("v1", "pods", pod["metadata"]["name"], {"metadata": {"finalizers": None}}, name)
            cluster.delete("v1", "namespaces", name)


__all__ = ("LABEL", "UNTIL", "ClusterPlace", "Times", "remove_left")
