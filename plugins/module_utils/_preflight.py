# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The preflight from end to end over the direct transport: a database URL and an Alembic directory."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import _acceptance, _catalog, _live_facts, _revisions
from ansible_collections.ai_platform.agent.plugins.module_utils._database import parameters, place, session
from ansible_collections.ai_platform.agent.plugins.module_utils._findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._judge import Judge, Judged
from ansible_collections.ai_platform.agent.plugins.module_utils._judge_server import judge_backup, judge_server
from ansible_collections.ai_platform.agent.plugins.module_utils._offline_sql import AlembicProcess, Graph, Rendered
from ansible_collections.ai_platform.agent.plugins.module_utils._policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._statements import (
    Statement,
    functions,
    relations,
    statements,
    strings,
)
from pglast import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from pathlib import Path

# The key that chart/files/schema.py takes: "ai_agent" in ASCII.
LOCK_KEY = int.from_bytes(b"ai_agent", "big")


@dataclasses.dataclass(frozen=True)
class Request:
    """What the caller wants. Times in seconds unless the name says otherwise."""

    ini: Path
    database_url: str = dataclasses.field(repr=False)
    target: str = "heads"
    environment: str = "dev"
    python: str | None = None
    variables: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)
    acceptances: tuple[_acceptance.Acceptance, ...] = ()
    thresholds: Thresholds = dataclasses.field(default_factory=Thresholds)
    render_timeout: float = 30
    connect_timeout: int = 5
    lock_timeout_ms: int = 500
    statement_timeout_ms: int = 5000
    migrator_lock_timeout: bool = False
    connections_needed: int = 1
    last_backup: str | None = None


def names(found: t.Sequence[Statement]) -> dict[str, t.Any]:
    """The second message: the names about which facts are wanted, and nothing else of the SQL."""
    tables: dict[t.Any, None] = {}
    called: set[str] = set()
    types: set[str] = set()
    extensions: set[str] = set()
    for statement in found:
        node = statement.node
        if node is None:
            continue
        tables |= dict.fromkeys(relations(node))
        called |= {name[1] for name in functions(node)}
        if isinstance(node, ast.DropStmt):
            for item in node.objects:
                if isinstance(item, tuple):
                    tables[strings(item)] = None
                    if len(item) > 1:
                        tables[strings(item[:-1])] = None
        elif isinstance(node, ast.CommentStmt) and isinstance(node.object, tuple):
            tables[strings(node.object)] = None
            if len(node.object) > 1:
                tables[strings(node.object[:-1])] = None
        elif isinstance(node, ast.CreateExtensionStmt):
            extensions.add(node.extname)
        elif isinstance(node, ast.AlterTableStmt):
            for command in node.cmds:
                if isinstance(command.def_, ast.ColumnDef) and command.def_.typeName:
                    types.add(command.def_.typeName.names[-1].sval)
                elif isinstance(command.def_, ast.Constraint) and command.def_.indexname:
                    tables[node.relation.schemaname, command.def_.indexname] = None
    return {
        "tables": [list(name) for name in tables],
        "functions": sorted(called),
        "types": sorted(types),
        "extensions": sorted(extensions),
    }


