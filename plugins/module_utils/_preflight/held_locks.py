"""A lock taken for a moment that stays for long: the transaction goes on with work that takes its time.

Source: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES ("held until end of transaction").
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode, blocks_reads, blocks_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Effect
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

# Relations without rows of their own: partitioned tables and indexes, views.
_EMPTY = {"p", "I", "v"}


class HeldLocks:
    """Follows each statement of the upgrade, in order. `small`: whether work on a table is brief."""

    def __init__(self, small: t.Callable[[Table], bool]) -> None:
        self._small = small
        self._transaction: int | None = None
        # By table, as it was called before the upgrade: the strongest lock that others wait for, and who took it.
        self._held: dict[Name, tuple[Mode, int]] = {}
        self._reported: set[Name] = set()

    def after(self, statement: Statement, effects: t.Sequence[Effect], where: Where) -> list[Finding]:
        """The locks of earlier statements that this statement's work prolongs; then its own are taken in."""
        if statement.transaction is None or statement.transaction != self._transaction:
            self._transaction, self._held, self._reported = statement.transaction, {}, set()
        found = list(self._prolonged(effects, where))
        for effect in effects:
            if statement.transaction is not None and effect.table_before and blocks_writes(effect.mode):
                before = self._held.get(effect.table_before.name, (Mode.NONE, 0))
                if effect.mode > before[0]:
                    self._held[effect.table_before.name] = (effect.mode, statement.number)
        return found

    def _prolonged(self, effects: t.Sequence[Effect], where: Where) -> t.Iterator[Finding]:
        work = [item for item in effects if item.table_before and self._takes_long(item, item.table_before)]
        if not work:
            return
        # What is certain weighs more than what the planner decides.
        worst = max(work, key=lambda item: (item.rewrite, bool(item.scan)))
        certain = worst.rewrite or bool(worst.scan)
        doing = "rewrites" if worst.rewrite else "reads all of" if worst.scan else "may read all of"
        on = dotted(worst.table_before.name) if worst.table_before else ""
        for name, (mode, number) in self._held.items():
            # Tables that the work itself locks at least as strongly are skipped: that lock has a finding of its own.
            own = any(item.table_before and item.table_before.name == name and item.mode >= mode for item in work)
            if own or name in self._reported:
                continue
            self._reported.add(name)
            blocked = "reads and writes" if blocks_reads(mode) else "writes"
            words = (
                f"{mode} on {dotted(name)}, taken by statement {number}, is kept while this {doing} {on}: {blocked}"
                " wait until the commit."
            )
            yield finding("lock-kept", words, severity=None if certain else "warn", **where | {"table": dotted(name)})

    def _takes_long(self, effect: Effect, table: Table) -> bool:
        if table.kind in _EMPTY or self._small(table):
            return False
        return effect.rewrite or effect.scan is not False


__all__ = ("HeldLocks",)
