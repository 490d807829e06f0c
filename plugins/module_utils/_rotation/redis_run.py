"""Takes the steps of a rotation of Redis' password, until the pods have to be replaced or nothing is left to do."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import hashlib
import time
import typing as t
from urllib.parse import quote

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated
from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import Record, record_of
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded, encoded
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import rotation_ids
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.redis_steps import (
    Facts,
    Kind,
    Server,
    next_step,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Mapping, Sequence

Object = dict[str, t.Any]
# What is asked of a server, see redis_script.py.
Action = t.Literal["look", "open", "follow", "close"]

FIRST: t.Final = "redis-password"
# subcharts/redis mounts it, where it is there, beside the first.
SECOND: t.Final = "redis-password-second"
URL: t.Final = "redis-url"
POLL_SECONDS = 2.0


class Keeper(t.Protocol):
    """The Secret, the agent's pods and Redis', in the cluster or in a test."""

    def secret(self) -> Object:
        """The Secret now."""

    def write(self, secret: Object, record: Record, data: Mapping[str, str | None]) -> None:
        """Write the annotation and some keys in one request, refused where the Secret has changed since it was read.

        :param secret: as it was read
        :param data: base64; None removes a key
        """

    def rolled(self, rotation_id: str) -> bool:
        """Whether every pod of the agent was made with that id and is available."""

    def ended(self, rotation_id: str) -> bool:
        """Whether no pod of the agent is left that was made with another id."""

    def pods(self) -> Sequence[str]:
        """The names of Redis' pods."""

    def outside(self) -> bool:
        """Whether Redis is of a chart that gives it one password: Bitnami's."""

    def ask(self, pod: str, action: Action, hashes: tuple[str, str]) -> Server:
        """Have a server do something, and look at it then.

        :param hashes: of the Secret's first and second password, `-` where there is none
        :raises FindingError: this server's password cannot be rotated
        """

    def try_login(self, url: str) -> str:
        """Log in from an agent pod; the step at which that fails, `auth` for the password, empty where it works.

        :raises FindingError: no agent pod can be asked
        """


