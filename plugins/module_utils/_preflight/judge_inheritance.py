"""What partitions, inheritance and the number of columns forbid. Pure functions over facts.

Source: ATPrepAddColumn, ATPrepDropColumn, ATPrepAlterColumnType, ATExecDropConstraint, MergeAttributesIntoExisting and
ATExecAttachPartition in src/backend/commands/tablecmds.c, DefineIndex in commands/indexcmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# MaxHeapAttributeNumber in src/include/access/htup_details.h.
MOST_COLUMNS: t.Final = 1600
# From this version on it is inherited as checks are.
_NOT_NULL_IS_A_CONSTRAINT: t.Final = 18
_UNIQUE = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}
_SYSTEM = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}


class InheritanceJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts, version: int) -> None:
        """:param facts: the answer of live_facts.collect
        :param version: the server's major version
        :param rules: the caller updates them after this judge has seen a statement
        """
        self._catalog, self._rules, self._version = catalog, rules, version
        relations, names = facts["relations"], rules.name_of_oid
        self._keys = {names[row["oid"]]: row for row in relations["keys"] if row["oid"] in names}
        counts = relations["attribute_counts"]
        self._attribute_counts = {names[row["oid"]]: row["attributes"] for row in counts if row["oid"] in names}
        self._inherited: dict[tuple[str, Name], set[str]] = {}
        for row in relations["inherited"]:
            if row["oid"] in names:
                self._inherited.setdefault((row["kind"], names[row["oid"]]), set()).add(row["name"])

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        if not self._rules.known:
            return []
        node: t.Any = statement.node
        handler = self._HANDLERS.get(type(node))
        return [
            refusal("definition-refused", words, where, sure=certain)
            for words in (handler(self, node) if handler else ())
        ]

    def _altered(self, node: t.Any) -> t.Iterator[str]:
        table, counts = self._catalog.table(relation_name(node.relation)), self._attribute_counts
        if node.objtype != ObjectType.OBJECT_TABLE:
            return
        for command in node.cmds or ():
            kind, part = Command(command.subtype), command.def_
            if kind == Command.AT_AddColumn and part.colname in _SYSTEM:
                yield f"{part.colname} is the name of a system column"
            if table is None:
                continue
            yield from self._partition(table, kind, command)
            if table.kind == "p":
                yield from self._parent(table, kind, command, only=not node.relation.inh)
            if kind == Command.AT_AttachPartition:
                yield from self._attached(table, self._catalog.table(relation_name(part.name)), whole=True)
            elif kind == Command.AT_AddInherit:
                yield from self._attached(self._catalog.table(relation_name(part)), table, whole=False)
            elif kind == Command.AT_AddColumn and table.name in counts and part.colname not in table.columns:
                counts[table.name] += 1
                if counts[table.name] > MOST_COLUMNS:
                    yield f"{dotted(table.name)} has used all {MOST_COLUMNS} column numbers (dropped columns count)"
            elif kind == Command.AT_ClusterOn:
                index = self._catalog.table((table.name[0], command.name))
                if index is None and (table.name[0], command.name) not in self._catalog.indexes:
                    yield f"{dotted(table.name)} has no index {command.name}"

    def _partition(self, table: Table, kind: Command, command: t.Any) -> t.Iterator[str]:
        """What a partition or a table that inherits has from its parent, only the parent changes."""
        label = f"{dotted(table.name)}.{command.name}"
        columns = self._inherited.get(("column", table.name), set())
        if kind == Command.AT_AddColumn and table.partition_of:
            yield f"{dotted(table.name)} is a partition, and no column can be added to it"
        elif kind == Command.AT_DropColumn and command.name in columns:
            yield f"{label} is inherited and cannot be dropped here"
        elif kind == Command.AT_AlterColumnType and command.name in columns:
            yield f"{label} is inherited and cannot be altered here"
        elif kind == Command.AT_DropConstraint and command.name in self._inherited.get(
            ("constraint", table.name), set()
        ):
            yield f"The constraint {command.name} of {dotted(table.name)} is inherited and cannot be dropped here"
        elif kind == Command.AT_DropNotNull and table.partition_of:
            parent = self._catalog.column(table.partition_of, command.name)
            if parent and parent.not_null:
                yield f"{label} is NOT NULL in the table that it is a partition of"

    def _parent(self, table: Table, kind: Command, command: t.Any, *, only: bool) -> t.Iterator[str]:
        """A partitioned table: its key, and what ONLY leaves out."""
        part, label = command.def_, f"{dotted(table.name)}.{command.name}"
        key = self._keys.get(table.name)
        if key and kind in {Command.AT_DropColumn, Command.AT_AlterColumnType} and command.name in key["columns"]:
            yield f"{label} is part of the partition key, which stays as it is"
        elif kind == Command.AT_AddConstraint and part.contype in _UNIQUE and not part.indexname:
            yield from self._unique(table, [item.sval for item in part.keys or ()])
        elif kind == Command.AT_AddColumn and {item.contype for item in part.constraints or ()} & _UNIQUE:
            yield from self._unique(table, [part.colname])
        if not only or not table.children:
            return
        if kind in {Command.AT_AddColumn, Command.AT_DropColumn}:
            yield f"ONLY {dotted(table.name)} leaves out its partitions, which have the same columns"
        elif kind == Command.AT_AddConstraint and part.contype == ConstrType.CONSTR_CHECK and not part.is_no_inherit:
            yield f"ONLY {dotted(table.name)} leaves out its partitions, which have the same checks"
        elif kind == Command.AT_SetNotNull:
            nullable = [name for name in table.children if not self._catalog.proves_not_null(name, command.name)]
            if nullable:
                yield f"{label} can be NULL in its partition {dotted(nullable[0])}, which ONLY leaves out"
            elif self._version >= _NOT_NULL_IS_A_CONSTRAINT:
                yield f"ONLY {dotted(table.name)} leaves out its partitions, which have the same NOT NULL"

    def _unique(self, table: Table, columns: list[str]) -> t.Iterator[str]:
        key = self._keys.get(table.name)
        if key is None:
            return
        if key["expressions"]:
            yield f"The partition key of {dotted(table.name)} holds an expression, with which nothing is unique"
        elif missing := [name for name in key["columns"] if name not in columns]:
            words = f"A unique index of {dotted(table.name)} has all columns of the partition key, and this lacks"
            yield f"{words} {', '.join(missing)}"

    def _attached(self, parent: Table | None, part: Table | None, *, whole: bool) -> t.Iterator[str]:
        """:param whole: a partition has no column of its own"""
        if parent is None or part is None or not part.columns or not parent.columns:
            return
        label = dotted(part.name)
        for name, column in parent.columns.items():
            own = part.columns.get(name)
            if own is None:
                yield f"{label} lacks the column {name}"
            elif (own.type, own.modifier) != (column.type, column.modifier):
                yield f"{label}.{name} is of another type than in {dotted(parent.name)}"
            elif column.not_null and not own.not_null:
                yield f"{label}.{name} is not NOT NULL, as it is in {dotted(parent.name)}"
        if whole:
            for name in part.columns.keys() - parent.columns.keys():
                yield f"{label} has the column {name}, which {dotted(parent.name)} lacks"
        there = {item.name for item in part.constraints if item.kind == "c"}
        for item in parent.constraints:
            if item.kind == "c" and item.name and item.name not in there:
                yield f"{label} lacks the check {item.name} of {dotted(parent.name)}"

    def _index(self, node: t.Any) -> t.Iterator[str]:
        table = self._catalog.table(relation_name(node.relation))
        if table and table.kind == "p" and node.unique:
            yield from self._unique(table, [item.name for item in node.indexParams or () if item.name])

    def _created(self, node: t.Any) -> t.Iterator[str]:
        for item in node.tableElts or ():
            if isinstance(item, ast.ColumnDef) and item.colname in _SYSTEM:
                yield f"{item.colname} is the name of a system column"
        if node.partspec is None:
            return
        key = {item.name for item in node.partspec.partParams or () if item.name}
        label = dotted(relation_name(node.relation))
        for columns in _unique_keys(node.tableElts or ()):
            if missing := sorted(key - columns):
                yield f"A unique key of {label} has all of the partition key, and this lacks {', '.join(missing)}"

    def _renamed(self, node: t.Any) -> t.Iterator[str]:
        table = self._catalog.table(relation_name(node.relation)) if node.relation is not None else None
        inherited = self._inherited.get(("column", table.name), ()) if table else ()
        if table and node.renameType == ObjectType.OBJECT_COLUMN and node.subname in inherited:
            yield f"{dotted(table.name)}.{node.subname} is inherited and cannot be renamed here"

    def _dropped(self, node: t.Any) -> t.Iterator[str]:
        if node.removeType != ObjectType.OBJECT_INDEX:
            return
        for item in node.objects:
            index = self._catalog.table(qualified_name(item))
            if index and index.name[1] in self._inherited.get(("index", index.name), ()):
                yield f"The index {dotted(index.name)} belongs to one of the partitioned table and goes only with that"

    _HANDLERS: t.ClassVar[dict[type, t.Callable[[InheritanceJudge, t.Any], t.Iterator[str]]]] = {
        ast.AlterTableStmt: _altered,
        ast.IndexStmt: _index,
        ast.CreateStmt: _created,
        ast.RenameStmt: _renamed,
        ast.DropStmt: _dropped,
    }


def _unique_keys(elements: t.Iterable[t.Any]) -> t.Iterator[set[str]]:
    """The columns of each unique key in a CREATE TABLE."""
    for item in elements:
        if isinstance(item, ast.Constraint) and item.contype in _UNIQUE:
            yield {str(key.sval) for key in item.keys or ()}
        elif isinstance(item, ast.ColumnDef) and {one.contype for one in item.constraints or ()} & _UNIQUE:
            yield {str(item.colname)}


__all__ = ("InheritanceJudge",)
