"""Which columns, of which types, each table has at a statement of the upgrade: what it had, and what changed since.

Kept as a list of changes, since who reads the statements does not know yet what the server has. Pure.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.printing import printed_type
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    is_temporary,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_SERIAL: t.Final = {"serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8", "smallserial": "int2",
                    "serial2": "int2"}  # fmt: skip
# Commands of ALTER TABLE that leave the table's place in a hierarchy or its row type in doubt.
_OPAQUE: t.Final = {Command.AT_AddInherit, Command.AT_DropInherit, Command.AT_AddOf, Command.AT_DropOf,
                    Command.AT_AttachPartition, Command.AT_DetachPartition}  # fmt: skip
_RELATIONS: t.Final = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW,
                       ObjectType.OBJECT_FOREIGN_TABLE}  # fmt: skip
# A column and its type as SQL; a type that this upgrade made is None, as no server knows it yet.
Columns = list[tuple[str, "str | None"]]


@dataclasses.dataclass
class Shape:
    """A relation as it is now.

    :param live: its name on the server before the upgrade; None where this upgrade made it
    :param made: the columns with which this upgrade made it, where it did, or where it was not there
    :param changes: `add`, `maybe` (added where it is not there), `drop`, `type` or `rename`, the column, and what it
        gets, in their order
    :param keys: the columns of its primary key, where this upgrade gave it one
    """

    live: Name | None
    made: Columns | None = None
    changes: list[tuple[str, str, str | None]] = dataclasses.field(default_factory=list)
    keys: tuple[str, ...] = ()

    def form(self, name: str) -> dict[str, t.Any]:
        """For the collector."""
        return {"name": name, "live": list(self.live) if self.live else None, "made": self.made,
                "changes": list(self.changes)}  # fmt: skip

    def unknown(self) -> set[str]:
        """The columns whose types no server knows yet."""
        found = {name for name, kind in self.made or () if kind is None}
        for action, name, value in self.changes:
            if action in {"add", "maybe", "type"}:
                found = found | {name} if value is None else found - {name}
            elif action == "rename" and name in found:
                found = (found - {name}) | {str(value)}
        return found


class TableShapes:
    """Follows the statements of an upgrade, in order. Relations are told apart by their names without a schema."""

    def __init__(self) -> None:
        # None: what it is now is not known.
        self._shapes: dict[str, Shape | None] = {}
        self._schemas: dict[str, str | None] = {}
        # Names of types that this upgrade makes or changes.
        self.types: set[str] = set()

    def of(self, relation: t.Any) -> Shape | None:
        """Of a RangeVar; None where it is not known."""
        schema, name = relation_name(relation)
        if self._schemas.setdefault(name, schema) != schema:
            # Two spellings may be two tables.
            self._shapes[name] = None
        return self._shapes.setdefault(name, Shape((schema, name)))

    def type_of(self, node: t.Any) -> str | None:
        """A TypeName as SQL; None where this upgrade made it."""
        names = [part.sval for part in node.names or ()]
        if names[-1] in self.types or node.setof or node.pct_type:
            return None
        return _SERIAL.get(names[-1]) or printed_type(node)

    def of_all(self, node: t.Any) -> dict[str, Shape | None]:
        """Of the tables that a statement names, as they are now, whatever follows."""
        kept = {}
        for part in _relations(node):
            known = part.relname in self._shapes
            kept[part.relname] = copy.deepcopy(self.of(part))
            if not known:
                # It may be the name of a table that the statement makes, or of a WITH query.
                del self._shapes[part.relname]
        return kept

    def after(self, statement: Statement) -> None:
        """The statement has run."""
        node: t.Any = statement.node
        before = {name: self._shapes.get(name) for name in self._shapes}
        self._follow(node, sure=statement.condition is None and not statement.looks_first)
        if statement.condition is not None:
            # Whether it runs is not known here.
            for name in {part.relname for part in _relations(node)} | (self._shapes.keys() - before.keys()):
                self._shapes[name] = None

    def _follow(self, node: t.Any, *, sure: bool) -> None:
        kind: t.Any = type(node)
        if kind is ast.CreateStmt:
            self._made(node, sure=sure)
        elif kind is ast.AlterTableStmt and node.relation is not None and node.objtype == ObjectType.OBJECT_TABLE:
            self._altered(node, sure=sure)
        elif kind is ast.RenameStmt:
            self._renamed(node)
        elif kind in {ast.CreateTableAsStmt, ast.ViewStmt, ast.CreateForeignTableStmt}:
            relation = node.view if kind is ast.ViewStmt else node.into.rel if kind is ast.CreateTableAsStmt else None
            relation = relation or node.base.relation
            self._shapes[relation.relname] = None
            self.types.add(relation.relname)
        elif kind is ast.DropStmt and node.removeType in _RELATIONS:
            for item in node.objects or ():
                self._shapes[item[-1].sval] = None
        elif kind in {ast.AlterObjectSchemaStmt, ast.RuleStmt}:
            self._shapes |= dict.fromkeys(part.relname for part in _relations(node))
        elif kind in {ast.CreateEnumStmt, ast.AlterEnumStmt, ast.CreateRangeStmt}:
            self.types.add(node.typeName[-1].sval)
        elif kind in {ast.CreateDomainStmt, ast.AlterDomainStmt}:
            self.types.add((node.domainname if kind is ast.CreateDomainStmt else node.typeName)[-1].sval)
        elif kind is ast.CompositeTypeStmt:
            self.types.add(node.typevar.relname)

    def _made(self, node: t.Any, *, sure: bool) -> None:
        schema, name = relation_name(node.relation)
        # Each table is a type as well.
        self.types.add(name)
        elements = node.tableElts or ()
        plain = all(isinstance(item, (ast.ColumnDef, ast.Constraint)) for item in elements)
        bound = node.inhRelations or node.partbound is not None or node.ofTypename is not None
        maybe = node.if_not_exists or not sure
        if not plain or bound or is_temporary(node.relation) or (maybe and name in self._shapes):
            self._shapes[name] = None
            return
        columns = [item for item in elements if isinstance(item, ast.ColumnDef)]
        made: Columns = [(str(item.colname), self.type_of(item.typeName)) for item in columns]
        self._schemas.setdefault(name, schema)
        self._shapes[name] = Shape((schema, name) if maybe else None, made, keys=_primary_key(elements))

    def _altered(self, node: t.Any, *, sure: bool) -> None:
        shape = self.of(node.relation)
        for command in node.cmds or ():
            kind, name, given = Command(command.subtype), command.name, command.def_
            if kind in _OPAQUE:
                self._shapes[node.relation.relname] = None
            if shape is None:
                return
            if kind == Command.AT_AddColumn:
                maybe = command.missing_ok or not sure
                shape.changes.append(("maybe" if maybe else "add", given.colname, self.type_of(given.typeName)))
            elif kind == Command.AT_DropColumn:
                shape.changes.append(("drop", name, None))
            elif kind == Command.AT_AlterColumnType:
                shape.changes.append(("type", name, self.type_of(given.typeName)))
            elif kind == Command.AT_AddConstraint and given.contype == ConstrType.CONSTR_PRIMARY:
                shape.keys = tuple(item.sval for item in given.keys or ())

    def _renamed(self, node: t.Any) -> None:
        if node.renameType == ObjectType.OBJECT_COLUMN and node.relation is not None:
            if (shape := self.of(node.relation)) is not None:
                shape.changes.append(("rename", node.subname, node.newname))
        elif node.renameType in _RELATIONS:
            shape = self.of(node.relation)
            self._shapes[node.relation.relname], self._shapes[node.newname] = None, shape
            self._schemas[node.newname] = node.relation.schemaname
            self.types |= {node.relation.relname, node.newname}
        elif node.renameType in {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}:
            self.types |= {node.newname, *(part.sval for part in node.object or ())}


def _relations(node: t.Any) -> t.Iterator[t.Any]:
    return (part for part in walk(node) if isinstance(part, ast.RangeVar))


def _primary_key(elements: t.Iterable[t.Any]) -> tuple[str, ...]:
    for item in elements:
        if isinstance(item, ast.Constraint) and item.contype == ConstrType.CONSTR_PRIMARY:
            return tuple(key.sval for key in item.keys or ())
        for one in getattr(item, "constraints", None) or ():
            if one.contype == ConstrType.CONSTR_PRIMARY:
                return (item.colname,)
    return ()


__all__ = ("Shape", "TableShapes")
