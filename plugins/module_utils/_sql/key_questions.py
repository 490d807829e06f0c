"""The rows of constants that an upgrade writes, for the collector to look their keys up and to compute their checks."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import own_writes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

MOST_STATEMENTS = 100
MOST_ROWS = 200
MOST_CHARACTERS = 500


def key_questions(found: t.Sequence[Statement]) -> list[dict[str, t.Any]]:
    """One for each INSERT: `number`, `table`, `columns` and `rows`, as _in_pod/key_facts.py takes them."""
    asked: list[dict[str, t.Any]] = []
    for statement in found:
        for write in own_writes(statement.node) if statement.node is not None else ():
            if write.kind != "INSERT" or write.columns == ():
                continue
            columns = list(write.columns) if write.columns is not None else None
            if write.rows is None and columns:
                # Whatever the query gives, the sequence of a key that it leaves out gives numbers.
                asked.append({"number": statement.number, "table": list(write.table), "columns": columns, "rows": None})
            if not write.rows or len(write.rows) > MOST_ROWS:
                continue
            rows = [[_value(expression) for expression in row] for row in write.rows]
            asked.append({"number": statement.number, "table": list(write.table), "columns": columns, "rows": rows})
    return asked[:MOST_STATEMENTS]


def check_questions(found: t.Sequence[Statement]) -> list[dict[str, t.Any]]:
    """One for each INSERT or UPDATE that writes constants, as _in_pod/check_facts.py takes them."""
    asked = [item | {"whole": True} for item in key_questions(found) if item["rows"] is not None]
    for statement in found:
        for write in own_writes(statement.node) if statement.node is not None else ():
            values = [_value(expression) for row in write.rows or () for expression in row]
            if write.kind == "UPDATE" and write.columns and any(value is not None for value in values):
                form = {"number": statement.number, "table": list(write.table), "columns": list(write.columns)}
                asked.append(form | {"rows": [values], "whole": False})
    return asked[:MOST_STATEMENTS]


def _value(expression: t.Any) -> str | list[t.Any] | None:
    """The text of a constant, which the server reads as its column's type; [] for NULL, None for everything else."""
    given = constant(expression)
    if given is None or given.kind == "default":
        return None
    if given.kind == "null":
        return []
    text = str(given.value).lower() if given.kind == "boolean" else str(given.value)
    return text if len(text) <= MOST_CHARACTERS else None


__all__ = ("check_questions", "key_questions")
