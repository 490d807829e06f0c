"""Objects that are missing, in the way or depended upon: drift between the database and the history of its revisions.

Facts over names, updated after each statement, as the catalogue is. What an opaque statement before may have made or
dropped is not known: from there on nothing is certain.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.dependents import Dependents
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.objects import PARTS, Touch, row_types, touches
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_names import TypeNames

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import TableFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

# What an extension brings when it is created, which nobody can list before.
_OF_EXTENSIONS = {"type", "function", "operator class", "access method", "language"}
_TYPES = {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}
# After one of these, what is there is not known for certain.
UNCERTAIN_AFTER: t.Final[frozenset[str]] = frozenset(
    {"statement-opaque", "statement-unparsed", "statement-unruled", "search-path-set", "revision-not-static",
     "revision-not-rendered"}
)  # fmt: skip


class ObjectJudge:
    """Judges each statement of the upgrade, in order. The caller sets `certain` to False where it ends."""

    def __init__(self, catalog: Catalog, facts: TableFacts, *, may_be_seen: bool = True) -> None:
        """:param facts: the answer of live_facts.collect
        :param may_be_seen: the server was asked
        """
        self.catalog = catalog
        self.certain = True
        objects = facts["objects"]
        self._asked = may_be_seen and catalog.complete
        self._known = {(kind, name) for kind, names in objects["asked"].items() for name in names}
        full: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
        # By kind and table, as it was called before the upgrade.
        self._parts: dict[tuple[str, Name], set[str]] = {}
        for kind, rows in (("column", facts["columns"]), ("constraint", facts["constraints"])):
            for row in rows:
                if row["oid"] in full:
                    self._parts.setdefault((kind, full[row["oid"]]), set()).add(row["name"])
        for part in objects["parts"]:
            self._parts.setdefault((part["kind"], full[part["oid"]]), set()).add(part["name"])
        places = facts.get("places")
        path = places.get("path") if places else None
        self.types = TypeNames(catalog, objects["types"], path)
        # Schemas where names without one are looked for; None where they are not known.
        self._path = path
        # By kind and name: schemas beside the own one in which this upgrade makes something.
        self._made_elsewhere: dict[tuple[str, str], set[str | None]] = {}
        self._named = {(row["kind"], row["name"]) for row in objects["named"]}
        # What is there, and is not reached without its schema.
        self._hidden = {(row["kind"], row["name"]) for row in places["hidden"]} if places else set()
        self._extensions_to_come = False
        # Tables with constraints whose names the server chose, or that an inline definition made.
        self._implicit_constraints: set[Name] = set()
        # Of indexes that went with their constraint.
        self._free_names: set[Name] = set()
        # Tables with new columns, which may have brought a sequence.
        self._tables_with_new_columns: set[Name] = set()
        self.dependents = Dependents(catalog, full, facts)

    def judge(self, statement: Statement, where: Where) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it."""
        if not self._asked:
            return []
        found: list[Finding] = []
        new_extension = self._is_new_extension(statement.node)
        done = touches(statement.node)
        if statement.looks_first:
            done = [dataclasses.replace(touch, lenient=touch.lenient or touch.action != "need") for touch in done]
        found += self._row_type(statement.node, where)
        for touch in done:
            found += self._touch(touch, statement, where)
        found += [
            self._finding("object-depended-upon", words, where, table)
            for words, table in self.dependents.of(statement.node, done)
        ]
        if new_extension and found == []:
            self._extensions_to_come = True
        if isinstance(statement.node, ast.AlterObjectSchemaStmt) and statement.node.objectType in _TYPES:
            name = qualified_name(t.cast("t.Any", statement.node.object))
            self.types.move(name, (statement.node.newschema, name[1]))
        if isinstance(statement.node, ast.AlterTableStmt):
            self._note_implicit_constraints(statement.node)
            self._drop_defaults(statement.node)
        return found

    def parts(self, kind: str, table: Name) -> set[str]:
        """Names of a table's columns, constraints, triggers or policies as they are now.

        :param table: as it was called before the upgrade
        """
        return self._parts.get((kind, table), set())

    def named(self, kind: str, name: str) -> bool | None:
        """Whether there is a function, extension, role or schema of that name; None where nobody asked."""
        if kind == "function" and (kind, name) in self._known:
            return (kind, name) in self._hidden or bool(self._has(kind, None, name))
        return (kind, name) in self._named if (kind, name) in self._known or (kind, name) in self._named else None

    def has_unnamed(self, table: Name) -> bool:
        """Whether this upgrade gave a table constraints whose names the server chose."""
        return table in self._implicit_constraints

    def _is_new_extension(self, node: t.Any) -> bool:
        return isinstance(node, ast.CreateExtensionStmt) and ("extension", node.extname) not in self._named

    def absent(self, node: t.Any) -> bool:
        """Whether DROP … IF EXISTS meets nothing for certain, before judge() follows it."""
        if not (self._asked and self.certain and isinstance(node, ast.DropStmt) and node.missing_ok):
            return False
        done = [touch for touch in touches(node) if touch.action == "drop"]
        return bool(done) and all(self._is_missing(touch) for touch in done)

    def _is_missing(self, touch: Touch) -> bool:
        kind, (schema, name) = touch.kind, touch.name
        if kind in PARTS and touch.table:
            table = self.catalog.table(touch.table)
            there = self._parts.get((kind, table.name), set()) if table else set()
            return not self.catalog.is_new(touch.table) and name not in there
        if kind == "relation":
            return not self.catalog.known(touch.name)
        if kind in {"type", "function"}:
            return (kind, name) in self._known and self._has(kind, schema, name) is False
        return False

    def _finding(self, finding_id: str, words: str, where: Where, table: Name | None = None) -> Finding:
        if table:
            where = where | {"table": dotted(table)}
        if self.certain:
            return finding(finding_id, words, **where)
        words = words.replace("this will fail", "this would fail") + " What ran before it may have changed that."
        return finding(finding_id, words, severity="unknown", **where)

    def _touch(self, touch: Touch, statement: Statement, where: Where) -> t.Iterator[Finding]:
        if touch.kind in PARTS:
            yield from self._part(touch, where, renames=isinstance(statement.node, ast.RenameStmt))
        elif touch.kind == "relation":
            yield from self._relation(touch, where)
        elif touch.kind == "value":
            yield from self._value(touch, where)
        elif touch.kind in {"type", "function"}:
            yield from self._in_schema(touch, statement, where)
        else:
            yield from self._without_schema(touch, where)

    def _part(self, touch: Touch, where: Where, *, renames: bool) -> t.Iterator[Finding]:
        table: Table | None = self.catalog.table(touch.table) if touch.table else None
        if table is None or table.kind not in {"r", "p", "f", "v", "m"} or not table.columns:
            return
        names = self._parts.setdefault((touch.kind, table.name), set())
        name, label = touch.name[1], dotted(table.name)
        if touch.action == "make":
            # ADD COLUMN over a column that is there is existing_objects.py's.
            if name in names and not touch.lenient and (renames or touch.kind != "column"):
                words = f"{label} has a {touch.kind} {name} already: this will fail."
                yield self._finding("object-exists", words, where, table.name)
            names.add(name)
            return
        if name not in names and not touch.lenient:
            if touch.kind == "constraint" and table.name in self._implicit_constraints:
                return
            words = f"{label} has no {touch.kind} {name}: this will fail."
            yield self._finding("object-missing", words, where, table.name)
        if touch.action == "drop":
            names.discard(name)
            self.dependents.drop_part(table.name, name)
            if touch.kind == "constraint":
                self._free_names.add((table.name[0], name))

    def _note_implicit_constraints(self, node: t.Any) -> None:
        table = self.catalog.table(relation_name(node.relation))
        for command in node.cmds or () if table else ():
            part = command.def_
            if table and (isinstance(part, ast.ColumnDef) or command.subtype.name == "AT_AddIdentity"):
                self._tables_with_new_columns.add(table.name)
            unnamed = isinstance(part, ast.Constraint) and not part.conname
            inline = isinstance(part, ast.ColumnDef) and part.constraints
            if table and (unnamed or inline or command.subtype.name == "AT_SetNotNull"):
                self._implicit_constraints.add(table.name)

    def _drop_defaults(self, node: t.Any) -> None:
        """A default that is gone needs its sequence or function no more."""
        table = self.catalog.table(relation_name(node.relation))
        for command in node.cmds or () if table else ():
            if table and command.subtype.name == "AT_ColumnDefault" and command.def_ is None:
                self.dependents.drop_part(table.name, command.name)

    def _relation(self, touch: Touch, where: Where) -> t.Iterator[Finding]:
        if touch.action == "make":
            schema = touch.name[0]
            if touch.table is not None:
                schema = self.catalog.qualified(touch.table)[0]
            name = (schema or self.catalog.schema, touch.name[1])
            if name in self.catalog.tables and name not in self._free_names and not touch.lenient:
                yield self._finding("object-exists", f"{dotted(name)} exists already: this will fail.", where)
            elif name in self.catalog.created and not touch.lenient:
                words = f"{dotted(name)} was made by this upgrade before: this will fail."
                yield self._finding("object-exists", words, where)
            self._free_names.discard(name)
            return
        wanted = self.catalog.qualified(touch.name)
        if touch.lenient or self.catalog.known(touch.name) or self._made_by_new_column(wanted):
            return
        # What was made together with a new table has a name that only the server knows.
        if wanted in self.catalog.dropped or not self.catalog.existed(touch.name):
            yield self._finding("object-missing", f"There is no {dotted(touch.name)}: this will fail.", where)

    def _made_by_new_column(self, name: Name) -> bool:
        """Whether a new column of a table may have made it: ChooseRelationName names a sequence after both."""
        tables = self._tables_with_new_columns
        return any(name[0] == schema and name[1].startswith(f"{table}_") for schema, table in tables)

    def _row_type(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        """A table, view or materialized view makes a type of its name."""
        for schema, name in row_types(node):
            full = (schema or self.catalog.schema, name)
            if full in self.types.places(name) and self.types.known(full).own and not self.catalog.known(full):
                words = f"{dotted(full)} exists already as a type, and a table makes one of its name: this will fail."
                yield self._finding("object-exists", words, where)

    def _value(self, touch: Touch, where: Where) -> t.Iterator[Finding]:
        full = self.types.meant(touch.table) if touch.table else None
        labels = self.types.known(full).labels if full else None
        if labels is None or touch.table is None:
            return
        name, label = touch.name[1], dotted(touch.table)
        if touch.action == "make":
            if name in labels and not touch.lenient:
                yield self._finding("object-exists", f"{label} has a value {name!r} already: this will fail.", where)
            labels.append(name)
        elif name not in labels:
            yield self._finding("object-missing", f"{label} has no value {name!r}: this will fail.", where)
        elif touch.action == "drop":
            labels.remove(name)

    def _in_schema(self, touch: Touch, statement: Statement, where: Where) -> t.Iterator[Finding]:
        kind, (schema, name) = touch.kind, touch.name
        there = self._has(kind, schema, name)
        if touch.action == "make":
            yield from self._made(touch, statement, where)
            return
        if kind == "type" and touch.action == "need" and (hidden := self.types.hidden(touch.name)):
            words = f"The type {name} means the row of a temporary table here, which hides {dotted(hidden)}."
            yield finding("definition-differs", words, severity="unknown", **where)
        if there is not True and not touch.lenient and not self._extensions_to_come and (kind, name) in self._known:
            on_path = " on the search path" if schema is None and self._is_hidden(kind, name) else ""
            if there is None:
                words = f"Whether the search path leads to the {kind} {name}, which is in another schema, is not known."
                yield finding("object-missing", words, severity="unknown", **where)
            else:
                words = f"There is no {kind} {dotted(touch.name)}{on_path}: this will fail."
                yield self._finding("object-missing", words, where)
        if touch.action == "drop" and not isinstance(statement.node, ast.RenameStmt):
            if kind == "type":
                self.types.drop(touch.name)
            self._named.discard((kind, name))

    def _made(self, touch: Touch, statement: Statement, where: Where) -> t.Iterator[Finding]:
        kind, (schema, name) = touch.kind, touch.name
        if kind != "type":
            if schema in {None, self.catalog.schema}:
                self._hidden.discard((kind, name))
            else:
                self._made_elsewhere.setdefault((kind, name), set()).add(schema)
            self._named.add((kind, name))
            return
        if not touch.lenient and self.types.made_at(touch.name) in self.types.places(name):
            words = f"The type {dotted(touch.name)} exists already: this will fail."
            yield self._finding("object-exists", words, where)
        if isinstance(statement.node, ast.RenameStmt):
            old = qualified_name(t.cast("t.Any", statement.node.object))
            self.types.move(old, (None, name))
        else:
            self.types.make(touch.name, statement.node)

    def _is_hidden(self, kind: str, name: str) -> bool:
        return bool(self.types.places(name)) if kind == "type" else (kind, name) in self._hidden

    def _has(self, kind: str, schema: str | None, name: str) -> bool | None:
        """None where it is in a schema of which it is not known whether the search path leads there."""
        if kind == "type":
            # What this upgrade makes in a way that is not followed has no schema here.
            unplaced = name in self.catalog.created_types and not self.types.places(name)
            # A table is a type, too.
            return unplaced or self.catalog.is_new((schema, name)) or self.types.there((schema, name))
        if schema is None and (kind, name) in self._hidden:
            return self.catalog.is_new((schema, name))
        known = (schema, name) in self.catalog.volatility or (None, name) in self.catalog.volatility
        elsewhere = self._made_elsewhere.get((kind, name))
        if schema is None and not known and elsewhere:
            return None if self._path is None else bool(elsewhere & set(self._path))
        return known or (kind, name) in self._named

    def _without_schema(self, touch: Touch, where: Where) -> t.Iterator[Finding]:
        kind, name = touch.kind, touch.name[1]
        there = (kind, name) in self._named and not (touch.name[0] is None and (kind, name) in self._hidden)
        if touch.action == "make":
            if there and not touch.lenient:
                yield self._finding("object-exists", f"The {kind} {name} exists already: this will fail.", where)
            self._hidden.discard((kind, name))
            self._named.add((kind, name))
            return
        brought = kind in _OF_EXTENSIONS and self._extensions_to_come
        asked = kind == "access method" or (kind, name) in self._known
        if asked and not there and not touch.lenient and not brought:
            yield self._finding("object-missing", f"There is no {kind} {name}: this will fail.", where)
        if touch.action == "drop":
            self._named.discard((kind, name))


__all__ = ("UNCERTAIN_AFTER", "ObjectJudge")
