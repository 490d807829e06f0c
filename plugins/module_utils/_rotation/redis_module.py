"""From the parameters of redis_password_rotation to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import rotation_ids, told
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_cluster import RedisKeeper
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_run import RedisRotation
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
    "begin": {"type": "bool", "default": True},
}

_REST: t.Final = (
    "the Secret would get the new one, the agent's pods would be replaced, and Redis would lose the old one"
)
# What is yet to come, by the next step, from there to the end.
_TO_COME: t.Final = {
    "mark": f"Redis would take a second password, which would be tried from an agent pod; then {_REST}",
    "mount": f"the new password waits for Redis' pods; then {_REST}",
    "open": f"a rotation was interrupted: Redis would take the second password; then {_REST}",
    "switch": f"the new password would be tried from an agent pod; {_REST}",
    "roll": "a rotation was interrupted: the agent's pods would be replaced, and Redis would lose the old password",
    "wait": "a rotation was interrupted: Redis would lose the old password once no pod with it is left",
    "strip": "a rotation was interrupted: the second password would go from the Secret, and from Redis",
    "settle": "a rotation was interrupted: Redis would lose the second password once its pods have the Secret's",
    "close": "a rotation was interrupted: Redis would lose the second password",
    "clear": "a rotation was interrupted, and all but its record is done",
    "nothing": "Redis has the password of the vault, and no rotation is under way",
}
# The same after a run that went as far as it may.
_NEXT: t.Final = {
    "mark": "a rotation of Redis' password that was interrupted is finished, and the vault has another one by now",
    "roll": "the agent's pods are to be replaced now, and Redis is to lose the old password after that",
    "nothing": _TO_COME["nothing"],
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
    rotation = RedisRotation(
        RedisKeeper(release), params["secret_expected"], float(params["wait_seconds"]), params["begin"]
    )
    if params["check_mode"]:
        step = rotation.plan()
        words, changed = _TO_COME[step], step != "nothing"
    else:
        step = rotation.run()
        words, changed = told.words_after(step, rotation.done, _TO_COME, _NEXT), bool(rotation.done)
    rotation_id = rotation_ids.of(release.secret())
    return told.result(release, step, rotation.done, words, changed=changed, rotation_id=rotation_id), None


__all__ = ("ARGUMENTS", "execute")
