"""The Secret of a release and its embedded PostgreSQL's pods, for a rotation of the replication password."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import ANNOTATION
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import server_pods
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_script import PROGRAM, UNFIT
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_steps import Server

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import (
        ReplicationRecord,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
    from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_run import Action

Object = dict[str, t.Any]
# The components of both sources of subcharts, and the name of the container.
_PRIMARY, _REPLICA, _CONTAINER = "primary", "read", "postgresql"
# A few statements, each of which has a limit of its own, on a busy node.
ANSWER_SECONDS = 120.0


@dataclasses.dataclass
class ReplicationKeeper:
    """Implements `replication_run.Keeper` on the cluster."""

    release: Release

    def secret(self) -> Object:
        """The Secret now.

        :raises FindingError: there is none
        """
        return self.release.secret()

    def write(self, secret: Object, record: ReplicationRecord, data: Mapping[str, str | None]) -> None:
        """Patch the annotation and keys of the Secret in one request (see `replication_run.Keeper`)."""
        self.release.write_record(secret, {ANNOTATION: record.as_annotation()}, data)

    def primary(self) -> str:
        """The name of the primary's pod, empty where there is none."""
        self.release.assert_exec()
        return next((pod["metadata"]["name"] for pod in server_pods.found(self.release, _PRIMARY)), "")

    def replicas(self) -> list[str]:
        """The names of the replicas' pods, but for those that have ended."""
        return sorted(pod["metadata"]["name"] for pod in server_pods.found(self.release, _REPLICA))

    def outside(self) -> bool:
        """See `replication_run.Keeper`; the label of the chart says it, as in `identity.servers`."""
        return server_pods.of_others(server_pods.found(self.release, _PRIMARY))

    def ask(self, pod: str, action: Action, digest: str, bridge: str) -> Server:
        """Run the program in a pod (see `replication_run.Keeper`). One that does not run is one that is waited for."""
        found = self.release.cluster.get("v1", "pods", pod, self.release.namespace)
        if found is None or not server_pods.runs(found, _CONTAINER):
            return Server(pod)
        cluster, namespace = self.release.cluster, self.release.namespace
        with ExecSession(cluster, namespace, pod, _CONTAINER, ["bash", "-c", PROGRAM]) as session:
            session.send(f"{action} {digest} {bridge}")
            return server_of(pod, session.receive(ANSWER_SECONDS))


def server_of(pod: str, line: str | None) -> Server:
    """What the program's line says. Pure.

    :raises FindingError: the password of this server cannot be rotated
    """
    try:
        told = dict(json.loads(line or ""))
        unfit = str(told.pop("unfit"))
        server = Server(pod, **told)
    except (ValueError, TypeError, KeyError):
        # It ended in the middle, or its image has other programs.
        return Server(pod)
    if unfit:
        words = f"PostgreSQL in pod {pod} {UNFIT.get(unfit, 'cannot be asked')}"
        raise FindingError("rotation-replication", f"{words}.")
    return server


__all__ = ("ReplicationKeeper", "server_of")
