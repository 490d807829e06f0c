"""The preflight from end to end, over any transport."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import ScratchError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import (
    acceptance,
    env_findings,
    only_changed,
    revisions,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import trace as traces
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.answer_catalog import catalog_of
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.evidence import Evidence
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge, Judgement
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_indexes import invalid_indexes
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_keys import judge_keys
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_objects import UNCERTAIN_AFTER
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_replica import lost_identities
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rows import RowPolicy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_server import (
    NO_SERVER,
    judge_backup,
    judge_recovery,
    judge_server,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_timeouts import judge_timeouts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.partial_revisions import partial_revisions
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.report_parts import (
    pending_revisions,
    server_summary,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revision_findings import position_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revision_ids import (
    too_long,
    version_num_width,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Inference
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_rows import empty_tables
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.version_table import (
    assert_heads,
    version_table_findings,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_questions import row_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Reader

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.git_changes import Changed
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_folder import RewriteFolder
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import (
        Answer,
        Location,
        Release,
        Source,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts

# Processor time for reading and judging the SQL of an image: 10,000 statements take 2.5 s.
JUDGE_SECONDS: t.Final = 120.0


@dataclasses.dataclass(frozen=True)
class Request:
    """The settings of one judgement.

    :param connections_needed: read only without a release, whose manifests hold the exact number
    :param rewrites: where revisions go that would replace unsafe ones
    :param only: the changes that alone count, and from which folder and with which configuration `alembic` is called
    """

    environment: str = "dev"
    acceptances: tuple[acceptance.Acceptance, ...] = ()
    thresholds: Thresholds = dataclasses.field(default_factory=Thresholds)
    migrator_sets_lock_timeout: bool = False
    migrator_lifts_timeouts: bool = False
    connections_needed: int = 1
    last_backup: str | None = None
    trace: bool = False
    rows: RowPolicy = dataclasses.field(default_factory=RowPolicy)
    rewrites: RewriteFolder | None = None
    only: tuple[Changed, Path, str] | None = None


class _TimeLimit:
    """Ends a run whose SQL takes too long. It counts processor time: a busy machine makes no other verdict."""

    def __init__(self) -> None:
        self._end = time.process_time() + JUDGE_SECONDS

    def __call__(self) -> None:
        if time.process_time() > self._end:
            words = f"The SQL of the upgrade could not be read and judged within {JUDGE_SECONDS:g} s of processor time"
            raise FindingError("answer-too-large", f"{words}; load data outside of migrations.")


@dataclasses.dataclass(frozen=True)
class _Upgrade:
    """What would be run, and what the server says of it.

    :param rows: of the version table, None where there is none
    :param pgoptions_apply: the migrator's session has the settings that it is given
    :param trace: the real upgrade on a copy of the schema, None where there was none
    :param trace_findings: what it says whatever the rules say, or why there was none
    :param unknown: revisions whose SQL is not known without a trace
    """

    graph: Graph
    rows: tuple[str, ...] | None
    position: revisions.Position
    reader: Reader
    rendered: Rendered
    answer: Answer
    pgoptions_apply: bool
    trace: Trace | None = None
    trace_findings: tuple[Finding, ...] = ()
    unknown: frozenset[str] = frozenset()


def run(request: Request, source: Source) -> tuple[dict[str, t.Any], list[Finding], str]:
    """The report, its findings, and the SQL.

    :raises FindingError: no verdict is possible
    """
    location = source.locate()
    if isinstance(location, Inference):
        return _inferred_report(request, source, location)
    time_limit = _TimeLimit()
    upgrade = _collect(request, source, location, time_limit)
    judged = _judged(request, upgrade, time_limit)
    findings = source.findings() + _findings(request, source.release, upgrade, judged)
    if source.release:
        # judge_release imports the Kubernetes client for quantities, which the direct transport does not need.
        from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_release import (
            adjust_severities,
        )

        empty = upgrade.position.state == "absent" and upgrade.position.asked
        findings = adjust_severities(findings, source.release.planned, source.release.live, empty=empty)
        findings += _release_findings(request.thresholds, source.release, upgrade.answer, judged)
    if upgrade.position.state == "unknown" and not upgrade.position.asked:
        findings = [_as_unknown(item) for item in findings]
    acceptances = [*request.acceptances, *acceptance.docstring_acceptances(upgrade.rendered.segments)]
    findings = acceptance.apply_acceptances(findings, acceptances, request.environment)
    everything = findings
    if request.only:
        changed, folder, configuration = request.only
        findings = only_changed.narrowed(
            findings,
            upgrade.rendered,
            unknown=upgrade.unknown,
            folder=folder,
            configuration=configuration,
            changed=changed,
        )
    details = {
        "state": upgrade.position.state,
        "pending_unknown": _pending_unknown(upgrade.position, location.assumption),
        "live_revisions": list(upgrade.rows or ()),
        "unknown_revisions": list(upgrade.position.unknown),
        "target_revisions": upgrade.graph.targets,
        "pending": pending_revisions(upgrade.graph, upgrade.rendered, judged, Judgement([], everything).risks()),
        "largest_rewrite_bytes": judged.largest_rewrite(),
        "server": server_summary(upgrade.answer),
        "deployed_image": _deployed_image(source),
        "sql_sha256": hashlib.sha256(upgrade.rendered.sql.encode()).hexdigest(),
        "trace": traces.summary(upgrade.trace) if upgrade.trace else {},
        "rewrites": _rewritten(request, upgrade, everything),
    }
    return report("migration_preflight", source.where, findings, details), findings, upgrade.rendered.sql


def _collect(request: Request, source: Source, location: Location, time_limit: _TimeLimit) -> _Upgrade:
    """Have the SQL rendered, and the server asked about it.

    :raises FindingError: no verdict is possible
    """
    graph, live = location.graph, location.live
    rows = None if live["rows"] is None else tuple(live["rows"])
    position = revisions.position(graph, revisions.Live(rows, live["has_tables"]))
    if location.assumption:
        position = dataclasses.replace(position, state=location.assumption.state, asked=False)
    if position.unknown:
        deployed = None if source.same_migrations else location.deployed()
        position = revisions.with_deployed_graph(position, graph, rows or (), deployed, same=source.same_migrations)
    if position.upgradable:
        assert_heads(graph, rows or ())
    reader = Reader(time_limit)
    rendered = location.render(rows or (), reader.feed) if position.upgradable else Rendered("", [])
    unknown = frozenset(item.revision for item in rendered.segments if item.error or item.inspects)
    alone, version_table = rendered, (graph.version_table_schema, graph.version_table)
    trace, trace_findings = _traced(rendered, location) if request.trace and rendered.segments else (None, [])
    if trace:
        rendered = traces.known(alone, trace, version_table, bare=not (live["has_tables"] or location.assumption))
        reader = Reader(time_limit)
        reader.feed(rendered.sql, rendered.segments)
    questions = row_questions(reader.found)
    asked: dict[str, t.Any] = {"rows": request.rows.request(questions)} if questions else {}
    if request.rows.check == "never":
        asked["keys"] = []
    names = facts_request(reader.found) | asked
    names["sequences"]["rows"] = request.rows.check != "never"
    answer = location.facts(names)
    if answer.live != live:
        words = f"The version table at {source.where} changed while the preflight ran; run it again when that is done."
        raise FindingError("migrator-active", words)
    if trace and answer.facts and (empty := empty_tables(answer.facts)):
        rendered = traces.known(alone, trace, version_table, empty)
    pgoptions_apply = bool(source.release) or env_findings.reads_pgoptions(graph.online)
    told = (trace, tuple(trace_findings), unknown)
    return _Upgrade(graph, rows, position, reader, rendered, answer, pgoptions_apply, *told)


def _traced(rendered: Rendered, location: Location) -> tuple[Trace | None, list[Finding]]:
    """The trace, and its own findings."""
    try:
        trace = location.trace()
    except ScratchError as error:
        return None, [finding("trace-skipped", f"No trace: {error}.")]
    return trace, traces.findings(rendered, trace)


def _findings(request: Request, release: Release | None, upgrade: _Upgrade, judged: Judgement) -> list[Finding]:
    """What there is to say of the revisions, the statements and the server, whatever is deployed."""
    graph, position, statements, answer = upgrade.graph, upgrade.position, upgrade.reader.found, upgrade.answer
    segments = upgrade.rendered.segments
    findings = position_findings(graph, upgrade.rows, position)
    if graph.online and (segments or position.state == "unknown"):
        findings += env_findings.env_findings(graph.online, blocks=upgrade.reader.commits_between)
        if request.migrator_sets_lock_timeout and not upgrade.pgoptions_apply:
            findings.append(env_findings.unread_pgoptions(graph.online))
    if segments:
        findings += _server_findings(request, answer, judged, release)
        findings += version_table_findings(graph, answer.live)
    elif answer.server:
        findings += judge_recovery(answer.server)
    findings += judged.findings
    findings += upgrade.trace_findings
    if upgrade.trace:
        unclaimed = {item.revision for item in judged.findings if item.id in UNCERTAIN_AFTER}
        findings += traces.disagreements(upgrade.trace, judged.statements, unclaimed)
    findings += _long_ids(upgrade) + partial_revisions(statements)
    findings += lost_identities(statements, answer.facts or NO_FACTS)
    own = env_findings.own_timeouts(graph.online)
    lifted = request.migrator_lifts_timeouts and upgrade.pgoptions_apply
    if answer.server and (own or not lifted):
        given = {} if lifted else answer.server.get("timeouts") or {}
        server: ServerFacts = answer.server | {"timeouts": given | own}
        findings += judge_timeouts(statements, judged.statements, server, request.thresholds)
    return findings


def _pending_unknown(position: revisions.Position, assumption: Inference | None) -> str | None:
    """The finding for which it is not known what an upgrade would run; None where it is known."""
    if assumption:
        return assumption.because.id
    # A database that is ahead of the image is left as it is, whatever its revisions are called.
    return "revision-unknown" if position.unknown and position.state != "ahead" else None


def _as_unknown(item: Finding) -> Finding:
    """A finding about a revision that may have been applied long ago: it may hold, and stops no repair by itself."""
    return dataclasses.replace(item, severity="unknown") if item.revision and item.severity == "fail" else item


def _inferred_report(
    request: Request, source: Source, inferred: Inference
) -> tuple[dict[str, t.Any], list[Finding], str]:
    """The report of a state that follows without a question to the database."""
    findings = [inferred.because, *source.findings()]
    if source.release:
        findings += _namespace(source.release)
    findings = acceptance.apply_acceptances(findings, list(request.acceptances), request.environment)
    details: dict[str, t.Any] = {
        "state": inferred.state,
        "pending_unknown": None if inferred.state == "current" else inferred.because.id,
        "live_revisions": [],
        "unknown_revisions": [],
        "target_revisions": [],
        "pending": [],
        "largest_rewrite_bytes": 0,
        "server": {},
        "deployed_image": _deployed_image(source),
        "sql_sha256": hashlib.sha256(b"").hexdigest(),
        "trace": {},
        "rewrites": [],
    }
    return report("migration_preflight", source.where, findings, details), findings, ""


def _deployed_image(source: Source) -> str | None:
    """The agent's image as it is deployed now; None where nothing is, and without a release."""
    return source.release.live.image if source.release else None


