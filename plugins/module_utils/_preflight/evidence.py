"""Whether what a migration takes away is used: a sentence about a table or a column from what the server has seen."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.usage import use_of

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ClassRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rows import UsageFacts

# Findings that say what the running version may lose.
ABOUT_USE: t.Final = frozenset({"contract-phase", "destructive", "rename"})
_DAY = 86400.0


class Evidence:
    """What pg_stat_statements knows; the answer of _in_pod/usage_facts.py."""

    def __init__(self, facts: UsageFacts | None, classes: t.Iterable[ClassRow], now: datetime.datetime) -> None:
        """Without facts nothing is said."""
        self._facts, self._now = facts, now
        self._oids = {(row["schema"], row["name"]): row["oid"] for row in classes}
        self.problem: str | None = facts["problem"] if facts else None

    def of(self, table: Table, column: str | None) -> str:
        """One sentence with a space before it; empty where nothing is known."""
        if self._facts is None or self.problem:
            return ""
        oid = self._oids.get(t.cast("tuple[str, str]", table.name))
        if oid not in self._facts["oids"]:
            return ""
        over = [row for row in self._facts["views"] if row["oid"] == oid and column in {None, row["column"]}]
        views = {(row["schema"], row["name"]) for row in over}
        parents = [(row["schema"], row["name"]) for row in self._facts["parents"] if row["oid"] == oid]
        same = {table.name, *parents}
        using, calls, unread = 0, 0, 0
        for row in self._facts["texts"]:
            # Whatever is read from a view over the column, the column is read.
            answers = {use_of(row["sql"], same, column), use_of(row["sql"], views, None) if views else "no"}
            if "yes" in answers:
                using, calls = using + 1, calls + row["calls"]
            elif "open" in answers:
                unread += 1
        what = "the column" if column else "the table"
        if using:
            statements = f"{using} statement" if using == 1 else f"{using} statements"
            verb = "uses" if using == 1 else "use"
            return f" {statements} of the application {verb} {what}: {calls} calls since {self._since()}."
        if doubt := _doubt(self._facts, table, views, unread):
            return f" Whether {what} is used cannot be told: {doubt}."
        return f" None of the {self._facts['statements']} statements seen since {self._since()} uses {what}."

    def unknown(self, findings: t.Iterable[Finding]) -> list[Finding]:
        """Why nothing is known about the use of what these findings take away."""
        if not self.problem or not any(item.id in ABOUT_USE and item.severity != "info" for item in findings):
            return []
        words = f"Whether the application uses what the migration takes away is not known: {self.problem}."
        return [finding("use-unknown", words)]

    def _since(self) -> str:
        seconds = self._facts["seconds"] if self._facts else 0
        begin = self._now - datetime.timedelta(seconds=seconds)
        days = int(seconds / _DAY)
        return f"{begin:%Y-%m-%d}" + (f" ({days} day{'' if days == 1 else 's'})" if days else f" ({begin:%H:%M} UTC)")


def _doubt(facts: UsageFacts, table: Table, views: set[tuple[str, str]], unread: int) -> str | None:
    """Why a statement that uses it may have gone unseen."""
    words = {table.name[1].lower(), *(view[1].lower() for view in views)}
    reading = [row["name"] for row in facts["functions"] if words & {word.lower() for word in row["words"]}]
    building = [row["name"] for row in facts["functions"] if row["builds"]]
    if unread:
        return f"{unread} statements that name the table could not be read"
    if reading:
        return f"the function {reading[0]} names the table, and what runs inside of functions is not counted"
    if building:
        return f"the function {building[0]} builds its SQL when it runs"
    if facts["hidden"]:
        return f"{facts['hidden']} statements of other roles are hidden from this one"
    if facts["evicted"]:
        return "pg_stat_statements had to drop statements (pg_stat_statements.max)"
    return None


__all__ = ("ABOUT_USE", "Evidence")
