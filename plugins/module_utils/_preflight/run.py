"""The preflight from end to end, over any transport."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import acceptance, env_findings, revisions
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.evidence import Evidence
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.half_revisions import half_revisions
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge, Judged
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_replica import lost_identities
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rows import RowPolicy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_server import (
    NEWEST_KNOWN,
    judge_backup,
    judge_recovery,
    judge_server,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_timeouts import judge_timeouts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revision_findings import position_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revision_ids import room, too_long
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Inferred
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import names
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_questions import row_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Reader

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Answer, Release, Source
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts

# Processor time for reading and judging the SQL of an image: 10,000 statements take 2.5 s.
JUDGE_SECONDS: t.Final = 120.0
# The server facts before a first install, when there is no server: no finding may come of them.
_NO_FACTS: t.Final[dict[str, t.Any]] = {"extensions": [], "locks": [], "invalid_indexes": [], "classes": []}
# What the judgement of statements reads of a server, where none was asked.
_NO_SERVER: t.Final = t.cast("ServerFacts", {
    "version": NEWEST_KNOWN * 10000, "lock_timeout": "0", "may_create": True, "may_create_in_database": True,
    "superuser": False, "role": "", "schema": "public", "sessions": [],
})  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Request:
    """By what is judged.

    :param connections_needed: without a release, which says it better
    """

    environment: str = "dev"
    acceptances: tuple[acceptance.Acceptance, ...] = ()
    thresholds: Thresholds = dataclasses.field(default_factory=Thresholds)
    migrator_lock_timeout: bool = False
    migrator_timeouts_off: bool = False
    connections_needed: int = 1
    last_backup: str | None = None
    rows: RowPolicy = dataclasses.field(default_factory=RowPolicy)


class _Patience:
    """Ends a run whose SQL takes too long. It counts processor time: a busy machine makes no other verdict."""

    def __init__(self) -> None:
        self._end = time.process_time() + JUDGE_SECONDS

    def __call__(self) -> None:
        if time.process_time() > self._end:
            words = f"The SQL of the upgrade could not be read and judged within {JUDGE_SECONDS:g} s of processor time"
            raise FindingError("answer-too-large", f"{words}; load data outside of migrations.")


def run(request: Request, source: Source) -> tuple[dict[str, t.Any], list[Finding], str]:
    """The report, its findings, and the SQL.

    :raises FindingError: no verdict is possible
    """
    located = source.locate()
    if isinstance(located, Inferred):
        return _deduced(request, source, located)
    graph, live = located.graph, located.live
    rows = None if live["rows"] is None else tuple(live["rows"])
    position = revisions.position(graph, revisions.Live(rows, live["has_tables"]))
    if located.unasked:
        position = dataclasses.replace(position, state=located.unasked.state, asked=False)
    if position.unknown:
        deployed = None if source.same else located.deployed()
        position = revisions.seen_by_the_deployed(position, graph, rows or (), deployed, same=source.same)
    patience = _Patience()
    reader = Reader(patience)
    rendered = located.render(rows or (), reader.feed) if position.upgradable else Rendered("", [])
    questions = row_questions(reader.found)
    asked: dict[str, t.Any] = {"rows": request.rows.request(questions)} if questions else {}
    if request.rows.check == "never":
        asked["keys"] = []
    answer = located.facts(names(reader.found) | asked)
    if answer.live != live:
        words = f"The version table at {source.where} changed while the preflight ran; run it again when that is done."
        raise FindingError("migrator-active", words)
    believed = bool(source.release) or env_findings.reads_pgoptions(graph.online)
    lasting = request.migrator_lock_timeout and believed
    judged = _judged(request, reader, rendered, answer, patience, lock_timeout_set=lasting)
    findings = source.findings() + position_findings(graph, rows, position)
    if graph.online and (rendered.segments or position.state == "unknown"):
        findings += env_findings.env_findings(graph.online, blocks=reader.commits_between)
        if request.migrator_lock_timeout and not believed:
            findings.append(env_findings.unread_pgoptions(graph.online))
    if rendered.segments:
        findings += _around(request, answer, judged, source.release)
    elif answer.server:
        findings += judge_recovery(answer.server)
    findings += judged.findings
    findings += _long_ids(graph, reader, rendered, answer) + half_revisions(reader.found)
    findings += lost_identities(reader.found, answer.facts or _NO_FACTS)
    if answer.server and not (request.migrator_timeouts_off and believed):
        findings += judge_timeouts(reader.found, judged.statements, answer.server, request.thresholds)
    if source.release:
        # It reads quantities with the Kubernetes client, which the direct transport does without.
        from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_release import weigh

        empty = position.state == "absent" and position.asked
        findings = weigh(findings, source.release.plan, source.release.live, empty=empty)
        findings += _of_release(request.thresholds, source.release, answer, judged)
    if position.state == "unknown" and not position.asked:
        findings = [_perhaps(item) for item in findings]
    acceptances = [*request.acceptances, *acceptance.in_docstrings(rendered.segments)]
    findings = acceptance.accepted(findings, acceptances, request.environment)
    details = {
        "state": position.state,
        "pending_unknown": _pending_unknown(position, located.unasked),
        "live_revisions": list(rows or ()),
        "unknown_revisions": list(position.unknown),
        "target_revisions": graph.targets,
        "pending": _pending(graph, rendered, judged, Judged([], findings).risks()),
        "largest_rewrite_bytes": _largest_rewrite(judged),
        "server": _shown(answer.server) if answer.server else {},
        "deployed_image": _deployed_image(source),
        "sql_sha256": hashlib.sha256(rendered.sql.encode()).hexdigest(),
    }
    return report("migration_preflight", source.where, findings, details), findings, rendered.sql


def _pending_unknown(position: revisions.Position, unasked: Inferred | None) -> str | None:
    """The finding for which it is not known what an upgrade would run; None where it is known."""
    if unasked:
        return unasked.because.id
    # A database that is ahead of the image is left as it is, whatever its revisions are called.
    return "revision-unknown" if position.unknown and position.state != "ahead" else None


def _perhaps(item: Finding) -> Finding:
    """A finding about a revision that may have been applied long ago: it may hold, and stops no repair by itself."""
    return dataclasses.replace(item, severity="unknown") if item.revision and item.severity == "fail" else item


def _deduced(request: Request, source: Source, deduced: Inferred) -> tuple[dict[str, t.Any], list[Finding], str]:
    """The report of a state that follows without a question to the database."""
    findings = [deduced.because, *source.findings()]
    if source.release:
        findings += _namespace(source.release)
    findings = acceptance.accepted(findings, list(request.acceptances), request.environment)
    details: dict[str, t.Any] = {
        "state": deduced.state,
        "pending_unknown": None if deduced.state == "current" else deduced.because.id,
        "live_revisions": [],
        "unknown_revisions": [],
        "target_revisions": [],
        "pending": [],
        "largest_rewrite_bytes": 0,
        "server": {},
        "deployed_image": _deployed_image(source),
        "sql_sha256": hashlib.sha256(b"").hexdigest(),
    }
    return report("migration_preflight", source.where, findings, details), findings, ""


def _deployed_image(source: Source) -> str | None:
    """The agent's image as it is deployed now; None where nothing is, and without a release."""
    return source.release.live.image if source.release else None


