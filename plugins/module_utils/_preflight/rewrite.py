"""Revisions that replace unsafe ones: the same schema at the end, by statements that block no reads or writes.

Pure: from the judged statements, the findings and the catalogue to the texts of files.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast as python
import contextlib
import copy
import dataclasses
import typing as t
from pathlib import PurePath

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import (
    rewrite_batch,
    rewrite_file,
    rewrite_gap,
    rewrite_index,
    rewrite_original,
    rewrite_table,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.partial_revisions import repeatable
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_names import revision_ids
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import printed, template
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene, costly
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import (
    Step,
    Uncurable,
    ordered,
    parts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import rules
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import RawStream, VariableSetKind, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import blocks_writes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement

# Findings that another way to the same schema may cure.
CURABLE: t.Final = frozenset({
    "lock-blocks-reads", "lock-blocks-writes", "lock-kept", "table-rewrite", "index-not-concurrent", "index-not-built",
    "constraint-validated", "concurrently-in-transaction", "concurrently-lock-timeout", "revision-half-committed",
    "fails-in-transaction", "lock-timeout-missing", "full-table-write", "enum-value-used", "partitioned-concurrently",
    "type-change-unknown",
})  # fmt: skip
# Findings after which nobody knows what the revision does, so that nothing can be put in its place.
OPAQUE: t.Final = frozenset({
    "revision-not-static", "revision-not-rendered", "statement-unparsed", "statement-opaque", "statement-unruled",
    "search-path-set", "trace-differs", "trace-failed",
})  # fmt: skip
_SETTINGS = {"statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "work_mem",
             "maintenance_work_mem", "max_parallel_maintenance_workers"}  # fmt: skip
# Findings that stay with a statement which is kept as it is.
_KEPT: t.Final = {
    "full-table-write": "its rows cannot be taken range by range",
    "index-not-built": "drop the index that is there (CONCURRENTLY) in a revision before this one",
    "partitioned-concurrently": "which partitions there are differs from database to database",
    "type-change-unknown": "the present type of the column is not known",
}
_DECIDES = {"fail", "unknown", "warn"}


@dataclasses.dataclass
class Rewrite:
    """What becomes of a revision.

    :param file: the name of its own file
    :param cured: findings by id and number of the statement
    :param files: texts by name, in the order in which they are applied
    :param uncured: findings without a rewrite: id, number of the statement, why
    """

    revision: str
    file: str
    cured: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    uncured: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, t.Any]:
        """For the report."""
        return {"revision": self.revision, "file": self.file, "cured": self.cured, "files": list(self.files),
                "uncured": self.uncured}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Upgrade:
    """All that is known of an upgrade.

    :param catalog: as it is before; it is updated
    :param unknown: revisions whose SQL is not known without a trace
    :param characters: how many a revision id may have, None where that is not known
    :param lock_timeout_set: the migrator's session has one
    :param texts: of the original files, by revision; None where one cannot be read
    :param beside: the names of files in the folder of an original
    :param ids: of all revisions, those that are made here as well
    :param names: of files that are made here
    :param triggers: those of each table
    """

    graph: Graph
    statements: t.Sequence[Statement]
    segments: t.Sequence[Segment]
    findings: t.Sequence[Finding]
    catalog: Catalog
    version: int
    small: t.Callable[[Table], bool]
    unknown: frozenset[str]
    characters: int | None
    lock_timeout_set: bool
    texts: t.Callable[[Segment], str | None]
    beside: t.Callable[[Segment], t.Collection[str]]
    ids: set[str] = dataclasses.field(default_factory=set)
    names: set[str] = dataclasses.field(default_factory=set)
    triggers: t.Mapping[Name, t.Sequence[TriggerRow]] = dataclasses.field(default_factory=dict)


def rewrites(upgrade: Upgrade) -> list[Rewrite]:
    """One for each revision that has a finding which decides something, in their order."""
    upgrade.ids.update(upgrade.graph.nodes)
    return [made for segment in upgrade.segments if (made := _Revision(upgrade, segment).rewrite())]


class _Revision:
    """One revision, from its statements to its files."""

    def __init__(self, upgrade: Upgrade, segment: Segment) -> None:
        self._upgrade, self._segment = upgrade, segment
        self._statements = [item for item in upgrade.statements if item.revision == segment.revision]
        self._findings = [
            item
            for item in upgrade.findings
            if item.revision == segment.revision and item.severity in _DECIDES and item.accepted is None
        ]
        self._scene = Scene(
            segment.revision, upgrade.catalog, upgrade.version, upgrade.small, triggers=upgrade.triggers
        )
        self._reasons: dict[int | None, str] = {}
        self._settings: dict[str, str] = {}

    def rewrite(self) -> Rewrite | None:
        steps = ordered(self._groups())
        unset = not self._upgrade.lock_timeout_set and any(step.locks for step in steps)
        curable = [item for item in self._findings if item.id in CURABLE]
        if not self._findings and not unset:
            return None
        made = Rewrite(self._segment.revision, self._segment.path)
        self._refuse_unknown()
        if (curable or unset) and not self._reasons:
            try:
                cures = list(dict.fromkeys([item.id for item in curable] or ["lock-timeout-missing"]))
                made.files = self._files(steps, cures)
            except Uncurable as error:
                self._reasons[None] = str(error)
        for item in self._findings:
            known = {"id": item.id} | ({"statement": item.statement} if item.statement else {})
            if item.id in CURABLE and made.files:
                made.cured.append(known)
            else:
                made.uncured.append(known | {"reason": self._reason(item)})
        return made

    def _reason(self, item: Finding) -> str:
        if item.id == "timeout-of-role":
            return "time-outs of the role are lifted in the role or by the migrator"
        if item.id not in CURABLE | OPAQUE:
            return "it is about what the revision does, and not how"
        if item.statement in self._reasons:
            return self._reasons[item.statement]
        if None in self._reasons:
            return self._reasons[None]
        others = sorted(number for number in self._reasons if number is not None)
        if not others:
            return "nothing else leads to the same schema"
        return f"statement {others[0]} of the same revision has no rewrite; move one of the two to another revision"

    def _refuse_unknown(self) -> None:
        """What the revision runs must be known, whatever the database."""
        opaque = next((item for item in self._findings if item.id in OPAQUE), None)
        if self._segment.revision in self._upgrade.unknown:
            self._reasons[None] = "what the revision runs depends on the database or cannot be rendered"
        elif opaque:
            self._reasons.setdefault(opaque.statement, "what it does is not known from its text")

    def _groups(self) -> list[list[Step]]:
        """The steps of each statement; the catalogue is updated, and what has no cure is noted."""
        trial = copy.deepcopy(self._upgrade.catalog) if self._findings or not self._upgrade.lock_timeout_set else None
        groups: list[list[Step]] = []
        # Where the drops directly before a statement begin.
        drops_at: int | None = None
        for statement in self._statements:
            if statement.node is None:
                self._reasons[statement.number] = "PostgreSQL's grammar refuses it"
                continue
            if statement.in_block:
                self._reasons[statement.number] = "it stands in a DO block; write it without one"
            drops = rewrite_gap.drops_of(statement.node, self._scene.catalog)
            rest: list[Step] = []
            try:
                steps = self._cured(statement)
                if trial is not None:
                    steps = [self._tried(step, trial) for step in steps]
                early, rest = [step for step in steps if step.early], [step for step in steps if not step.early]
                if early:
                    groups.insert(len(groups) if drops_at is None else drops_at, early)
                    drops_at = None if drops_at is None else drops_at + 1
                groups.append(rest)
            except Uncurable as error:
                self._reasons[statement.number] = str(error)
                if trial is not None:
                    rules.read(_fresh(statement), trial, self._upgrade.version)
            if drops and rewrite_gap.only_drops(statement.node):
                drops_at = max(0, len(groups) - 1) if drops_at is None else drops_at
                self._scene.leaving.add(drops)
            elif rest:
                self._scene.leaving.passed(drops)
                drops_at = None
            rules.read(statement.node, self._upgrade.catalog, self._upgrade.version)
        return groups

    def _cured(self, statement: Statement) -> list[Step]:
        node = _fresh(statement)
        if isinstance(node, ast.VariableSetStmt):
            self._set(node)
            return []
        steps: list[Step] | None = None
        if isinstance(node, ast.IndexStmt):
            steps = rewrite_index.create(node, self._scene)
        elif isinstance(node, ast.DropStmt):
            steps = rewrite_index.drop(node, self._scene)
        elif isinstance(node, ast.ReindexStmt):
            steps = rewrite_index.reindex(node, self._scene)
        elif isinstance(node, ast.AlterTableStmt):
            steps = rewrite_table.cure(node, self._scene)
        elif isinstance(node, (ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.InsertStmt)):
            steps = rewrite_batch.write(node, self._scene)
        elif isinstance(node, ast.AlterEnumStmt) and node.newVal and not node.oldVal:
            node.skipIfNewValExists = True
            steps = [Step(printed(node), "own")]
        if steps is None:
            found = {item.id for item in self._findings if item.statement == statement.number}
            for finding, reason in _KEPT.items():
                if finding in found:
                    raise Uncurable(reason)
            return [Step(_kept(statement))]
        return steps

    def _tried(self, step: Step, trial: Catalog) -> Step:
        """A step with what the rules say of it.

        :raises Uncurable: it holds others up
        """
        if step.batch:
            return step
        reading = rules.read(template(step.sql), trial, self._upgrade.version)
        if doing := costly(reading, self._scene):
            raise Uncurable(f"{doing}, and there is no other way to the same schema in one release")
        there = [effect for effect in reading.effects if effect.table_before and not effect.created_here]
        locks = any(blocks_writes(effect.mode) for effect in there)
        work = [e for e in there if e.table_before and e.table_before.kind not in {"p", "v", "I"}]
        long = any((e.rewrite or e.scan is not False) and not self._scene.small(e.table_before) for e in work)  # type: ignore[arg-type]
        # What refuses to run inside of a transaction may stand beside others that commit by themselves.
        kind = "own" if reading.standalone else step.kind
        if kind != step.kind and not repeatable(template(step.sql)):
            raise Uncurable(f"{reading.standalone} runs in no transaction, and not twice outside of one")
        waits = step.waits or "CONCURRENTLY" in (reading.standalone or "")
        return dataclasses.replace(step, kind=kind, waits=waits, locks=locks, long=long)

    def _set(self, node: t.Any) -> None:
        """A setting: the rewrite has several transactions, in each of which it is set again.

        :raises Uncurable: it is none that ends with the revision
        """
        if node.kind in {VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT} and node.name in self._settings:
            return
        if node.kind != VariableSetKind.VAR_SET_VALUE or node.name not in _SETTINGS | {"lock_timeout"}:
            raise Uncurable("it sets what holds for a session or a transaction, of which the rewrite has several")
        value = ", ".join(str(RawStream()(item)) for item in node.args)
        if node.name != "lock_timeout" or value.strip("'") != "0":
            self._settings[node.name] = value

    def _files(self, steps: t.Sequence[Step], cures: t.Sequence[str]) -> dict[str, str]:
        """:raises Uncurable: env.py or the original's file stands against it"""
        if unfit := _unfit(self._upgrade.graph):
            raise Uncurable(unfit)
        source = self._upgrade.texts(self._segment)
        try:
            original = rewrite_original.read(source or "")
        except (SyntaxError, ValueError):
            source = None
        if source is None:
            raise Uncurable("its file cannot be read")
        node, shared = self._upgrade.graph.nodes[self._segment.revision], parts(steps)
        ids = revision_ids(self._segment.revision, len(shared), self._upgrade.ids, self._upgrade.characters)
        self._upgrade.ids.update(ids)
        settings = dict(self._settings)
        own_timeout = settings.pop("lock_timeout", None)
        usual = None if self._upgrade.lock_timeout_set else rewrite_file.USUAL_LOCK_TIMEOUT
        session = rewrite_file.Session(
            own_timeout or usual, tuple(settings.items()), _one_transaction(self._upgrade.graph)
        )
        known = original.identifiers
        files = {}
        for number, part in enumerate(shared):
            place = rewrite_file.Place(
                ids, number, self._segment.path,
                _literal(known.get("down_revision"), node["down"]),
                _literal(known.get("depends_on"), node["depends"]),
                _literal(known.get("branch_labels"), node["labels"]),
                cures,
            )  # fmt: skip
            last = number == len(shared) - 1
            name = self._file_name("" if last else f"_{number + 1}")
            files[name] = rewrite_file.text(part, place, original, session)
        return files

    def _file_name(self, ending: str) -> str:
        """The original's own for the last one; others replace no other file beside it."""
        stem, beside = PurePath(self._segment.path).stem, self._upgrade.beside(self._segment)
        name, number = f"{stem}{ending}.py", 0
        while name in self._upgrade.names or (ending and name in beside):
            number += 1
            name = f"{stem}{ending}_{number}.py"
        self._upgrade.names.add(name)
        return name


