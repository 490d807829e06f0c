"""Which statements of an upgrade the live server can be asked to parse before they run, and as what.

Only what depends on nothing that the upgrade itself changes first: of a table that an earlier statement alters, the
server does not know yet what the statement will find.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    RawStream,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import below

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

# Longer ones carry data; the whole request has to stay small.
MOST_CHARACTERS = 20_000
MOST_STATEMENTS = 500

_QUERIES = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
# After one of these names, types or the path to them may mean something else.
_BLINDING = (
    ast.DoStmt, ast.CallStmt, ast.VariableSetStmt, ast.CreateFunctionStmt, ast.AlterFunctionStmt, ast.CreateSchemaStmt,
    ast.CreateExtensionStmt, ast.AlterExtensionStmt, ast.CreateEnumStmt, ast.AlterEnumStmt, ast.CreateDomainStmt,
    ast.AlterDomainStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt, ast.DefineStmt, ast.CreateCastStmt,
    ast.CreateOpClassStmt, ast.RuleStmt, ast.CreateEventTrigStmt, ast.ImportForeignSchemaStmt,
    ast.AlterObjectSchemaStmt, ast.CreateSeqStmt, ast.AlterSeqStmt,
)  # fmt: skip
_TABLES = {ObjectType.OBJECT_INDEX, ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_POLICY, ObjectType.OBJECT_TABLE}
# Functions whose text argument names an object that an earlier statement may make.
_NAMING = {"nextval", "currval", "setval", "lastval", "to_regclass", "pg_get_serial_sequence"}


def parse_questions(found: t.Sequence[Statement]) -> list[tuple[int, str]]:
    """Number and text of what PREPARE can be asked for each statement; a statement may give several."""
    asked: list[tuple[int, str]] = []
    changed: set[str | None] = set()
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            break
        tables = {part.relname for part in below(node) if isinstance(part, ast.RangeVar)}
        if not tables & changed and len(statement.sql) <= MOST_CHARACTERS:
            asked += [(statement.number, text) for text in _texts(statement)]
        if _blinds(node):
            break
        if not isinstance(node, _QUERIES):
            changed |= tables | _names(node)
    return asked[:MOST_STATEMENTS]


def _blinds(node: t.Any) -> bool:
    kind: t.Any = type(node)
    if kind is ast.DropStmt:
        return ObjectType(node.removeType) not in _TABLES
    if kind is ast.SelectStmt:
        # A function that is called for what it does may do anything.
        return node.intoClause is not None or any(isinstance(part, ast.FuncCall) for part in below(node))
    return kind in _BLINDING


def _names(node: t.Any) -> set[str | None]:
    """Names that a definition makes or takes away beside the tables that it names as such."""
    names: set[str | None] = {getattr(node, "newname", None), getattr(node, "idxname", None)}
    for item in getattr(node, "objects", None) or ():
        names |= {part.sval for part in (item if isinstance(item, tuple) else ()) if isinstance(part, ast.String)}
    return names


def _texts(statement: Statement) -> list[str]:
    node: t.Any = statement.node
    if isinstance(node, _QUERIES):
        whole = isinstance(node, ast.SelectStmt) and node.intoClause is not None
        return [] if whole or _depends_on_text(node) else [statement.sql]
    handler = _HANDLERS.get(type(node))
    parts = list(handler(node)) if handler else []
    return [text for text, expressions in parts if not any(_depends_on_text(item) for item in expressions)]


def _depends_on_text(node: t.Any) -> bool:
    for part in below(node):
        if isinstance(part, ast.FuncCall) and part.funcname and part.funcname[-1].sval in _NAMING:
            return True
        if isinstance(part, ast.TypeName) and part.names and str(part.names[-1].sval).startswith("reg"):
            return True
    return False


Derived = t.Iterator[tuple[str, t.Sequence[t.Any]]]


def _view(node: t.Any) -> Derived:
    # A recursive view names itself.
    if isinstance(node.query, ast.SelectStmt) and node.query.withClause is None:
        yield RawStream()(node.query), [node.query]


def _index(node: t.Any) -> Derived:
    expressions = [item.expr for item in node.indexParams or () if item.expr is not None]
    if expressions or node.whereClause is not None:
        yield _over(node.relation, expressions, node.whereClause), [*expressions, node.whereClause or expressions[0]]


def _policy(node: t.Any) -> Derived:
    for condition in (node.qual, node.with_check):
        if condition is not None:
            yield _over(node.table, [], condition), [condition]


def _alter_table(node: t.Any) -> Derived:
    if ObjectType(node.objtype) != ObjectType.OBJECT_TABLE or len(node.cmds) != 1:
        # A command may depend on the one before it.
        return
    command = node.cmds[0]
    kind, given = Command(command.subtype), command.def_
    if kind == Command.AT_AddConstraint and ConstrType(given.contype) == ConstrType.CONSTR_CHECK and given.raw_expr:
        yield _over(node.relation, [], given.raw_expr), [given.raw_expr]
    elif kind == Command.AT_AlterColumnType and given.raw_default is not None:
        yield _over(node.relation, [given.raw_default], None), [given.raw_default]
    elif kind == Command.AT_ColumnDefault and given is not None:
        column = RawStream()(ast.ColumnRef(fields=(ast.String(command.name),)))
        table, value = RawStream()(node.relation), RawStream()(given)
        # Printed from a parsed statement of the migration, and only ever parsed.
        yield f"INSERT INTO {_plain(table)} ({column}) VALUES ({value})", [given]  # noqa: S608 - as said
    elif kind == Command.AT_AddColumn:
        yield from _literal_default(given)


def _literal_default(column: t.Any) -> Derived:
    """A text as the default of a new column, which its type must be able to read."""
    given = [one for one in column.constraints or () if ConstrType(one.contype) == ConstrType.CONSTR_DEFAULT]
    for value in (one.raw_expr for one in given if isinstance(one.raw_expr, ast.A_Const)):
        if isinstance(value.val, ast.String):
            yield f"SELECT CAST({RawStream()(value)} AS {RawStream()(column.typeName)})", [column.typeName]


def _over(relation: t.Any, expressions: t.Sequence[t.Any], condition: t.Any) -> str:
    wanted = ", ".join(f"({RawStream()(item)})" for item in expressions) or "1"
    where = f" WHERE {RawStream()(condition)}" if condition is not None else ""
    return f"SELECT {wanted} FROM {_plain(RawStream()(relation))}{where}"  # noqa: S608 - printed from what was parsed


def _plain(relation: str) -> str:
    """Without the ONLY of ALTER TABLE ONLY, which INSERT does not take."""
    return relation.removeprefix("ONLY ")


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], Derived]]] = {
    ast.ViewStmt: _view,
    ast.IndexStmt: _index,
    ast.CreatePolicyStmt: _policy,
    ast.AlterTableStmt: _alter_table,
}


__all__ = ("parse_questions",)