def _judged(
    request: Request,
    reader: Reader,
    rendered: Rendered,
    answer: Answer,
    patience: _Patience,
    *,
    lock_timeout_set: bool,
) -> Judged:
    facts, server = answer.facts or _NO_FACTS, answer.server or _NO_SERVER
    if answer.server:
        catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    else:
        catalog = Catalog(complete=False, timezone_is_utc=True, schema="public")
    evidence = Evidence(facts.get("usage"), facts["classes"], datetime.datetime.now(datetime.UTC))
    judge = Judge(catalog, facts, server, request.thresholds, lock_timeout_set=lock_timeout_set, evidence=evidence)
    judged = judge.judge(reader.found, rendered.segments, patience)
    return Judged(judged.statements, judged.findings + evidence.unknown(judged.findings))


def _long_ids(graph: Graph, reader: Reader, rendered: Rendered, answer: Answer) -> list[Finding]:
    characters = answer.live.get("characters")
    for node in reader.between:
        characters = room(node, graph.version_table, characters)
    return too_long(rendered.segments, reader.found, graph.version_table, characters)


def _around(request: Request, answer: Answer, judged: Judged, release: Release | None) -> list[Finding]:
    """What speaks against migrating now, whatever is migrated."""
    if answer.server is None:
        return []
    limits = request.thresholds
    costly = any(item.id in {"destructive", "table-rewrite", "type-change"} for item in judged.findings)
    now = datetime.datetime.now(datetime.UTC)
    return [
        *judge_server(answer.server, limits, None if release else request.connections_needed),
        *_indexes(answer.facts),
        *judge_backup(request.last_backup, now, limits, needed=costly),
    ]


def _of_release(limits: Thresholds, release: Release, answer: Answer, judged: Judged) -> list[Finding]:
    """What the release adds to the findings."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import release_findings

    found = _namespace(release)
    if answer.server is None:
        return found
    found += release_findings.of_database(
        release.plan,
        release.live,
        answer.server,
        statements=judged.statements,
        largest_rewrite=_largest_rewrite(judged),
        limits=limits,
    )
    return found


def _namespace(release: Release) -> list[Finding]:
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.release_findings import of_namespace

    found: list[Finding] = of_namespace(release.plan, release.live, release.missing, release.namespace)
    return found


def _largest_rewrite(judged: Judged) -> int:
    """Bytes with indexes."""
    rewritten = (lock for item in judged.statements for lock in item["locks"] if lock["rewrite"])
    return max((lock.get("total_bytes", 0) for lock in rewritten), default=0)


def _shown(server: ServerFacts) -> dict[str, t.Any]:
    return {
        "version": server["version"],
        "in_recovery": server["in_recovery"],
        "role": server["role"],
        "max_connections": server["max_connections"],
        "database_bytes": server["database_bytes"],
        "replicas": server["replicas"],
        "slots": server["slots"],
        "connections": len(server["sessions"]) + 1,
    }


def _pending(graph: Graph, rendered: Rendered, judged: Judged, risks: dict[str, str]) -> list[dict[str, t.Any]]:
    """The pending revisions, as the report lists them.

    :param risks: of revisions, as the findings weigh on this release; a statement's own risk is that on any
    """
    forms: dict[str, list[dict[str, t.Any]]] = {}
    for item in judged.statements:
        forms.setdefault(item["revision"], []).append(item)
    strongest = judged.strongest_locks()
    return [
        {
            "revision": segment.revision,
            "title": graph.nodes[segment.revision]["title"],
            "file": segment.path,
            "source": segment.source,
            "static": segment.error is None and segment.inspects is None,
            "risk": risks.get(segment.revision, "none"),
            "strongest_lock": strongest.get(segment.revision),
            "statements": forms.get(segment.revision, []),
        }
        for segment in rendered.segments
    ]


def _indexes(facts: dict[str, t.Any]) -> list[Finding]:
    tables = {row["oid"]: f"{row['schema']}.{row['name']}" for row in facts["classes"]}
    return [
        finding(
            "index-invalid", f"The index {row['name']} on {tables[row['oid']]} is invalid.", table=tables[row["oid"]]
        )
        for row in facts["invalid_indexes"]
    ]


__all__ = ("Request", "run")