def _fresh(statement: Statement) -> t.Any:
    """The statement's node, for changes.

    :raises Uncurable: it runs only where something is missing, which SQL has no words for
    """
    node = template(statement.sql)
    if statement.looks_first:
        names = [name for name in ("if_not_exists", "missing_ok") if hasattr(node, name)]
        if not names:
            raise Uncurable("SQLAlchemy runs it only where what it makes is missing, and it has no IF NOT EXISTS")
        for name in names:
            setattr(node, name, True)
    return node


def _kept(statement: Statement) -> str:
    return printed(_fresh(statement)) if statement.looks_first else statement.sql


def _unfit(graph: Graph) -> str | None:
    """Why env.py goes together with no rewrite; None where it does."""
    online = graph.online
    if online is None or online.problem is not None:
        return None
    if online.begun:
        return "env.py begins the transaction before context.configure(), so that autocommit_block() fails"
    if online.autocommit or online.options.get("transactional_ddl") is False:
        return "env.py runs revisions without a transaction, so that one that ends half-way cannot be run again"
    return None


def _one_transaction(graph: Graph) -> bool:
    """Where that is not known, as if it were so."""
    online = graph.online
    return online is None or online.problem is not None or not online.options.get("transaction_per_migration")


def _literal(source: str | None, known: t.Sequence[str]) -> str:
    """The value as the file has it, where that is a literal; else the one that Alembic knows."""
    value: t.Any = known[0] if len(known) == 1 else tuple(known) or None
    with contextlib.suppress(ValueError, SyntaxError):
        value = python.literal_eval(source) if source is not None else value
    return rewrite_file.quoted(value) if isinstance(value, str) else repr(value)


__all__ = ("CURABLE", "OPAQUE", "Rewrite", "Upgrade", "rewrites")
