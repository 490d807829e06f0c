"""From the parameters of credentials_rotation to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import login_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.run import ROTATION_ID, Rotation, Wanted
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.steps import Step

Row = dict[str, t.Any]
MOST_SECONDS = 86_400

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "secret_expected": {"type": "dict", "required": True, "no_log": True},
    "session_seconds": {"type": "int", "default": 300},
    "begin": {"type": "bool", "default": True},
}

# What is yet to come, by the next step, from there to the end.
_TO_COME: t.Final = {
    "mark": "role {role} would be made ready and tried from an agent pod, the Secret would get it and the new password,"
    " the agent's pods would be replaced, and {login} would be locked once no session of it is left",
    "prepare": "a rotation was interrupted: role {role} would be made ready, and the rest would follow",
    "switch": "a rotation was interrupted: role {role} is ready, the Secret would get it, and the rest would follow",
    "roll": "a rotation was interrupted: the agent's pods would be replaced, and role {old} would be locked",
    "wait": "a rotation was interrupted: role {old} would be locked once no session of it is left",
    "lock": "a rotation was interrupted: role {old} would be locked",
    "clear": "a rotation was interrupted, and all but its record is done",
    "withdraw": "a rotation was interrupted, and its old password is wanted again: role {role} would be locked",
    "nothing": "the Secret has the password of the vault, and no rotation is under way",
}
# The same after a run that went as far as it may.
_NEXT: t.Final = {
    "mark": "a rotation that was interrupted is finished, and the vault has another password by now",
    "roll": "the agent's pods are to be replaced now, and role {old} to be locked after that",
    "wait": "role {old} still has sessions, and is to be locked once there are none",
    "nothing": "role {role} logs in with the password of the vault, and no rotation is under way",
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it fails by an error only.

    :param params: the module's, and `check_mode`
    :raises FindingError: a step could not be done; then what was done before it stands in the Secret's annotation
    """
    if not 0 <= params["session_seconds"] <= MOST_SECONDS:
        raise FindingError("argument-invalid", f"session_seconds must be from 0 to {MOST_SECONDS}.")
    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    release = Release(
        connect(params), params["release_name"], params["release_namespace"], secret_name=params["secret_name"]
    )
    wanted = Wanted(params["secret_expected"], params["session_seconds"], params["begin"])
    rotation = Rotation(release, release.ask, wanted)
    if params["check_mode"]:
        step = rotation.plan()
        return _result(release, rotation, step, _TO_COME[step.kind], changed=step.kind != "nothing"), None
    step = rotation.run()
    words = (_NEXT if rotation.done else _TO_COME).get(step.kind, _TO_COME[step.kind])
    return _result(release, rotation, step, words, changed=bool(rotation.done)), None


def _result(release: Release, rotation: Rotation, step: Step, words: str, *, changed: bool) -> Row:
    secret = release.secret()
    login = login_of(secret)
    known = login.login if login else ""
    words = words.format(
        role=step.role or known or "the role in use",
        login=known or "the role in use",
        old=(login.replaces if login else "") or "the old one",
    )
    result: Row = {
        "changed": changed,
        "next": step.kind,
        "login": known,
        "rotation_id": base64.b64decode((secret.get("data") or {}).get(ROTATION_ID, "")).decode("utf-8", "replace"),
        "steps": rotation.done,
        "summary": [*rotation.done, f"Release {release.namespace}/{release.name}: {words}."],
    }
    return t.cast("Row", all_printable(result))


__all__ = ("ARGUMENTS", "execute")
