# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The preflight from end to end over the direct transport: a database URL and an Alembic directory."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import _acceptance, _live_facts, _revisions
from ansible_collections.ai_platform.agent.plugins.module_utils._catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._database import parameters, place, session
from ansible_collections.ai_platform.agent.plugins.module_utils._errors import PreflightError
from ansible_collections.ai_platform.agent.plugins.module_utils._findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._judge import Judge, Judged
from ansible_collections.ai_platform.agent.plugins.module_utils._judge_server import (
    judge_backup,
    judge_recovery,
    judge_server,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._offline_sql import AlembicProcess, Graph, Rendered
from ansible_collections.ai_platform.agent.plugins.module_utils._policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._questions import names
from ansible_collections.ai_platform.agent.plugins.module_utils._report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._revision_findings import position_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._statements import Reader

# The key that chart/files/schema.py takes: "ai_agent" in ASCII.
LOCK_KEY = int.from_bytes(b"ai_agent", "big")


@dataclasses.dataclass(frozen=True)
class Request:
    """What the caller wants. Times in seconds unless the name says otherwise."""

    database_url: str = dataclasses.field(repr=False)
    environment: str = "dev"
    acceptances: tuple[_acceptance.Acceptance, ...] = ()
    thresholds: Thresholds = dataclasses.field(default_factory=Thresholds)
    connect_timeout: int = 5
    lock_timeout_ms: int = 500
    statement_timeout_ms: int = 5000
    migrator_lock_timeout: bool = False
    connections_needed: int = 1
    last_backup: str | None = None


def run(request: Request, alembic: AlembicProcess) -> tuple[dict[str, t.Any], list[Finding], str]:
    """The report, its findings, and the SQL. Raises PreflightError where no verdict is possible."""
    where = place(parameters(request.database_url))
    with session(
        request.database_url,
        connect_timeout=request.connect_timeout,
        lock_timeout_ms=request.lock_timeout_ms,
        statement_timeout_ms=request.statement_timeout_ms,
    ) as database:
        with alembic:
            graph = alembic.graph()
            with database.snapshot() as connection:
                live = _live_facts.live_rows(connection, graph.version_table, graph.version_table_schema)
            rows = None if live["rows"] is None else tuple(live["rows"])
            position = _revisions.position(graph, _revisions.Live(rows, live["has_tables"]))
            reader = Reader()
            rendered = alembic.render(rows or (), reader.feed) if position.upgradable else Rendered("", [])
        with database.snapshot() as connection:
            if _live_facts.live_rows(connection, graph.version_table, graph.version_table_schema) != live:
                words = f"The version table at {where} changed while the preflight ran; run it again when that is done."
                raise PreflightError("migrator-active", words)
            server = _live_facts.server(connection, LOCK_KEY)
            facts = _live_facts.collect(connection, names(reader.found))
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    judge = Judge(catalog, facts, server, request.thresholds, lock_timeout_set=request.migrator_lock_timeout)
    judged = judge.judge(reader.found, rendered.segments)
    findings = position_findings(graph, rows, position)
    if rendered.segments:
        findings += _around(request, server, facts, judged)
    else:
        findings += judge_recovery(server)
    findings += judged.findings
    acceptances = [*request.acceptances, *_acceptance.in_docstrings(rendered.segments)]
    findings = _acceptance.accepted(findings, acceptances, request.environment)
    details = {
        "state": position.state,
        "live_revisions": list(rows or ()),
        "unknown_revisions": list(position.unknown),
        "target_revisions": graph.targets,
        "pending": _pending(graph, rendered, judged),
        "largest_rewrite_bytes": _largest_rewrite(judged),
        "server": _shown(server),
        "sql_sha256": hashlib.sha256(rendered.sql.encode()).hexdigest(),
    }
    return report("migration_preflight", where, findings, details), findings, rendered.sql


def _around(request: Request, server: dict[str, t.Any], facts: dict[str, t.Any], judged: Judged) -> list[Finding]:
    """What speaks against migrating now, whatever is migrated."""
    limits = request.thresholds
    costly = any(item.id in {"destructive", "table-rewrite", "type-change"} for item in judged.findings)
    now = datetime.datetime.now(datetime.UTC)
    return [
        *judge_server(server, limits, request.connections_needed),
        *_indexes(facts),
        *judge_backup(request.last_backup, now, limits, needed=costly),
    ]


def _largest_rewrite(judged: Judged) -> int:
    """Bytes with indexes."""
    rewritten = (lock for item in judged.statements for lock in item["locks"] if lock["rewrite"])
    return max((lock.get("total_bytes", 0) for lock in rewritten), default=0)


def _shown(server: dict[str, t.Any]) -> dict[str, t.Any]:
    kept = ("version", "in_recovery", "role", "max_connections", "database_bytes", "replicas", "slots")
    return {name: server[name] for name in kept} | {"connections": len(server["sessions"]) + 1}


def _pending(graph: Graph, rendered: Rendered, judged: Judged) -> list[dict[str, t.Any]]:
    risks = judged.risks()
    forms: dict[str, list[dict[str, t.Any]]] = {}
    for item in judged.statements:
        forms.setdefault(item["revision"], []).append(item)
    return [
        {
            "revision": segment.revision,
            "title": graph.nodes[segment.revision]["title"],
            "file": segment.path,
            "static": segment.error is None and segment.inspects is None,
            "risk": risks.get(segment.revision, "none"),
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
