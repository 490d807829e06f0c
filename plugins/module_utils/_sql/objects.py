"""What a statement wants to be there, makes and takes away, of objects that are no tables.

Tables, and what ADD COLUMN and CREATE INDEX make, are existing.py's and the rules'.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, below, named, strings

Kind = t.Literal["column", "constraint", "trigger", "policy", "rule", "type", "function", "role", "schema", "extension",
                 "operator class", "access method", "collation", "relation", "value"]  # fmt: skip
# Kinds whose names belong to a table.
PARTS: t.Final[frozenset[str]] = frozenset({"column", "constraint", "trigger", "policy", "rule"})
_OWNED: t.Final[dict[ObjectType, Kind]] = {
    ObjectType.OBJECT_TRIGGER: "trigger", ObjectType.OBJECT_POLICY: "policy", ObjectType.OBJECT_RULE: "rule",
    ObjectType.OBJECT_TABCONSTRAINT: "constraint", ObjectType.OBJECT_COLUMN: "column",
}  # fmt: skip
_DROPPED: t.Final[dict[ObjectType, Kind]] = {
    ObjectType.OBJECT_TYPE: "type", ObjectType.OBJECT_DOMAIN: "type", ObjectType.OBJECT_FUNCTION: "function",
    ObjectType.OBJECT_PROCEDURE: "function", ObjectType.OBJECT_ROUTINE: "function", ObjectType.OBJECT_SCHEMA: "schema",
    ObjectType.OBJECT_EXTENSION: "extension", ObjectType.OBJECT_INDEX: "relation", ObjectType.OBJECT_TABLE: "relation",
    ObjectType.OBJECT_VIEW: "relation", ObjectType.OBJECT_MATVIEW: "relation", ObjectType.OBJECT_SEQUENCE: "relation",
    ObjectType.OBJECT_FOREIGN_TABLE: "relation", ObjectType.OBJECT_COLLATION: "collation",
}  # fmt: skip
_COLUMN_WANTED = {Command.AT_SetNotNull, Command.AT_DropNotNull, Command.AT_ColumnDefault, Command.AT_AlterColumnType,
                  Command.AT_SetStatistics, Command.AT_SetStorage, Command.AT_AddIdentity, Command.AT_SetIdentity,
                  Command.AT_DropIdentity, Command.AT_DropExpression, Command.AT_SetExpression}  # fmt: skip
_TRIGGERS = {Command.AT_EnableTrig, Command.AT_DisableTrig, Command.AT_EnableAlwaysTrig, Command.AT_EnableReplicaTrig}
# Written as types, made by the parser: transformColumnDefinition.
_SERIAL = {"serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"}
_SYSTEM = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}


@dataclasses.dataclass(frozen=True)
class Touch:
    """One name.

    :param action: need, make or drop
    :param table: to which it belongs; of a value its type's name
    :param lenient: IF EXISTS or IF NOT EXISTS, so that nothing fails
    :param cascade: what depends on it goes as well
    """

    action: t.Literal["need", "make", "drop"]
    kind: Kind
    name: Name
    table: Name | None = None
    lenient: bool = False
    cascade: bool = False


def touches(node: t.Any) -> list[Touch]:
    """All of one statement, in the order in which PostgreSQL comes to them."""
    handler = _HANDLERS.get(type(node))
    found = list(_everywhere(node))
    if handler:
        found += handler(node)
    return found


def _part(action: t.Any, kind: Kind, table: Name, name: str | None, **more: bool) -> t.Iterator[Touch]:
    if name and not (kind == "column" and name in _SYSTEM):
        yield Touch(action, kind, (None, name), table, **more)


def _everywhere(node: t.Any) -> t.Iterator[Touch]:
    """Types, roles and functions, wherever they stand. A function's own types may be made with it."""
    if isinstance(node, (ast.CreateFunctionStmt, ast.DropStmt, ast.DefineStmt)):
        return
    lenient = isinstance(node, ast.DropRoleStmt) and bool(node.missing_ok)
    dropping = isinstance(node, ast.DropRoleStmt)
    for part in below(node):
        if isinstance(part, ast.TypeName) and part.names and not part.pct_type:
            name = strings(part.names)
            if name[1] not in _SERIAL:
                yield Touch("need", "type", name)
        elif isinstance(part, ast.RoleSpec) and part.rolename:
            yield Touch("drop" if dropping else "need", "role", (None, part.rolename), lenient=lenient)
        elif isinstance(part, ast.FuncCall):
            yield Touch("need", "function", strings(part.funcname or ()))
        elif isinstance(part, ast.CollateClause):
            yield Touch("need", "collation", strings(part.collname or ()))
        elif isinstance(part, ast.IndexElem) and part.collation:
            yield Touch("need", "collation", strings(part.collation))


