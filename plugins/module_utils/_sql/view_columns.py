"""The columns that a view's query has: their names, and their types as far as they can be told.

Source: FigureColnameInternal in src/backend/parser/parse_target.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column

# A domain's column has the name of its base type here.
_PLAIN: t.Final = {"int2", "int4", "int8", "text", "varchar", "bool", "numeric", "float4", "float8", "date",
                   "timestamp",
                   "timestamptz", "uuid", "json", "jsonb", "interval"}  # fmt: skip
# Internal name and modifier, as catalog.Column has them.
Type = tuple[str, int]
# A name where it is known, and a type where it is.
Shape = tuple["str | None", "Type | None"]


def view_columns(node: t.Any, catalog: Catalog) -> list[Shape] | None:
    """The columns of a CREATE VIEW; None where it is not known how many there are."""
    query = node.query
    single = True
    while isinstance(query, ast.SelectStmt) and query.op:
        # A UNION has the names of its first query, and a type that all of them agree on.
        query, single = query.larg, False
    if not isinstance(query, ast.SelectStmt) or query.valuesLists:
        return None
    tables = _tables(query, catalog)
    found: list[Shape] = []
    for target in query.targetList or ():
        value = target.val
        if isinstance(value, ast.ColumnRef) and isinstance(value.fields[-1], ast.A_Star):  # type: ignore[index]
            columns = _star(value, tables)
            if columns is None:
                return None
            found += [(name, (column.type, column.modifier)) for name, column in columns.items()]
        else:
            found.append((target.name or _name(value), _type(value, tables)))
    aliases = [item.sval for item in node.aliases or ()]
    found = [(alias, found[place][1]) for place, alias in enumerate(aliases[: len(found)])] + found[len(aliases) :]
    return found if single else [(name, None) for name, _kind in found]


def _tables(query: t.Any, catalog: Catalog) -> dict[str, dict[str, Column] | None] | None:
    """Columns by the name that the query gives a table, None for one that is not known; None for other sources."""
    found: dict[str, dict[str, Column] | None] = {}
    if query.withClause is not None:
        return None
    todo: list[t.Any] = list(query.fromClause or ())
    while todo:
        item = todo.pop(0)
        if isinstance(item, ast.JoinExpr):
            if item.usingClause or item.isNatural or item.alias:
                return None
            todo[:0] = [item.larg, item.rarg]
        elif isinstance(item, ast.RangeVar):
            if item.alias is not None and item.alias.colnames:
                return None
            known = catalog.table(relation_name(item))
            name = str(item.alias.aliasname if item.alias else item.relname)
            found[name] = dict(known.columns) if known else None
        else:
            return None
    return found


def _star(value: t.Any, tables: dict[str, dict[str, Column] | None] | None) -> dict[str, Column] | None:
    if tables is None or len(value.fields) > 2:
        return None
    if len(value.fields) == 2:
        return tables.get(value.fields[0].sval)
    # Two tables may have columns of one name; one is the usual case.
    return next(iter(tables.values())) if len(tables) == 1 else None


def _name(value: t.Any) -> str | None:
    """Without AS; None where the rules would have to be looked up."""
    if isinstance(value, ast.ColumnRef):
        return str(value.fields[-1].sval)  # type: ignore[index]
    if isinstance(value, ast.FuncCall):
        return qualified_name(value.funcname or ())[1]
    if isinstance(value, ast.CoalesceExpr):
        return "coalesce"
    return "?column?" if isinstance(value, (ast.A_Const, ast.A_Expr, ast.BoolExpr)) else None


def _type(value: t.Any, tables: dict[str, dict[str, Column] | None] | None) -> Type | None:
    if isinstance(value, ast.TypeCast):
        kind, modifier, array = type_changes.type_name(value.typeName)
        return None if array or modifier is None or kind not in _PLAIN else (kind, modifier)
    if isinstance(value, ast.FuncCall) and qualified_name(value.funcname or ()) == (None, "count"):
        return "int8", -1
    if not isinstance(value, ast.ColumnRef) or tables is None:
        return None
    names: list[str] = [field.sval for field in value.fields or ()]
    if len(names) > 2 or None in tables.values():
        return None
    places = [tables.get(names[0])] if len(names) == 2 else list(tables.values())
    columns = [columns[names[-1]] for columns in places if columns and names[-1] in columns]
    return (columns[0].type, columns[0].modifier) if len(columns) == 1 else None


__all__ = ("view_columns",)
