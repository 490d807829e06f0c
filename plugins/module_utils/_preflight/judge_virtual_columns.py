"""What PostgreSQL 18 does not do with a virtual generated column. Pure functions over facts.

Source: DefineIndex in src/backend/commands/indexcmds.c, ATExecDropExpression, ATExecSetExpression and
ATAddForeignKeyConstraint in commands/tablecmds.c, check_virtual_generated_security in catalog/heap.c, CreateStatistics
in commands/statscmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_constraint import columns_below
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    functions,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_FIRST = 18
_VIRTUAL = "v"
_KEYS: t.Final = {
    ConstrType.CONSTR_PRIMARY: "a primary key", ConstrType.CONSTR_UNIQUE: "a unique constraint",
    ConstrType.CONSTR_FOREIGN: "a foreign key", ConstrType.CONSTR_EXCLUSION: "an exclusion constraint",
}  # fmt: skip


class VirtualColumnJudge:
    """Judges each statement of the upgrade, in order. Tables by their names now."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts, version: int) -> None:
        """:param version: the server's major one; before 18 there are none, which `unsupported-by-server` says"""
        self._catalog, self._known = catalog, rules.known and version >= _FIRST
        self._types = {row["name"] for row in facts["objects"]["types"] if row["schema"] != "pg_catalog"}
        self._columns: dict[Name, set[str]] = {}
        for row in facts["columns"]:
            if row["generated"] == _VIRTUAL and row["oid"] in rules.name_of_oid:
                self._columns.setdefault(rules.name_of_oid[row["oid"]], set()).add(row["name"])

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        handler = self._HANDLERS.get(type(statement.node)) if self._known else None
        words = handler(self, statement.node) if handler else ()
        return [refusal("definition-refused", said, where, sure=certain) for said in words]

    def _of(self, name: Name) -> set[str]:
        table = self._catalog.table(name)
        return self._columns.setdefault(table.name if table else self._catalog.qualified(name), set())

    def _table(self, node: t.Any) -> t.Iterator[str]:
        name = relation_name(node.relation)
        if node.if_not_exists and self._catalog.known(name):
            return
        elements = node.tableElts or ()
        for item in elements:
            if isinstance(item, ast.ColumnDef):
                yield from self._added(name, item)
        for item in elements:
            if isinstance(item, ast.Constraint):
                yield from self._constraint(name, item, ())

    def _added(self, table: Name, column: t.Any) -> t.Iterator[str]:
        """A new column, with what is written beside it."""
        made = [item for item in column.constraints or () if item.contype == ConstrType.CONSTR_GENERATED]
        if not made or made[0].generated_kind != _VIRTUAL:
            return
        self._of(table).add(column.colname)
        label = f"{dotted(table)}.{column.colname}"
        kind = qualified_name(column.typeName.names)[1] if column.typeName is not None else ""
        if kind in self._catalog.created_types or kind in self._types:
            yield f"{label} is virtual, and of the type {kind}, which is none of PostgreSQL's own"
        own = [name for name in functions(made[0].raw_expr) if name in self._catalog.user_functions]
        if own:
            yield f"{label} is virtual, and is computed by {dotted(own[0])}(), which is none of PostgreSQL's own"
        for item in column.constraints or ():
            yield from self._constraint(table, item, (column.colname,))

    def _constraint(self, table: Name, item: t.Any, own: t.Iterable[str]) -> t.Iterator[str]:
        what = _KEYS.get(ConstrType(item.contype))
        names = {*own, *(key.sval for key in (*(item.keys or ()), *(item.fk_attrs or ())))}
        names |= {element[0].name for element in item.exclusions or ()}
        yield from self._refused(table, names, what) if what else ()

    def _refused(self, table: Name, names: t.Iterable[str], what: str) -> t.Iterator[str]:
        for name in sorted(self._of(table) & set(names)):
            yield f"{dotted(table)}.{name} is a virtual generated column, of which there is not {what} yet"

    def _index(self, node: t.Any) -> t.Iterator[str]:
        keys = {item.name for item in (*(node.indexParams or ()), *(node.indexIncludingParams or ()))}
        names = {*keys, *columns_below((node.indexParams, node.whereClause))} - {None}
        yield from self._refused(relation_name(node.relation), names, "an index")

    def _statistics(self, node: t.Any) -> t.Iterator[str]:
        names = {item.name for item in node.exprs or ()} | set(columns_below(node.exprs))
        for relation in node.relations or ():
            if isinstance(relation, ast.RangeVar):
                yield from self._refused(relation_name(relation), names - {None}, "a statistics object")

    def _alter_table(self, node: t.Any) -> t.Iterator[str]:
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        name = relation_name(node.relation)
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AddColumn and self._catalog.column(name, part.colname) is None:
                yield from self._added(name, part)
            elif kind == Command.AT_AddConstraint:
                yield from self._constraint(name, part, ())
            elif kind == Command.AT_DropColumn:
                self._of(name).discard(command.name)
            elif command.name in self._of(name) and kind == Command.AT_DropExpression:
                yield f"{dotted(name)}.{command.name} is virtual, and no column of its own can be made of it"
            elif command.name in self._of(name) and kind == Command.AT_SetExpression:
                checks = [item.name for item in self._catalog.constraints(name) if item.kind == "c"]
                if checks:
                    words = "is virtual, whose expression cannot be changed where the table has a check"
                    yield f"{dotted(name)}.{command.name} {words} ({checks[0]})"

    def _rename(self, node: t.Any) -> t.Iterator[str]:
        if node.renameType == ObjectType.OBJECT_COLUMN and node.relation is not None:
            columns = self._of(relation_name(node.relation))
            if node.subname in columns:
                columns.remove(node.subname)
                columns.add(node.newname)
        yield from ()

    _HANDLERS: t.ClassVar[dict[type, t.Callable[[VirtualColumnJudge, t.Any], t.Iterator[str]]]] = {
        ast.CreateStmt: _table,
        ast.AlterTableStmt: _alter_table,
        ast.IndexStmt: _index,
        ast.CreateStatsStmt: _statistics,
        ast.RenameStmt: _rename,
    }


__all__ = ("VirtualColumnJudge",)
