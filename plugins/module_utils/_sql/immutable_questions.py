"""Which expressions of an upgrade the live server is asked whether they are IMMUTABLE."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import RawStream, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.printing import printed_type
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.stored_expressions import (
    IMMUTABLE,
    calls_without_columns,
    forbidden_construct,
    stored_expressions,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import SERIAL

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

MOST_QUESTIONS = 200
MOST_CHARACTERS = 4000
# With them a table's columns are others than this follows.
_CHANGING = {Command.AT_DropColumn, Command.AT_AlterColumnType, Command.AT_AddInherit, Command.AT_AddOf}


def immutable_questions(found: t.Sequence[Statement]) -> list[dict[str, t.Any]]:
    """Forms for _in_pod/immutable_facts.py.

    :return: each with the `number` of its statement and its `place` among the statement's stored expressions
    """
    columns = _Columns()
    asked: list[dict[str, t.Any]] = []
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            continue
        # Before its own expressions: a new column may be used beside it.
        columns.after(node)
        for place, item in enumerate(stored_expressions(node)):
            known = columns.of(item.table)
            if item.kind not in IMMUTABLE or known is None:
                continue
            if forbidden_construct(item, (), Catalog()) or isinstance(item.node, ast.RowExpr):
                continue
            text = str(RawStream()(item.node))
            if len(text) <= MOST_CHARACTERS:
                live, added = known
                form = {"number": statement.number, "place": place, "name": item.table[1], "expression": text}
                calls = calls_without_columns(item.node)
                asked.append(form | {"live": live, "columns": added, "calls_without_columns": calls})
    return asked[:MOST_QUESTIONS]


class _Columns:
    """Names and types of columns that the upgrade makes."""

    def __init__(self) -> None:
        self._made: dict[Name, list[list[str]] | None] = {}
        self._added: dict[Name, list[list[str]] | None] = {}

    def of(self, table: Name) -> tuple[list[str | None] | None, list[list[str]]] | None:
        """The table's name on the server, if it is there, and the columns beside those that it has there.

        :return: None where it is not known
        """
        if table in self._made:
            made = self._made[table]
            return None if made is None else (None, made)
        added = self._added.get(table, [])
        live: list[str | None] = [table[0], table[1]]
        return None if added is None else (live, added)

    def after(self, node: t.Any) -> None:
        kind: t.Any = type(node)
        if kind is ast.CreateStmt:
            plain = not (node.inhRelations or node.ofTypename is not None)
            plain = plain and not any(isinstance(item, ast.TableLikeClause) for item in node.tableElts or ())
            if not node.if_not_exists:
                self._made[relation_name(node.relation)] = _typed(node.tableElts or ()) if plain else None
        elif kind is ast.CreateTableAsStmt and node.into is not None:
            self._made[relation_name(node.into.rel)] = None
        elif kind is ast.AlterTableStmt and node.relation is not None:
            self._altered(relation_name(node.relation), node.cmds or ())
        elif kind in {ast.RenameStmt, ast.AlterObjectSchemaStmt} and node.relation is not None:
            self._forget(relation_name(node.relation))
            if kind is ast.RenameStmt:
                self._made[node.relation.schemaname, node.newname] = None

    def _altered(self, table: Name, commands: t.Iterable[t.Any]) -> None:
        for command in commands:
            if not isinstance(command, ast.AlterTableCmd):
                continue
            if command.subtype == Command.AT_AddColumn:
                kept = self._made if table in self._made else self._added
                columns = kept.setdefault(table, [])
                if columns is not None and not (command.missing_ok and kept is self._made):
                    columns += _typed([command.def_])
            elif command.subtype in _CHANGING:
                self._forget(table)

    def _forget(self, table: Name) -> None:
        (self._made if table in self._made else self._added)[table] = None


def _typed(elements: t.Iterable[t.Any]) -> list[list[str]]:
    return [[str(item.colname), _type(item.typeName)] for item in elements if isinstance(item, ast.ColumnDef)]


def _type(name: t.Any) -> str:
    text = printed_type(name)
    return SERIAL.get(text, text)


__all__ = ("immutable_questions",)
