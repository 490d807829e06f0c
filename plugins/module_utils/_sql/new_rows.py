"""Which rows of constants a table of the same upgrade refuses: too many values, a misfit, a key twice, a broken check.

Pure functions. What is not followed (a domain, an expression that only the server can compute) is not refused here.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.constant_checks import holds
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_values import (
    constants,
    miscounted,
    wrong_value,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Collection, Container, Iterator

    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Column
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import Constant
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTable
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_values import Row

# Types of which two constants are one value exactly where their texts are.
_BY_TEXT: t.Final = {"text", "varchar"}
_INTEGERS: t.Final = {"int2", "int4", "int8"}


def refused(
    write: Write, table: NewTable, labels: Callable[[str], Collection[str] | None], casts: Container[tuple[str, str]]
) -> Iterator[str]:
    """Why an INSERT of rows fails, as the begin of a sentence; what it puts into unique keys is kept in the table.

    :param labels: the values of an enum type, None where it is none or not known
    :param casts: pairs of types between which the server casts by assignment
    """
    names = write.columns if write.columns is not None else tuple(table.columns)
    if wrong := miscounted(write, names):
        yield f"it is {wrong}"
        return
    given = constants(write, names)
    for name, column in table.columns.items():
        values = [row[name] for row in given if name in row]
        if column.typed and (wrong := wrong_value(write, column.typed, values, labels, casts)):
            yield f"{name} {wrong}"
    compared = [{name: _comparable(value, table, name) for name, value in row.items()} for row in given]
    for label, check in table.checks:
        if any(holds(check, row) is False for row in compared):
            yield f"a row breaks the check {label}"
    yield from _twice(write, table, given)


def _comparable(value: Constant | None, table: NewTable, name: str) -> Constant | None:
    """The constant where the column holds just that, None where it may round, cut off or fill it."""
    column = table.columns[name].typed if name in table.columns else None
    if value is None or value.kind == "null":
        return value
    if column is None:
        return None
    if value.kind in {"string", "text"}:
        kept = column.type in _BY_TEXT and not str(value.value).endswith(" ")
    elif value.kind == "integer":
        kept = column.type in {*_INTEGERS, "numeric"}
    else:
        kept = value.kind == "number" and column.type == "numeric" and column.modifier == -1
    return value if kept else None


def _twice(write: Write, table: NewTable, given: list[Row]) -> Iterator[str]:
    for key in dict.fromkeys(table.keys):
        # The values of a statement that may write nothing are compared, but not kept.
        there = table.written.setdefault(key, set())
        kept = there if write.certain else set(there)
        for row in given:
            values = tuple(_normal(row.get(name), table.columns[name].typed) for name in key if name in table.columns)
            if None in values or len(values) < len(key):
                continue
            if values in kept and write.conflict is None:
                shown = ", ".join(str(value)[:40] for value in values)
                yield f"{', '.join(key)} must be unique, and {shown} is written twice"
                return
            kept.add(values)


def _normal(value: Constant | None, column: Column | None) -> t.Hashable:
    """A form that two constants have in common where the column holds the same for both; None where that is unsure."""
    if value is None or value.value is None or column is None:
        return None
    if column.type in _INTEGERS and value.kind in {"integer", "string"}:
        text = str(value.value).strip()
        return int(text) if text.lstrip("+-").isdecimal() and text.isascii() else None
    if column.type in _BY_TEXT and value.kind in {"string", "text"}:
        return str(value.value)
    return str(value.value).lower() if column.type == "uuid" and value.kind == "string" else None


__all__ = ("refused",)