def _judged(request: Request, upgrade: _Upgrade, time_limit: _TimeLimit) -> Judgement:
    answer = upgrade.answer
    facts, server = answer.facts or NO_FACTS, answer.server or NO_SERVER
    catalog = catalog_of(answer)
    evidence = Evidence(facts["usage"], facts["classes"], datetime.datetime.now(datetime.UTC))
    lock_timeout_set = _migrator_sets_lock_timeout(request, upgrade)
    judge = Judge(catalog, facts, server, request.thresholds, lock_timeout_set=lock_timeout_set, evidence=evidence)
    judge.objects.certain = not env_findings.changes_names(upgrade.graph.online)
    judged = judge.judge(upgrade.reader.found, upgrade.rendered.segments, time_limit)
    return Judgement(judged.statements, judged.findings + evidence.unknown(judged.findings))


def _migrator_sets_lock_timeout(request: Request, upgrade: _Upgrade) -> bool:
    own = env_findings.own_timeouts(upgrade.graph.online).get("lock_timeout")
    return bool(own) if own is not None else request.migrator_sets_lock_timeout and upgrade.pgoptions_apply


def _rewritten(request: Request, upgrade: _Upgrade, findings: t.Sequence[Finding]) -> list[dict[str, t.Any]]:
    """What would replace unsafe revisions, written to the folder that was asked for."""
    answer = upgrade.answer
    if request.rewrites is None or answer.server is None:
        return []
    # A dozen modules that few runs need.
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_run import write_rewrites

    set_by_migrator = _migrator_sets_lock_timeout(request, upgrade)
    return write_rewrites(
        request.rewrites,
        graph=upgrade.graph,
        statements=upgrade.reader.found,
        segments=upgrade.rendered.segments,
        findings=findings,
        answer=answer,
        limits=request.thresholds,
        unknown=upgrade.unknown,
        set_by_migrator=set_by_migrator,
    )


