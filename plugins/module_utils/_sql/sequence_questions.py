"""Which sequences an upgrade moves or takes numbers from: the question for _in_pod/sequence_facts.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    ParseError,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    qualified_name,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_CALLS: t.Final = {"nextval", "setval"}
_OF_COLUMNS: t.Final = {Command.AT_AddIdentity, Command.AT_SetIdentity, Command.AT_ColumnDefault}
_INTEGERS: t.Final = {"int2", "int4", "int8"}


@dataclasses.dataclass(frozen=True)
class SequenceCall:
    """nextval() or setval() in a statement.

    :param sequence: its name, None where the text is none
    :param column: of pg_get_serial_sequence(): table and column
    :param node: the call
    """

    function: str
    sequence: Name | None
    column: tuple[Name, str] | None
    node: t.Any


def sequence_calls(node: t.Any) -> list[SequenceCall]:
    """Each call of them in a statement or an expression."""
    found = []
    for part in walk(node) if node is not None else ():
        if not isinstance(part, ast.FuncCall) or not part.args:
            continue
        function = qualified_name(part.funcname or ())[1]
        if function in _CALLS:
            first: t.Any = part.args[0]
            while isinstance(first, ast.TypeCast):
                first = first.arg
            found.append(SequenceCall(function, _named(_text(first)), _column(first), part))
    return found


def _text(node: t.Any) -> str | None:
    value = getattr(getattr(node, "val", None), "sval", None)
    return value if isinstance(node, ast.A_Const) and isinstance(value, str) else None


def _named(text: str | None) -> Name | None:
    """A name in a text, as regclass reads it."""
    try:
        parsed: t.Any = parse_sql(f"TABLE {text}") if text else []
    except ParseError:
        return None
    found = [part for part in walk(parsed[0].stmt) if isinstance(part, ast.RangeVar)] if len(parsed) == 1 else []
    return relation_name(found[0]) if len(found) == 1 else None


def _column(node: t.Any) -> tuple[Name, str] | None:
    if not isinstance(node, ast.FuncCall) or qualified_name(node.funcname or ())[1] != "pg_get_serial_sequence":
        return None
    texts = [_text(item) for item in node.args or ()]
    table = _named(texts[0]) if len(texts) == 2 else None
    return (table, texts[1]) if table and texts[1] else None


def own_sequence(part: t.Any) -> tuple[str, t.Sequence[t.Any]] | None:
    """The type and the options of the sequence of a serial or identity column."""
    if part.typeName is None or part.typeName.pct_type:
        return None
    kind, _modifier, _array = type_changes.type_name(part.typeName)
    if kind in type_changes.SERIAL:
        return type_changes.SERIAL[kind], ()
    identity = next((item for item in part.constraints or () if item.contype == ConstrType.CONSTR_IDENTITY), None)
    return (kind, identity.options or ()) if identity is not None else None


def default_sequence(part: t.Any) -> Name | None:
    """The sequence that the default of a new column takes its numbers from."""
    for item in part.constraints or ():
        calls = sequence_calls(item.raw_expr) if item.contype == ConstrType.CONSTR_DEFAULT else []
        if named := next((call.sequence for call in calls if call.sequence), None):
            return named
    return None


def whole_table(node: t.Any) -> Name | None:
    """The table of `SELECT … FROM t` without a condition."""
    sources = (node.fromClause or ()) if isinstance(node, ast.SelectStmt) else ()
    source: t.Any = sources[0] if len(sources) == 1 else None
    plain = isinstance(source, ast.RangeVar) and not (node.whereClause or node.groupClause)
    return relation_name(source) if plain else None


def _takes_numbers(command: t.Any) -> bool:
    part = command.def_
    if command.subtype == Command.AT_AddColumn and part.typeName is not None:
        return part.typeName.names[-1].sval in type_changes.SERIAL or bool(sequence_calls(part))
    return command.subtype == Command.AT_ColumnDefault and part is not None and bool(sequence_calls(part))


def integer_type(command: t.Any) -> str | None:
    """The integer type that ALTER COLUMN … TYPE gives to a column, as PostgreSQL calls it inside; None of another."""
    if command.subtype != Command.AT_AlterColumnType or command.def_.typeName.pct_type:
        return None
    kind, _modifier, array = type_changes.type_name(command.def_.typeName)
    return kind if kind in _INTEGERS and not array else None


def sequence_question(found: t.Iterable[Statement]) -> dict[str, t.Any]:
    """`sequences`, `tables` that get rows, and `columns` that get numbers, each with its schema or None."""
    sequences: dict[Name, None] = {}
    tables: dict[Name, None] = {}
    columns: dict[tuple[Name, str], None] = {}
    numbered: dict[Name, None] = {}
    for statement in found:
        node: t.Any = statement.node
        if isinstance(node, ast.AlterSeqStmt) or (isinstance(node, ast.CreateSeqStmt) and node.if_not_exists):
            sequences[relation_name(node.sequence)] = None
        elif isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_SEQUENCE:
            sequences[relation_name(node.relation)] = None
        elif isinstance(node, (ast.InsertStmt, ast.TruncateStmt, ast.DeleteStmt)):
            relations = node.relations if isinstance(node, ast.TruncateStmt) else (node.relation,)
            tables |= dict.fromkeys(relation_name(item) for item in relations or ())
        elif isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE:
            for command in node.cmds or ():
                if _takes_numbers(command):
                    numbered[relation_name(node.relation)] = None
                if command.subtype in _OF_COLUMNS or integer_type(command):
                    columns[relation_name(node.relation), command.name] = None
        for call in sequence_calls(node):
            if call.sequence:
                sequences[call.sequence] = None
            elif call.column:
                columns[call.column] = None
    return {
        "sequences": [list(name) for name in sequences],
        "tables": [list(name) for name in tables],
        "numbered": [list(name) for name in numbered],
        "columns": [[*table, column] for table, column in columns],
    }


__all__ = (
    "SequenceCall",
    "default_sequence",
    "integer_type",
    "own_sequence",
    "sequence_calls",
    "sequence_question",
    "whole_table",
)
