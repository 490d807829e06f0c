"""What a query gives, column by column, as far as its form says so: values that are never NULL, or never the same."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    JoinType,
    NullTestType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import distinct, never_null
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    conjuncts,
    qualified_name,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTables
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys


class Source:
    """One SELECT without set operations.

    `known`: its form is followed here. `items`: the expressions that it gives, in order; None where a star gives them.
    """

    def __init__(self, query: t.Any, catalog: Catalog, new: NewTables, uniques: UniqueKeys) -> None:
        self._query, self._catalog, self._new, self._uniques = query, catalog, new, uniques
        self._tables: dict[str, Name] = {}
        self._joins: list[t.Any] = []
        self._outer = False
        plain = isinstance(query, ast.SelectStmt) and not query.op and not query.withClause and not query.valuesLists
        self.known = plain and all(self._from(item) for item in query.fromClause or ())
        self.items: list[t.Any] | None = None
        if self.known:
            items = [item.val for item in query.targetList or ()]
            star = any(isinstance(part, ast.A_Star) for item in items for part in getattr(item, "fields", None) or ())
            self.items = self._star() if star and len(items) == 1 else None if star else items

    def _from(self, item: t.Any) -> bool:
        if isinstance(item, ast.RangeVar):
            self._tables[str(item.alias.aliasname if item.alias else item.relname)] = relation_name(item)
            return True
        if isinstance(item, ast.JoinExpr) and not item.isNatural and not item.usingClause:
            self._outer = self._outer or item.jointype != JoinType.JOIN_INNER
            self._joins += [item.quals] if item.quals is not None else []
            return self._from(item.larg) and self._from(item.rarg)
        return False

    def _star(self) -> list[t.Any] | None:
        table = self._catalog.table(next(iter(self._tables.values()))) if len(self._tables) == 1 else None
        return [ast.ColumnRef(fields=(ast.String(name),)) for name in table.columns] if table else None

    def column(self, node: t.Any) -> tuple[Name, str] | None:
        """The table and column that an expression is, through casts."""
        place = self._place(node)
        return (self._tables[place[0]], place[1]) if place else None

    def _place(self, node: t.Any) -> tuple[str, str] | None:
        """The same, by the name that the table has in the query: one may stand in it twice."""
        while isinstance(node, ast.TypeCast):
            node = node.arg
        fields = [getattr(part, "sval", None) for part in node.fields or ()] if isinstance(node, ast.ColumnRef) else []
        if not fields or None in fields:
            return None
        if len(fields) == 2 and fields[0] in self._tables:
            return str(fields[0]), str(fields[1])
        return (next(iter(self._tables)), str(fields[0])) if len(fields) == len(self._tables) == 1 else None

    def never_null(self, node: t.Any) -> bool:
        """Whether an expression is never NULL."""
        if never_null(node) or _counts(node):
            return True
        found = self._place(node)
        if isinstance(node, ast.CoalesceExpr):
            return any(self.never_null(part) for part in node.args or ())
        if found is None:
            return False
        table, name = self._tables[found[0]], found[1]
        new = self._new.of(table)
        proven = new.columns[name].not_null if new and name in new.columns else False
        proven = (proven or self._catalog.proves_not_null(table, name)) and not self._outer
        conditions = [self._query.whereClause, *([] if self._outer else self._joins)]
        return proven or any(found == self._place(part) for item in conditions for part in _wanted(item))

    def distinct(self, nodes: t.Sequence[t.Any]) -> bool:
        """Whether no two rows have the same in all of these expressions."""
        if any(distinct(node) for node in nodes):
            return True
        columns = {found for node in nodes if (found := self._place(node))}
        groups = self._query.groupClause or ()
        if groups and all(self._place(item) in columns for item in groups):
            return True
        if self._query.distinctClause and self.items is not None:
            # DISTINCT ON names expressions, DISTINCT alone means all that is given.
            on = [item for item in self._query.distinctClause if isinstance(item, ast.Node)] or self.items
            if all(self._place(item) in columns for item in on):
                return True
        several = any(_gives_rows(item) for item in self.items or ())
        return bool(self._tables) and not several and self._all_once(columns)

    def _all_once(self, columns: set[tuple[str, str]]) -> bool:
        """Whether one row of each table stands behind these columns, or the join leads from those to one alone."""
        sure: set[str] = set()
        while len(sure) < len(self._tables):
            more = {alias for alias in self._tables.keys() - sure if self._once(alias, columns, sure)}
            if not more:
                return False
            sure |= more
        return True

    def _once(self, alias: str, columns: set[tuple[str, str]], sure: set[str]) -> bool:
        table = self._tables[alias]
        held = {name for owner, name in columns if owner == alias} | set(self._fixed(alias, sure))
        known, new = self._catalog.table(table), self._new.of(table)
        keys = [set(key.columns) for key in self._uniques.of(known) if not key.partial and key.valid] if known else []
        keys += [set(key) for key in new.keys] if new else []
        return any(None not in key and key <= held for key in keys)

    def _fixed(self, alias: str, sure: set[str]) -> t.Iterator[str]:
        """Columns of this table that a join or the WHERE holds equal to a constant or to columns of `sure`."""
        for node in (part for item in (*self._joins, self._query.whereClause) for part in conjuncts(item)):
            if isinstance(node, ast.A_Expr) and node.name and node.name[-1].sval == "=":
                for side, other in ((node.lexpr, node.rexpr), (node.rexpr, node.lexpr)):
                    found = self._place(side)
                    places = [self._place(part) for part in walk(other) if isinstance(part, ast.ColumnRef)]
                    if found and found[0] == alias and all(place and place[0] in sure for place in places):
                        yield found[1]


def _wanted(node: t.Any) -> t.Iterator[t.Any]:
    """What a WHERE wants to be not NULL."""
    for part in conjuncts(node):
        if isinstance(part, ast.NullTest) and part.nulltesttype == NullTestType.IS_NOT_NULL:
            yield part.arg
        elif isinstance(part, ast.A_Expr) and part.kind is not None and part.kind.name in {"AEXPR_OP", "AEXPR_IN"}:
            yield from (side for side in (part.lexpr, part.rexpr) if isinstance(side, ast.ColumnRef))


def _counts(node: t.Any) -> bool:
    return isinstance(node, ast.FuncCall) and qualified_name(node.funcname or ())[1] in {"count", "row_number", "rank"}


def _gives_rows(node: t.Any) -> bool:
    calls = (part for part in walk(node) if isinstance(part, ast.FuncCall))
    names = {qualified_name(call.funcname or ())[1] for call in calls}
    return any(name in {"unnest", "generate_series", "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_each",
                        "jsonb_object_keys", "json_array_elements", "regexp_split_to_table", "string_to_table"}
               for name in names)  # fmt: skip


__all__ = ("Source",)
