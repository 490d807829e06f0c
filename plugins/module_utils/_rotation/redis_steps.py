"""The next step of a rotation of Redis' password from the state that is found. Pure, as steps.py is for PostgreSQL.

Redis keeps an ACL change neither in a file nor on its replicas. So every server takes both passwords live, and from
the Secret that it mounts at its start, before a client has the new one; the old one goes when no pod has it any more.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import Record

# In the order in which a rotation takes them. `mount` and `settle` wait for the kubelet, `wait` for pods that end.
Kind = t.Literal["mark", "mount", "open", "switch", "roll", "wait", "strip", "settle", "close", "clear", "nothing"]


@dataclasses.dataclass(frozen=True)
class Server:
    """A pod of Redis, beside the passwords that the Secret has now.

    :param name: of the pod
    :param mounted: it runs, and would start with these
    :param second: it takes the second one
    :param others: it takes one that is not in the Secret (any more)
    :param follows: it has no master, or the first password for it
    """

    name: str
    mounted: bool
    second: bool = False
    others: bool = False
    follows: bool = True


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was looked at.

    :param record: the annotation of the Secret
    :param same: the Secret's first password is the one that is wanted
    :param second: its second password: wanted, another, or none where it is empty
    :param rolled: every pod of the agent was made with the Secret's rotation id
    :param ended: no pod of the agent is left that was made with another id, not even one that is about to end
    :param servers: of the release; none are looked at where nothing is to be done
    :param outside: the servers take one password at their start, and somebody else gives them another one
    """

    record: Record
    same: bool
    second: t.Literal["wanted", "another", ""] = ""
    rolled: bool = False
    ended: bool = True
    servers: Sequence[Server] = ()
    outside: bool = False


def next_step(facts: Facts) -> Kind:
    """The one step that leads on from there."""
    mounted = all(server.mounted for server in facts.servers)
    if not facts.record.began:
        return "nothing" if facts.same else "switch" if facts.outside else "mark" if mounted else "mount"
    # What was switched reaches the pods before what is wanted now.
    if facts.record.before and not (facts.rolled and facts.ended):
        return "wait" if facts.rolled else "roll"
    if facts.record.before or facts.same:
        return _to_one_password(facts, mounted=mounted)
    if facts.second != "wanted":
        return "mark"
    if not mounted:
        return "mount"
    return "switch" if all(server.second for server in facts.servers) else "open"


def _to_one_password(facts: Facts, *, mounted: bool) -> Kind:
    """Behind the pods' replacement, and on the way back: the first password alone remains."""
    if facts.second:
        return "strip"
    if not mounted:
        return "settle"
    return "close" if any(server.others or not server.follows for server in facts.servers) else "clear"


__all__ = ("Facts", "Kind", "Server", "next_step")
