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
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTables
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import never_null
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sources import Source
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys

_LIMITED: t.Final = {"varchar", "bpchar"}
_SHORTENING: t.Final = {"lower", "btrim", "rtrim", "ltrim"}
# Characters of a function's value, or of a type's, at most.
_WIDTHS: t.Final = {"md5": 32, "gen_random_uuid": 36, "uuid": 36, "int2": 6, "int4": 11, "int8": 20, "bool": 5}
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
    :param query: of an INSERT
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
    query: t.Any = None


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
    target, columns = write.table, write.columns
    if write.rows is not None:
        queries = [row for row in write.rows if any(isinstance(part, ast.SubLink) for part in walk(row))]
        for row in queries[:1]:
            words = "a query gives a value"
            yield Computed(target, target, columns, row, None, frozenset(), updates=False, problem=words)
        return
    query = write.node.selectStmt
    parts = (query.groupClause, query.havingClause, query.limitCount, query.limitOffset, query.withClause,
             query.windowClause, query.valuesLists, query.op, write.node.withClause)  # fmt: skip
    sources = list(query.fromClause or ())
    values = tuple(item.val for item in query.targetList or ())
    plain = not any(parts) and len(sources) == 1 and isinstance(sources[0], ast.RangeVar)
    if not plain or any(isinstance(part, ast.A_Star) for value in values for part in getattr(value, "fields", ())):
        words = "its query takes all columns" if plain else "its query joins, groups or nests others"
        yield Computed(target, target, columns, None, None, frozenset(), updates=False, problem=words, query=query)
        return
    source = sources[0]
    names = frozenset({getattr(source.alias, "aliasname", None) or str(source.relname)})
    where = query.whereClause
    yield Computed(target, relation_name(source), columns, values, where, names, updates=False, query=query)


def may_be_refused(rows: Computed, catalog: Catalog, uniques: UniqueKeys) -> bool:
    """Whether the target has NOT NULL, a length or a check that these values may break; its keys are others' to judge.

    :param catalog: as it is before the statement
    """
    table = catalog.table(rows.target)
    if table is None or table.kind not in {"r", "p"}:
        return False
    values, source, origin = rows.values, None, catalog.table(rows.source)
    if rows.query is not None:
        source = Source(rows.query, catalog, NewTables(catalog), uniques)
        values = tuple(source.items) if source.known and source.items is not None else None
        origin = origin if not rows.problem else None
    names = rows.columns or tuple(table.columns)
    given: dict[str, t.Any] = dict(zip(names, values, strict=False)) if values is not None else dict.fromkeys(names)
    for name, value in given.items():
        column = table.columns.get(name)
        if column is None or (value is not None and _is_set(value)):
            continue
        filled = source is not None and value is not None and source.never_null(value)
        if _refuses(column, value, origin, filled=filled):
            return True
        checked = any(item.kind == "c" and name in item.columns for item in table.constraints)
        if checked and not (rows.updates and _keeps(name, value)):
            return True
    return False


def _is_set(value: t.Any) -> bool:
    """Whether it is a constant other than NULL, of which others speak."""
    given = constant(value)
    return given is not None and given.kind != "null"


def _keeps(name: str, value: t.Any) -> bool:
    """Whether a column keeps what it has."""
    fields: t.Any = value.fields if isinstance(value, ast.ColumnRef) else None
    return bool(fields) and len(fields) == 1 and getattr(fields[0], "sval", None) == name


def _refuses(column: Column, value: t.Any, source: Table | None, *, filled: bool) -> bool:
    if column.generated:
        return False
    if column.not_null and not (column.identity or filled or (value is not None and _filled(value, source))):
        return True
    limit = column.modifier - _HEADER
    return column.type in _LIMITED and limit >= 0 and not (value is not None and _fits(value, column, source))


def _filled(node: t.Any, source: Table | None) -> bool:
    """Whether it is not NULL for any row."""

    def of_row(part: t.Any) -> bool:
        if isinstance(part, ast.CaseExpr):
            return all(result is not None and _filled(result, source) for result in _results(part))
        column = _column(part, source)
        return column is not None and column.not_null

    return never_null(node, of_row)


def _results(case: ast.CaseExpr) -> list[t.Any]:
    """What a CASE may give; None is among them where it has no ELSE."""
    return [*(t.cast("t.Any", item).result for item in case.args or ()), case.defresult]


def _fits(node: t.Any, column: Column, source: Table | None) -> bool:
    """Whether no value of it is longer than the column takes: one as short, or a text of known length."""
    limit = column.modifier - _HEADER
    while isinstance(node, ast.TypeCast):
        node = node.arg
    name = str(node.funcname[-1].sval) if isinstance(node, ast.FuncCall) and node.funcname else ""
    parts: list[t.Any] | None = None
    if isinstance(node, ast.CaseExpr):
        parts = _results(node)
    elif isinstance(node, ast.CoalesceExpr) or (name in _SHORTENING and len(node.args or ()) == 1):
        parts = list(node.args or ())
    if parts is not None:
        return all(part is None or _fits(part, column, source) for part in parts)
    known = _column(node, source)
    short = known is not None and known.type in _LIMITED and _HEADER <= known.modifier <= column.modifier
    width = _WIDTHS.get(known.type if known else name, limit + 1)
    return constant(node) is not None or short or width <= limit


def _column(node: t.Any, source: Table | None) -> Column | None:
    if not isinstance(node, ast.ColumnRef) or source is None or not node.fields:
        return None
    return source.columns.get(str(getattr(node.fields[-1], "sval", "")))


__all__ = ("Computed", "computed_rows", "may_be_refused")