def _long_ids(upgrade: _Upgrade) -> list[Finding]:
    characters = upgrade.answer.live.get("characters")
    for node in upgrade.reader.version_table_statements:
        characters = version_num_width(node, upgrade.graph.version_table, characters)
    return too_long(upgrade.rendered.segments, upgrade.reader.found, upgrade.graph.version_table, characters)


def _server_findings(request: Request, answer: Answer, judged: Judgement, release: Release | None) -> list[Finding]:
    """What speaks against migrating now, whatever is migrated."""
    if answer.server is None:
        return []
    limits = request.thresholds
    costly = any(item.id in {"destructive", "table-rewrite", "type-change"} for item in judged.findings)
    now = datetime.datetime.now(datetime.UTC)
    return [
        *judge_server(answer.server, limits, None if release else request.connections_needed),
        *invalid_indexes(answer.facts or NO_FACTS),
        *judge_keys(answer.facts or NO_FACTS),
        *judge_backup(request.last_backup, now, limits, needed=costly),
    ]


def _release_findings(limits: Thresholds, release: Release, answer: Answer, judged: Judgement) -> list[Finding]:
    """What the release adds to the findings."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import release_findings

    found = _namespace(release)
    if answer.server is None:
        return found
    found += release_findings.of_database(
        release.planned,
        release.live,
        answer.server,
        statements=judged.statements,
        largest_rewrite=judged.largest_rewrite(),
        limits=limits,
    )
    return found


def _namespace(release: Release) -> list[Finding]:
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.release_findings import of_namespace

    found: list[Finding] = of_namespace(release.planned, release.live, release.missing, release.namespace)
    return found


__all__ = ("Request", "run")