def _alter_table(node: t.Any) -> t.Iterator[Touch]:
    if node.objtype not in {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE}:
        return
    table = named(node.relation)
    for command in node.cmds or ():
        kind, part = Command(command.subtype), command.def_
        more = {"lenient": bool(command.missing_ok), "cascade": bool(command.behavior)}
        if kind == Command.AT_AddColumn:
            yield from _part("make", "column", table, part.colname, lenient=more["lenient"])
        elif kind == Command.AT_DropColumn:
            yield from _part("drop", "column", table, command.name, **more)
        elif kind in _COLUMN_WANTED:
            yield from _part("need", "column", table, command.name, lenient=more["lenient"])
        elif kind == Command.AT_AddConstraint:
            yield from _constraint(table, part)
        elif kind == Command.AT_DropConstraint:
            yield from _part("drop", "constraint", table, command.name, **more)
        elif kind in {Command.AT_ValidateConstraint, Command.AT_AlterConstraint}:
            yield from _part("need", "constraint", table, command.name or getattr(part, "conname", None))
        elif kind in _TRIGGERS:
            yield from _part("need", "trigger", table, command.name)


def _constraint(table: Name, node: t.Any) -> t.Iterator[Touch]:
    # A name that the server chooses is never in the way.
    yield from _part("make", "constraint", table, node.conname)
    for key in (*(node.keys or ()), *(node.fk_attrs or ())):
        yield from _part("need", "column", table, key.sval)
    for key in node.pk_attrs or ():
        yield from _part("need", "column", named(node.pktable), key.sval)
    if node.contype in {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_EXCLUSION}:
        if node.conname and not node.indexname:
            yield Touch("make", "relation", (table[0], node.conname), table)
        elif node.indexname:
            yield Touch("need", "relation", (table[0], node.indexname))


def _index(node: t.Any) -> t.Iterator[Touch]:
    if node.accessMethod:
        yield Touch("need", "access method", (None, node.accessMethod))
    for element in node.indexParams or ():
        yield from _part("need", "column", named(node.relation), element.name)
        if element.opclass:
            yield Touch("need", "operator class", strings(element.opclass))
    for element in node.indexIncludingParams or ():
        yield from _part("need", "column", named(node.relation), element.name)


def _drop(node: t.Any) -> t.Iterator[Touch]:
    kind = ObjectType(node.removeType)
    more = {"lenient": bool(node.missing_ok), "cascade": bool(node.behavior)}
    for item in node.objects:
        if kind in _OWNED:
            yield Touch("drop", _OWNED[kind], (None, item[-1].sval), strings(item[:-1]), **more)
        elif kind in _DROPPED:
            yield Touch("drop", _DROPPED[kind], _name(item), None, **more)


def _name(item: t.Any) -> Name:
    if isinstance(item, ast.String):
        return None, str(item.sval)
    if isinstance(item, tuple):
        return strings(item)
    parts: t.Any = item.names if isinstance(item, ast.TypeName) else item.objname
    return strings(parts)


def _rename(node: t.Any) -> t.Iterator[Touch]:
    kind = ObjectType(node.renameType)
    if kind in _OWNED and node.relation is not None:
        yield from _part("drop", _OWNED[kind], named(node.relation), node.subname, lenient=bool(node.missing_ok))
        yield from _part("make", _OWNED[kind], named(node.relation), node.newname)
    elif kind in {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}:
        old = _name(node.object)
        yield Touch("drop", "type", old, cascade=True)
        yield Touch("make", "type", (old[0], node.newname))
    elif kind == ObjectType.OBJECT_SCHEMA:
        yield Touch("drop", "schema", (None, node.subname), cascade=True)
        yield Touch("make", "schema", (None, node.newname))
    elif node.relation is not None and kind in _DROPPED:
        yield Touch("make", "relation", (node.relation.schemaname, node.newname), named(node.relation))


def _comment(node: t.Any) -> t.Iterator[Touch]:
    kind = ObjectType(node.objtype)
    if kind in _OWNED and isinstance(node.object, tuple):
        yield Touch("need", _OWNED[kind], (None, node.object[-1].sval), strings(node.object[:-1]))


def _trigger(node: t.Any) -> t.Iterator[Touch]:
    yield Touch("need", "function", strings(node.funcname))
    for key in node.columns or ():
        yield from _part("need", "column", named(node.relation), key.sval)
    yield from _part("make", "trigger", named(node.relation), node.trigname, lenient=bool(node.replace))