@dataclasses.dataclass
class RedisRotation:
    """One run.

    :param wanted: what the Secret is to hold with the new password, base64
    :param wait_seconds: how long pods may take to have what the Secret has, and those of before to end
    :param begin: another password than the Secret's begins a rotation; else only one that was begun is finished
    :param done: sentences about what was done
    """

    keeper: Keeper
    wanted: Mapping[str, str] = dataclasses.field(repr=False)
    wait_seconds: float = 300.0
    begin: bool = True
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    done: list[str] = dataclasses.field(default_factory=list)

    def run(self) -> Kind:
        """Step by step until `roll`, which is somebody else's work, or `nothing`; `mark` where it may not begin.

        :raises FindingError: a step could not be done; run again, it goes on from there
        """
        ends = self.clock() + self.wait_seconds
        while True:
            try:
                secret, facts = self.look()
                step = next_step(facts)
                if step in {"roll", "nothing"}:
                    return step
                if not facts.record.began and not self.begin:
                    return "mark"
                if step in {"mount", "wait", "settle"}:
                    if self.clock() > ends:
                        _stop_waiting(step, facts.servers, self.wait_seconds)
                    self.sleep(POLL_SECONDS)
                    continue
                self._take(step, secret, facts)
            except FindingError as error:
                error.changed = bool(self.done)
                raise
            ends = self.clock() + self.wait_seconds

    def plan(self) -> Kind:
        """The step that would be taken first; nothing is changed.

        :raises FindingError: it cannot be known, or a server's password cannot be rotated
        """
        return next_step(self.look()[1])

    def look(self) -> tuple[Object, Facts]:
        """The Secret and the facts.

        :raises FindingError: the release has no Redis of its own, or a server's password cannot be rotated
        """
        if not self.wanted.get(FIRST) or not self.wanted.get(URL):
            words = "This release has no Redis of its own with a password, so who keeps it changes it"
            raise FindingError("rotation-redis", f"{words}: docs/runbook.md has the statements.")
        secret = self.keeper.secret()
        data, record = secret.get("data") or {}, record_of(secret)
        same, second = data.get(FIRST) == self.wanted[FIRST], data.get(SECOND, "")
        if same and not record.began:
            return secret, Facts(record, same)
        pods = self.keeper.pods()
        if not pods:
            raise FindingError("rotation-redis", "No pod of Redis is there, whose password could be changed: deploy.")
        hashes, rotation_id, outside = _hashes(secret), rotation_ids.of(secret), self.keeper.outside()
        rolled = bool(record.before) and self.keeper.rolled(rotation_id)
        return secret, Facts(
            record,
            same,
            "" if not second else "wanted" if second == self.wanted[FIRST] else "another",
            rolled,
            rolled and self.keeper.ended(rotation_id),
            [Server(pod, mounted=True) if outside else self.keeper.ask(pod, "look", hashes) for pod in pods],
            outside,
        )

    def _take(self, step: Kind, secret: Object, facts: Facts) -> None:
        record = facts.record
        rotation_ids.assert_there(rotation_ids.of(secret))
        if step == "mark":
            began = dataclasses.replace(record, began=record.began or annotated.now())
            self.keeper.write(secret, began, {SECOND: self.wanted[FIRST]})
            self.done.append("The Secret has Redis' new password as a second one; its annotation says so.")
        elif step == "open":
            self._each("open", secret, [server for server in facts.servers if not server.second])
            self.done.append(f"Redis takes both passwords, now and at its next start ({_names(facts.servers)}).")
        elif step == "switch":
            if failed := self.keeper.try_login(decoded(self.wanted[URL])):
                _stop_at_login(failed, facts)
            now = annotated.now()
            since = dataclasses.replace(record, since=now, began=record.began or now, before=rotation_ids.of(secret))
            data = self._switched() | {rotation_ids.KEY: encoded(rotation_ids.new())}
            self.keeper.write(secret, since, data if facts.outside else data | {SECOND: secret["data"][FIRST]})
            self.done.append("Redis' new password works from an agent pod; the Secret has it, with a new rotation id.")
        elif step == "strip":
            self.keeper.write(secret, record, {SECOND: None})
            words = (
                "Every agent pod has Redis' new password" if record.before else "Redis' old password is wanted again"
            )
            self.done.append(f"{words}; the Secret has no other one any more.")
        elif step == "close":
            # A replica whose master takes the old password no more could not follow it again after its link breaks.
            self._each("follow", secret, [server for server in facts.servers if not server.follows])
            self._each("close", secret, [server for server in facts.servers if server.others])
            self.done.append("Redis takes the Secret's password alone.")
        elif step == "clear":
            self.keeper.write(secret, Record(since=record.since), {})
            self.done.append("The rotation of Redis' password is done.")
            if facts.outside:
                words = "Take the old one away at redis-cli's prompt, on replicas the first, on each server the second"
                said = "CONFIG SET masterauth NEW, CONFIG SET requirepass NEW"
                self.done.append(f"{words}: {said} ({_names(facts.servers)}).")

    def _each(self, action: Action, secret: Object, servers: Sequence[Server]) -> None:
        """:raises FindingError: a server does not do it"""
        for server in servers:
            after = self.keeper.ask(server.name, action, _hashes(secret))
            # What restarts meanwhile is looked at again with the others.
            if after.mounted and not {"open": after.second, "follow": after.follows, "close": not after.others}[action]:
                words = f"Redis in pod {server.name} did not take the change of its password ({action})"
                raise FindingError("rotation-redis", f"{words}: its log says why. Run it again afterwards.")

    def _switched(self) -> dict[str, str]:
        """The keys that have Redis' password: itself, and its URL in each form."""
        start, place = f":{quote(decoded(self.wanted[FIRST]), safe='')}@", _place(decoded(self.wanted[URL]))
        urls = {key: decoded(value) for key, value in self.wanted.items() if key != FIRST}
        keys = {key for key, url in urls.items() if start in url and _place(url) == place}
        return {key: self.wanted[key] for key in (FIRST, *sorted(keys))}


def _place(url: str) -> str:
    """Host and port of a URL, empty where it is none."""
    return url.partition("://")[2].rpartition("@")[2].partition("/")[0]


def _hashes(secret: Object) -> tuple[str, str]:
    """SHA-256 of the two passwords, as a server has them that strips the line break at a file's end."""
    first, second = (decoded((secret.get("data") or {}).get(key, "")).rstrip("\n") for key in (FIRST, SECOND))
    return _hash(first), _hash(second) if second else "-"


def _hash(text: str) -> str:
    # It is what Redis stores of a password, and not stored here.
    return hashlib.sha256(text.encode()).hexdigest()


def _stop_at_login(failed: str, facts: Facts) -> t.NoReturn:
    """:raises FindingError: always"""
    if facts.outside and failed == "auth":
        words = f"Redis in {_names(facts.servers)} does not take the new password yet"
        todo = "run ACL SETUSER default >NEW there at redis-cli's prompt, and this again"
        raise FindingError("rotation-redis", f"{words}, and nothing here may change it: {todo}.")
    words = f"An agent pod cannot work with Redis' new password (step {failed})"
    raise FindingError("rotation-redis", f"{words}: run the connectivity test. The one in use was not touched.")


def _names(servers: Sequence[Server]) -> str:
    return ", ".join(server.name for server in servers)


def _stop_waiting(step: Kind, servers: Sequence[Server], seconds: float) -> t.NoReturn:
    """:raises FindingError: always"""
    if step == "wait":
        words = f"Agent pods with Redis' old password are still about to end after {seconds:g} s"
        raise FindingError("rotation-redis", f"{words}: run it again once they are gone.")
    names = _names([server for server in servers if not server.mounted])
    words = f"Pod {names} does not run with what the Secret has after {seconds:g} s"
    raise FindingError("rotation-redis", f"{words}: look at it and at its node's kubelet, and run it again.")


__all__ = ("FIRST", "SECOND", "URL", "Action", "Keeper", "RedisRotation")
