"""The next step of a rotation of the replication user's password from the state that is found. Pure, as steps.py.

PostgreSQL knows one password of a role, and each replica brings its own copy, at its start from a volume that is up to
a minute and a half older than the Secret. So the replicas follow by a second role, the bridge, while the password of
the first one becomes another: which of the two a replica uses stands beside its data, and a restart keeps it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import (
        ReplicationRecord,
    )

# In the order in which a rotation takes them. `follow` and `rejoin` wait for replicas, `mount` for the kubelet.
Kind = t.Literal[
    "mark", "bridge", "lend", "follow", "switch", "mount", "set", "return", "rejoin", "close", "clear", "nothing"
]


@dataclasses.dataclass(frozen=True)
class Server:
    """A pod of PostgreSQL.

    :param name: of the pod
    :param ready: its server answers; a replica that still copies does not
    :param mounted: it would start with the password that the Secret has now
    :param bridged: the primary lets the bridge in, or the replica uses it; now, and after its next start
    :param current: the primary knows the Secret's password, or the replica has it at hand
    :param via: who a replica is streaming as: `bridge`, `own`, or nobody
    :param left: something of a rotation is still there, of a bridge or of its files
    """

    name: str
    ready: bool = False
    mounted: bool = False
    bridged: bool = False
    current: bool = False
    via: str = ""
    left: bool = False


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was looked at.

    :param record: the annotation of the Secret
    :param same: the Secret's password is the one that is wanted
    :param primary: of the release; none is looked at where nothing is to be done
    :param replicas: that follow it
    """

    record: ReplicationRecord
    same: bool
    primary: Server = Server("")
    replicas: Sequence[Server] = ()


def next_step(facts: Facts) -> Kind:
    """The one step that leads on from there."""
    if not facts.record.began:
        return "nothing" if facts.same else "mark"
    return _behind_the_switch(facts) if facts.same else _before_the_switch(facts)


def _before_the_switch(facts: Facts) -> Kind:
    """Nobody uses the first role any more once every replica follows by the bridge; then its password may change."""
    if not facts.primary.ready:
        return "follow"
    if not facts.primary.bridged:
        return "bridge"
    if any(replica.ready and not replica.bridged for replica in facts.replicas):
        return "lend"
    return "switch" if all(replica.bridged and replica.via == "bridge" for replica in facts.replicas) else "follow"


def _behind_the_switch(facts: Facts) -> Kind:
    """Also the way back, where the Secret's own password is wanted again and the primary still knows it."""
    if not (facts.primary.ready and facts.primary.mounted):
        return "mount"
    if not facts.primary.current:
        return "set"
    # One that still copies has its password renewed as well: it would try again with the old one for ever.
    if any(each.mounted and (not each.current or (each.ready and each.bridged)) for each in facts.replicas):
        return "return"
    if not all(each.ready and each.mounted and each.via == "own" for each in facts.replicas):
        return "rejoin"
    return "close" if any(each.left for each in (facts.primary, *facts.replicas)) else "clear"


__all__ = ("Facts", "Kind", "Server", "next_step")