def _type(node: t.Any) -> t.Iterator[Touch]:
    if isinstance(node, ast.CompositeTypeStmt):
        yield Touch("make", "type", named(node.typevar))
    else:
        yield Touch("make", "type", strings(node.domainname if hasattr(node, "domainname") else node.typeName))


def _enum(node: t.Any) -> t.Iterator[Touch]:
    name = strings(node.typeName)
    yield Touch("need", "type", name)
    if node.oldVal:
        yield Touch("drop", "value", (None, node.oldVal), name)
    yield Touch("make", "value", (None, node.newVal), name, lenient=bool(node.skipIfNewValExists))


def _schema(node: t.Any) -> t.Iterator[Touch]:
    if node.schemaname:
        yield Touch("make", "schema", (None, node.schemaname), lenient=bool(node.if_not_exists))


def _extension(node: t.Any) -> t.Iterator[Touch]:
    if isinstance(node, ast.CreateExtensionStmt):
        yield Touch("make", "extension", (None, node.extname or ""), lenient=bool(node.if_not_exists))
    else:
        yield Touch("need", "extension", (None, node.extname))


def _define(node: t.Any) -> t.Iterator[Touch]:
    if node.kind == ObjectType.OBJECT_COLLATION:
        yield Touch("make", "collation", strings(node.defnames), lenient=bool(node.if_not_exists))


def _role(node: t.Any) -> t.Iterator[Touch]:
    yield Touch("make", "role", (None, node.role or ""))


def _relation(node: t.Any) -> t.Iterator[Touch]:
    if isinstance(node, ast.CreateSeqStmt):
        yield Touch("make", "relation", named(node.sequence), lenient=bool(node.if_not_exists))
    elif isinstance(node, ast.ViewStmt):
        yield Touch("make", "relation", named(node.view), lenient=bool(node.replace))
    elif node.into is not None:
        yield Touch("make", "relation", named(node.into.rel), lenient=bool(node.if_not_exists))


def _table(node: t.Any) -> t.Iterator[Touch]:
    if node.relation.schemaname:
        yield Touch("need", "schema", (None, node.relation.schemaname))


def _function(node: t.Any) -> t.Iterator[Touch]:
    # Another function of that name may have other arguments, so it is not in the way.
    yield Touch("make", "function", strings(node.funcname), lenient=True)


def _policy(node: t.Any) -> t.Iterator[Touch]:
    action: t.Literal["make", "need"] = "make" if isinstance(node, ast.CreatePolicyStmt) else "need"
    yield Touch(action, "policy", (None, node.policy_name), named(node.table))


def _write(node: t.Any) -> t.Iterator[Touch]:
    targets = node.cols if isinstance(node, ast.InsertStmt) else node.targetList
    for target in targets or ():
        yield from _part("need", "column", named(node.relation), getattr(target, "name", None))
    conflict = node.onConflictClause if isinstance(node, ast.InsertStmt) else None
    if conflict is not None:
        for target in conflict.targetList or ():
            yield from _part("need", "column", named(node.relation), target.name)
        if conflict.infer is not None:
            # A unique index that belongs to no constraint does not count.
            yield from _part("need", "constraint", named(node.relation), conflict.infer.conname)
            for element in conflict.infer.indexElems or ():
                yield from _part("need", "column", named(node.relation), element.name)


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], t.Iterable[Touch]]]] = {
    ast.AlterTableStmt: _alter_table,
    ast.IndexStmt: _index,
    ast.DropStmt: _drop,
    ast.RenameStmt: _rename,
    ast.CommentStmt: _comment,
    ast.CreateTrigStmt: _trigger,
    **dict.fromkeys((ast.CreateEnumStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt, ast.CreateDomainStmt), _type),
    ast.AlterEnumStmt: _enum,
    ast.CreateSchemaStmt: _schema,
    **dict.fromkeys((ast.CreateExtensionStmt, ast.AlterExtensionStmt), _extension),
    ast.CreateRoleStmt: _role,
    ast.DefineStmt: _define,
    **dict.fromkeys((ast.CreateSeqStmt, ast.ViewStmt, ast.CreateTableAsStmt), _relation),
    ast.CreateStmt: _table,
    ast.CreateFunctionStmt: _function,
    **dict.fromkeys((ast.CreatePolicyStmt, ast.AlterPolicyStmt), _policy),
    **dict.fromkeys((ast.InsertStmt, ast.UpdateStmt), _write),
}

__all__ = ("PARTS", "Kind", "Touch", "touches")
