"""CREATE and DROP STATISTICS: whether the name is free, or there. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement


class StatisticsJudge:
    """Judges each statement of the upgrade, in order. What IF NOT EXISTS skips is judge_skipped.py's."""

    def __init__(self, catalog: Catalog, facts: DatabaseFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        places = facts.get("places")
        rows = places.get("statistics") if places else None
        # By name the table, as it was called before the upgrade.
        self._there: dict[Name, Name] = {
            (row["schema"], row["name"]): (row["table_schema"], row["table"]) for row in rows or ()
        }
        self._asked = rows is not None
        # Tables whose statistics objects may be gone with a column.
        self._thinned: set[Name] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        node: t.Any = statement.node
        if not self._asked:
            return []
        found: list[Finding] = []
        if isinstance(node, ast.CreateStatsStmt) and node.defnames:
            found += self._made(node, where, certain=certain)
        elif isinstance(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_STATISTIC_EXT:
            for item in node.objects or ():
                found += self._dropped(qualified_name(item), where, lenient=bool(node.missing_ok), certain=certain)
        elif isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_STATISTIC_EXT:
            self._renamed(qualified_name(t.cast("t.Any", node.object)), str(node.newname))
        elif isinstance(node, ast.AlterTableStmt):
            kinds = {command.subtype for command in node.cmds or ()}
            if kinds & {Command.AT_DropColumn, Command.AT_AlterColumnType}:
                self._thinned.add(self._before(relation_name(node.relation)))
        return found

    def _before(self, name: Name) -> Name:
        table = self._catalog.table(name)
        return table.name if table else self._catalog.qualified(name)

    def _made(self, node: t.Any, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        name = qualified_name(node.defnames)
        full = (name[0] or self._catalog.schema, name[1])
        if full in self._left() and not node.if_not_exists:
            words = f"The statistics object {dotted(full)} exists already"
            yield _said("object-exists", words, where, sure=certain and self._there[full] not in self._thinned)
        if node.relations:
            self._there.setdefault(full, self._before(relation_name(node.relations[0])))

    def _dropped(self, name: Name, where: Where, *, lenient: bool, certain: bool) -> t.Iterator[Finding]:
        meant = [full for full in self._left() if full[1] == name[1] and name[0] in {None, full[0]}]
        if not meant and not lenient:
            yield _said("object-missing", f"There is no statistics object {dotted(name)}", where, sure=certain)
        for full in meant[:1]:
            self._there.pop(full)

    def _renamed(self, name: Name, new: str) -> None:
        for full in [full for full in self._there if full[1] == name[1] and name[0] in {None, full[0]}][:1]:
            self._there[full[0], new] = self._there.pop(full)

    def _left(self) -> dict[Name, Name]:
        """Without those of tables that are gone, with which they went."""
        renamed = {table.name for table in self._catalog.tables.values()}
        gone = self._catalog.dropped - renamed
        return {full: table for full, table in self._there.items() if table not in gone}


def _said(finding_id: str, words: str, where: Where, *, sure: bool) -> Finding:
    if sure:
        return finding(finding_id, f"{words}: this will fail.", **where)
    return finding(finding_id, f"{words}: this would fail. What ran before it may have changed that.",
                   severity="unknown", **where)  # fmt: skip


__all__ = ("StatisticsJudge",)
