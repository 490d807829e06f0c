"""The next step of a move from the state that is found. Pure: an interrupted run looks again and goes on from there."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.move_record import Record

# `copy` freezes, copies or compares; `deploy` is a deployment's work; `end` writes down that it is over.
Step = t.Literal["copy", "deploy", "end", "thaw", "nothing"]


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was looked at.

    :param record: of the move
    :param reads: Secret and key from which the living agent reads its URL, `name/key`
    :param wanted: the same of the planned one
    :param rolled: every pod is of the Deployment as it is, and available
    """

    record: Record
    reads: str
    wanted: str
    rolled: bool


def next_step(facts: Facts) -> Step:
    """The step that leads on.

    :raises FindingError: `move-refused`: the inventory does not fit what was begun
    """
    record = facts.record
    if record.state == "returning":
        words = f"The way back to {record.source} was begun and is not finished"
        raise FindingError("move-refused", f"{words}: run it again with ai_agent_move_return.")
    if facts.reads != facts.wanted:
        if record.state in {"copying", "copied"} and record.new != facts.wanted:
            words = f"A move to {record.target} (Secret {record.new}) was begun, and these values read {facts.wanted}"
            raise FindingError("move-refused", f"{words}: finish it, or go back with ai_agent_move_return.")
        if record.state == "moved":
            words = f"The move from {record.source} before this one is not forgotten"
            cure = "run playbooks/move_database.yml with ai_agent_move_forget, or go back with ai_agent_move_return"
            raise FindingError("move-refused", f"{words}: {cure}.")
        return "copy"
    if record.state in {"copying", "copied"}:
        return "end" if facts.rolled else "deploy"
    return "nothing"


def next_back(facts: Facts) -> Step:
    """The step of the way back.

    :raises FindingError: `move-refused`: there is none
    """
    record = facts.record
    if not record.state:
        raise FindingError("move-refused", "No move of this database is recorded, so there is no way back to take.")
    if facts.reads == record.old and record.state in {"copying", "copied"}:
        return "thaw"
    if facts.wanted != record.old:
        words = f"The way back leads to the Secret {record.old}, and these values read {facts.wanted}"
        raise FindingError("move-refused", f"{words}: set the inventory back first.")
    if facts.reads == record.old:
        return "end" if facts.rolled else "deploy"
    return "thaw"


def assert_forgettable(record: Record, reads: str) -> None:
    """Check that nobody needs the old database any more.

    :raises FindingError: `move-refused`
    """
    if record.state != "moved" or reads == record.old:
        state = record.state or "none"
        words = f"There is no finished move whose old database could be forgotten (its state is {state})"
        raise FindingError("move-refused", f"{words}.")


__all__ = ("Facts", "Step", "assert_forgettable", "next_back", "next_step")
