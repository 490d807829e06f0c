"""The rights that a statement needs on objects, beside those of the owner of a table that it alters.

Sources: "Privileges" and the section Notes of each command in PostgreSQL's documentation; where these are silent, the
calls of object_ownercheck, object_aclcheck and ExecCheckPermissions in src/backend.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.need import (
    ANY_OF_SEQUENCE,
    EITHER,
    ROUTINES,
    TYPES,
    Need,
    Right,
    become,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.objects import relation_named_in_text
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.role_rights import ROLE_HANDLERS
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    qualified_name,
    relation_name,
    walk,
    writes,
)

_INDEXED = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_EXCLUSION}
_RELATIONS = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_SEQUENCE,
              ObjectType.OBJECT_INDEX}  # fmt: skip
_QUERIES = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
_MERGED = {"INSERT", "UPDATE", "DELETE"}
_MOVES_SEQUENCE = {"nextval": EITHER, "setval": "UPDATE", "currval": ANY_OF_SEQUENCE}
# The sequence of a column: its name is not in the statement.
_SERIAL: t.Final = "pg_get_serial_sequence"


def needed_rights(node: t.Any) -> list[Need]:
    """The rights that one statement needs, each once."""
    found = list(_of_query(node)) if isinstance(node, _QUERIES) else []
    handler = _HANDLERS.get(type(node))
    if handler:
        found += handler(node)
    return list(dict.fromkeys(found))


def _create(schema: str | None) -> Need:
    return Need("schema", "create", (None, schema or ""))


def _of_query(node: t.Any) -> t.Iterator[Need]:
    """What ExecCheckPermissions asks for: of each relation only what the statement does with it."""
    targets: set[int] = set()
    for change in writes(node):
        targets.add(id(change.relation))
        name = relation_name(change.relation)
        rights = {"InsertStmt": {"INSERT"}, "UpdateStmt": {"UPDATE"}, "DeleteStmt": {"DELETE"}}.get(
            type(change).__name__, set()
        )
        if isinstance(change, ast.MergeStmt):
            kinds = {part.commandType.name.removeprefix("CMD_") for part in change.mergeWhenClauses or ()}
            rights = kinds & _MERGED
        conflict: t.Any = change.onConflictClause if isinstance(change, ast.InsertStmt) else None
        if conflict is not None and conflict.action.name == "ONCONFLICT_UPDATE":
            rights = rights | {"UPDATE"}
        yield from (Need("relation", right, name) for right in sorted(rights))
        # An INSERT reads its own table in RETURNING and ON CONFLICT, a DELETE in WHERE, the others wherever they name a
        # column.
        parts = {
            "InsertStmt": ("returningClause", "onConflictClause"),
            "DeleteStmt": ("returningClause", "whereClause"),
        }
        names = parts.get(type(change).__name__, ())
        read = [getattr(change, part, None) for part in names] if names else [change]
        alone = not getattr(change, "usingClause", None) and not getattr(change, "fromClause", None)
        if alone and any(isinstance(part, ast.ColumnRef) for item in read if item is not None for part in walk(item)):
            yield Need("relation", "SELECT", name)
    local = {part.ctename for part in walk(node) if isinstance(part, ast.CommonTableExpr)}
    for part in walk(node):
        if isinstance(part, ast.RangeVar) and id(part) not in targets:
            if part.schemaname is not None or part.relname not in local:
                yield Need("relation", "SELECT", relation_name(part))
        elif isinstance(part, ast.FuncCall):
            name = qualified_name(part.funcname or ())
            yield Need("routine", "use", name)
    yield from _sequences(node)


def _sequences(node: t.Any) -> t.Iterator[Need]:
    for part in walk(node):
        right = _MOVES_SEQUENCE.get(qualified_name(part.funcname or ())[1]) if isinstance(part, ast.FuncCall) else None
        if right and part.args:
            yield from (Need("relation", right, touch.name) for touch in relation_named_in_text(part.args[0]))
            yield from _serial(part.args[0])


def _serial(node: t.Any) -> t.Iterator[Need]:
    """`setval(pg_get_serial_sequence('public.users', 'id'), …)`: as a column of the table in its second part."""
    named = isinstance(node, ast.FuncCall) and qualified_name(node.funcname or ())[1] == _SERIAL
    arguments: tuple[t.Any, ...] = tuple(node.args or ()) if named else ()
    if len(arguments) > 1:
        column = getattr(getattr(arguments[1], "val", None), "sval", None)
        for touch in relation_named_in_text(arguments[0]) if column else ():
            yield Need(f"sequence of {column}", "UPDATE", touch.name)


def _table(node: t.Any) -> t.Iterator[Need]:
    if node.relation.relpersistence != "t":
        yield _create(node.relation.schemaname)
    yield from _types_of(node)
    yield from _tablespace(node.tablespacename)
    for part in walk(node):
        if isinstance(part, ast.Constraint):
            yield from _tablespace(part.indexspace)


def _types_of(node: t.Any) -> t.Iterator[Need]:
    """Types of columns; in an expression a type may be used by everybody."""
    for part in walk(node):
        if isinstance(part, ast.ColumnDef) and part.typeName and part.typeName.names:
            yield Need("type", "use", qualified_name(part.typeName.names))


def _view(node: t.Any) -> t.Iterator[Need]:
    if node.view.relpersistence != "t":
        yield _create(node.view.schemaname)
    if node.replace:
        yield Need("relation", "own", relation_name(node.view))


def _table_as(node: t.Any) -> t.Iterator[Need]:
    if node.into is not None and node.into.rel.relpersistence != "t":
        yield _create(node.into.rel.schemaname)
    yield from _of_query(node.query)
    if node.into is not None:
        yield from _tablespace(node.into.tableSpaceName)


def _sequence(node: t.Any) -> t.Iterator[Need]:
    if node.sequence.relpersistence != "t":
        yield _create(node.sequence.schemaname)


def _index(node: t.Any) -> t.Iterator[Need]:
    yield Need("schema of", "create", relation_name(node.relation))
    yield from _tablespace(node.tableSpace)


def _alter_table(node: t.Any) -> t.Iterator[Need]:
    for command in node.cmds or ():
        kind, part = Command(command.subtype), command.def_
        made = part.constraints or () if isinstance(part, ast.ColumnDef) and kind == Command.AT_AddColumn else ()
        if kind == Command.AT_AddConstraint:
            made = (part,)
        if any(item.contype in _INDEXED and not item.indexname for item in made):
            yield Need("schema of", "create", relation_name(node.relation))
        if kind in {Command.AT_AddColumn, Command.AT_AlterColumnType}:
            yield from _types_of(part)
        if kind == Command.AT_SetTableSpace:
            yield from _tablespace(command.name)
        yield from (need for item in made for need in _tablespace(item.indexspace))
        if kind == Command.AT_ChangeOwner:
            yield from become(command.newowner)
            yield from _receive(command.newowner, node.relation.schemaname)


def _receive(role: t.Any, schema: str | None) -> t.Iterator[Need]:
    """The new owner must have CREATE on the schema; only that of names without one was asked about."""
    if role is not None and role.rolename and schema is None:
        yield Need("role", "receive", (None, role.rolename))


def _function(node: t.Any) -> t.Iterator[Need]:
    yield _create(qualified_name(node.funcname)[0])
    for option in node.options or ():
        if option.defname == "language" and str(option.arg.sval).lower() in {"c", "internal"}:
            yield Need("self", "superuser", (None, ""))
    if node.replace:
        yield Need("routine", "own", qualified_name(node.funcname))


def _type(node: t.Any) -> t.Iterator[Need]:
    if hasattr(node, "typevar"):
        yield _create(node.typevar.schemaname)
    else:
        yield _create(qualified_name(node.domainname if hasattr(node, "domainname") else node.typeName)[0])
    yield from _types_of(node)


def _define(node: t.Any) -> t.Iterator[Need]:
    yield _create(qualified_name(node.defnames)[0])


def _schema(node: t.Any) -> t.Iterator[Need]:
    yield Need("database", "create", (None, ""))
    yield from become(node.authrole)


def _named(kind: ObjectType, item: t.Any, right: Right) -> t.Iterator[Need]:
    """The right on an object as DROP, COMMENT and their like name it."""
    if kind in ROUTINES:
        yield Need("routine", right, qualified_name(item.objname))
    elif kind in TYPES:
        yield Need("type", right, qualified_name(item if isinstance(item, tuple) else item.names))
    elif kind in {ObjectType.OBJECT_SCHEMA, ObjectType.OBJECT_EXTENSION, ObjectType.OBJECT_DATABASE}:
        word = kind.name.removeprefix("OBJECT_").lower()
        yield Need(word, "own", (None, str(item.sval)))


def _drop(node: t.Any) -> t.Iterator[Need]:
    for item in node.objects or ():
        yield from _named(ObjectType(node.removeType), item, "drop")


def _comment(node: t.Any) -> t.Iterator[Need]:
    yield from _named(ObjectType(node.objtype), node.object, "own")


def _rename(node: t.Any) -> t.Iterator[Need]:
    kind = ObjectType(node.renameType)
    if kind == ObjectType.OBJECT_SCHEMA:
        yield Need("schema", "own", (None, node.subname))
        yield Need("database", "create", (None, ""))
    elif kind in _RELATIONS and node.relation is not None:
        yield Need("schema of", "create", relation_name(node.relation))
    elif node.relation is None and node.object is not None:
        yield from _named(kind, node.object, "own")


def _owner(node: t.Any) -> t.Iterator[Need]:
    yield from _named(ObjectType(node.objectType), node.object, "own")
    yield from become(node.newowner)


def _move(node: t.Any) -> t.Iterator[Need]:
    yield _create(node.newschema)
    if node.relation is None and node.object is not None:
        yield from _named(ObjectType(node.objectType), node.object, "own")


def _routine(node: t.Any) -> t.Iterator[Need]:
    yield Need("routine", "own", qualified_name(node.func.objname))


def _enum(node: t.Any) -> t.Iterator[Need]:
    yield Need("type", "own", qualified_name(node.typeName))


def _extension(node: t.Any) -> t.Iterator[Need]:
    yield Need("extension", "own", (None, node.extname))


def _truncate(node: t.Any) -> t.Iterator[Need]:
    yield from (Need("relation", "TRUNCATE", relation_name(item)) for item in node.relations or ())


def _maintain(node: t.Any) -> t.Iterator[Need]:
    if node.relation is not None:
        yield Need("relation", "MAINTAIN", relation_name(node.relation))


def _trigger(node: t.Any) -> t.Iterator[Need]:
    yield Need("relation", "TRIGGER", relation_name(node.relation))
    yield Need("routine", "use", qualified_name(node.funcname))


def _tablespace(name: str | None) -> t.Iterator[Need]:
    if name:
        yield Need("tablespace", "place", (None, name))


def _database(node: t.Any) -> t.Iterator[Need]:
    yield Need("database", "own", (None, node.dbname))


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], t.Iterator[Need]]]] = {
    ast.CreateStmt: _table,
    ast.ViewStmt: _view,
    ast.CreateTableAsStmt: _table_as,
    ast.CreateSeqStmt: _sequence,
    ast.IndexStmt: _index,
    ast.AlterTableStmt: _alter_table,
    ast.CreateFunctionStmt: _function,
    **dict.fromkeys((ast.CreateEnumStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt, ast.CreateDomainStmt), _type),
    ast.DefineStmt: _define,
    ast.CreateSchemaStmt: _schema,
    ast.DropStmt: _drop,
    ast.CommentStmt: _comment,
    ast.RenameStmt: _rename,
    ast.AlterOwnerStmt: _owner,
    ast.AlterObjectSchemaStmt: _move,
    ast.AlterFunctionStmt: _routine,
    **dict.fromkeys((ast.AlterEnumStmt, ast.AlterDomainStmt, ast.AlterTypeStmt), _enum),
    **dict.fromkeys((ast.AlterExtensionStmt, ast.AlterExtensionContentsStmt), _extension),
    ast.TruncateStmt: _truncate,
    **dict.fromkeys((ast.RefreshMatViewStmt, ast.ClusterStmt), _maintain),
    ast.CreateTrigStmt: _trigger,
    **ROLE_HANDLERS,
    **dict.fromkeys((ast.AlterDatabaseStmt, ast.AlterDatabaseSetStmt), _database),
}

__all__ = ("needed_rights",)
