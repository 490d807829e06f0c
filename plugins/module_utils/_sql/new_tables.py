"""Tables that an upgrade makes: the columns, keys and references that decide whether a row may be written."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Column
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, made_name, relation_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import SERIAL, type_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog

_KEYS: t.Final = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}


@dataclasses.dataclass
class NewColumn:
    """A column.

    :param filled: where an INSERT leaves it out, it gets a value
    :param default: the expression of its default; None without one, and of a serial or identity column
    :param typed: its type, identity and whether it is generated; None where that is not known, as of an array
    """

    not_null: bool = False
    filled: bool = False
    default: t.Any = None
    typed: Column | None = None


class Reference(t.NamedTuple):
    """A foreign key. `target` is empty where it leads to the primary key."""

    columns: tuple[str, ...]
    table: Name
    target: tuple[str, ...]


@dataclasses.dataclass
class NewTable:
    """A table of this upgrade.

    :param columns: by name, in their order
    :param keys: columns of its unique keys
    :param checks: names, or texts without one, and expressions of its checks
    :param written: by key, the constants that are there by now
    """

    columns: dict[str, NewColumn] = dataclasses.field(default_factory=dict)
    keys: list[tuple[str, ...]] = dataclasses.field(default_factory=list)
    references: list[Reference] = dataclasses.field(default_factory=list)
    checks: list[tuple[str, t.Any]] = dataclasses.field(default_factory=list)
    written: dict[tuple[str, ...], set[tuple[t.Any, ...]]] = dataclasses.field(default_factory=dict)

    def add(self, node: t.Any) -> None:
        """A ColumnDef."""
        kinds = {ConstrType(item.contype): item for item in node.constraints or ()}
        serial = node.typeName is not None and node.typeName.names[-1].sval in SERIAL
        own = serial or ConstrType.CONSTR_IDENTITY in kinds or ConstrType.CONSTR_GENERATED in kinds
        default = kinds.get(ConstrType.CONSTR_DEFAULT)
        # What a domain has for itself is not looked up.
        expression = default.raw_expr if default else None
        self.columns[node.colname] = NewColumn(own, own or default is not None, expression, _typed(node, kinds))
        for item in node.constraints or ():
            self.constrain(item, (node.colname,))

    def constrain(self, node: t.Any, columns: tuple[str, ...] = ()) -> None:
        """A Constraint.

        :param columns: the column with which it stands, if it does
        """
        kind = ConstrType(node.contype)
        columns = columns or tuple(key.sval for key in node.fk_attrs or node.keys or ())
        if kind in {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY}:
            for name in columns:
                self.columns.setdefault(name, NewColumn()).not_null = True
        if kind in _KEYS and columns and not node.deferrable:
            self.keys.append(columns)
        elif kind == ConstrType.CONSTR_FOREIGN and not node.deferrable and node.is_enforced:
            target = tuple(key.sval for key in node.pk_attrs or ())
            self.references.append(Reference(columns, relation_name(node.pktable), target))
        elif kind == ConstrType.CONSTR_CHECK and node.is_enforced:
            self.checks.append((node.conname or f"of {', '.join(columns) or 'the table'}", node.raw_expr))


def _typed(node: t.Any, kinds: t.Mapping[ConstrType, t.Any]) -> Column | None:
    """What is known of a ColumnDef's type; the caller looks at NULL and defaults."""
    # A collation may make one value of two texts.
    if node.typeName is None or node.collClause is not None:
        return None
    kind, modifier, array = type_name(node.typeName)
    if modifier is None or array:
        return None
    identity = kinds.get(ConstrType.CONSTR_IDENTITY)
    return Column(
        SERIAL.get(kind, kind),
        modifier,
        identity=identity.generated_when if identity else "",
        generated=ConstrType.CONSTR_GENERATED in kinds,
    )


class NewTables:
    """The tables that the upgrade makes, as each statement leaves them; one changed in an unknown way is forgotten."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tables: dict[Name, NewTable] = {}

    def of(self, name: Name) -> NewTable | None:
        """None where the upgrade did not make it, or it is not known any more."""
        return self._tables.get(self._catalog.qualified(name))

    def after(self, node: t.Any) -> None:
        """Apply a statement, before the catalogue does, so that names are those that the statement uses."""
        kind: t.Any = type(node)
        if kind is ast.CreateStmt:
            self._created(node)
        elif kind is ast.AlterTableStmt and node.relation is not None:
            self._altered(self._catalog.qualified(relation_name(node.relation)), node)
        elif kind is ast.IndexStmt and node.unique:
            names = tuple(item.name for item in node.indexParams or ())
            if (table := self.of(relation_name(node.relation))) and None not in names and node.whereClause is None:
                table.keys.append(names)
        elif kind in {ast.CreateTrigStmt, ast.RuleStmt, ast.AlterObjectSchemaStmt} and node.relation is not None:
            self._tables.pop(self._catalog.qualified(relation_name(node.relation)), None)
        elif kind is ast.RenameStmt and node.relation is not None:
            self._renamed(self._catalog.qualified(relation_name(node.relation)), node)
        elif kind in {ast.TruncateStmt, ast.MergeStmt, ast.DoStmt, ast.CallStmt, ast.TransactionStmt}:
            # What is left of the rows before is not followed.
            for table in self._tables.values():
                table.written.clear()

    def _created(self, node: t.Any) -> None:
        name = self._catalog.qualified(made_name(node.relation))
        elements = node.tableElts or ()
        plain = all(isinstance(item, (ast.ColumnDef, ast.Constraint)) for item in elements)
        if not plain or node.inhRelations or node.ofTypename is not None or self._catalog.known(name):
            return
        table = self._tables[name] = NewTable()
        for item in elements:
            if isinstance(item, ast.ColumnDef):
                table.add(item)
        for item in elements:
            if isinstance(item, ast.Constraint):
                table.constrain(item)

    def _altered(self, name: Name, node: t.Any) -> None:
        table = self._tables.get(name)
        for command in node.cmds or () if table else ():
            kind = Command(command.subtype)
            column = table.columns.get(command.name) if table and command.name else None
            if table is None:
                return
            if kind == Command.AT_AddColumn:
                if command.def_.colname not in table.columns:
                    table.add(command.def_)
            elif kind == Command.AT_AddConstraint and not command.def_.indexname:
                table.constrain(command.def_)
            elif kind in {Command.AT_SetNotNull, Command.AT_DropNotNull} and column:
                column.not_null = kind == Command.AT_SetNotNull
            elif kind == Command.AT_ColumnDefault and column:
                column.filled, column.default = command.def_ is not None, command.def_
            elif kind == Command.AT_AlterColumnType and column:
                column.typed = _typed(command.def_, {})
                table.written.clear()
            elif kind not in {Command.AT_ChangeOwner, Command.AT_SetRelOptions}:
                self._tables.pop(name, None)
                return

    def _renamed(self, name: Name, node: t.Any) -> None:
        if node.renameType == ObjectType.OBJECT_TABLE:
            if name in self._tables:
                self._tables[name[0], node.newname] = self._tables.pop(name)
        elif node.renameType == ObjectType.OBJECT_COLUMN:
            self._tables.pop(name, None)


__all__ = ("NewColumn", "NewTable", "NewTables", "Reference")
