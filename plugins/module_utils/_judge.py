# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The judgement of the statements: what each costs on the tables as they are now. Pure functions over facts."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import _lock_rules
from ansible_collections.ai_platform.agent.plugins.module_utils._breakage import breakage, texts
from ansible_collections.ai_platform.agent.plugins.module_utils._findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._judge_server import size
from ansible_collections.ai_platform.agent.plugins.module_utils._lock_modes import (
    Mode,
    blocks_reads,
    blocks_writes,
    conflicts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._statements import Name, Statement, dotted
from pglast import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._offline_sql import Segment
    from ansible_collections.ai_platform.agent.plugins.module_utils._policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._reading import Effect, Reading

# A statement's text in the result ends here; the artifact has all of it.
SHOWN_CHARACTERS = 300
_RISKS = {"fail": 3, "unknown": 2, "warn": 1, "info": 0, "skip": 0}
_NAMES = ("none", "low", "unknown", "high")


@dataclasses.dataclass(frozen=True)
class Judged:
    """`statements`: one dictionary each, for the result. `findings`: everything that was found."""

    statements: list[dict[str, t.Any]]
    findings: list[Finding]


class Judge:
    """Walks the statements in order; the catalogue moves on with them."""

    def __init__(
        self,
        catalog: Catalog,
        facts: dict[str, t.Any],
        server: dict[str, t.Any],
        limits: Thresholds,
        *,
        lock_timeout_set: bool,
    ) -> None:
        self.catalog, self.limits = catalog, limits
        self.version = server["version"] // 10000
        self.server = server
        self.session_lock_timeout = lock_timeout_set or server["lock_timeout"] not in {"0", ""}
        self.lock_timeout = self.session_lock_timeout
        self.locks: dict[Name, list[dict[str, t.Any]]] = {}
        by_oid = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
        for row in facts["locks"]:
            self.locks.setdefault(by_oid[row["oid"]], []).append(row)
        self.extensions = {row["name"]: row for row in facts["extensions"]}
        self.enum_values: dict[str, int | None] = {}
        self.findings: list[Finding] = []
        self.reported: set[tuple[str, Name]] = set()

    def judge(self, statements: t.Sequence[Statement], segments: t.Sequence[Segment]) -> Judged:
        """Everything about these statements, and about revisions whose statements cannot be known."""
        for segment in segments:
            if segment.error:
                self.findings.append(
                    finding(
                        "revision-not-rendered",
                        f"{segment.path}: offline mode cannot render it ({segment.error}); what follows in it is not judged.",
                        revision=segment.revision,
                    )
                )
            elif segment.inspects:
                self.findings.append(
                    finding(
                        "revision-not-static",
                        f"{segment.path}: it asks for the database or the mode ({segment.inspects}); online it may run other SQL.",
                        revision=segment.revision,
                    )
                )
        return Judged([self._statement(item) for item in statements], self.findings)

    def _statement(self, statement: Statement) -> dict[str, t.Any]:
        first = len(self.findings)
        where = {"revision": statement.revision, "statement": statement.number}
        form: dict[str, t.Any] = {
            "number": statement.number,
            "revision": statement.revision,
            "sql": statement.sql[:SHOWN_CHARACTERS],
            "transaction": statement.transaction is not None,
            "locks": [],
        }
        if statement.node is None:
            self.findings.append(
                finding("statement-unparsed", f"PostgreSQL's grammar refuses it: {statement.problem}.", **where)
            )
            return form | {"risk": "unknown"}
        remarks = breakage(statement.node, self.catalog)
        reading = _lock_rules.read(statement.node, self.catalog, self.version)
        for remark in remarks + reading.remarks:
            table = self.catalog.table(remark.table) if remark.table else None
            if remark.table and self.catalog.is_new(remark.table):
                continue
            mild = remark.id == "full-table-write" and table is not None and self._small(table)
            figures = f" {self._figures(table)}" if table else ""
            self.findings.append(
                finding(
                    remark.id,
                    remark.message + figures,
                    severity="info" if mild else None,
                    table=self._label(remark.table),
                    **where,
                )
            )
        self._settings(statement)
        self._transaction(statement, reading, where)
        self._extension(statement, where)
        for effect in reading.effects:
            form["locks"].append(self._effect(effect, where))
        if reading.effects and not self.lock_timeout:
            self._lock_timeout(reading, where)
        worst = max((_RISKS[item.severity] for item in self.findings[first:]), default=0)
        return form | {"risk": _NAMES[worst]}

    def _label(self, name: Name | None) -> str | None:
        return None if name is None else dotted(self.catalog.full(name))

    def _small(self, table: Table) -> bool:
        return max(table.bytes, table.total_bytes) < self.limits.small_table_bytes

    def _figures(self, table: Table) -> str:
        rows = "never analysed" if table.rows < 0 else f"about {table.rows} rows"
        return f"({size(max(table.bytes, table.total_bytes))}, {rows})"

    def _settings(self, statement: Statement) -> None:
        node = statement.node
        if not isinstance(node, ast.VariableSetStmt) or node.name != "lock_timeout":
            return
        if not node.args:  # RESET, or SET … TO DEFAULT
            self.lock_timeout = self.session_lock_timeout
        else:
            value = getattr(node.args[0], "val", None)
            self.lock_timeout = str(getattr(value, "sval", getattr(value, "ival", "0"))) not in {"0", "0ms", "0s"}

    def _transaction(self, statement: Statement, reading: Reading, where: dict[str, t.Any]) -> None:
        inside = statement.transaction is not None
        if reading.alone and inside:
            wrong = "concurrently-in-transaction" if "CONCURRENTLY" in reading.alone else "fails-in-transaction"
            self.findings.append(
                finding(wrong, f"{reading.alone} cannot run inside a transaction, and Alembic opens one here.", **where)
            )
        if self.enum_values and inside:
            used = {value for value in texts(statement.node) if self.enum_values.get(value) == statement.transaction}
            for value in sorted(used):
                self.findings.append(
                    finding(
                        "enum-value-used", f"The enum value {value!r} is used in the transaction that adds it.", **where
                    )
                )
        if isinstance(statement.node, ast.AlterEnumStmt) and statement.node.newVal and not statement.node.oldVal:
            self.enum_values[statement.node.newVal] = statement.transaction

    def _extension(self, statement: Statement, where: dict[str, t.Any]) -> None:
        node = statement.node
        if not isinstance(node, ast.CreateExtensionStmt) or not self.catalog.complete:
            return
        known = self.extensions.get(node.extname)
        if known is None:
            self.findings.append(
                finding("extension-unavailable", f"The server has no extension {node.extname}.", **where)
            )
        elif known["installed"] is None and not self.server["superuser"]:
            allowed = not known["superuser"] or known["trusted"]
            if not (allowed and self.server["may_create_in_database"]):
                self.findings.append(
                    finding(
                        "extension-privilege",
                        f"The role {self.server['role']} may not create the extension {node.extname}.",
                        **where,
                    )
                )

    def _effect(self, effect: Effect, where: dict[str, t.Any]) -> dict[str, t.Any]:
        name, new = effect.table, self.catalog.is_new(effect.table)
        table = self.catalog.table(name)
        form = {"table": self._label(name), "mode": str(effect.mode), "rewrite": effect.rewrite, "scan": effect.scan,
                "rule": effect.rule, "source": effect.source(self.version), "new": new}  # fmt: skip
        if new or effect.mode == Mode.NONE:
            return form
        if table is None:
            if (
                self.catalog.complete
                and name not in self.catalog.dropped
                and (None, name[1]) not in self.catalog.created
            ):
                self.findings.append(
                    finding(
                        "table-missing",
                        f"{dotted(name)} neither exists nor is created before this.",
                        table=dotted(name),
                        **where,
                    )
                )
            return form
        form |= {
            "bytes": table.bytes,
            "total_bytes": table.total_bytes,
            "rows": table.rows,
            "writes": table.writes,
            "reads": table.reads,
        }
        self._cost(effect, table, where)
        self._now(effect, name, where)
        if effect.mode >= Mode.SHARE_UPDATE_EXCLUSIVE and not table.may_alter and ("owner", name) not in self.reported:
            self.reported.add(("owner", name))
            self.findings.append(
                finding(
                    "privilege-missing",
                    f"{table.name} belongs to {table.owner}; the role {self.server['role']} is no member of it.",
                    table=table.name,
                    **where,
                )
            )
        return form

    def _cost(self, effect: Effect, table: Table, where: dict[str, t.Any]) -> None:
        work = "rewrites" if effect.rewrite else "reads" if effect.scan else None
        lock = f"{effect.mode} on {table.name} {self._figures(table)}"
        where = {**where, "table": table.name}
        reads, writes = blocks_reads(effect.mode), blocks_writes(effect.mode)
        if not (reads or writes):
            return
        if work is None or self._small(table):
            doing = f"and {work} it, briefly" if work else "briefly"
            self.findings.append(
                finding(
                    "lock-brief", f"Takes {lock} {doing}; it queues behind transactions that use the table.", **where
                )
            )
            return
        blocked = "reads and writes" if reads else "writes"
        self.findings.append(
            finding(
                "lock-blocks-reads" if reads else "lock-blocks-writes",
                f"{work.capitalize()} the whole table under {lock}: {blocked} wait as long as that takes.",
                **where,
            )
        )
        if effect.rewrite:
            self.findings.append(
                finding(
                    "table-rewrite",
                    f"Writes {table.name} anew: {size(table.total_bytes)} of free disk and about as much WAL.",
                    **where,
                )
            )
        elif effect.rule == "create-index":
            self.findings.append(
                finding("index-not-concurrent", f"Builds an index on {table.name} without CONCURRENTLY.", **where)
            )
        elif effect.rule in {"add-constraint", "foreign-key"}:
            self.findings.append(
                finding("constraint-validated", f"Checks every row of {table.name} while the lock is held.", **where)
            )

    def _now(self, effect: Effect, name: Name, where: dict[str, t.Any]) -> None:
        held = [
            row
            for row in self.locks.get(self.catalog.full(name), ())
            if conflicts(effect.mode, Mode.of_server(row["mode"]))
        ]
        if not held or ("lock", name) in self.reported:
            return
        # What a running query holds for a moment is no obstacle; an open transaction and a waiter are.
        held = [
            row
            for row in held
            if not row["granted"] or row["state"] != "active" or (row["transaction_seconds"] or 0) > 5
        ]
        for row in held[:3]:
            self.reported.add(("lock", name))
            doing = "holds" if row["granted"] else f"waits (blocked by {row['blocked_by']}) for"
            self.findings.append(
                finding(
                    "lock-held",
                    f"Process {row['pid']} ({row['application'] or row['state']}) {doing} {Mode.of_server(row['mode'])} on {dotted(self.catalog.full(name))}; this asks for {effect.mode}.",
                    table=self._label(name),
                    **where,
                )
            )

    def _lock_timeout(self, reading: Reading, where: dict[str, t.Any]) -> None:
        for effect in reading.effects:
            if (
                blocks_writes(effect.mode)
                and not self.catalog.is_new(effect.table)
                and ("timeout", effect.table) not in self.reported
            ):
                self.reported.add(("timeout", effect.table))
                label = self._label(effect.table)
                self.findings.append(
                    finding(
                        "lock-timeout-missing",
                        f"No lock_timeout is set: while this waits for {effect.mode} on {label}, everything behind it waits too.",
                        table=label,
                        **where,
                    )
                )


__all__ = ("Judge", "Judged")
