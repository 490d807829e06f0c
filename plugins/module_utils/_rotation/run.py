"""Takes the steps of a rotation, one after the other, until the pods have to be replaced or nothing is left to do."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import time
import typing as t
from urllib.parse import quote

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated, urls
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import (
    ANNOTATION,
    Login,
    as_login,
    idle,
    login_of,
    urls_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import INITIAL
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded, encoded
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import rotation_ids
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.steps import Facts, Role, Step, next_step

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Mapping

Object = dict[str, t.Any]

CONNECT_SECONDS = 10
POLL_SECONDS = 2.0
# How often sessions are terminated: one ends with a delay, and new ones may have begun meanwhile.
MOST_LOCKS = 3
PASSWORD, ADMINISTRATOR, URL = "password", "postgres-password", "database-url"


class Keeper(t.Protocol):
    """The Secret, in the cluster or in a test."""

    def secret(self) -> Object:
        """The Secret now."""

    def write(self, secret: Object, login: Login, data: Mapping[str, str]) -> None:
        """Write the annotation and some keys in one request, refused where the Secret has changed since it was read.

        :param secret: as it was read
        :param data: base64
        """

    def rolled(self, rotation_id: str) -> bool:
        """Whether every pod of the agent was made with that id and is available."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the inventory wants.

    :param data: of the Secret, as passwords and manifests make it, with the owner for its user; base64
    :param session_seconds: how long the old role's sessions may take to end by themselves
    :param begin: another password than the Secret's begins a rotation; else only one that was begun is finished
    :param outside: the server is not the release's, and nobody knows its administrator but by `admin`
    :param admin: URL or password of the administrator `postgres`; without it, what has to be done outside is only said
    """

    data: Mapping[str, str] = dataclasses.field(repr=False)
    session_seconds: float = 300.0
    begin: bool = True
    outside: bool = False
    admin: str = dataclasses.field(default="", repr=False)


@dataclasses.dataclass
class Rotation:
    """One run.

    :param ask: has `_in_pod/rotation.py` work on a request where the database can be reached
    :param done: sentences about what was done
    :param statements: what an administrator has to do before the next run, for psql
    """

    keeper: Keeper
    ask: Callable[[Object], Object]
    wanted: Wanted
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    done: list[str] = dataclasses.field(default_factory=list)
    statements: list[str] = dataclasses.field(default_factory=list)

    def run(self) -> Step:
        """Step by step until `roll`, which is somebody else's work, or `nothing`; `mark` where it may not begin.

        Where an administrator has to do a step, it is this one, and `statements` are his.

        :raises FindingError: a step could not be done; run again, it goes on from there
        """
        ends, prepared, locked = self.clock() + self.wanted.session_seconds, False, 0
        while True:
            try:
                secret, facts = self.look(patient=self.clock() < ends, prepared=prepared)
                step = next_step(facts)
                if step.kind in {"roll", "nothing"} or (step.kind == "mark" and not self.wanted.begin):
                    return step
                if step.kind == "wait":
                    self.sleep(POLL_SECONDS)
                    continue
                locked += step.kind == "lock"
                if locked > MOST_LOCKS:
                    _stop_at_sessions(step.role, facts.roles[step.role])
                self.take(step, secret, facts)
                if self.statements:
                    return step
            except FindingError as error:
                error.changed = bool(self.done)
                raise
            prepared = step.kind == "prepare"

    def plan(self) -> Step:
        """The step that would be taken first; nothing is changed.

        :raises FindingError: it cannot be known
        """
        return next_step(self.look(patient=True, prepared=False)[1])

    def look(self, *, patient: bool, prepared: bool) -> tuple[Object, Facts]:
        """The Secret and the facts.

        :param prepared: the idle role was given the wanted password just now, so a login that fails is an error
        :raises FindingError: the Secret does not fit what is wanted, or nobody can be asked
        """
        secret = self.keeper.secret()
        data, owner = secret.get("data") or {}, self._owner()
        user = _user(data.get(URL, ""))
        login = login_of(secret) or Login(owner, owner)
        if user != login.login or login.owner != owner:
            words = (
                f"{URL} of Secret {_named(secret)} has the user {user}, and the rotation before it left {login.login}"
            )
            raise FindingError(
                "rotation-record", f"{words} (owner {login.owner}, wanted {owner}): correct {ANNOTATION}."
            )
        same = self._is_same(data)
        trial = bool(login.preparing) and not same
        request = self._request(secret, "look") | {
            "roles": sorted({owner, login.login, login.replaces, login.preparing, idle(owner, login.login)} - {""}),
            "login": self._url(login.preparing) if trial else None,
        }
        answer = self.ask(request)
        if answer["roles"].get(owner, {}).get("super"):
            words = f"The database's user {owner} is a superuser, whose rights no other role can be lent"
            raise FindingError("rotation-refused", f"{words}: change its password by hand (docs/runbook.md).")
        roles = {
            name: Role(role["login"], role["sessions"], tuple(role["clients"]), ours=role["ours"] or name == owner)
            for name, role in answer["roles"].items()
        }
        begun = login.preparing or ("" if login.replaces else idle(owner, login.login))
        if not same and begun in roles and not roles[begun].ours:
            words = f"The server at {answer['where']} has a role {begun} that no rotation made"
            raise FindingError("rotation-role-taken", f"{words}: rename it, for its password would be changed.")
        if prepared and answer["works"]:
            words = f"Role {login.preparing} was given its password, and still cannot log in from the agent's pod"
            raise FindingError("rotation-login", f"{words}. {answer['works']} The role in use was not touched.")
        rolled = bool(login.replaces) and self.keeper.rolled(rotation_ids.of(secret))
        return secret, Facts(login, same, trial and answer["works"] == "", rolled, roles, patient)

    def take(self, step: Step, secret: Object, facts: Facts) -> None:
        """One step that is neither `roll`, `wait` nor `nothing`.

        :raises FindingError: it could not be done
        """
        login, role = facts.login, step.role
        plain = dataclasses.replace(login, preparing="", replaces="", before="")
        if step.kind == "mark":
            self.keeper.write(secret, dataclasses.replace(login, preparing=role), {})
            self.done.append(f"Role {role} takes over from {login.login}; the annotation of the Secret says so.")
        elif step.kind == "prepare":
            password = decoded(self.wanted.data[PASSWORD])
            request = self._request(secret, "prepare") | {"role": role, "like": login.login}
            if self._change(request | ({} if request.get("say") else {"password": password})):
                self.done.append(
                    f"Role {role} has the new password, the settings of {login.login}, and acts as {login.owner}."
                )
        elif step.kind == "switch":
            self._switch(secret, login, role)
            self.done.append(f"Role {role} logs in from an agent pod, and is in the Secret with a new rotation id.")
        elif step.kind in {"lock", "withdraw"}:
            before = facts.roles.get(role, Role(login=False))
            request = self._request(secret, "lock")
            request |= {"role": role, "end": not facts.patient or step.kind == "withdraw"}
            # A role of the name that somebody else made is left as it is; so is one that an administrator has locked.
            due = before.ours and (before.login or before.sessions > 0 or not request.get("say"))
            if due and not self._change(request):
                return
            if step.kind == "withdraw":
                self.keeper.write(secret, plain, {})
                self.done.append(f"The old password is wanted again: {login.login} stays, and {role} is locked.")
            else:
                self.done.append(f"Role {role} may log in no more{_ended(before)}.")
        elif step.kind == "clear":
            self.keeper.write(secret, plain, {})
            self.done.append(f"Role {login.login} alone is in use.")

    def _switch(self, secret: Object, login: Login, role: str) -> None:
        data = as_login(self.wanted.data, login.owner, role)
        keys = urls_of(data, role) | ({PASSWORD} if not self.wanted.outside or PASSWORD in secret["data"] else set())
        data = {key: data[key] for key in keys}
        now = annotated.now()
        switched = Login(login.owner, role, since=now, replaces=login.login, before=rotation_ids.of(secret))
        self.keeper.write(secret, switched, data | {rotation_ids.KEY: encoded(rotation_ids.new())})

    def _is_same(self, data: Mapping[str, str]) -> bool:
        """Whether the Secret has the password that is wanted."""
        if not self.wanted.outside:
            return data.get(PASSWORD) == self.wanted.data[PASSWORD]
        # Nothing else of the URL is compared: who keeps the Secret may lead to the server by another name.
        return _password(data.get(URL, "")) == decoded(self.wanted.data[PASSWORD])

    def _change(self, request: Object) -> bool:
        """Whether the server was changed; else `statements` are left to an administrator."""
        self.statements = list(self.ask(request).get("statements") or ())
        return not self.statements

    def _owner(self) -> str:
        owner = _user(self.wanted.data.get(URL, ""))
        if not owner or not self.wanted.data.get(PASSWORD):
            words = "This release has no PostgreSQL of its own, so who keeps its roles changes their passwords"
            raise FindingError("rotation-refused", f"{words}; docs/runbook.md has the statements.")
        if owner == INITIAL:
            words = f"The agent logs in as {INITIAL}, the administrator, for whom no other role can stand in"
            raise FindingError("rotation-refused", f"{words}: change the password by hand (docs/runbook.md).")
        return owner

    def _request(self, secret: Object, action: str) -> Object:
        url = decoded(secret["data"][URL])
        request = {"action": action, "owner": self._owner(), "connect_timeout": CONNECT_SECONDS}
        request |= {"roles": [self._owner()], "login": None}
        if "://" in self.wanted.admin:
            return request | {"admin": self.wanted.admin}
        password = self.wanted.admin or decoded((secret.get("data") or {}).get(ADMINISTRATOR, ""))
        if password:
            return request | {"admin": _with_login(url, f"{INITIAL}:{quote(password, safe='')}")}
        if self.wanted.outside:
            # Everybody may look at roles, their settings and how many sessions they have.
            return request | {"admin": url, "say": True}
        words = f"Secret {_named(secret)} has no {ADMINISTRATOR}, and only the administrator may change roles"
        raise FindingError("rotation-refused", f"{words}: put it into the vault, and deploy.")

    def _url(self, role: str) -> str:
        return decoded(as_login(self.wanted.data, self._owner(), role)[URL])


def _stop_at_sessions(name: str, role: Role) -> t.NoReturn:
    """:raises FindingError: always"""
    words = f"Role {name} may log in no more, and sessions of it do not end ({', '.join(role.clients)})"
    raise FindingError("rotation-sessions", f"{words}: end them, or restart what holds them.")


def _user(value: str) -> str:
    """The user of a URL in base64, empty where it is none."""
    try:
        return urls.parts(decoded(value), "").user
    except ValueError:
        return ""


def _password(value: str) -> str | None:
    """The password of a URL in base64."""
    try:
        return urls.parts(decoded(value), "").password
    except ValueError:
        return None


def _with_login(url: str, login: str) -> str:
    scheme, _separator, rest = url.partition("://")
    return f"{scheme}://{login}@{rest.rpartition('@')[2]}"


def _ended(role: Role) -> str:
    if not role.sessions:
        return ", and no session of it was left"
    return f"; {role.sessions} sessions of it were ended ({', '.join(role.clients)})"


def _named(secret: Object) -> str:
    metadata = secret.get("metadata") or {}
    return f"{metadata.get('namespace')}/{metadata.get('name')}"


__all__ = ("Keeper", "Rotation", "Wanted")
