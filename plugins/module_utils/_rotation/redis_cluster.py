"""The Secret of a release and its embedded Redis' pods, for a rotation of that password."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from ansible_collections.ai_platform.agent.plugins.module_utils._release import look
from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import ANNOTATION, Record
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import server_pods
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import (
    ANSWER_SECONDS,
    Release,
    has_id,
    records_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_run import SECOND
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_script import PROGRAM, UNFIT
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_steps import Server

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_run import Action

Object = dict[str, t.Any]
# The components of both sources of subcharts, and the name of the container.
_COMPONENTS, _CONTAINER = ("master", "replica"), "redis"


@dataclasses.dataclass
class RedisKeeper:
    """Implements `redis_run.Keeper` on the cluster."""

    release: Release

    def secret(self) -> Object:
        """The Secret now.

        :raises FindingError: there is none
        """
        return self.release.secret()

    def write(self, secret: Object, record: Record, data: Mapping[str, str | None]) -> None:
        """Patch the annotation and keys of the Secret in one request (see `redis_run.Keeper`)."""
        self.release.write_record(secret, {ANNOTATION: record.as_annotation()}, data)

    def rolled(self, rotation_id: str) -> bool:
        """See `redis_run.Keeper`."""
        return self.release.rolled(rotation_id)

    def ended(self, rotation_id: str) -> bool:
        """See `redis_run.Keeper`: a pod that is about to end still answers who asks it, and may log in anew."""
        pods = look.serving(self.release.cluster, self.release.name, self.release.namespace).pods
        return all(has_id(pod, rotation_id) or server_pods.has_ended(pod) for pod in pods)

    def pods(self) -> list[str]:
        """The names of Redis' pods, but for those that have ended."""
        self.release.assert_exec()
        return sorted(pod["metadata"]["name"] for pod in self._found())

    def outside(self) -> bool:
        """See `redis_run.Keeper`; the label of the chart says it, as in `identity.servers`."""
        return server_pods.of_others(self._found())

    def _found(self) -> list[Object]:
        return [pod for component in _COMPONENTS for pod in server_pods.found(self.release, component)]

    def ask(self, pod: str, action: Action, hashes: tuple[str, str]) -> Server:
        """Run the program in a pod (see `redis_run.Keeper`). One that does not run counts as one that is waited for."""
        found = self.release.cluster.get("v1", "pods", pod, self.release.namespace)
        if found is None or not server_pods.runs(found, _CONTAINER):
            return Server(pod, mounted=False)
        if not _mounts_second(found):
            raise FindingError("rotation-redis", f"Redis in pod {pod} {UNFIT['image']}.")
        cluster, namespace = self.release.cluster, self.release.namespace
        with ExecSession(cluster, namespace, pod, _CONTAINER, ["bash", "-c", PROGRAM]) as session:
            session.send(" ".join((action, *hashes)))
            return server_of(pod, session.receive(ANSWER_SECONDS))

    def try_login(self, url: str) -> str:
        """Log in from an agent pod, and write and remove a key (see `redis_run.Keeper`)."""
        return failed_step(self.release.probe({"name": "redis", "kind": "redis", "url": url}))


def _mounts_second(pod: Object) -> bool:
    """Whether its chart gives it a second password, where there is one."""
    sources = [
        each for item in pod["spec"].get("volumes") or () for each in (item.get("projected") or {}).get("sources") or ()
    ]
    keys = [item["key"] for each in sources for item in (each.get("secret") or {}).get("items") or ()]
    return SECOND in keys


def server_of(pod: str, line: str | None) -> Server:
    """What the program's line says. Pure.

    :raises FindingError: the password of this server cannot be rotated
    """
    try:
        told = dict(json.loads(line or ""))
        unfit = str(told["unfit"])
        server = Server(pod, told["mounted"], told["second"], told["others"], told["follows"])
    except (ValueError, TypeError, KeyError):
        # It ended in the middle, or its image has other programs.
        return Server(pod, mounted=False)
    if unfit == "busy":
        return dataclasses.replace(server, mounted=False)
    if unfit:
        raise FindingError("rotation-redis", f"Redis in pod {pod} {UNFIT.get(unfit, 'cannot be asked')}.")
    return server


def failed_step(lines: t.Iterable[str]) -> str:
    """The step of the probe that failed, empty where the last one worked. Pure.

    :raises FindingError: the probe did not begin
    """
    phases = [each for each in records_of(lines, "Redis' new password") if each.get("record") == "phase"]
    failed = next((each for each in phases if not each["ok"]), None)
    if failed is None and any(each["phase"] == "write" for each in phases):
        return ""
    return str(failed["phase"]) if failed else "start"


__all__ = ("RedisKeeper", "failed_step", "server_of")
