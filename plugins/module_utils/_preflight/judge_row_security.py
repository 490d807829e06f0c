"""Rows that an upgrade reads, and that row-level security hides from the migrating role. Pure functions over facts.

An owner reads all rows but under FORCE ROW LEVEL SECURITY: then a copy holds the visible ones, and nothing says so.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    relation_name,
    relations,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_READING: t.Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.CreateTableAsStmt,
                     ast.RefreshMatViewStmt)  # fmt: skip


class RowSecurityJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        rows = facts["relations"]["row_security"]
        names = rules.name_of_oid
        self._secured = {names[row["oid"]] for row in rows if row["active"] and row["oid"] in names}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: unused: the finding is the same either way
        """
        del certain
        node: t.Any = statement.node
        found = []
        if isinstance(node, ast.AlterTableStmt):
            self._forced(node)
        elif isinstance(node, _READING) and self._secured:
            written = {self._catalog.qualified(relation_name(part.relation)) for part in writes(node)}
            read = dict.fromkeys(self._catalog.qualified(name) for name in relations(node))
            for table in (self._hidden(name) for name in read if name not in written):
                if table:
                    words = (
                        f"It reads {dotted(table)}, and row-level security hides rows of it from the role: it may miss"
                    )
                    found.append(finding("data-unknown", f"{words} some.", **(where | {"table": dotted(table)})))
        return found

    def _hidden(self, name: Name) -> Name | None:
        """The table behind a name whose rows may be hidden, through views as well."""
        seen, todo = set(), [name]
        while todo:
            known = self._catalog.table(todo.pop())
            if known and known.name in self._secured:
                return known.name
            for used in (*known.uses, *known.children) if known else ():
                if used not in seen:
                    seen.add(used)
                    todo.append(used)
        made = self._catalog.view_sources(name)
        return next((table for item in made if item != name and (table := self._hidden(item))), None)

    def _forced(self, node: t.Any) -> None:
        """From then on policies bind the owner as well."""
        table = self._catalog.table(relation_name(node.relation))
        if table and any(command.subtype == Command.AT_ForceRowSecurity for command in node.cmds or ()):
            self._secured.add(table.name)


__all__ = ("RowSecurityJudge",)
