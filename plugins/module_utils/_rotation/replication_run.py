"""Takes the steps of a rotation of the replication user's password, one after the other, to the end."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import hashlib
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import annotated
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import (
    ReplicationRecord,
    record_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded, encoded
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.password import generated
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_steps import (
    Facts,
    Kind,
    Server,
    next_step,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Mapping, Sequence

Object = dict[str, t.Any]
# What is asked of a server, see replication_script.py.
Action = t.Literal["look", "bridge", "set", "lend", "return", "close"]

KEY: t.Final = "replication-password"
# The bridge's password stands in the Secret, for the next run has to know it; no pod mounts it.
BRIDGE: t.Final = "replication-password-bridge"
POLL_SECONDS = 2.0
_BY_HAND = "docs/runbook.md#rotation-replication says how it is changed by hand"


class Keeper(t.Protocol):
    """The Secret and PostgreSQL's pods, in the cluster or in a test."""

    def secret(self) -> Object:
        """The Secret now."""

    def write(self, secret: Object, record: ReplicationRecord, data: Mapping[str, str | None]) -> None:
        """Write the annotation and some keys in one request, refused where the Secret has changed since it was read.

        :param secret: as it was read
        :param data: base64; None removes a key
        """

    def primary(self) -> str:
        """The name of the primary's pod, empty where there is none."""

    def replicas(self) -> Sequence[str]:
        """The names of the replicas' pods."""

    def outside(self) -> bool:
        """Whether the servers are of a chart of others: Bitnami's."""

    def ask(self, pod: str, action: Action, digest: str, bridge: str) -> Server:
        """Have a server do something, and look at it then.

        :param digest: SHA-256 of the Secret's password, `-` where it does not matter yet
        :param bridge: the bridge's password, `-` where there is none, or it matters no more
        :raises FindingError: this server's password cannot be rotated
        """


