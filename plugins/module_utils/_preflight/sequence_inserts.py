"""INSERTs of an upgrade that take numbers from a sequence: whether it has them, and whether they are free. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal, refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.sequence_values import (
    NumberedColumn,
    Written,
    takes_number,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relations

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequences import Sequence
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

# So many rows of one INSERT are compared with what was written before.
_MOST_COMPARED: t.Final = 10_000
# A query whose rows nobody can estimate is taken for no more than so many.
_UNESTIMATED: t.Final = 10_000
# A planner's estimate is not taken for more than it is.
_DOUBT: t.Final = 2


def conflicts(
    node: t.Any,
    columns: t.Mapping[tuple[Name, str], NumberedColumn],
    sequences: t.Mapping[Name, Sequence],
    written: t.Mapping[tuple[Name, str], Written],
    catalog: Catalog,
    *,
    where: Where,
    certain: bool,
) -> t.Iterator[Finding]:
    """An INSERT that takes numbers which a statement before it has written into the column itself.

    :param written: by column, those numbers
    :param certain: no earlier opaque statement can have changed the objects
    """
    for write in own_writes(node) if isinstance(node, ast.InsertStmt) else ():
        table = catalog.qualified(write.table)
        for place, numbers in written.items():
            column = columns.get(place)
            made = sequences.get(column.sequence) if column and column.sequence else None
            if place[0] != table or made is None or not (column and column.unique) or write.conflict:
                continue
            if takes_number(write, place[1]) and (said := _met(f"{dotted(table)}.{place[1]}", numbers, made, write)):
                sure = said[1] and certain
                about: Where = where | {"table": dotted(table)}
                yield refusal("data-refused" if sure else "data-unknown", said[0], about, sure=sure)


def is_first(place: tuple[Name, str], column: NumberedColumn, catalog: Catalog) -> bool:
    """Whether an INSERT that names no columns gives this one first."""
    table = catalog.table(place[0])
    return column.first or (table is not None and next(iter(table.columns), None) == place[1])


def _met(label: str, written: Written, made: Sequence, write: Write) -> Refusal | None:
    number = made.next_number()
    # Where a query set the sequence, it follows the rows.
    if number is None:
        return None
    taken = [number + at * made.increment for at in range(min(len(write.rows or ((),)), _MOST_COMPARED))]
    if met := [value for value in taken if value in written.numbers]:
        words = f"It takes {met[0]} for {label} from the sequence, and a statement before it wrote that number there"
        return words, write.certain
    later = write.rows is None and any(made.comes_to(value) for value in written.numbers)
    if written.by_query or later:
        words = f"It takes numbers from {number} on for {label}, and whether a statement before it wrote them there"
        return f"{words} is not known", False
    return None


def too_many(write: Write, label: str, made: Sequence, catalog: Catalog) -> t.Iterator[Refusal]:
    """An INSERT that takes more numbers than a sequence has.

    :param write: one that leaves rows of the column *label* to it
    """
    left = made.numbers_left()
    if left is None or made.cycles:
        return
    if write.rows is not None:
        taken = max(len(write.rows), 1)
        if taken > left and write.certain:
            there = "is at its end" if left == 0 else f"has {left} left"
            yield f"The sequence of {label} {there}, and this takes {taken} of its numbers", True
    elif left < _rows(write, catalog):
        yield f"The sequence of {label} has {left} numbers left, and whether the query takes more is not known", False


def advanced(made: Sequence, write: Write, *, taken: int) -> Sequence:
    """The sequence after an INSERT that took so many numbers; where it stands is not known after a query."""
    if made.last is None or write.rows is None:
        return dataclasses.replace(made, last=None, called=None)
    number = made.next_number()
    if number is None or made.cycles:
        return made
    return dataclasses.replace(made, last=number + (taken - 1) * made.increment, called=True)


def _rows(write: Write, catalog: Catalog) -> int:
    """How many rows the query of an INSERT may give."""
    known = [catalog.table(name) for name in relations(write.node.selectStmt)]
    rows = [catalog.with_rows(table).rows for table in known if table is not None]
    if not known or len(rows) < len(known) or any(number < 0 for number in rows):
        return _UNESTIMATED
    return _DOUBT * math.prod(max(number, 1) for number in rows)


__all__ = ("advanced", "conflicts", "is_first", "too_many")
