"""What a statement takes away: data, or what the version still running relies on (the contract phase)."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    BoolExprType,
    ConstrType,
    ObjectType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Remark
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    qualified_name,
    relation_name,
    walk,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog

_DATA = {
    ObjectType.OBJECT_TABLE: "table", ObjectType.OBJECT_SCHEMA: "schema", ObjectType.OBJECT_SEQUENCE: "sequence",
    ObjectType.OBJECT_MATVIEW: "materialized view", ObjectType.OBJECT_FOREIGN_TABLE: "foreign table",
}  # fmt: skip
_USED = {
    ObjectType.OBJECT_VIEW: "view", ObjectType.OBJECT_FUNCTION: "function", ObjectType.OBJECT_PROCEDURE: "procedure",
    ObjectType.OBJECT_TYPE: "type", ObjectType.OBJECT_DOMAIN: "domain", ObjectType.OBJECT_EXTENSION: "extension",
    ObjectType.OBJECT_TRIGGER: "trigger",
}  # fmt: skip
_TYPES = {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}
_ROUTINES = {ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE}
_COLUMNS = {ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_ATTRIBUTE}
_NAMED = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_SEQUENCE}
_GENERATED = {Command.AT_AddIdentity, Command.AT_SetIdentity, Command.AT_DropIdentity, Command.AT_DropExpression}
_SWITCHED_OFF = {
    Command.AT_DisableTrig: "the trigger", Command.AT_DisableTrigAll: "all triggers",
    Command.AT_DisableTrigUser: "the triggers", Command.AT_DisableRule: "the rule",
}  # fmt: skip
_FILLED = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED}


def removals(node: t.Any, catalog: Catalog) -> list[Remark]:
    """Remarks about what is lost. Objects that this upgrade itself made are left out: no running version uses them."""
    handler = _HANDLERS.get(type(node))
    new = _given_away_new(node, catalog) if isinstance(node, ast.AlterOwnerStmt) else _of_this_upgrade(node, catalog)
    found = list(handler(node)) if handler and not new else []
    if getattr(node, "missing_ok", False) and catalog.complete:
        found = [remark for remark in found if remark.table is None or catalog.known(remark.table)]
    return [remark for remark in found if remark.table is None or not catalog.is_new(remark.table)]


def _given_away_new(node: t.Any, catalog: Catalog) -> bool:
    """Whether an object that this upgrade made gets another owner; a function that was not there is such a one."""
    kind, name = ObjectType(node.objectType), _label(node.object).rpartition(".")[2] if node.object else ""
    new = kind in _ROUTINES and catalog.complete and all(known[1] != name for known in catalog.volatility)
    return new or name in (catalog.created_types if kind in _TYPES else catalog.created_schemas)


def _of_this_upgrade(node: t.Any, catalog: Catalog) -> bool:
    """Whether a statement is about types or schemas that this upgrade made: no running version uses them."""
    statement: t.Any = type(node)
    if statement is ast.RenameStmt and node.relation is None:
        if ObjectType(node.renameType) in _TYPES:
            return qualified_name(node.object)[1] in catalog.created_types
        return ObjectType(node.renameType) == ObjectType.OBJECT_SCHEMA and node.subname in catalog.created_schemas
    if statement is ast.AlterEnumStmt:
        return qualified_name(node.typeName)[1] in catalog.created_types
    if statement is ast.DropStmt and ObjectType(node.removeType) in _TYPES:
        return all(qualified_name(item.names)[1] in catalog.created_types for item in node.objects)
    if statement is ast.DropStmt and ObjectType(node.removeType) == ObjectType.OBJECT_SCHEMA:
        return all(item.sval in catalog.created_schemas for item in node.objects)
    return False


def _label(item: t.Any) -> str:
    if isinstance(item, ast.Integer):
        return str(item.ival)
    if isinstance(item, tuple):
        return dotted(qualified_name(item))
    if isinstance(item, ast.String):
        return str(item.sval)
    names: t.Any = item.names if isinstance(item, ast.TypeName) else item.objname
    return dotted(qualified_name(names))


def _drop(node: t.Any) -> t.Iterator[Remark]:
    kind = ObjectType(node.removeType)
    for item in node.objects:
        if kind in _DATA:
            table = qualified_name(item) if isinstance(item, tuple) else None
            yield Remark("destructive", f"Drops the {_DATA[kind]} {_label(item)}.", table)
        elif kind in _USED:
            yield Remark("contract-phase", f"Drops the {_USED[kind]} {_label(item)}.")


def _truncate(node: t.Any) -> t.Iterator[Remark]:
    for relation in node.relations:
        yield Remark("destructive", f"Empties the table {dotted(relation_name(relation))}.", relation_name(relation))


_ENDS_SESSIONS = {"pg_terminate_backend", "pg_cancel_backend"}


def _change(node: t.Any) -> t.Iterator[Remark]:
    yield from _setval(node)
    called = {qualified_name(part.funcname or ())[1] for part in walk(node) if isinstance(part, ast.FuncCall)}
    for name in sorted(called & _ENDS_SESSIONS):
        yield Remark("contract-phase", f"{name}() ends what sessions do, also those of the running version.")
    for change in writes(node):
        if isinstance(change, ast.DeleteStmt) and always(change.whereClause):
            table = relation_name(change.relation)
            yield Remark("destructive", f"Deletes every row of {dotted(table)}.", table)


def always(condition: t.Any) -> bool:
    """Whether a condition is missing, or holds for each row: `true`, `1 = 1`, or one of them OR something."""
    if condition is None:
        return True
    if isinstance(condition, ast.A_Const):
        return bool(getattr(condition.val, "boolval", False))
    if isinstance(condition, ast.BoolExpr) and condition.boolop in {BoolExprType.AND_EXPR, BoolExprType.OR_EXPR}:
        parts = [always(part) for part in t.cast("t.Any", condition.args)]
        return all(parts) if condition.boolop == BoolExprType.AND_EXPR else any(parts)
    if not isinstance(condition, ast.A_Expr) or [item.sval for item in t.cast("t.Any", condition.name)] != ["="]:
        return False
    sides: t.Any = (condition.lexpr, condition.rexpr)
    constants = [side.val for side in sides if isinstance(side, ast.A_Const) and side.val is not None]
    return len(constants) == len(sides) and constants[0] == constants[1]


def _refresh(node: t.Any) -> t.Iterator[Remark]:
    if node.skipData:
        table = relation_name(node.relation)
        yield Remark("destructive", f"Empties {dotted(table)}: who reads it meets an error until it is filled.", table)


def _defaults_of_sessions(node: t.Any) -> t.Iterator[Remark]:
    """ALTER ROLE and ALTER DATABASE … SET."""
    role = getattr(node, "role", None)
    whose = f"the role {role.rolename or 'of this session'}" if role is not None else "all roles"
    if role is None and isinstance(node, ast.AlterDatabaseSetStmt):
        whose = f"the database {node.dbname}"
    name = node.setstmt.name or "all settings"
    words = f"New sessions of {whose} begin with another {name}, also those of the running version."
    yield Remark("contract-phase", words)


def _setval(node: t.Any) -> t.Iterator[Remark]:
    """setval() to a constant; from a query it follows the rows, as after a load."""
    for call in (part for part in walk(node) if isinstance(part, ast.FuncCall)):
        values = call.args or ()
        if (
            qualified_name(call.funcname or ())[1] == "setval"
            and len(values) > 1
            and isinstance(values[1], ast.A_Const)
        ):
            words = (
                "setval() sets a sequence to a constant: INSERTs of the running version may meet keys that are there."
            )
            yield Remark("contract-phase", words)


def _database(node: t.Any) -> t.Iterator[Remark]:
    what = f"the database {node.dbname}" if isinstance(node, ast.DropdbStmt) else "whatever the role owns"
    yield Remark("destructive", f"Drops {what}.")


def _rename(node: t.Any) -> t.Iterator[Remark]:
    kind = ObjectType(node.renameType)
    if node.relation is None:
        what = node.subname or (_label(node.object) if node.object is not None else "an object")
        yield Remark("rename", f"Renames {what} to {node.newname}.")
        return
    table = relation_name(node.relation)
    if kind in _COLUMNS:
        yield Remark("rename", f"Renames {dotted(table)}.{node.subname} to {node.newname}.", table, node.subname)
    elif kind in _NAMED:
        yield Remark("rename", f"Renames {dotted(table)} to {node.newname}.", table)


def _enum(node: t.Any) -> t.Iterator[Remark]:
    if node.oldVal:
        yield Remark("rename", f"Renames the enum value {node.oldVal!r} to {node.newVal!r}.")


def _move(node: t.Any) -> t.Iterator[Remark]:
    if node.relation is not None:
        table = relation_name(node.relation)
        yield Remark("rename", f"Moves {dotted(table)} to the schema {node.newschema}.", table)


def _owner(node: t.Any) -> t.Iterator[Remark]:
    if ObjectType(node.objectType) in _GIVEN_AWAY:
        yield Remark("contract-phase", f"{_label(node.object)} {_GIVEN.format(_role(node.newowner))}")


_GIVEN_AWAY = {*_TYPES, *_ROUTINES, ObjectType.OBJECT_SCHEMA}
_GIVEN = "belongs to {} from here on: who owned it before has no right to it that was not granted."


def _role(role: t.Any) -> str:
    return str(role.rolename or "the role of this session")


def _revoke(node: t.Any) -> t.Iterator[Remark]:
    if not node.is_grant:
        yield Remark("contract-phase", "Revokes rights, which the running version may need.")


def _alter_table(node: t.Any) -> t.Iterator[Remark]:
    if node.objtype in {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE}:
        table = relation_name(node.relation)
        for command in node.cmds:
            if command.subtype == Command.AT_ChangeOwner:
                yield Remark("contract-phase", f"{dotted(table)} {_GIVEN.format(_role(command.newowner))}", table)
            yield from _alter(table, command)


def _reads(expression: t.Any, column: str) -> bool:
    """Whether an expression names a column, or the row as a whole."""
    fields = [part.fields[-1] for part in walk(expression) if isinstance(part, ast.ColumnRef) and part.fields]
    return any(not isinstance(field, ast.String) or field.sval == column for field in fields)


def _alter(table: Name, command: t.Any) -> t.Iterator[Remark]:
    kind, column = Command(command.subtype), f"{dotted(table)}.{command.name}"
    if kind == Command.AT_DropColumn:
        yield Remark("destructive", f"Drops the column {column} with its data.", table, command.name)
    elif kind == Command.AT_AlterColumnType:
        yield Remark("type-change", f"Changes the type of {column}.", table)
        if command.def_.raw_default is not None and not _reads(command.def_.raw_default, command.name):
            words = f"USING does not read {column}: the values that are there are gone."
            yield Remark("destructive", words, table, command.name)
    elif kind == Command.AT_SetUnLogged:
        words = f"{dotted(table)} is not logged any more: no standby has its rows, and after a crash it is empty."
        yield Remark("contract-phase", words, table)
    elif kind in _SWITCHED_OFF:
        what = f"{_SWITCHED_OFF[kind]} {command.name or ''}".strip()
        words = f"Switches off {what} of {dotted(table)}, which the running version may rely on."
        yield Remark("contract-phase", words, table)
    elif kind == Command.AT_SetNotNull:
        words = f"{column} becomes NOT NULL: writes of the running version that leave it out will fail."
        yield Remark("contract-phase", words, table, command.name)
    elif kind == Command.AT_ColumnDefault and command.def_ is None:
        words = f"{column} loses its default, which the running version may rely on."
        yield Remark("contract-phase", words, table, command.name)
    elif kind == Command.AT_DropNotNull:
        words = f"{column} may become NULL, which the running version may not expect when it reads."
        yield Remark("contract-phase", words, table, command.name)
    elif kind in _GENERATED:
        words = f"Changes how {column} gets its value, which the running version relies on."
        yield Remark("contract-phase", words, table, command.name)
    elif kind == Command.AT_AddColumn:
        kinds = {ConstrType(item.contype) for item in command.def_.constraints or ()}
        if ConstrType.CONSTR_NOTNULL in kinds and not kinds & _FILLED:
            words = f"The running version does not know {dotted(table)}.{command.def_.colname}, which INSERT must give."
            yield Remark("contract-phase", words, table)
    elif kind == Command.AT_DetachPartition:
        words = f"Detaches {dotted(relation_name(command.def_.name))}: its rows leave {dotted(table)}."
        yield Remark("destructive", words, table)


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], t.Iterator[Remark]]]] = {
    ast.AlterTableStmt: _alter_table,
    ast.DropStmt: _drop,
    ast.TruncateStmt: _truncate,
    **dict.fromkeys((ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt), _change),
    **dict.fromkeys((ast.DropdbStmt, ast.DropOwnedStmt), _database),
    ast.RenameStmt: _rename,
    ast.AlterObjectSchemaStmt: _move,
    ast.AlterEnumStmt: _enum,
    ast.GrantStmt: _revoke,
    ast.AlterOwnerStmt: _owner,
    ast.RefreshMatViewStmt: _refresh,
    **dict.fromkeys((ast.AlterRoleSetStmt, ast.AlterDatabaseSetStmt), _defaults_of_sessions),
}


__all__ = ("always", "removals")
