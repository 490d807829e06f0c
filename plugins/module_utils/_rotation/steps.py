"""The next step of a rotation from the state that is found. Pure: an interrupted run looks again and goes on.

Nothing is remembered outside of the cluster. What the Secret holds, what its annotation says, which roles the server
has and who is logged in with them decide alone, so that a run that was killed anywhere is finished by the next one.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import Login, idle

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

# In the order in which a rotation takes them; `withdraw` leads back to where it began.
Kind = t.Literal["mark", "prepare", "switch", "roll", "wait", "lock", "clear", "withdraw", "nothing"]


@dataclasses.dataclass(frozen=True)
class Role:
    """A role of the server.

    :param login: it may log in
    :param sessions: how many there are of it now
    :param clients: who has them, as the server tells it; not all of them where they are many
    :param ours: a rotation made it, or it is the owner
    """

    login: bool
    sessions: int = 0
    clients: tuple[str, ...] = ()
    ours: bool = False


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was looked at.

    :param login: the annotation of the Secret; without one, that the owner logs in
    :param wanted: the Secret holds the password that is wanted
    :param works: a login of the role that is being prepared, with the password that is wanted, was tried and works
    :param rolled: every pod of the agent was made with the Secret as it is
    :param roles: of the server, by name
    :param patient: the old role's sessions may still take time to end by themselves
    """

    login: Login
    wanted: bool
    works: bool
    rolled: bool
    roles: Mapping[str, Role]
    patient: bool = True


@dataclasses.dataclass(frozen=True)
class Step:
    """What is to be done next, and with which role."""

    kind: Kind
    role: str = ""


def next_step(facts: Facts) -> Step:
    """The one step that leads on from there.

    :raises FindingError: `rotation-refused`: no role can have the name that is needed
    """
    login = facts.login
    # What was begun comes before what is wanted now, so that no more than two roles are ever in use.
    if login.replaces:
        return _behind_the_switch(facts, login.replaces)
    if login.preparing:
        return _before_the_switch(facts, login.preparing)
    if facts.wanted:
        return Step("nothing")
    return Step("mark", idle(login.owner, login.login))


def _before_the_switch(facts: Facts, role: str) -> Step:
    if facts.wanted:
        # The Secret's own password is wanted again: whoever began the rotation has put the old one back.
        return Step("withdraw", role)
    return Step("switch" if facts.works else "prepare", role)


def _behind_the_switch(facts: Facts, old: str) -> Step:
    if not facts.rolled:
        return Step("roll", facts.login.login)
    role = facts.roles.get(old, Role(login=False))
    if role.sessions and facts.patient:
        return Step("wait", old)
    if role.login or role.sessions:
        return Step("lock", old)
    return Step("clear", old)


__all__ = ("Facts", "Kind", "Role", "Step", "next_step")
