# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""What a statement takes away: data, or what the version still running relies on (the contract phase)."""

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._reading import Remark
from ansible_collections.ai_platform.agent.plugins.module_utils._statements import Name, dotted, named, strings
from pglast import ast
from pglast.enums.parsenodes import AlterTableType as Command
from pglast.enums.parsenodes import ConstrType, ObjectType
from pglast.visitors import Visitor

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._catalog import Catalog

_DATA = {
    ObjectType.OBJECT_TABLE: "table", ObjectType.OBJECT_SCHEMA: "schema", ObjectType.OBJECT_MATVIEW: "materialized view",
    ObjectType.OBJECT_SEQUENCE: "sequence", ObjectType.OBJECT_FOREIGN_TABLE: "foreign table",
}  # fmt: skip
_USED = {
    ObjectType.OBJECT_VIEW: "view", ObjectType.OBJECT_FUNCTION: "function", ObjectType.OBJECT_PROCEDURE: "procedure",
    ObjectType.OBJECT_TYPE: "type", ObjectType.OBJECT_DOMAIN: "domain", ObjectType.OBJECT_EXTENSION: "extension",
    ObjectType.OBJECT_TRIGGER: "trigger",
}  # fmt: skip


def _label(item: t.Any) -> str:
    if isinstance(item, tuple):
        return dotted(strings(item))
    if isinstance(item, ast.String):
        return str(item.sval)
    if isinstance(item, ast.TypeName):
        return dotted(strings(item.names))
    return dotted(strings(item.objname)) if isinstance(item, ast.ObjectWithArgs) else "?"


def breakage(node: t.Any, catalog: Catalog) -> list[Remark]:
    """Remarks about what is lost. Objects that this upgrade made itself are nobody's yet."""
    found: list[Remark] = []

    def say(finding_id: str, message: str, table: Name | None = None) -> None:
        if table is None or not catalog.is_new(table):
            found.append(Remark(finding_id, message, table))

    if isinstance(node, ast.DropStmt):
        kind = ObjectType(node.removeType)
        for item in node.objects:
            if kind in _DATA:
                say(
                    "destructive",
                    f"Drops the {_DATA[kind]} {_label(item)}.",
                    strings(item) if isinstance(item, tuple) else None,
                )
            elif kind in _USED:
                say("contract-phase", f"Drops the {_USED[kind]} {_label(item)}.")
    elif isinstance(node, ast.TruncateStmt):
        for relation in node.relations:
            say("destructive", f"Empties the table {dotted(named(relation))}.", named(relation))
    elif isinstance(node, ast.DeleteStmt):
        if node.whereClause is None:
            say("destructive", f"Deletes every row of {dotted(named(node.relation))}.", named(node.relation))
    elif isinstance(node, ast.DropdbStmt):
        say("destructive", f"Drops the database {node.dbname}.")
    elif isinstance(node, ast.DropOwnedStmt):
        say("destructive", "DROP OWNED drops whatever the role owns.")
    elif isinstance(node, ast.RenameStmt) and node.relation is not None:
        _rename(node, say)
    elif isinstance(node, ast.AlterObjectSchemaStmt) and node.relation is not None:
        say("rename", f"Moves {dotted(named(node.relation))} to the schema {node.newschema}.", named(node.relation))
    elif isinstance(node, ast.AlterTableStmt) and node.objtype in {
        ObjectType.OBJECT_TABLE,
        ObjectType.OBJECT_FOREIGN_TABLE,
    }:
        for command in node.cmds:
            _alter(named(node.relation), command, say)
    return found


_Say = t.Callable[..., None]


def _rename(node: ast.RenameStmt, say: _Say) -> None:
    table = named(node.relation)
    kind = ObjectType(node.renameType)
    if kind in {ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_ATTRIBUTE}:
        say("rename", f"Renames {dotted(table)}.{node.subname} to {node.newname}.", table)
    elif kind in {
        ObjectType.OBJECT_TABLE,
        ObjectType.OBJECT_VIEW,
        ObjectType.OBJECT_MATVIEW,
        ObjectType.OBJECT_SEQUENCE,
    }:
        say("rename", f"Renames {dotted(table)} to {node.newname}.", table)


def _alter(table: Name, command: t.Any, say: _Say) -> None:
    kind, column = Command(command.subtype), f"{dotted(table)}.{command.name}"
    if kind == Command.AT_DropColumn:
        say("destructive", f"Drops the column {column} with its data.", table)
    elif kind == Command.AT_AlterColumnType:
        say("type-change", f"Changes the type of {column}.", table)
    elif kind == Command.AT_SetNotNull:
        say(
            "contract-phase",
            f"{column} becomes NOT NULL: writes of the running version that leave it out will fail.",
            table,
        )
    elif kind == Command.AT_ColumnDefault and command.def_ is None:
        say("contract-phase", f"{column} loses its default, which the running version may rely on.", table)
    elif kind == Command.AT_AddColumn:
        kinds = {ConstrType(item.contype) for item in command.def_.constraints or ()}
        if ConstrType.CONSTR_NOTNULL in kinds and not kinds & {
            ConstrType.CONSTR_DEFAULT,
            ConstrType.CONSTR_IDENTITY,
            ConstrType.CONSTR_GENERATED,
        }:
            say(
                "contract-phase",
                f"{dotted(table)}.{command.def_.colname} must be given by every INSERT; the running version does not know it.",
                table,
            )
    elif kind == Command.AT_DetachPartition:
        say("destructive", f"Detaches {dotted(named(command.def_.name))}: its rows leave {dotted(table)}.", table)


class _Texts(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def visit_A_Const(self, _ancestors: t.Any, node: t.Any) -> None:
        if isinstance(node.val, ast.String):
            self.texts.add(node.val.sval)


def texts(node: t.Any) -> set[str]:
    """Every string constant below `node`."""
    visitor = _Texts()
    visitor(node)
    return visitor.texts


__all__ = ("breakage", "texts")
