"""Constants that an upgrade writes against the checks of tables and domains. Pure functions over facts.

The server computed the checks over these constants (_in_pod/check_facts.py), as they were before the upgrade: what the
upgrade drops or changes before the write does not count.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rows import CheckAnswer
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# What leaves the type of a column and its values alone.
_HARMLESS = {Command.AT_AddColumn, Command.AT_AddConstraint, Command.AT_ValidateConstraint, Command.AT_SetNotNull,
             Command.AT_DropNotNull, Command.AT_ColumnDefault, Command.AT_DropConstraint}  # fmt: skip


class CheckJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect
        :param rules: the caller updates them after this judge has seen a statement
        """
        self._catalog, self._rules = catalog, rules
        self._answers = {(row["number"], tuple(row["table"])): row for row in facts["checks"]}
        # Constraints that are gone, or of another making by now, and tables of which nothing holds any more.
        self._dropped: set[tuple[Name, str]] = set()
        self._altered: set[Name] = set()
        self._domains_hold = True

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        node, found = statement.node, []
        for write in own_writes(node):
            table = self._catalog.table(write.table)
            answer = self._answers.get((statement.number, write.table))
            if table is None or answer is None or table.name in self._altered:
                continue
            about: Where = where | {"table": dotted(table.name)}
            changed = table.name in self._rules.with_new_code | self._rules.with_rules
            sure = certain and not changed and self._writes(write, table)
            found += [
                refusal("data-refused", words, about, sure=sure) for words in self._violated(write, table, answer)
            ]
        self._after(node)
        return found

    def _violated(self, write: Write, table: Table, answer: CheckAnswer) -> t.Iterator[str]:
        unless = "" if write.kind == "INSERT" and write.certain else ", as soon as it writes a row"
        for name in answer["checks"]:
            if (table.name, name) not in self._dropped:
                yield f"{write.kind} of {dotted(table.name)} violates the check {name}{unless}"
        for name in answer["domains"] if self._domains_hold else ():
            yield f"{write.kind} writes to {dotted(table.name)}.{name} what its domain refuses{unless}"

    @staticmethod
    def _writes(write: Write, table: Table) -> bool:
        """Whether it writes a row for certain, or as certain as the last ANALYZE is."""
        if write.kind == "INSERT":
            return write.certain
        return write.node.whereClause is None and not write.node.fromClause and table.rows > 0

    def _after(self, node: t.Any) -> None:
        kind: t.Any = type(node)
        if kind in {ast.AlterDomainStmt, ast.DropStmt} or (kind is ast.RenameStmt and node.relation is None):
            self._domains_hold = self._domains_hold and getattr(node, "removeType", None) in {
                ObjectType.OBJECT_TABLE, ObjectType.OBJECT_INDEX, ObjectType.OBJECT_VIEW,
            }  # fmt: skip
        table = (
            self._catalog.table(relation_name(node.relation)) if getattr(node, "relation", None) is not None else None
        )
        if table is None:
            return
        if kind is ast.RenameStmt and node.renameType in {ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_TABCONSTRAINT}:
            self._altered.add(table.name)
        for command in node.cmds or () if kind is ast.AlterTableStmt else ():
            if command.subtype == Command.AT_DropConstraint:
                self._dropped.add((table.name, command.name))
            elif command.subtype not in _HARMLESS:
                self._altered.add(table.name)


__all__ = ("CheckJudge",)
