"""Rows that an UPDATE, or the query of an INSERT, makes of other rows, and what their table may refuse of them.

Whether it does, the rows decide: the question is asked by row_question_kinds.py. Constants are not taken up here.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import never_null
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

_LIMITED: t.Final = {"varchar", "bpchar"}
# The header that atttypmod counts with a length.
_HEADER: t.Final = 4


@dataclasses.dataclass(frozen=True)
class Computed:
    """Rows that a statement writes.

    :param source: the table of whose rows they are made; where that is not one, the target
    :param columns: of the target, None where an INSERT names none
    :param values: an expression for each column; None where they are not followed
    :param where: which rows of the source
    :param names: what may stand before a column of the source
    :param problem: why it cannot be asked, empty where it can
    """

    target: Name
    source: Name
    columns: tuple[str, ...] | None
    values: tuple[t.Any, ...] | None
    where: t.Any
    names: frozenset[str]
    updates: bool
    problem: str = ""


def computed_rows(node: t.Any) -> t.Iterator[Computed]:
    """Those of a statement, but for what it writes from constants alone."""
    if not isinstance(node, (ast.UpdateStmt, ast.InsertStmt, ast.SelectStmt, ast.DeleteStmt)):
        return
    for write in own_writes(node):
        if write.kind == "UPDATE":
            yield from _updated(write)
        elif write.kind == "INSERT" and write.columns != ():
            yield from _inserted(write)


def _updated(write: Write) -> t.Iterator[Computed]:
    values = (write.rows or ((),))[0]
    if all(constant(value) is not None for value in values):
        return
    alias = getattr(write.node.relation.alias, "aliasname", None)
    names = frozenset({alias or str(write.node.relation.relname)})
    joined = "it joins other tables" if write.node.fromClause or write.node.withClause else ""
    yield Computed(
        write.table, write.table, write.columns, values, write.node.whereClause, names, updates=True, problem=joined
    )


def _inserted(write: Write) -> t.Iterator[Computed]:
    if write.rows is not None:
        queries = [row for row in write.rows if any(isinstance(part, ast.SubLink) for part in walk(row))]
        for row in queries[:1]:
            words = "a query gives a value"
            yield Computed(write.table, write.table, write.columns, row, None, frozenset(), updates=False, problem=words)
        return
    query = write.node.selectStmt
    parts = (query.groupClause, query.havingClause, query.limitCount, query.limitOffset, query.withClause,
             query.windowClause, query.valuesLists, query.op, write.node.withClause)  # fmt: skip
    sources = list(query.fromClause or ())
    if any(parts) or len(sources) != 1 or not isinstance(sources[0], ast.RangeVar):
        words = "its query joins, groups or nests others"
        yield Computed(write.table, write.table, write.columns, None, None, frozenset(), updates=False, problem=words)
        return
    source = sources[0]
    names = frozenset({getattr(source.alias, "aliasname", None) or str(source.relname)})
    values = tuple(item.val for item in query.targetList or ())
    star = any(isinstance(value, ast.ColumnRef) and isinstance(value.fields[-1], ast.A_Star) for value in values)
    yield Computed(
        write.table,
        relation_name(source),
        write.columns,
        None if star else values,
        query.whereClause,
        names,
        updates=False,
        problem="its query takes all columns" if star else "",
    )


def may_be_refused(rows: Computed, catalog: Catalog) -> bool:
    """Whether the target has NOT NULL, a length or a check that these values may break; its keys are others' to judge."""
    table, source = catalog.table(rows.target), catalog.table(rows.source)
    if table is None or table.kind not in {"r", "p"}:
        return False
    if rows.values is None and not rows.problem:
        return False
    given: dict[str, t.Any] = dict.fromkeys(rows.columns or table.columns)
    if rows.columns is not None and rows.values is not None:
        given = dict(zip(rows.columns, rows.values, strict=False))
    origin = source if rows.updates or not rows.problem else None
    return any(
        _refuses(table.columns[name], value, origin)
        or any(item.kind == "c" and name in item.columns and not _given_again(name, value) for item in table.constraints)
        for name, value in given.items()
        if name in table.columns and (value is None or constant(value) is None)
    )


def _given_again(name: str, value: t.Any) -> bool:
    """Whether a column keeps what it has."""
    return isinstance(value, ast.ColumnRef) and getattr(value.fields[-1], "sval", None) == name and len(value.fields) == 1


def _refuses(column: Column, value: t.Any, source: Table | None) -> bool:
    if column.generated:
        return False
    if column.not_null and not (column.identity or (value is not None and _filled(value, source))):
        return True
    limit = column.modifier - _HEADER
    return column.type in _LIMITED and limit >= 0 and not (value is not None and _fits(value, column, source))


def _filled(node: t.Any, source: Table | None) -> bool:
    """Whether it is not NULL for any row."""
    if isinstance(node, ast.ColumnRef):
        column = _column(node, source)
        return column is not None and column.not_null
    if isinstance(node, ast.TypeCast):
        return _filled(node.arg, source)
    if isinstance(node, ast.CoalesceExpr):
        return any(_filled(part, source) for part in node.args or ())
    if isinstance(node, ast.CaseExpr):
        results = [t.cast("t.Any", item).result for item in node.args or ()]
        return node.defresult is not None and all(_filled(item, source) for item in (*results, node.defresult))
    if isinstance(node, ast.A_Expr) and node.name and node.name[-1].sval in {"||", "+", "-", "*"}:
        return node.lexpr is not None and _filled(node.lexpr, source) and _filled(node.rexpr, source)
    if isinstance(node, ast.FuncCall) and node.funcname and node.funcname[-1].sval in {"lower", "upper", "md5", "concat"}:
        return node.funcname[-1].sval == "concat" or all(_filled(part, source) for part in node.args or ())
    return never_null(node)


def _fits(node: t.Any, column: Column, source: Table | None) -> bool:
    """Whether no value of it is longer than the column takes: one as short, or a text of known length."""
    if isinstance(node, ast.TypeCast):
        node = node.arg
    given = constant(node)
    if given is not None:
        return True
    if isinstance(node, ast.FuncCall) and node.funcname:
        name = str(node.funcname[-1].sval)
        lengths = {"md5": 32, "gen_random_uuid": 36}
        if name in lengths:
            return lengths[name] <= column.modifier - _HEADER
        if name in {"lower", "btrim", "rtrim", "ltrim"} and len(node.args or ()) == 1:
            return _fits(t.cast("t.Any", node.args)[0], column, source)
    if isinstance(node, ast.CaseExpr):
        results = [t.cast("t.Any", item).result for item in node.args or ()]
        return all(item is None or _fits(item, column, source) for item in (*results, node.defresult))
    if isinstance(node, ast.CoalesceExpr):
        return all(_fits(part, column, source) for part in node.args or ())
    known = _column(node, source)
    widths = {"uuid": 36, "int2": 6, "int4": 11, "int8": 20, "bool": 5}
    if known is not None and known.type in widths:
        return widths[known.type] <= column.modifier - _HEADER
    return known is not None and known.type in _LIMITED and _HEADER <= known.modifier <= column.modifier


def _column(node: t.Any, source: Table | None) -> Column | None:
    if not isinstance(node, ast.ColumnRef) or source is None or not node.fields:
        return None
    return source.columns.get(str(getattr(node.fields[-1], "sval", "")))


__all__ = ("Computed", "computed_rows", "may_be_refused")
