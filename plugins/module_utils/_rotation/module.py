"""From the parameters of credentials_rotation to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import login_of, with_password
from ansible_collections.ai_platform.agent.plugins.module_utils._release.keepers import keeper_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import rotation_ids, told
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.run import Rotation, Wanted
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
    "secret_expected": {"type": "dict", "no_log": True},
    "password": {"type": "str", "no_log": True},
    "admin_secret": {"type": "str", "no_log": False},
    "admin_key": {"type": "str", "default": "postgres-password", "no_log": False},
    "session_seconds": {"type": "int", "default": 300},
    "begin": {"type": "bool", "default": True},
}

CONSTRAINTS: t.Final[dict[str, t.Any]] = {
    "mutually_exclusive": [("secret_expected", "password"), ("secret_expected", "admin_secret")],
    "required_one_of": [("secret_expected", "password")],
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
# What an administrator is asked for, by the step that is his.
_SAID: t.Final = {
    "prepare": "nobody here may change roles; an administrator has to run the statements below in psql, which asks for"
    " the new password of {role}: the one of the vault",
    "lock": "every pod has the new login; an administrator has to run the statements below, which lock {old}",
    "withdraw": "the old password is wanted again; an administrator has to run the statements below, which lock {role}",
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
    wanted = _wanted(release, params)
    rotation = Rotation(release, release.ask, wanted)
    if params["check_mode"]:
        step = rotation.plan()
        return _result(release, rotation, step, _TO_COME[step.kind], changed=step.kind != "nothing"), None
    step = rotation.run()
    if rotation.statements:
        return _result(release, rotation, step, _SAID[step.kind], changed=bool(rotation.done)), None
    words = told.words_after(step.kind, rotation.done, _TO_COME, _NEXT)
    return _result(release, rotation, step, words, changed=bool(rotation.done)), None


def _wanted(release: Release, params: Row) -> Wanted:
    """What the inventory wants, of the role's own Secret or of one of others.

    :raises FindingError: the Secret of others is kept by a controller, or the administrator's is not as it was named
    """
    if params["secret_expected"] is not None:
        return Wanted(params["secret_expected"], params["session_seconds"], params["begin"])
    secret = release.secret()
    if keeper := keeper_of(secret["metadata"]):
        words = f"Secret {release.namespace}/{release.secret_name} is kept by {keeper}, which would undo a new login"
        raise FindingError("rotation-refused", f"{words} there: it has to be rotated where that takes it from.")
    login = login_of(secret)
    data = with_password(secret.get("data") or {}, login.owner if login else "", params["password"])
    admin = ""
    if params["admin_secret"]:
        found = release.cluster.get("v1", "secrets", params["admin_secret"], release.namespace) or {}
        admin = base64.b64decode((found.get("data") or {}).get(params["admin_key"], "")).decode("utf-8", "replace")
        if not admin:
            words = f"Secret {release.namespace}/{params['admin_secret']} has nothing under {params['admin_key']}"
            raise FindingError("rotation-refused", f"{words}, where the administrator's URL or password should be.")
    return Wanted(data, params["session_seconds"], params["begin"], outside=True, admin=admin.strip())


def _result(release: Release, rotation: Rotation, step: Step, words: str, *, changed: bool) -> Row:
    secret = release.secret()
    login = login_of(secret)
    known = login.login if login else ""
    words = words.format(
        role=step.role or known or "the role in use",
        login=known or "the role in use",
        old=(login.replaces if login else "") or "the old one",
    )
    more = {"login": known, "rotation_id": rotation_ids.of(secret), "statements": rotation.statements}
    return told.result(release, step.kind, rotation.done, words, changed=changed, **more)


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
