"""Which rows of constants a table of the same upgrade refuses: too many values, a misfit, a key twice, a broken check.

Pure functions. What is not followed (a domain, an expression that only the server can compute) is not refused here.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.constant_checks import holds
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import Constant, constant, misfit

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Collection, Container, Iterator

    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Column
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTable
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write

    Row: t.TypeAlias = "dict[str, Constant | None]"  # noqa: UP040 - the sanity tests know no newer form

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
    rows = write.rows or ()
    longest = max((len(row) for row in rows), default=0)
    if longest > len(names) or (write.columns is not None and rows and longest < len(names)):
        yield f"{longest} values are given for {len(names)} columns"
        return
    given: list[Row] = [{name: constant(value) for name, value in zip(names, row, strict=False)} for row in rows]
    for name, column in table.columns.items():
        values = [row[name] for row in given if name in row]
        wrong = wrong_value(write, column.typed, values, labels, casts) if column.typed else None
        if wrong:
            yield f"{name} {wrong}"
    compared = [{name: _comparable(value, table, name) for name, value in row.items()} for row in given]
    for label, check in table.checks:
        if any(holds(check, row) is False for row in compared):
            yield f"a row breaks the check {label}"
    yield from _twice(write, table, given)


def wrong_value(
    write: Write,
    column: Column,
    values: Collection[Constant | None],
    labels: Callable[[str], Collection[str] | None],
    casts: Container[tuple[str, str]],
) -> str | None:
    """Why the server refuses what is written to a column, but for NULL, as the rest of a sentence.

    :param values: of each row; None where it is no constant
    """
    plain = [value for value in values if value is None or value.kind != "default"]
    written = bool(plain) or write.rows is None
    if column.generated and written:
        return "is generated"
    if column.identity == "a" and written and write.overriding is None:
        return "is GENERATED ALWAYS AS IDENTITY"
    if column.identity and write.overriding == "user":
        return None
    known = labels(column.type)
    for value in plain:
        if value is not None and value.kind != "null" and (wrong := misfit(value, column, known, casts)):
            return wrong
    return None


def _comparable(value: Constant | None, table: NewTable, name: str) -> Constant | None:
    """The constant where the column holds just that, None where it may round, cut off or fill it."""
    column = table.columns[name].typed if name in table.columns else None
    if value is None or value.kind == "null" or column is None:
        return value if value and value.kind == "null" else None
    kept = {
        "integer": column.type in {*_INTEGERS, "numeric"},
        "number": column.type == "numeric" and column.modifier == -1,
        "string": column.type in _BY_TEXT and not str(value.value).endswith(" "),
        "text": column.type in _BY_TEXT and not str(value.value).endswith(" "),
    }
    return value if kept.get(value.kind) else None


def _twice(write: Write, table: NewTable, given: list[Row]) -> Iterator[str]:
    for key in dict.fromkeys(table.keys):
        kept = table.written.setdefault(key, set())
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


__all__ = ("refused", "wrong_value")
