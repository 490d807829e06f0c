"""The objects other than tables that a statement needs, creates or drops.

Tables, and what ADD COLUMN and CREATE INDEX make, are existing_objects.py's and the rules'.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.address_questions import PLACED
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    GrantTargetType,
    ObjectType,
    ParseError,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    made_name,
    qualified_name,
    relation_name,
    walk,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import SERIAL

Kind = t.Literal["column", "constraint", "trigger", "policy", "rule", "type", "function", "role", "schema", "extension",
                 "operator class", "access method", "collation", "language", "tablespace", "relation",
                 "value"]  # fmt: skip
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
_WITH_ROWS = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW}
_COLUMN_WANTED = {Command.AT_SetNotNull, Command.AT_DropNotNull, Command.AT_ColumnDefault, Command.AT_AlterColumnType,
                  Command.AT_SetStatistics, Command.AT_SetStorage, Command.AT_AddIdentity, Command.AT_SetIdentity,
                  Command.AT_DropIdentity, Command.AT_DropExpression, Command.AT_SetExpression}  # fmt: skip
_TRIGGERS = {Command.AT_EnableTrig, Command.AT_DisableTrig, Command.AT_EnableAlwaysTrig, Command.AT_EnableReplicaTrig}
# Kinds of objects that COMMENT and GRANT give by name alone.
_TOLD: t.Final = {"type", "function", "schema", "collation"}
# Written as types, made by the parser: transformColumnDefinition.
_SYSTEM = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
# Their text argument is looked up while the statement is parsed; to_regclass gives NULL for what is missing.
_NAMING = {"nextval", "currval", "setval"}


@dataclasses.dataclass(frozen=True)
class Touch:
    """One object that a statement needs, creates or drops.

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


def row_types(node: t.Any) -> list[Name]:
    """The relations that a statement makes or renames whose rows become a type of their name."""
    if isinstance(node, ast.CreateStmt):
        return [relation_name(node.relation)]
    if isinstance(node, ast.ViewStmt):
        return [relation_name(node.view)]
    if isinstance(node, ast.CreateTableAsStmt) and node.into is not None:
        return [relation_name(node.into.rel)]
    if isinstance(node, ast.RenameStmt) and node.relation is not None and node.renameType in _WITH_ROWS:
        return [(node.relation.schemaname, str(node.newname))]
    return []


def _part(action: t.Any, kind: Kind, table: Name, name: str | None, **more: bool) -> t.Iterator[Touch]:
    if name and not (kind == "column" and name in _SYSTEM):
        yield Touch(action, kind, (None, name), table, **more)


def _everywhere(node: t.Any) -> t.Iterator[Touch]:
    """Types, roles and functions, wherever they stand. A function's own types may be made with it."""
    if isinstance(node, (ast.CreateFunctionStmt, ast.DropStmt, ast.DefineStmt)):
        return
    lenient = isinstance(node, ast.DropRoleStmt) and bool(node.missing_ok)
    dropping = isinstance(node, ast.DropRoleStmt)
    words = _words(node)
    for part in walk(node):
        if isinstance(part, ast.TypeName) and part.names and not part.pct_type and id(part) not in words:
            name = qualified_name(part.names)
            if name[1] not in SERIAL:
                yield Touch("need", "type", name)
        elif isinstance(part, ast.RoleSpec) and part.rolename:
            yield Touch("drop" if dropping else "need", "role", (None, part.rolename), lenient=lenient)
        elif isinstance(part, ast.FuncCall):
            yield Touch("need", "function", qualified_name(part.funcname or ()))
            if qualified_name(part.funcname or ())[1] in _NAMING and part.args:
                yield from relation_named_in_text(part.args[0])
        elif type(part) in PLACED:
            yield from _tablespace(getattr(part, PLACED[type(part)]))
        elif isinstance(part, ast.CollateClause):
            yield Touch("need", "collation", qualified_name(part.collname or ()))
        elif isinstance(part, ast.IndexElem) and part.collation:
            yield Touch("need", "collation", qualified_name(part.collation))


