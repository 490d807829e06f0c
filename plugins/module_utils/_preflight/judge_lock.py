"""The judgement of one lock: how long it lasts on a table of this size, who is in its way, who may take it at all."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import (
    Mode,
    blocks_reads,
    blocks_writes,
    conflicts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import LockRow, ServerFacts, TableFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Effect
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

# A transaction that began no more seconds ago than this, with a query running, is expected to end before the migration
# starts.
_PASSING_SECONDS = 5
# Rules that read every row in order to validate a constraint; VALIDATE CONSTRAINT is none, for its lock blocks nobody.
_VALIDATING = {"add-constraint", "foreign-key", "set-not-null"}
# Rules for which a right on the table is enough; all others want its owner.
_GRANTED = {"read", "write", "copy", "lock", "truncate", "view", "trigger", "vacuum", "refresh", "reindex", "cluster",
            "create-table", "create-table-references"}  # fmt: skip


def figures(table: Table) -> str:
    """Size and rows, in words."""
    rows = "never analysed" if table.rows < 0 else f"about {table.rows} rows"
    return f"({size(max(table.bytes, table.total_bytes))}, {rows})"


class LockJudge:
    """Judges locks against the live facts; says what holds for a whole table once."""

    def __init__(self, catalog: Catalog, facts: TableFacts, server: ServerFacts, limits: Thresholds) -> None:
        self.catalog, self.server, self.limits = catalog, server, limits
        self.version = server["version"] // 10000
        self._asked = not facts.get("of_file")
        by_oid = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
        self.held: dict[Name, list[LockRow]] = {}
        for row in facts["locks"]:
            self.held.setdefault(by_oid[row["oid"]], []).append(row)
        # Schemas of the role: it may drop what is in them, whoever that belongs to.
        rights: t.Any = facts.get("rights", {"objects": []})
        self._own_schemas = {row["name"] for row in rights["objects"] if row["kind"] == "schema" and row["may_alter"]}
        # The relations that a statement drops; None where its locks do not tell.
        self.dropped: set[Name] | None = None
        self.reported: set[tuple[str, Name]] = set()
        # Whether a statement ran before whose effects are not known.
        self.after_unknown = False

    def label(self, name: Name) -> str:
        """The table's name as its owner knows it: with the schema, and before this upgrade renamed it."""
        table = self.catalog.table(name)
        return dotted(table.name if table else self.catalog.qualified(name))

    def small(self, table: Table) -> bool:
        """So small that reading or rewriting it is brief."""
        return max(table.bytes, table.total_bytes) < self.limits.small_table_bytes

    def judge(self, effect: Effect, where: Where) -> tuple[dict[str, t.Any], list[Finding]]:
        """The lock as the result shows it, and what is to be said about it."""
        name, new, table = effect.table, effect.created_here, effect.table_before
        if table and table.kind in {"p", "v"}:
            # A partitioned table or a view has no rows of its own. `scan` keeps None, which stands for not known.
            effect = dataclasses.replace(effect, rewrite=False, scan=False if effect.scan else effect.scan)
        if effect.rewrite:
            # A rewrite reads every row as well; the report names only the rewrite.
            effect = dataclasses.replace(effect, scan=False)
        form = {
            "table": dotted(table.name) if table else self.label(name),
            "mode": str(effect.mode),
            "rewrite": effect.rewrite,
            "scan": effect.scan,
            "rule": effect.rule,
            "source": effect.source(self.version),
            "new": new,
        }
        if new or table is None:
            missing = not new and self.catalog.complete and not self.catalog.existed(name)
            where = where | {"table": self.label(name)}
            words = f"{dotted(name)} neither exists nor is created before this"
            if self.after_unknown:
                words += ", unless by what could not be rendered or read"
            severity: t.Any = "unknown" if self.after_unknown else None
            return form, [finding("table-missing", f"{words}.", severity=severity, **where)] if missing else []
        for field in ("bytes", "total_bytes", "rows", "writes", "reads"):
            form[field] = getattr(table, field)
        if self._asked:
            form["sessions"] = len({row["pid"] for row in self.held.get(table.name, ())})
        where = where | {"table": dotted(table.name)}
        return form, [
            *self._cost(effect, table, where),
            *self._held_by_others(effect, table, where),
            *self._missing_right(effect, table, where),
        ]

    def _cost(self, effect: Effect, table: Table, where: Where) -> t.Iterator[Finding]:
        reads, writes = blocks_reads(effect.mode), blocks_writes(effect.mode)
        if not (reads or writes):
            return
        lock = f"{effect.mode} on {where['table']} {figures(table)}"
        work = "rewrites" if effect.rewrite else "reads" if effect.scan else None
        if work is None or self.small(table):
            doing = f"and {work} it, briefly" if work else "briefly"
            words = f"Takes {lock} {doing}; it queues behind transactions that use the table."
            yield finding("lock-brief", words, **where)
            return
        blocked = "reads and writes" if reads else "writes"
        words = f"{work.capitalize()} the whole table under {lock}: {blocked} wait as long as that takes."
        yield finding("lock-blocks-reads" if reads else "lock-blocks-writes", words, **where)
        if effect.rewrite:
            words = f"Writes {where['table']} anew: {size(table.total_bytes)} of free disk and about as much WAL."
            yield finding("table-rewrite", words, **where)
        elif effect.rule == "create-index":
            yield finding("index-not-concurrent", f"Builds an index on {where['table']} without CONCURRENTLY.", **where)
        elif effect.rule in _VALIDATING:
            words = f"Checks every row of {where['table']} while the lock is held."
            yield finding("constraint-validated", words, **where)

    def _held_by_others(self, effect: Effect, table: Table, where: Where) -> t.Iterator[Finding]:
        if ("lock", table.name) in self.reported:
            return
        for row in self.held.get(table.name, ()):
            passing = (
                row["granted"] and row["state"] == "active" and (row["transaction_seconds"] or 0) <= _PASSING_SECONDS
            )
            # Autovacuum gives way to whoever waits for it, unless it prevents wraparound.
            if passing or row["gives_way"] or not conflicts(effect.mode, Mode.of_server(row["mode"])):
                continue
            self.reported.add(("lock", table.name))
            doing = "holds" if row["granted"] else f"waits (blocked by {row['blocked_by']}) for"
            who = row["application"] or row["state"] or "another role's"
            holder = "A prepared transaction" if row["pid"] is None else f"Process {row['pid']} ({who})"
            words = f"{holder} {doing} {Mode.of_server(row['mode'])} on {where['table']}; this asks for {effect.mode}."
            yield finding("lock-held", words, **where)

    def _missing_right(self, effect: Effect, table: Table, where: Where) -> t.Iterator[Finding]:
        name = self.catalog.qualified(effect.table)
        if effect.rule in _GRANTED or table.may_alter or effect.mode < Mode.SHARE_UPDATE_EXCLUSIVE:
            return
        if effect.rule == "foreign-key" and effect.mode == Mode.SHARE_ROW_EXCLUSIVE:
            # Of the two tables one is altered and one is referred to: judge_rights.py tells them apart.
            return
        # Of what it locks beside, such as the other end of a foreign key, a DROP needs no right.
        if (
            effect.rule == "drop"
            and self.dropped is not None
            and (name not in self.dropped or table.name[0] in self._own_schemas)
        ):
            return
        if ("right", table.name) not in self.reported:
            self.reported.add(("right", table.name))
            words = f"{where['table']} belongs to {table.owner}, of which the role {self.server['role']} is no member."
            yield finding("privilege-missing", words, **where)

    def without_timeout(self, effects: t.Iterable[Effect], where: Where) -> t.Iterator[Finding]:
        """One finding for each table whose writers would queue behind a statement that waits without a limit."""
        for effect in effects:
            table = effect.table_before
            if table is None or not blocks_writes(effect.mode) or ("timeout", table.name) in self.reported:
                continue
            self.reported.add(("timeout", table.name))
            label = dotted(table.name)
            words = f"No lock_timeout is set: while this waits for {effect.mode} on {label}, all others wait behind it."
            yield finding("lock-timeout-missing", words, **(where | {"table": label}))


__all__ = ("LockJudge", "figures")
