"""The judgement of the statements: what each costs on the tables as they are now. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.block_conditions import BlockConditions
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.evidence import ABOUT_USE, Evidence
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.held_locks import HeldLocks
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_advisory import AdvisoryJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_checks import CheckJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_collations import CollationJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_column_names import ColumnNameJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_columns import ColumnJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_data import DataJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_deferred_constraints import (
    DeferredConstraintJudge,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_definitions import DefinitionJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_domains import DomainJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_expressions import ExpressionJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_extensions import ExtensionJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_gone import GoneJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_inheritance import InheritanceJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_lock import LockJudge, figures
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_new_tables import NewTableJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_object_kinds import ObjectKindJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_objects import (
    UNCERTAIN_AFTER,
    ObjectJudge,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_operator_classes import (
    OperatorClassJudge,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_partitions import PartitionJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_privileges import (
    ABOUT_RIGHTS,
    PrivilegeJudge,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_queries import QueryJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_read_only import ReadOnlyJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rights import RightJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_row_locks import RowLockJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_row_security import RowSecurityJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rows import RowJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_sequence_rights import (
    SequenceRightJudge,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_sequences import SequenceJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_server_code import ServerCodeJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_skipped import SkippedJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_statistics import StatisticsJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_tablespaces import TablespaceJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_triggers import TriggerJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_upserts import UpsertJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_vector_indexes import VectorIndexJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_virtual_columns import (
    VirtualColumnJudge,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_writes import WriteJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.left_out import left_out
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.not_static import not_static
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import LockTimeout, TimeZone
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import rules
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.compatibility import incompatibilities
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.enum_uses import enum_uses
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.existing_objects import existing_objects
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode, conflicts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.removals import removals
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import name_schema, qualified_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
        DatabaseFacts,
        LockRow,
        ServerFacts,
        SessionRow,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading, Remark
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

# A statement's text in the result ends here; the artifact has all of it.
SHOWN_CHARACTERS = 300
_RISKS = {"fail": 3, "unknown": 2, "warn": 1, "info": 0, "skip": 0}
_NAMES = ("none", "low", "unknown", "high")
# chart/files/schema.py: SCHEMA_LOCK_TIMEOUT.
_USUAL_LOCK_TIMEOUT_SECONDS = 2
# Findings that a table below the threshold makes harmless.
_HARMLESS_IF_SMALL = {"full-table-write"}
# What is a failure because of what it costs, or what it takes: the server would do it.
_TAKEN_ALL_THE_SAME: t.Final = {"destructive", "lock-blocks-reads", "lock-blocks-writes", "lock-kept", "rename",
                                "table-rewrite", "definition-differs"}  # fmt: skip
# Findings that hold for tables of this upgrade as well.
_ALSO_IF_NEW = {"unsupported-by-server", "partitioned-concurrently"}


@dataclasses.dataclass(frozen=True)
class Judgement:
    """The judgement of all statements.

    :param statements: one dictionary each, for the result
    :param findings: everything that was found
    """

    statements: list[dict[str, t.Any]]
    findings: list[Finding]

    def risks(self) -> dict[str, str]:
        """The risk of each revision with a finding: that of its worst one."""
        worst: dict[str, int] = {}
        for item in self.findings:
            if item.revision:
                worst[item.revision] = max(worst.get(item.revision, 0), _RISKS[item.severity])
        return {revision: _NAMES[number] for revision, number in worst.items()}

    def largest_rewrite(self) -> int:
        """Bytes with indexes of the largest table that is rewritten."""
        rewritten = (lock for item in self.statements for lock in item["locks"] if lock["rewrite"])
        return max((lock.get("total_bytes", 0) for lock in rewritten), default=0)

    def strongest_locks(self) -> dict[str, dict[str, t.Any]]:
        """The strongest lock of each revision that takes one, on the largest table of several."""
        strongest: dict[str, dict[str, t.Any]] = {}
        for item in self.statements:
            locks = [*item["locks"], *([strongest[item["revision"]]] if item["revision"] in strongest else [])]
            if locks:
                strongest[item["revision"]] = max(locks, key=_strength)
        return strongest


class Judge:
    """Walks the statements in order; the catalogue moves on with them.

    `server` and `facts`: the collector's answers. `lock_timeout_set`: the migrator sets one for its session.
    """

    def __init__(
        self,
        catalog: Catalog,
        facts: DatabaseFacts,
        server: ServerFacts,
        limits: Thresholds,
        *,
        lock_timeout_set: bool,
        evidence: Evidence | None = None,
    ) -> None:
        self.catalog, self.server = catalog, server
        self.version = server["version"] // 10000
        self.locks = LockJudge(catalog, facts, server, limits)
        self.lock_timeout = LockTimeout(lock_timeout_set or server["lock_timeout"] not in {"0", ""})
        self.timezone = TimeZone(server["timezone"])
        self.rights = RightJudge(catalog, server["role"], self.locks.reported)
        self.objects = ObjectJudge(catalog, facts)
        self.conditions = BlockConditions(catalog, self.objects, facts)
        self.tables = TableRules(catalog, facts)
        self.privileges = PrivilegeJudge(catalog, self.tables, facts, server)
        self.sequences = SequenceJudge(catalog, facts)
        self.sequence_rights = SequenceRightJudge(catalog, facts)
        self.rows = RowJudge(catalog, facts["rows"], self.tables.uniques)
        self.judges = (
            self.privileges,
            self.sequences,
            self.sequence_rights,
            WriteJudge(catalog, self.tables),
            DefinitionJudge(catalog, self.tables),
            ColumnJudge(catalog, self.tables),
            DeferredConstraintJudge(catalog, self.tables),
            DataJudge(catalog, self.tables, facts),
            ExpressionJudge(catalog, self.tables, facts),
            InheritanceJudge(catalog, self.tables, facts, self.version),
            ServerCodeJudge(catalog, self.tables, facts),
            ObjectKindJudge(catalog, self.tables),
            PartitionJudge(catalog, self.tables, facts, server["timezone"], self.rows.knows_written),
            CheckJudge(catalog, self.tables, facts),
            NewTableJudge(catalog, self.tables),
            DomainJudge(catalog, self.tables, facts),
            RowSecurityJudge(catalog, self.tables, facts),
            SkippedJudge(catalog, self.tables, facts),
            OperatorClassJudge(catalog, facts),
            StatisticsJudge(catalog, facts),
            CollationJudge(catalog, facts),
            ReadOnlyJudge(),
            ExtensionJudge(catalog, facts, server),
            UpsertJudge(catalog, self.tables),
            ColumnNameJudge(catalog, self.tables),
            VectorIndexJudge(catalog, server["maintenance_kib"]),
            VirtualColumnJudge(catalog, self.tables, facts, self.version),
            GoneJudge(catalog, self.tables),
            TriggerJudge(catalog, self.tables),
            RowLockJudge(catalog, self.locks.held),
            TablespaceJudge(),
            QueryJudge(catalog, self.tables),
            AdvisoryJudge(self.lock_timeout),
        )
        self.held_locks = HeldLocks(self.locks.small)
        self.evidence = evidence
        self.refusals = {row["number"]: row for row in facts["refusals"]}
        self.reported: set[str] = set()
        # By type and value: the transaction that adds it.
        self.enum_values: dict[tuple[str, str], int] = {}
        self.types_of: dict[str, int | None] = {}

    def judge(
        self,
        statements: t.Sequence[Statement],
        segments: t.Sequence[Segment],
        tick: t.Callable[[], object] = lambda: None,
    ) -> Judgement:
        """Everything about these statements, and about revisions whose statements cannot be known.

        :param tick: called before each statement; it may raise what shall end a judgement that takes too long
        """
        forms, findings = [], [item for segment in segments for item in not_static(segment)]
        order = {segment.revision: number for number, segment in enumerate(segments)}
        first = min((order[item.revision] for item in findings if item.revision), default=len(order))
        self.rows.take(statements)
        for statement in statements:
            name_schema(statement.node, self.server["role"])
        for statement in statements:
            tick()
            # A revision that cannot be known may have made or dropped anything.
            self.objects.certain = self.objects.certain and order.get(statement.revision, -1) < first
            self.locks.after_unknown = not self.objects.certain
            self.rows.certain = self.objects.certain
            form, found = self._statement(statement)
            self.objects.certain = self.objects.certain and not UNCERTAIN_AFTER & {item.id for item in found}
            forms.append(form)
            findings += found
        return Judgement(forms, [*findings, *self.sequences.finish(), *self.sequence_rights.finish()])

    def _statement(self, statement: Statement) -> tuple[dict[str, t.Any], list[Finding]]:
        where: Where = {"revision": statement.revision, "statement": statement.number}
        self.catalog.enter(statement.transaction)
        form: dict[str, t.Any] = where | {
            "sql": without_named(statement.sql)[:SHOWN_CHARACTERS],
            "transaction": statement.transaction is not None,
            "locks": [],
        }
        if statement.line:
            form["line"] = statement.line
        if statement.node is None:
            words = f"PostgreSQL's grammar refuses it: {statement.problem}."
            return form | {"risk": "unknown"}, [finding("statement-unparsed", words, **where)]
        runs = self.conditions.holds(statement.condition) if statement.condition and self.objects.certain else True
        if not runs:
            found = left_out(statement, runs, self.objects.types, where)
            return form | {"risk": "unknown" if found else "none", "skipped": True}, found
        self.timezone.after(statement)
        self.catalog.timezone_is_utc = self.timezone.utc
        absent = self.objects.absent(statement.node)
        other_role = self.privileges.other_role
        found = [*self.objects.judge(statement, where), *self.rights.judge(statement.node, where)]
        for judge in self.judges:
            found += judge.judge(statement, where, certain=self.objects.certain)
        self.conditions.after(statement.node)
        self.tables.after(statement.node)
        found += self.rows.judge(statement, where)
        without_default = self.rows.without_default(statement.number)
        remarks = [] if absent else removals(statement.node, self.catalog)
        remarks += existing_objects(statement.node, self.catalog)
        remarks += [] if absent else incompatibilities(statement.node, self.catalog, self.tables.uniques)
        new = {remark.table for remark in remarks if remark.table and self.catalog.is_new(remark.table)}
        origins: dict[Name | None, Table | None] = {}
        origins |= {remark.table: self.catalog.table(remark.table) for remark in remarks if remark.table}
        dropped = self._dropped(statement.node)
        reading = rules.read(statement.node, self.catalog, self.version)
        found += [
            self._unless_unsure(self._remark(item, origins.get(item.table), where))
            for item in remarks
            if item.table not in new
        ]
        for item in reading.remarks:
            if item.table is None or item.id in _ALSO_IF_NEW or not self.catalog.is_new(item.table):
                remark = self._remark(item, self.catalog.table(item.table) if item.table else None, where)
                if item.id == "not-null-without-default" and remark.severity == "fail":
                    remark = dataclasses.replace(remark, severity=without_default)
                found.append(remark)
        self.rows.after(statement, reading.effects)
        self.lock_timeout.after(statement)
        found += self._transaction(statement, reading, where)
        self.locks.dropped = dropped
        for effect in reading.effects:
            judged, more = self.locks.judge(effect, where)
            form["locks"].append(judged)
            found += more
        found += self.held_locks.after(statement, reading.effects, where)
        found += self._refused(statement, found, where)
        if not self.lock_timeout.set:
            found += self.locks.without_timeout(reading.effects, where)
        if other_role:
            found = [item for item in found if item.id not in ABOUT_RIGHTS]
        return form | {"risk": _NAMES[max((_RISKS[item.severity] for item in found), default=0)]}, found

    def _refused(self, statement: Statement, found: t.Sequence[Finding], where: Where) -> list[Finding]:
        """What the server said when it was asked to parse the statement, unless that is said already."""
        row = self.refusals.get(statement.number)
        known = any(item.severity == "fail" and item.id not in _TAKEN_ALL_THE_SAME for item in found)
        if row is None or not self.objects.certain or known:
            return []
        words = f"The server refuses it: {row['message']} ({row['state']})."
        if row["unsure"]:
            words += " What runs before it may change that."
            return [finding("statement-refused", words, severity="unknown", **where)]
        return [finding("statement-refused", words, **where)]

    def _remark(self, remark: Remark, table: t.Any, where: Where) -> Finding:
        table = self.catalog.with_rows(table) if table else None
        small = table is not None and self.locks.small(table)
        used = self.evidence.of(table, remark.column) if self.evidence and table and remark.id in ABOUT_USE else ""
        return finding(
            remark.id,
            f"{remark.message.removesuffix('.')} {figures(table)}.{used}" if table else remark.message,
            severity="info" if small and remark.id in _HARMLESS_IF_SMALL else None,
            **(where | {"table": self.locks.label(remark.table) if remark.table else None}),
        )

    def _unless_unsure(self, found: Finding) -> Finding:
        """What is in the way may have been dropped, or be in another schema, where what ran before is not known."""
        if found.id != "object-exists" or self.objects.certain:
            return found
        words = (
            found.message.replace("this will fail", "this would fail") + " What ran before it may have changed that."
        )
        return dataclasses.replace(found, message=words, severity="unknown")

    def _transaction(self, statement: Statement, reading: Reading, where: Where) -> list[Finding]:
        """Source: "Notes" of CREATE INDEX, and ALTER TYPE, "Notes" for the enum value."""
        found = []
        number, node = statement.transaction, statement.node
        if reading.standalone and number is not None:
            wrong = "concurrently-in-transaction" if "CONCURRENTLY" in reading.standalone else "fails-in-transaction"
            words = f"{reading.standalone} cannot run inside a transaction, and Alembic opens one here."
            found.append(finding(wrong, words, **where))
        if number is None:
            return found + self._waiting(reading, where)
        added = {name for name in self.enum_values if self.enum_values[name] == number}
        for _enum, value in sorted(item for item in added if item[1] in enum_uses(node, item[0], self.catalog)):
            words = f"The enum value {value!r} is used in the transaction that adds it."
            found.append(finding("enum-value-used", words, **where))
        if isinstance(node, ast.CreateEnumStmt):
            self.types_of[node.typeName[-1].sval] = number  # type: ignore[index]
        # The values of a type made in the same transaction may be used at once.
        adds_value = isinstance(node, ast.AlterEnumStmt) and node.newVal and not node.oldVal
        if adds_value and self.types_of.get(node.typeName[-1].sval) != number:
            self.enum_values[node.typeName[-1].sval, node.newVal] = number
        return found

    def _waiting(self, reading: Reading, where: Where) -> list[Finding]:
        """CONCURRENTLY waits under lock_timeout: for who has the table locked, and for every older snapshot.

        Source: WaitForLockers and WaitForOlderSnapshots in src/backend/commands/indexcmds.c.
        """
        if not (reading.standalone and "CONCURRENTLY" in reading.standalone and self.lock_timeout.set):
            return []
        words = (
            f"{reading.standalone} waits for older transactions of the whole database, and lock_timeout ends that wait"
        )
        waits = Mode.SHARE if reading.standalone.startswith("CREATE") else Mode.ACCESS_EXCLUSIVE
        touched = [effect.table_before.name for effect in reading.effects if effect.table_before]
        users = [row for name in touched for row in self.locks.held.get(name, ())]
        older: list[LockRow | SessionRow] = [
            row for row in users if row["granted"] and conflicts(waits, Mode.of_server(row["mode"]))
        ]
        older += [row for row in self.server["sessions"] if row["here"] and row.get("snapshot")]
        oldest = max(older, key=_age, default=None)
        if oldest and _age(oldest) >= _USUAL_LOCK_TIMEOUT_SECONDS:
            words += f"; process {oldest['pid']} has had one open for {_age(oldest):.0f} s"
            return [finding("concurrently-lock-timeout", words + ".", severity="fail", **where)]
        return [finding("concurrently-lock-timeout", words + " and leaves an invalid index.", **where)]

    def _dropped(self, node: t.Any) -> set[Name] | None:
        """The relations that a DROP names, before it is read: none of ALTER TABLE; None of another statement."""
        if isinstance(node, ast.AlterTableStmt):
            return set()
        if not isinstance(node, ast.DropStmt):
            return None
        return {self.catalog.qualified(qualified_name(item)) for item in node.objects or () if isinstance(item, tuple)}


def _strength(lock: dict[str, t.Any]) -> tuple[Mode, int]:
    return Mode.of_words(lock["mode"]), lock.get("total_bytes", 0)


def _age(session: SessionRow | LockRow) -> float:
    return float(session["transaction_seconds"] or 0)


__all__ = ("Judge", "Judgement")
