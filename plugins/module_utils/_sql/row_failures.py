"""Parts of an expression that fail for some rows: what casts a text, and what divides."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.data_exceptions import from_text, may_be_zero
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import (
    UnsupportedExpression,
    builtin,
    quoted,
    text_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_state import Rows

_DIVIDES: t.Final = {"/", "%"}


@dataclasses.dataclass(frozen=True)
class Failure:
    """One part.

    :param node: the TypeCast, or the divisor
    :param divides: it is a divisor
    :param guarded: whether the part is computed at all, the row decides
    """

    node: t.Any
    divides: bool
    guarded: bool


def failures(node: t.Any, *, guarded: bool = False) -> t.Iterator[Failure]:
    """The failures that an expression can have, from the outside in."""
    if isinstance(node, tuple):
        for part in node:
            yield from failures(part, guarded=guarded)
        return
    if not isinstance(node, ast.Node):
        return
    if isinstance(node, ast.TypeCast) and constant(node.arg) is None and builtin(node.typeName):
        yield Failure(node, divides=False, guarded=guarded)
    elif isinstance(node, ast.A_Expr) and node.name and node.name[-1].sval in _DIVIDES and may_be_zero(node.rexpr):
        yield Failure(node.rexpr, divides=True, guarded=guarded)
    guarded = guarded or isinstance(node, (ast.CaseExpr, ast.CoalesceExpr, ast.BoolExpr))
    names: t.Iterable[str] = type(node).__dict__["__slots__"]
    for name in names:
        yield from failures(getattr(node, name), guarded=guarded)


def request_of(failure: Failure, tables: t.Container[str], predicate: t.Any, rows: Rows) -> dict[str, t.Any] | None:
    """The question whether there are such rows, for _in_pod/row_facts.py.

    :param tables: names that may stand before a column
    :param predicate: which rows the expression is computed for; None: for all
    :return: None where it is not asked, and hardly fails
    :raises UnsupportedExpression: it cannot be asked
    """
    try:
        made: dict[str, t.Any] = {"row_conditions": list(rows.row_conditions)}
        if predicate is not None:
            made["row_conditions"].append(text_of(predicate, rows.text, tables))
        if failure.divides:
            return made | {"kind": "check", "violation": f"({text_of(failure.node, rows.text, tables)}) = 0"}
        kind, _modifier, array = type_changes.type_name(failure.node.typeName)
        if array:
            return None
        value = text_of(failure.node.arg, rows.text, tables)
    except UnsupportedExpression:
        names = {getattr((part.fields or (None,))[-1], "sval", "") for part in walk(failure.node) if _is_column(part)}
        known = all(rows.value(str(name)).text is not None for name in names)
        if known and not failure.divides and not from_text(failure.node.arg, None):
            return None
        raise
    made |= {"kind": "cast", "value": value, "type": kind, "numbers": [], "labels": None}
    return made | {"more_labels": [], "written": True}


def long_keys(
    keys: t.Sequence[t.Any], names: t.Sequence[str], tables: t.Container[str], predicate: t.Any, rows: Rows
) -> dict[str, t.Any] | None:
    """The question about keys that are too long for an index.

    :param keys: names of columns, or expressions
    :param names: of all columns in them
    :param tables: names that may stand before a column
    :param predicate: of a partial index
    :return: None where it cannot be asked: few values are that long
    """

    def stored(name: str) -> str:
        return f"r.{quoted(rows.value(name).live or name)}"

    try:
        row_conditions = [text_of(predicate, rows.text, tables)] if predicate is not None else []
        sizes = [stored(key) if isinstance(key, str) else text_of(key, stored, tables) for key in keys]
    except UnsupportedExpression:
        return None
    columns = sorted(rows.value(name).live or name for name in names)
    return {"columns": columns, "sizes": sizes, "row_conditions": list(rows.row_conditions) + row_conditions}


def _is_column(node: t.Any) -> bool:
    return isinstance(node, ast.ColumnRef)


__all__ = ("Failure", "failures", "long_keys", "request_of")
