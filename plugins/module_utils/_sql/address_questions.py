"""Which objects a statement names by kind, name and argument types, and what the live server can be asked about them.

pg_get_object_address() looks an object up as COMMENT, DROP and ALTER do: it knows each kind, each spelling of a type,
and whether a function is one, an aggregate or a procedure. Source: pg_get_object_address in
src/backend/catalog/objectaddress.c. Pure; _in_pod/address_facts.py asks.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    AlterTableType,
    GrantTargetType,
    ObjectType,
    RawStream,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import builtin
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

MOST_ADDRESSES: t.Final = 300
# What pg_get_object_address() calls them. Of relations only the kind can still be wrong: that one is missing, or that
# a part of it is, others say.
_ROUTINES: t.Final = {
    ObjectType.OBJECT_FUNCTION: "function", ObjectType.OBJECT_PROCEDURE: "procedure",
    ObjectType.OBJECT_ROUTINE: "routine", ObjectType.OBJECT_AGGREGATE: "aggregate",
}  # fmt: skip
_ALONE: t.Final = {
    ObjectType.OBJECT_ACCESS_METHOD: "access method", ObjectType.OBJECT_EVENT_TRIGGER: "event trigger",
    ObjectType.OBJECT_EXTENSION: "extension", ObjectType.OBJECT_FDW: "foreign-data wrapper",
    ObjectType.OBJECT_FOREIGN_SERVER: "server", ObjectType.OBJECT_LANGUAGE: "language",
    ObjectType.OBJECT_PUBLICATION: "publication", ObjectType.OBJECT_ROLE: "role", ObjectType.OBJECT_SCHEMA: "schema",
    ObjectType.OBJECT_TABLESPACE: "tablespace", ObjectType.OBJECT_LARGEOBJECT: "large object",
    ObjectType.OBJECT_DATABASE: "database",
}  # fmt: skip
_QUALIFIED: t.Final = {
    ObjectType.OBJECT_COLLATION: "collation", ObjectType.OBJECT_CONVERSION: "conversion",
    ObjectType.OBJECT_OPCLASS: "operator class", ObjectType.OBJECT_OPFAMILY: "operator family",
    ObjectType.OBJECT_STATISTIC_EXT: "statistics object",
    ObjectType.OBJECT_TSCONFIGURATION: "text search configuration",
    ObjectType.OBJECT_TSDICTIONARY: "text search dictionary", ObjectType.OBJECT_TSPARSER: "text search parser",
    ObjectType.OBJECT_TSTEMPLATE: "text search template", ObjectType.OBJECT_TABLE: "table",
    ObjectType.OBJECT_VIEW: "view", ObjectType.OBJECT_MATVIEW: "materialized view",
    ObjectType.OBJECT_INDEX: "index", ObjectType.OBJECT_SEQUENCE: "sequence",
    ObjectType.OBJECT_FOREIGN_TABLE: "foreign table",
}  # fmt: skip
_TYPES: t.Final = {ObjectType.OBJECT_TYPE: "type", ObjectType.OBJECT_DOMAIN: "domain"}
_PAIRS: t.Final = {ObjectType.OBJECT_CAST, ObjectType.OBJECT_TRANSFORM, ObjectType.OBJECT_DOMCONSTRAINT}
# DROP of these is judged elsewhere, with what depends on them.
_DROPPED_ELSEWHERE: t.Final = {
    ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_INDEX,
    ObjectType.OBJECT_SEQUENCE, ObjectType.OBJECT_FOREIGN_TABLE, ObjectType.OBJECT_SCHEMA, ObjectType.OBJECT_TYPE,
    ObjectType.OBJECT_DOMAIN, ObjectType.OBJECT_EXTENSION,
}  # fmt: skip
_GRANTED: t.Final = {
    ObjectType.OBJECT_LARGEOBJECT, ObjectType.OBJECT_FDW, ObjectType.OBJECT_FOREIGN_SERVER, ObjectType.OBJECT_LANGUAGE,
    ObjectType.OBJECT_TABLESPACE, ObjectType.OBJECT_SCHEMA, *_ROUTINES, *_TYPES,
}  # fmt: skip
# Statements that make nothing and take nothing away.
_ONLY_TELL: t.Final = (
    ast.CommentStmt, ast.GrantStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.GrantRoleStmt,
)  # fmt: skip
# After these, any object may be there, or a name without a schema mean another.
_ANYTHING: t.Final = (
    ast.DoStmt, ast.CallStmt, ast.CreateExtensionStmt, ast.AlterExtensionStmt, ast.ImportForeignSchemaStmt,
    ast.DropOwnedStmt, ast.ExecuteStmt,
)  # fmt: skip
_PATH: t.Final = {"search_path", "role", "session_authorization"}
# Where a tablespace stands.
PLACED: t.Final[dict[type, str]] = {
    ast.IndexStmt: "tableSpace", ast.CreateStmt: "tablespacename", ast.IntoClause: "tableSpaceName",
    ast.Constraint: "indexspace",
}  # fmt: skip
# Kind, name parts, types of arguments (None: not said), as the server takes them.
Address = tuple[str, list[str], "list[str] | None"]


def address_questions(found: t.Sequence[Statement]) -> list[dict[str, t.Any]]:
    """Each object that a statement needs and that no earlier one names.

    :return: `number`, `kind`, `name`, `arguments` (None where the statement gives none), and `unsure`: a statement
        before it may have made any object
    """
    asked: list[dict[str, t.Any]] = []
    words: set[str] = set()
    unsure = False
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            break
        # What stands behind a condition may be meant for a server on which it holds.
        for kind, name, arguments in addresses(node) if statement.condition is None else ():
            if not (_words(name[-1]) | _types(node)) & words:
                asked.append({"number": statement.number, "kind": kind, "name": name, "arguments": arguments,
                              "unsure": unsure})  # fmt: skip
        unsure = unsure or _changes_anything(node)
        if not isinstance(node, _ONLY_TELL):
            words |= _words(statement.sql)
    return asked[:MOST_ADDRESSES]


def addresses(node: t.Any) -> list[Address]:
    """The objects that a statement needs, without those that it may miss."""
    handler = _HANDLERS.get(type(node))
    return handler(node) if handler else []


def _granted(node: t.Any) -> list[Address]:
    """Relations and the database are told elsewhere, and a setting need not be there."""
    if node.targtype == GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA:
        return [("schema", [str(item.sval)], []) for item in node.objects or ()]
    named = node.targtype == GrantTargetType.ACL_TARGET_OBJECT and ObjectType(node.objtype) in _GRANTED
    return _of(node.objtype, node.objects or ()) if named else []


def _dropped(node: t.Any) -> list[Address]:
    elsewhere = node.missing_ok or ObjectType(node.removeType) in _DROPPED_ELSEWHERE
    return [] if elsewhere else _of(node.removeType, node.objects or ())


def _changed(node: t.Any) -> list[Address]:
    """OWNER TO and SET SCHEMA."""
    return [] if getattr(node, "missing_ok", False) else _of(node.objectType, (node.object,))


def _placed(node: t.Any) -> list[Address]:
    return [("tablespace", [name], []) for name in placed(node)]


def named_routines(node: t.Any) -> list[t.Any]:
    """The functions, procedures and aggregates that a statement names with their arguments, but for DROP."""
    items = getattr(node, "objects", None) or (getattr(node, "object", None), getattr(node, "func", None))
    kinds = ("objtype", "objectType", "renameType")
    kind = next((getattr(node, name) for name in kinds if getattr(node, name, None) is not None), None)
    return [item for item in items if isinstance(item, ast.ObjectWithArgs) and kind in _ROUTINES]


def placed(node: t.Any) -> list[str]:
    """The tablespaces in which a statement puts relations."""
    named = [getattr(part, PLACED[type(part)]) for part in walk(node) if type(part) in PLACED]
    if isinstance(node, ast.AlterTableStmt):
        commands: t.Any = node.cmds or ()
        named += [item.name for item in commands if item.subtype == AlterTableType.AT_SetTableSpace]
    elif isinstance(node, ast.ReindexStmt):
        options: t.Any = node.params or ()
        named += [str(option.arg.sval) for option in options if option.defname == "tablespace"]
    elif isinstance(node, ast.AlterTableMoveAllStmt):
        named += [node.orig_tablespacename, node.new_tablespacename]
    return list(dict.fromkeys(str(name) for name in named if name))


def _of(given: t.Any, items: t.Iterable[t.Any]) -> list[Address]:
    kind = ObjectType(given)
    return [address for item in items if item is not None and (address := _address(kind, item)) is not None]


def _address(kind: ObjectType, item: t.Any) -> Address | None:
    address: Address | None = None
    if kind in _ROUTINES:
        arguments = None if item.args_unspecified else [RawStream()(part) for part in item.objargs or ()]
        address = _ROUTINES[kind], _parts(item.objname), arguments
    elif kind in _ALONE:
        name = getattr(item, "sval", None) or getattr(item, "rolename", None)
        number = getattr(item, "ival", None) or getattr(item, "fval", None)
        # A database of another name is only warned of.
        if (name or number) and kind != ObjectType.OBJECT_DATABASE:
            address = _ALONE[kind], [str(name or number)], []
    elif kind in _QUALIFIED and isinstance(item, tuple):
        address = _QUALIFIED[kind], _parts(item), []
    elif kind == ObjectType.OBJECT_OPERATOR:
        if item.objargs and None not in item.objargs:
            address = "operator", _parts(item.objname), [RawStream()(part) for part in item.objargs]
    elif kind in _PAIRS and not (isinstance(item, tuple) and len(item) > 1 and isinstance(item[0], ast.TypeName)):
        # RENAME CONSTRAINT of a domain names it otherwise.
        pass
    elif kind == ObjectType.OBJECT_CAST:
        address = "cast", [RawStream()(item[0])], [RawStream()(item[1])]
    elif kind == ObjectType.OBJECT_TRANSFORM:
        address = "transform", [RawStream()(item[0])], [str(item[1].sval)]
    elif kind == ObjectType.OBJECT_DOMCONSTRAINT:
        address = "domain constraint", [RawStream()(item[0])], [str(item[1].sval)]
    elif kind in _TYPES:
        address = _TYPES[kind], [RawStream()(item if isinstance(item, ast.TypeName) else ast.TypeName(names=item))], []
    return address


def _parts(items: t.Iterable[t.Any]) -> list[str]:
    return [str(item.sval) for item in items]


def _words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w+|[^\w\s]+", text)}


def _types(node: t.Any) -> set[str]:
    """The types that it names, but for PostgreSQL's own."""
    parts = [part for part in walk(node) if isinstance(part, ast.TypeName) and part.names and not builtin(part)]
    return {word for part in parts for word in _words(qualified_name(part.names or ())[1])}


def _changes_anything(node: t.Any) -> bool:
    if isinstance(node, ast.SelectStmt):
        return any(isinstance(part, ast.FuncCall) for part in walk(node))
    if isinstance(node, ast.VariableSetStmt):
        return node.name in _PATH
    return isinstance(node, _ANYTHING)


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], list[Address]]]] = {
    **dict.fromkeys((ast.AlterTableStmt, ast.ReindexStmt), _placed),
    ast.CommentStmt: lambda node: _of(node.objtype, (node.object,)),
    **dict.fromkeys((ast.AlterOwnerStmt, ast.AlterObjectSchemaStmt), _changed),
    ast.RenameStmt: lambda node: _of(node.renameType, (node.object,)),
    ast.AlterFunctionStmt: lambda node: _of(node.objtype, (node.func,)),
    ast.GrantStmt: _granted,
    ast.DropStmt: _dropped,
}

__all__ = ("PLACED", "Address", "address_questions", "addresses", "named_routines", "placed")
