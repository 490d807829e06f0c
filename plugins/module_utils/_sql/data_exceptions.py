"""Expressions of an upgrade's own writes that may fail for a row: what they divide by, cast or expect one row of."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    conjuncts,
    qualified_name,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys

# SubLinkType EXPR_SUBLINK in src/include/nodes/primnodes.h; A_Expr_Kind AEXPR_OP and AEXPR_NULLIF in parsenodes.h.
_SCALAR: t.Final = "EXPR_SUBLINK"
_DIVIDES: t.Final = {"/", "%"}
_TEXT: t.Final = {"text", "varchar", "bpchar"}
_GIVES_TEXT: t.Final = {"->>", "#>>", "||"}
_TEXT_FUNCTIONS: t.Final = {"substring", "substr", "split_part", "trim", "btrim", "replace", "left", "right", "lower",
                            "upper", "regexp_replace", "jsonb_extract_path_text"}  # fmt: skip


def data_exceptions(write: Write, table: Table | None, catalog: Catalog, uniques: UniqueKeys) -> t.Iterator[str]:
    """Why a write may fail for a row that nobody looked at, as ends of a sentence."""
    yield from computed_exceptions(write.node, table, catalog, uniques)


def computed_exceptions(node: t.Any, table: Table | None, catalog: Catalog, uniques: UniqueKeys) -> t.Iterator[str]:
    """Why what a query computes may fail.

    :param table: the one whose columns it names without a table
    """
    for part in walk(node):
        if isinstance(part, ast.SubLink) and part.subLinkType is not None and part.subLinkType.name == _SCALAR:
            if not _one_row(part.subselect, catalog, uniques):
                yield "a query in it may find more than one row"
        elif isinstance(part, ast.A_Expr):
            if part.name and part.name[-1].sval in _DIVIDES and may_be_zero(part.rexpr):
                yield "it may divide by zero"
        elif isinstance(part, ast.TypeCast) and from_text(part.arg, table):
            kind = qualified_name((part.typeName and part.typeName.names) or ())[1]
            if kind not in _TEXT:
                yield f"a text in it may be no {kind}"


def may_be_zero(node: t.Any) -> bool:
    """Whether a divisor may be zero, by its form."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    given = constant(node)
    if given is not None:
        return given.value == 0 and given.kind != "null"
    # NULLIF(x, 0) and greatest(x, 1) are how one divides.
    nullif = isinstance(node, ast.A_Expr) and node.kind is not None and node.kind.name == "AEXPR_NULLIF"
    return not (nullif or isinstance(node, ast.MinMaxExpr))


def from_text(node: t.Any, table: Table | None) -> bool:
    """Whether an expression is a text, by its form or its column of `table`."""
    if isinstance(node, ast.ColumnRef):
        name = getattr((node.fields or (None,))[-1], "sval", None)
        column = table.columns.get(name) if table and name else None
        return column is not None and column.type in _TEXT
    if isinstance(node, ast.A_Expr):
        if node.kind is not None and node.kind.name == "AEXPR_NULLIF":
            return from_text(node.lexpr, table)
        return bool(node.name) and node.name[-1].sval in _GIVES_TEXT  # type: ignore[index]
    return isinstance(node, ast.FuncCall) and qualified_name(node.funcname or ())[1] in _TEXT_FUNCTIONS


def _one_row(query: t.Any, catalog: Catalog, uniques: UniqueKeys) -> bool:
    """Whether a query gives one row at most: by its form, or by a unique key that its WHERE fixes."""
    if not isinstance(query, ast.SelectStmt) or query.op:
        return False
    limit = constant(query.limitCount) if query.limitCount is not None else None
    if limit is not None and limit.value == 1:
        return True
    if not query.fromClause:
        return len(query.valuesLists or ((),)) == 1
    calls = [part for target in query.targetList or () for part in walk(target) if isinstance(part, ast.FuncCall)]
    if not query.groupClause and any(
        qualified_name(call.funcname or ()) in catalog.aggregates and call.over is None for call in calls
    ):
        return True
    if len(query.fromClause) != 1 or not isinstance(query.fromClause[0], ast.RangeVar):
        return False
    table = catalog.table(relation_name(query.fromClause[0]))
    return table is not None and (table.kind == "S" or _fixes_a_key(query, table, uniques))


def _fixes_a_key(query: t.Any, table: Table, uniques: UniqueKeys) -> bool:
    fixed = set(_fixed(query.whereClause))
    return any(
        not key.partial and key.valid and None not in key.columns and set(key.columns) <= fixed
        for key in uniques.of(table)
    )


def _fixed(node: t.Any) -> t.Iterator[str]:
    """Columns that are held equal to something."""
    for part in conjuncts(node):
        if isinstance(part, ast.A_Expr) and part.name and part.name[-1].sval == "=":
            for side in (part.lexpr, part.rexpr):
                if isinstance(side, ast.ColumnRef):
                    yield str(getattr((side.fields or (None,))[-1], "sval", ""))


__all__ = ("computed_exceptions", "data_exceptions", "from_text", "may_be_zero")