def run(request: Request) -> tuple[dict[str, t.Any], list[Finding], str]:
    """The report, its findings, and the SQL. Raises PreflightError where no verdict is possible."""
    parameters(request.database_url)
    limits = request.thresholds
    with (
        AlembicProcess(
            request.ini, request.target, request.render_timeout, request.variables, request.python
        ) as alembic,
        session(
            request.database_url,
            connect_timeout=request.connect_timeout,
            lock_timeout_ms=request.lock_timeout_ms,
            statement_timeout_ms=request.statement_timeout_ms,
        ) as connection,
    ):
        graph = alembic.graph()
        live = _live_facts.live_rows(connection, graph.version_table, graph.version_table_schema)
        rows = None if live["rows"] is None else tuple(live["rows"])
        where = _revisions.position(graph, _revisions.Live(rows, live["has_tables"]))
        pending = where.state == "absent" or (where.state in {"behind", "diverged"} and not where.unknown)
        rendered = alembic.render(rows or ()) if pending else Rendered("", [])
        found = statements(rendered)
        server = _live_facts.server(connection, LOCK_KEY)
        facts = _live_facts.collect(connection, names(found))
    judge = Judge(
        _catalog.from_facts(facts, server["timezone"]),
        facts,
        server,
        limits,
        lock_timeout_set=request.migrator_lock_timeout,
    )
    judged = judge.judge(found, rendered.segments)
    findings = _position_findings(graph, rows, where)
    if rendered.segments:
        findings += judge_server(server, limits, request.connections_needed) + _indexes(facts)
        costly = any(item.id in {"destructive", "table-rewrite", "type-change"} for item in judged.findings)
        findings += judge_backup(request.last_backup, datetime.datetime.now(datetime.UTC), limits, needed=costly)
    findings += judged.findings
    acceptances = [*request.acceptances, *_acceptance.in_docstrings(rendered.segments)]
    findings = _acceptance.accepted(findings, acceptances, request.environment)
    details = {
        "state": where.state,
        "live_revisions": list(rows or ()),
        "unknown_revisions": list(where.unknown),
        "target_revisions": graph.targets,
        "pending": _pending(graph, rendered, judged),
        "largest_rewrite_bytes": max((lock.get("total_bytes", 0) for item in judged.statements for lock in item["locks"] if lock["rewrite"]), default=0),
        "server": {"version": server["version"], "in_recovery": server["in_recovery"], "role": server["role"],
                   "connections": len(server["sessions"]) + 1, "max_connections": server["max_connections"],
                   "database_bytes": server["database_bytes"], "replicas": server["replicas"], "slots": server["slots"]},
        "sql_sha256": hashlib.sha256(rendered.sql.encode()).hexdigest(),
    }  # fmt: skip
    return (
        report("migration_preflight", place(parameters(request.database_url)), findings, details),
        findings,
        rendered.sql,
    )


def _pending(graph: Graph, rendered: Rendered, judged: Judged) -> list[dict[str, t.Any]]:
    return [
        {
            "revision": segment.revision,
            "title": graph.nodes[segment.revision]["title"],
            "file": segment.path,
            "static": segment.error is None and segment.inspects is None,
            "statements": [item for item in judged.statements if item["revision"] == segment.revision],
        }
        for segment in rendered.segments
    ]


def _position_findings(graph: Graph, rows: tuple[str, ...] | None, where: _revisions.Position) -> list[Finding]:
    found = []
    listed = ", ".join(rows or ())
    if where.unknown:
        found.append(
            finding(
                "revision-unknown",
                f"The database is at {listed}; this directory does not know {', '.join(where.unknown)}.",
            )
        )
    elif where.state == "unknown":
        found.append(finding("state-unknown", f"The database has tables, but no version table {graph.version_table}."))
    elif where.state == "diverged":
        found.append(
            finding(
                "state-diverged",
                f"The database is at {listed}, which the target {', '.join(graph.targets)} does not lead from.",
            )
        )
    elif where.state == "ahead":
        found.append(
            finding("state-ahead", f"The database is at {listed}, beyond the target {', '.join(graph.targets)}.")
        )
    if len(graph.heads) > 1:
        independent = all(graph.nodes[head]["labels"] for head in graph.heads)
        found.append(
            finding(
                "multiple-heads",
                f"The directory has {len(graph.heads)} heads: {', '.join(sorted(graph.heads))}.",
                severity="warn" if independent else None,
            )
        )
    if rows and len(rows) > 1:
        found.append(finding("version-table-rows", f"The version table has {len(rows)} rows: {listed}."))
    return found


def _indexes(facts: dict[str, t.Any]) -> list[Finding]:
    tables = {row["oid"]: f"{row['schema']}.{row['name']}" for row in facts["classes"]}
    return [
        finding(
            "index-invalid", f"The index {row['name']} on {tables[row['oid']]} is invalid.", table=tables[row["oid"]]
        )
        for row in facts["invalid_indexes"]
    ]


__all__ = ("Request", "names", "run")
