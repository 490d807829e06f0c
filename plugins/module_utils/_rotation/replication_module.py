"""From the parameters of replication_password_rotation to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import told
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_cluster import ReplicationKeeper
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_run import (
    KEY,
    ReplicationRotation,
)
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

Row = dict[str, t.Any]
MOST_SECONDS = 86_400

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "secret_expected": {"type": "dict", "required": True, "no_log": True},
    "wait_seconds": {"type": "int", "default": 300},
}

_REST: t.Final = (
    "the Secret and then the primary would get the new password, and the replicas follow by it, without a restart"
)
_ENDS: t.Final = "a rotation was interrupted: the replicas would follow by the Secret's password again"
# What is yet to come, by the next step, from there to the end.
_TO_COME: t.Final = {
    "mark": f"the replicas would follow by a second role meanwhile; {_REST}",
    "bridge": f"a rotation was interrupted: the primary would let in a second role; {_REST}",
    "lend": f"a rotation was interrupted: the replicas would follow by the second role; {_REST}",
    "follow": f"a rotation was interrupted, and a server is waited for; {_REST}",
    "switch": f"a rotation was interrupted; {_REST}",
    "mount": "a rotation was interrupted: the primary's pod is waited for, which would know the Secret's password then",
    "set": f"a rotation was interrupted: the primary would know the Secret's password; {_REST}",
    "return": _ENDS,
    "rejoin": f"{_ENDS}, once each of them has it",
    "close": "a rotation was interrupted: the second role would go",
    "clear": "a rotation was interrupted, and all but its record is done",
    "nothing": "the replicas follow by the password of the vault, and no rotation is under way",
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it fails by an error only.

    :param params: the module's, and `check_mode`
    :raises FindingError: a step could not be done; then what was done before it stands in the Secret's annotation
    """
    if not 0 <= params["wait_seconds"] <= MOST_SECONDS:
        raise FindingError("argument-invalid", f"wait_seconds must be from 0 to {MOST_SECONDS}.")
    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    release = Release(
        connect(params), params["release_name"], params["release_namespace"], secret_name=params["secret_name"]
    )
    wanted = str(params["secret_expected"].get(KEY) or "")
    rotation = ReplicationRotation(ReplicationKeeper(release), wanted, float(params["wait_seconds"]))
    if params["check_mode"]:
        step = rotation.plan()
        changed = step != "nothing"
    else:
        step = rotation.run()
        changed = bool(rotation.done)
    return told.result(release, step, rotation.done, _TO_COME[step], changed=changed), None


__all__ = ("ARGUMENTS", "execute")