@dataclasses.dataclass
class ReplicationRotation:
    """One run.

    :param wanted: the password that the Secret is to hold, base64
    :param wait_seconds: how long pods may take to have what the Secret has, and replicas to follow
    :param done: sentences about what was done
    """

    keeper: Keeper
    wanted: str = dataclasses.field(repr=False)
    wait_seconds: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    done: list[str] = dataclasses.field(default_factory=list)

    def run(self) -> Kind:
        """Step by step until `nothing` is left.

        :raises FindingError: a step could not be done; run again, it goes on from there
        """
        ends = self.clock() + self.wait_seconds
        while True:
            try:
                secret, facts = self.look()
                step = next_step(facts)
                if step == "nothing":
                    return step
                if step in {"follow", "mount", "rejoin"}:
                    if self.clock() > ends:
                        _stop_waiting(step, facts, self.wait_seconds)
                    self.sleep(POLL_SECONDS)
                    continue
                self._take(step, secret, facts)
            except FindingError as error:
                error.changed = bool(self.done)
                raise
            ends = self.clock() + self.wait_seconds

    def plan(self) -> Kind:
        """The step that would be taken first; nothing is changed.

        :raises FindingError: it cannot be known, or the password cannot be rotated
        """
        return next_step(self.look()[1])

    def look(self) -> tuple[Object, Facts]:
        """The Secret and the facts.

        :raises FindingError: the release has no replicas of its own, or a server's password cannot be rotated
        """
        secret = self.keeper.secret()
        record, same = record_of(secret), (secret.get("data") or {}).get(KEY, "") == self.wanted
        if not self.wanted:
            words = "No replication password is given"
            raise FindingError("rotation-replication", f"{words}: put ai_agent_replication_password into the vault.")
        if same and not record.began:
            return secret, Facts(record, same)
        primary = self.keeper.primary()
        if not primary:
            words = "No PostgreSQL of this release is there whose replication password could be changed"
            raise FindingError("rotation-replication", f"{words}, so who keeps the server changes it: {_BY_HAND}.")
        if self.keeper.outside():
            words = f"{primary} is of Bitnami's chart, whose replicas take the password at their start alone"
            todo = "at psql's prompt there \\password for the replication user, then replication-password in the Secret"
            raise FindingError("rotation-replication", f"{words}: {todo}, then restart the replicas; {_BY_HAND}.")
        asked = [self._ask(pod, "look", secret) for pod in (primary, *self.keeper.replicas())]
        return secret, Facts(record, same, asked[0], asked[1:])

    def _take(self, step: Kind, secret: Object, facts: Facts) -> None:
        record, primary = facts.record, facts.primary
        if step == "mark":
            began = dataclasses.replace(record, began=annotated.now())
            self.keeper.write(secret, began, {BRIDGE: encoded(generated())})
            self.done.append("A rotation of the replication password began; the annotation of the Secret says so.")
        elif step == "bridge":
            if not (secret.get("data") or {}).get(BRIDGE):
                # Somebody took it away, or wrote the annotation.
                self.keeper.write(secret, record, {BRIDGE: encoded(generated())})
                return
            self._change("bridge", secret, [primary])
            self.done.append(f"{primary.name} lets in a second role for replication.")
        elif step == "lend":
            due = [each for each in facts.replicas if each.ready and not each.bridged]
            self._change("lend", secret, due)
            self.done.append(f"By it follow, now and after a restart: {_names(due)}.")
        elif step == "switch":
            self.keeper.write(secret, dataclasses.replace(record, since=annotated.now()), {KEY: self.wanted})
            self.done.append("The Secret has the new replication password, which no replica uses yet.")
        elif step == "set":
            self._change("set", secret, [primary])
            self.done.append(f"{primary.name} knows the new replication password.")
        elif step == "return":
            due = [each for each in facts.replicas if each.mounted and (each.bridged or not each.current)]
            self._change("return", secret, due)
            self.done.append(f"By the replication user and the Secret's password follow again: {_names(due)}.")
        elif step == "close":
            # The primary last: its bridge says that there is something to close.
            self._change("close", secret, [each for each in (*facts.replicas, primary) if each.left])
            self.done.append("The second role is gone.")
        elif step == "clear":
            self.keeper.write(secret, ReplicationRecord(since=record.since), {BRIDGE: None})
            self.done.append("The rotation of the replication password is done.")

    def _change(self, action: Action, secret: Object, servers: Sequence[Server]) -> None:
        """:raises FindingError: a server does not do it"""
        for server in servers:
            after = self._ask(server.name, action, secret)
            good = {
                "bridge": after.bridged,
                "lend": after.bridged,
                "set": after.current,
                "return": after.current and not after.bridged,
                "close": not after.left,
            }[action]
            # What restarts meanwhile is looked at again with the others.
            if after.ready and after.mounted | (action in {"bridge", "lend", "close"}) and not good:
                words = f"PostgreSQL in pod {server.name} did not take the change for replication ({action})"
                raise FindingError("rotation-replication", f"{words}: its log says why. Run it again afterwards.")

    def _ask(self, pod: str, action: Action, secret: Object) -> Server:
        data = secret.get("data") or {}
        # Each trial of a password is a login: before the switch only the bridge's matters, behind it the first one.
        if data.get(KEY, "") == self.wanted:
            digest = hashlib.sha256(decoded(data[KEY]).rstrip("\n").encode()).hexdigest()
            return self.keeper.ask(pod, action, digest, "-")
        return self.keeper.ask(pod, action, "-", decoded(data.get(BRIDGE, "")) or "-")


def _stop_waiting(step: Kind, facts: Facts, seconds: float) -> t.NoReturn:
    """:raises FindingError: always"""
    servers = (facts.primary, *facts.replicas)
    if away := [each for each in servers if not each.ready]:
        words = f"PostgreSQL in pod {_names(away)} does not answer, or still copies, after {seconds:g} s"
        raise FindingError("rotation-replication", f"{words}: run it again once it does.")
    stale = [] if step == "follow" else [each for each in servers if not each.mounted]
    if stale:
        words = f"Pod {_names(stale)} does not have what the Secret has after {seconds:g} s"
        raise FindingError("rotation-replication", f"{words}: look at its node's kubelet, and run it again.")
    wanted = "bridge" if step == "follow" else "own"
    words = f"{_names([each for each in facts.replicas if each.via != wanted])} does not follow the primary"
    raise FindingError("rotation-replication", f"{words} after {seconds:g} s: its log says why. Run it again.")


def _names(servers: Sequence[Server]) -> str:
    return ", ".join(server.name for server in servers)


__all__ = ("BRIDGE", "KEY", "Action", "Keeper", "ReplicationRotation")