def _words(node: t.Any) -> set[int]:
    """Values of options, by id(), that the grammar reads as types: `off` in WITH (fastupdate = off)."""
    if isinstance(node, (ast.CreateSeqStmt, ast.AlterSeqStmt, ast.CreateRangeStmt)):
        return set()
    return {id(part.arg) for part in walk(node) if isinstance(part, ast.DefElem)}


def _tablespace(name: str | None) -> t.Iterator[Touch]:
    if name:
        yield Touch("need", "tablespace", (None, name))


def relation_named_in_text(node: t.Any) -> t.Iterator[Touch]:
    """A relation whose name is a text: `nextval('a.b')`."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    text = getattr(getattr(node, "val", None), "sval", None)
    if isinstance(node, ast.A_Const) and isinstance(text, str):
        try:
            parsed: t.Any = parse_sql(f"TABLE {text}")
        except ParseError:
            return
        found = [part for part in walk(parsed[0].stmt) if isinstance(part, ast.RangeVar)]
        if len(parsed) == 1 and len(found) == 1:
            yield Touch("need", "relation", relation_name(found[0]))


def _alter_table(node: t.Any) -> t.Iterator[Touch]:
    if node.objtype not in {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE}:
        return
    table = relation_name(node.relation)
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
        elif kind == Command.AT_SetTableSpace:
            yield from _tablespace(command.name)
        elif kind in _TRIGGERS:
            yield from _part("need", "trigger", table, command.name)


def _constraint(table: Name, node: t.Any) -> t.Iterator[Touch]:
    # A name that the server chooses is never in the way.
    yield from _part("make", "constraint", table, node.conname)
    for key in (*(node.keys or ()), *(node.fk_attrs or ())):
        yield from _part("need", "column", table, key.sval)
    for key in node.pk_attrs or ():
        yield from _part("need", "column", relation_name(node.pktable), key.sval)
    if node.contype in {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_EXCLUSION}:
        if node.conname and not node.indexname:
            yield Touch("make", "relation", (table[0], node.conname), table)
        elif node.indexname:
            yield Touch("need", "relation", (table[0], node.indexname))


def _index(node: t.Any) -> t.Iterator[Touch]:
    if node.accessMethod:
        yield Touch("need", "access method", (None, node.accessMethod))
    for element in node.indexParams or ():
        yield from _part("need", "column", relation_name(node.relation), element.name)
        if element.opclass:
            yield Touch("need", "operator class", qualified_name(element.opclass))
    for element in node.indexIncludingParams or ():
        yield from _part("need", "column", relation_name(node.relation), element.name)


def _drop(node: t.Any) -> t.Iterator[Touch]:
    kind = ObjectType(node.removeType)
    more = {"lenient": bool(node.missing_ok), "cascade": bool(node.behavior)}
    for item in node.objects:
        if kind in _OWNED:
            yield Touch("drop", _OWNED[kind], (None, item[-1].sval), qualified_name(item[:-1]), **more)
        elif kind in _DROPPED:
            yield Touch("drop", _DROPPED[kind], _name(item), None, **more)


def _name(item: t.Any) -> Name:
    if isinstance(item, ast.String):
        return None, str(item.sval)
    if isinstance(item, tuple):
        return qualified_name(item)
    parts: t.Any = item.names if isinstance(item, ast.TypeName) else item.objname
    return qualified_name(parts)


def _rename(node: t.Any) -> t.Iterator[Touch]:
    kind = ObjectType(node.renameType)
    if kind in _OWNED and node.relation is not None:
        yield from _part(
            "drop", _OWNED[kind], relation_name(node.relation), node.subname, lenient=bool(node.missing_ok)
        )
        yield from _part("make", _OWNED[kind], relation_name(node.relation), node.newname)
    elif kind in {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}:
        old = _name(node.object)
        yield Touch("drop", "type", old, cascade=True)
        yield Touch("make", "type", (old[0], node.newname))
    elif _DROPPED.get(kind) == "function":
        yield Touch("make", "function", (_name(node.object)[0], node.newname), lenient=True)
    elif kind == ObjectType.OBJECT_SCHEMA:
        yield Touch("drop", "schema", (None, node.subname), cascade=True)
        yield Touch("make", "schema", (None, node.newname))
    elif node.relation is not None and kind in _DROPPED:
        yield Touch("make", "relation", (node.relation.schemaname, node.newname), relation_name(node.relation))


def _told(kind: ObjectType, item: t.Any) -> t.Iterator[Touch]:
    if _DROPPED.get(kind) in _TOLD:
        yield Touch("need", _DROPPED[kind], _name(item))


def _comment(node: t.Any) -> t.Iterator[Touch]:
    kind = ObjectType(node.objtype)
    if kind in _OWNED and isinstance(node.object, tuple):
        yield Touch("need", _OWNED[kind], (None, node.object[-1].sval), qualified_name(node.object[:-1]))
    else:
        yield from _told(kind, node.object)


def _granted(node: t.Any) -> t.Iterator[Touch]:
    for item in node.objects or () if node.targtype == GrantTargetType.ACL_TARGET_OBJECT else ():
        yield from _told(ObjectType(node.objtype), item)


def _trigger(node: t.Any) -> t.Iterator[Touch]:
    yield Touch("need", "function", qualified_name(node.funcname))
    for key in node.columns or ():
        yield from _part("need", "column", relation_name(node.relation), key.sval)
    yield from _part("make", "trigger", relation_name(node.relation), node.trigname, lenient=bool(node.replace))


def _type(node: t.Any) -> t.Iterator[Touch]:
    if isinstance(node, ast.CompositeTypeStmt):
        yield Touch("make", "type", relation_name(node.typevar))
    else:
        yield Touch("make", "type", qualified_name(node.domainname if hasattr(node, "domainname") else node.typeName))


def _enum(node: t.Any) -> t.Iterator[Touch]:
    name = qualified_name(node.typeName)
    yield Touch("need", "type", name)
    if node.oldVal:
        yield Touch("drop", "value", (None, node.oldVal), name)
    if node.newValNeighbor:
        yield Touch("need", "value", (None, node.newValNeighbor), name)
    yield Touch("make", "value", (None, node.newVal), name, lenient=bool(node.skipIfNewValExists))


def _schema(node: t.Any) -> t.Iterator[Touch]:
    """Without a name it has that of its owner, which CURRENT_USER does not say."""
    name = node.schemaname or (node.authrole.rolename if node.authrole is not None else None)
    if name:
        yield Touch("make", "schema", (None, name), lenient=bool(node.if_not_exists))


def _extension(node: t.Any) -> t.Iterator[Touch]:
    if isinstance(node, ast.CreateExtensionStmt):
        schemas = (option.arg.sval for option in node.options or () if option.defname == "schema")
        yield from (Touch("need", "schema", (None, name)) for name in schemas if not node.if_not_exists)
        yield Touch("make", "extension", (None, node.extname or ""), lenient=bool(node.if_not_exists))
    else:
        yield Touch("need", "extension", (None, node.extname))


def _define(node: t.Any) -> t.Iterator[Touch]:
    if node.kind == ObjectType.OBJECT_COLLATION:
        yield Touch("make", "collation", qualified_name(node.defnames), lenient=bool(node.if_not_exists))


def _owned(node: t.Any) -> t.Iterator[Touch]:
    """OWNED BY of a sequence: the column of a table, or NONE."""
    for option in node.options or ():
        parts = option.arg if option.defname == "owned_by" else ()
        if isinstance(parts, tuple) and len(parts) > 1:
            yield Touch("need", "relation", qualified_name(parts[:-1]))
            yield from _part("need", "column", qualified_name(parts[:-1]), parts[-1].sval)


def _relation(node: t.Any) -> t.Iterator[Touch]:
    if isinstance(node, ast.CreateSeqStmt):
        yield from _owned(node)
        yield Touch("make", "relation", made_name(node.sequence), lenient=bool(node.if_not_exists))
    elif isinstance(node, ast.ViewStmt):
        yield Touch("make", "relation", made_name(node.view), lenient=bool(node.replace))
    elif node.into is not None:
        yield Touch("make", "relation", made_name(node.into.rel), lenient=bool(node.if_not_exists))


def _table(node: t.Any) -> t.Iterator[Touch]:
    if node.relation.schemaname not in {None, "pg_temp"}:
        yield Touch("need", "schema", (None, node.relation.schemaname))


def _function(node: t.Any) -> t.Iterator[Touch]:
    for option in node.options or ():
        if option.defname == "language" and isinstance(option.arg, ast.String):
            yield Touch("need", "language", (None, str(option.arg.sval).lower()))
    # Another function of that name may have other arguments, so it is not in the way.
    yield Touch("make", "function", qualified_name(node.funcname), lenient=True)


def _language(node: t.Any) -> t.Iterator[Touch]:
    yield Touch("make", "language", (None, node.plname), lenient=bool(node.replace))


def _policy(node: t.Any) -> t.Iterator[Touch]:
    action: t.Literal["make", "need"] = "make" if isinstance(node, ast.CreatePolicyStmt) else "need"
    yield Touch(action, "policy", (None, node.policy_name), relation_name(node.table))


def _write(node: t.Any) -> t.Iterator[Touch]:
    targets = node.cols if isinstance(node, ast.InsertStmt) else node.targetList
    conflict = node.onConflictClause if isinstance(node, ast.InsertStmt) else None
    for target in (*(targets or ()), *(getattr(conflict, "targetList", None) or ())):
        yield from _part("need", "column", relation_name(node.relation), getattr(target, "name", None))
    if conflict is not None and conflict.infer is not None:
        # A unique index that belongs to no constraint does not count.
        yield from _part("need", "constraint", relation_name(node.relation), conflict.infer.conname)
        for element in conflict.infer.indexElems or ():
            yield from _part("need", "column", relation_name(node.relation), element.name)


def _setting(node: t.Any) -> t.Iterator[Touch]:
    """SET ROLE and SET SESSION AUTHORIZATION."""
    if node.name in {"role", "session_authorization"}:
        for item in node.args or ():
            name = getattr(getattr(item, "val", None), "sval", None)
            if name and name != "none":
                yield Touch("need", "role", (None, name))


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], t.Iterable[Touch]]]] = {
    ast.AlterTableStmt: _alter_table,
    ast.VariableSetStmt: _setting,
    ast.IndexStmt: _index,
    ast.DropStmt: _drop,
    ast.RenameStmt: _rename,
    ast.CommentStmt: _comment,
    ast.GrantStmt: _granted,
    **dict.fromkeys((ast.AlterOwnerStmt, ast.AlterObjectSchemaStmt), lambda node: _told(node.objectType, node.object)),
    ast.CreateTrigStmt: _trigger,
    **dict.fromkeys((ast.CreateEnumStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt, ast.CreateDomainStmt), _type),
    ast.AlterEnumStmt: _enum,
    ast.CreateSchemaStmt: _schema,
    **dict.fromkeys((ast.CreateExtensionStmt, ast.AlterExtensionStmt), _extension),
    ast.CreateRoleStmt: lambda node: [Touch("make", "role", (None, node.role or ""))],
    ast.DefineStmt: _define,
    **dict.fromkeys((ast.CreateSeqStmt, ast.ViewStmt, ast.CreateTableAsStmt), _relation),
    ast.CreateStmt: _table,
    ast.CreateFunctionStmt: _function,
    ast.CreatePLangStmt: _language,
    ast.AlterSeqStmt: _owned,
    **dict.fromkeys((ast.CreatePolicyStmt, ast.AlterPolicyStmt), _policy),
    **dict.fromkeys((ast.InsertStmt, ast.UpdateStmt), _write),
}

__all__ = ("PARTS", "Kind", "Touch", "relation_named_in_text", "row_types", "touches")
