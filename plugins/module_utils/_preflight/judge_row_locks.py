"""Rows that another transaction has written or locked for a while, where the upgrade changes rows of that table.

Which rows they are, no view of the server says: pg_locks has the lock of the table, and a row's own only while somebody
waits for it. Source: PostgreSQL documentation, 13.3.2 Row-Level Locks. Pure functions over facts.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name, writes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import LockRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

# What a transaction holds on a table of whose rows it changed or locked some.
_OF_ROWS: t.Final = {"RowExclusiveLock", "RowShareLock"}
_CHANGES: t.Final = (ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
# chart/files/schema.py: SCHEMA_LOCK_TIMEOUT. Who has been at it for as long will hardly be done in as long again.
_LONG_SECONDS: t.Final = 2.0


class RowLockJudge:
    """Judges each statement of the upgrade, in order; says it once of a table."""

    def __init__(self, catalog: Catalog, held: t.Mapping[Name, t.Sequence[LockRow]]) -> None:
        """:param held: by table, as it was called before the upgrade, the locks of others"""
        self._catalog, self._held = catalog, held
        self._said: set[Name] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:  # noqa: ARG002 - as others
        """Before the statement is read, so that the catalogue is that before it."""
        found = []
        for change in writes(statement.node):
            table = self._catalog.table(relation_name(change.relation)) if isinstance(change, _CHANGES) else None
            if table is None or table.name in self._said:
                continue
            rows = [row for name in (table.name, *table.children) for row in self._held.get(name, ())]
            for row in [row for row in rows if _is_long(row)][:1]:
                self._said.add(table.name)
                seconds = row["transaction_seconds"]
                who = "A prepared transaction" if row["pid"] is None else f"Process {row['pid']}"
                since = "" if seconds is None else f" for {seconds:.0f} s"
                words = (
                    f"{who} has held rows of {dotted(table.name)}{since}; whether this meets one of them is not known."
                )
                about: Where = where | {"table": dotted(table.name)}
                found.append(finding("lock-held", words, severity="unknown", **about))
        return found


def _is_long(row: LockRow) -> bool:
    age = row["transaction_seconds"]
    long = age is None or age >= _LONG_SECONDS
    return long and row["mode"] in _OF_ROWS and row["granted"] and not row["gives_way"]


__all__ = ("RowLockJudge",)
