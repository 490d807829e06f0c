"""Temporary tables ON COMMIT DELETE ROWS that a later transaction reads: what was written to them is gone then."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import TEMPORARY
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name, relations

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement


class EmptiedTables:
    """Follows each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        # By name the transaction that wrote to it last, None where none did. A statement of its own is one as well.
        self._written: dict[Name, int | None] = {}

    def judge(self, statement: Statement, where: Where) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it."""
        node: t.Any = statement.node
        now = statement.transaction if statement.transaction is not None else -statement.number
        found = []
        read = {self._catalog.qualified(name) for name in relations(_read(node))} if self._written else set()
        for name in sorted(read & self._written.keys()):
            if self._written[name] not in {None, now}:
                words = "is emptied by each commit (ON COMMIT DELETE ROWS): what was written to it before is gone here."
                found.append(finding("data-unknown", f"{name[1]} {words}", **where))
        for write in own_writes(node) if self._written else ():
            if write.kind == "INSERT" and (name := self._catalog.qualified(write.table)) in self._written:
                self._written[name] = now
        if isinstance(node, ast.CreateStmt) and _emptied(node.oncommit):
            self._written[TEMPORARY, str(t.cast("t.Any", node.relation).relname)] = None
        elif isinstance(node, ast.CreateTableAsStmt) and node.into is not None and _emptied(node.into.onCommit):
            self._written[TEMPORARY, relation_name(node.into.rel)[1]] = now
        elif isinstance(node, ast.DropStmt):
            self._written = {name: by for name, by in self._written.items() if name not in self._catalog.dropped}
        return found


def _read(node: t.Any) -> t.Any:
    """What of a statement reads: not the table that it inserts into."""
    return node.selectStmt if isinstance(node, ast.InsertStmt) else node


def _emptied(on_commit: t.Any) -> bool:
    return getattr(on_commit, "name", "") == "ONCOMMIT_DELETE_ROWS"


__all__ = ("EmptiedTables",)
