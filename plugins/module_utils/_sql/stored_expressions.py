"""Expressions that definitions keep: of indexes, generated columns, checks, defaults and their like.

The server takes less in them than in a query, and in some of them only what is IMMUTABLE. Source: ParseExprKind and
transformSubLink in src/backend/parser/parse_expr.c, check_agglevels_and_constraints in parse_agg.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    qualified_name,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog

Kind = t.Literal["index expression", "index predicate", "column generation expression", "partition key expression",
                 "check constraint", "DEFAULT expression", "transform expression", "trigger WHEN condition",
                 "policy expression"]  # fmt: skip
# What is computed anew must give the same again.
IMMUTABLE: t.Final[frozenset[Kind]] = frozenset({
    "index expression", "index predicate", "column generation expression", "partition key expression",
})  # fmt: skip


@dataclasses.dataclass(frozen=True)
class StoredExpression:
    """One expression.

    :param table: whose columns it may use
    :param column: that it is for, of a default or a generated column
    :param lenient: IF NOT EXISTS, so that the server never looks at it where the table or the column is there
    """

    kind: Kind
    table: Name
    node: t.Any
    column: str | None = None
    lenient: bool = False


def stored_expressions(node: t.Any) -> list[StoredExpression]:
    """The expressions that a statement stores, in its order."""
    handler = _HANDLERS.get(type(node))
    return list(handler(node)) if handler else []


def _index(node: t.Any) -> t.Iterator[StoredExpression]:
    table = relation_name(node.relation)
    for item in node.indexParams or ():
        if item.expr is not None:
            yield StoredExpression("index expression", table, item.expr)
    if node.whereClause is not None:
        yield StoredExpression("index predicate", table, node.whereClause)


def _create(node: t.Any) -> t.Iterator[StoredExpression]:
    table, lenient = relation_name(node.relation), bool(node.if_not_exists)
    for item in node.tableElts or ():
        if isinstance(item, ast.ColumnDef):
            yield from _column(table, item, lenient=lenient)
        elif isinstance(item, ast.Constraint) and item.contype == ConstrType.CONSTR_CHECK:
            yield StoredExpression("check constraint", table, item.raw_expr, lenient=lenient)
    for item in node.partspec.partParams or () if node.partspec is not None else ():
        if item.expr is not None:
            yield StoredExpression("partition key expression", table, item.expr, lenient=lenient)


def _column(table: Name, column: t.Any, *, lenient: bool) -> t.Iterator[StoredExpression]:
    kinds: dict[t.Any, Kind] = {
        ConstrType.CONSTR_DEFAULT: "DEFAULT expression",
        ConstrType.CONSTR_GENERATED: "column generation expression",
        ConstrType.CONSTR_CHECK: "check constraint",
    }
    for item in column.constraints or ():
        kind = kinds.get(ConstrType(item.contype))
        if kind and item.raw_expr is not None:
            yield StoredExpression(kind, table, item.raw_expr, column.colname, lenient)


def _alter_table(node: t.Any) -> t.Iterator[StoredExpression]:
    if node.objtype != ObjectType.OBJECT_TABLE:
        return
    table = relation_name(node.relation)
    for command in node.cmds or ():
        kind, given = Command(command.subtype), command.def_
        if kind == Command.AT_AddColumn:
            yield from _column(table, given, lenient=bool(command.missing_ok))
        elif kind == Command.AT_AddConstraint and given.contype == ConstrType.CONSTR_CHECK:
            yield StoredExpression("check constraint", table, given.raw_expr)
        elif kind == Command.AT_AlterColumnType and given.raw_default is not None:
            yield StoredExpression("transform expression", table, given.raw_default, command.name)
        elif kind == Command.AT_ColumnDefault and given is not None:
            yield StoredExpression("DEFAULT expression", table, given, command.name)
        elif kind == Command.AT_SetExpression and given is not None:
            yield StoredExpression("column generation expression", table, given, command.name)


def _trigger(node: t.Any) -> t.Iterator[StoredExpression]:
    if node.whenClause is not None:
        yield StoredExpression("trigger WHEN condition", relation_name(node.relation), node.whenClause)


def _policy(node: t.Any) -> t.Iterator[StoredExpression]:
    for condition in (node.qual, node.with_check):
        if condition is not None:
            yield StoredExpression("policy expression", relation_name(node.table), condition)


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], t.Iterator[StoredExpression]]]] = {
    ast.IndexStmt: _index,
    ast.CreateStmt: _create,
    ast.AlterTableStmt: _alter_table,
    ast.CreateTrigStmt: _trigger,
    ast.CreatePolicyStmt: _policy,
}


def forbidden_construct(item: StoredExpression, generated: t.Container[str], catalog: Catalog) -> str | None:
    """What the server takes in no such expression, in words.

    :param generated: the table's generated columns
    :param catalog: knows which functions are aggregates or return sets
    """
    outer = list(_outside_queries(item.node))
    if item.kind != "policy expression" and any(isinstance(part, ast.SubLink) for part in outer):
        return "a query"
    problems = (
        _call(part, catalog) if isinstance(part, ast.FuncCall) else _column_of(part, item, generated) for part in outer
    )
    return next(filter(None, problems), None)


def _call(call: t.Any, catalog: Catalog) -> str | None:
    name = qualified_name(call.funcname or ())
    if call.over is not None:
        return f"the window function {name[1]}()"
    if name in catalog.aggregates or call.agg_star:
        return f"the aggregate {name[1]}()"
    return f"{name[1]}(), which returns a set" if name in catalog.set_returning else None


def _column_of(part: t.Any, item: StoredExpression, generated: t.Container[str]) -> str | None:
    if not isinstance(part, ast.ColumnRef):
        return None
    name = str(getattr((part.fields or (None,))[-1], "sval", ""))
    if item.kind == "DEFAULT expression":
        return f"the column {name}"
    computed = item.kind == "column generation expression" and (name in generated or name == item.column)
    return f"{name}, which is a generated column" if computed else None


def _outside_queries(node: t.Any) -> t.Iterator[t.Any]:
    """What is below `node`, and what stands in queries left out but for these themselves."""
    inside = {id(part) for link in walk(node) if isinstance(link, ast.SubLink) for part in walk(link.subselect)}
    return (part for part in walk(node) if id(part) not in inside)


def calls_without_columns(node: t.Any) -> list[str]:
    """Functions and operators that read no column, which the planner itself would therefore call."""
    found: dict[str, None] = {}
    for part in walk(node):
        if isinstance(part, (ast.FuncCall, ast.A_Expr)) and not _reads(part):
            name = part.funcname if isinstance(part, ast.FuncCall) else part.name
            found[qualified_name(name or ())[1]] = None
    return list(found)


def _reads(node: t.Any) -> bool:
    """Whether it computes from a column whatever happens: what a CASE leaves out does not count."""
    if isinstance(node, ast.ColumnRef):
        return True
    if isinstance(node, (ast.TypeCast, ast.CollateClause)):
        return _reads(node.arg)
    parts: t.Iterable[t.Any] = ()
    if isinstance(node, ast.FuncCall):
        parts = node.args or ()
    elif isinstance(node, ast.A_Expr):
        parts = [*_each(node.lexpr), *_each(node.rexpr)]
    return any(_reads(part) for part in parts)


def _each(node: t.Any) -> t.Iterable[t.Any]:
    return node if isinstance(node, tuple) else (node,)


__all__ = ("IMMUTABLE", "StoredExpression", "calls_without_columns", "forbidden_construct", "stored_expressions")
