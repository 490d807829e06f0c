"""The steps of a rewritten revision, and how they are shared out among revisions.

A step in the revision's transaction is recorded together with the revision, or not at all. A step that commits by
itself must come before those, and do no harm when it is run again: a revision that ends between two of them is run
once more from its beginning.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

Kind = t.Literal["own", "transaction", "batch"]


class Uncurable(Exception):
    """Why a statement has no rewrite, as a sentence without its full stop."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """A write of all rows by ranges of a key. The texts hold parameters: `start0`, … and `last0`, ….

    :param first: the first key
    :param last: the last key of the batch that begins at `start`
    :param following: the first key after `last`
    :param write: the rows from `start` to `last`
    :param columns: how many columns the key has
    """

    first: str
    last: str
    following: str
    write: str
    columns: int


@dataclasses.dataclass(frozen=True)
class Step:
    """One statement.

    :param kind: own: commits by itself; transaction: in the revision's; batch: many, each of which commits
    :param waits: for older transactions, while nobody waits for it: CONCURRENTLY
    :param locks: writers wait for it, for a moment
    :param early: it may come before the drops directly before its statement
    :param late: it may come after the steps of the statements that follow
    :param long: it works long in its transaction, which should hold no lock from before
    :param accepts: findings that the rules cannot spare it, each with its reason
    """

    sql: str
    kind: Kind = "transaction"
    waits: bool = False
    locks: bool = False
    late: bool = False
    early: bool = False
    long: bool = False
    accepts: tuple[tuple[str, str], ...] = ()
    batch: Batch | None = None


def ordered(groups: t.Iterable[t.Sequence[Step]]) -> list[Step]:
    """The steps of statements in order; what proves a constraint comes after the constraints that follow it directly.

    :param groups: the steps of each statement
    """
    found: list[Step] = []
    waiting: list[Step] = []
    for group in groups:
        if not any(step.late for step in group):
            found += waiting
            waiting = []
        found += [step for step in group if not step.late]
        waiting += [step for step in group if step.late]
    return found + waiting


def parts(steps: t.Iterable[Step]) -> list[list[Step]]:
    """The steps of each revision, of which each may be run again where it ended before its end."""
    found: list[list[Step]] = []
    for step in steps:
        if not found or _begins(found[-1], step):
            found.append([])
        found[-1].append(step)
    return found


def _begins(part: t.Sequence[Step], step: Step) -> bool:
    """Whether a step wants a revision after the one that has *part*."""
    last = part[-1]
    if "batch" in {step.kind, last.kind}:
        return True
    if step.kind == "own":
        return last.kind == "transaction"
    return (last.long and last.kind == "transaction") or (
        step.long and any(item.kind == "transaction" and item.locks for item in part)
    )


__all__ = ("Batch", "Kind", "Step", "Uncurable", "ordered", "parts")
