"""Walks a whole upgrade on a server, statement by statement, and holds what was claimed against what the server did.

The claims are made once, on the database as it is before the upgrade, as a preflight makes them.
"""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import psycopg
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts, ServerFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode, blocks_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements

from tests.integration.preflight.observe import LOCKS

RELATIONS = """
SELECT c.oid::int8, n.nspname || '.' || c.relname, c.relfilenode::int8, pg_stat_get_xact_numscans(c.oid),
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) ELSE 0 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'm', 'v')
"""
# Of a statement with one of these nothing was claimed: the verdict says that it is not known.
UNKNOWN = {
    "statement-opaque",
    "statement-unparsed",
    "statement-unruled",
    "revision-not-static",
    "revision-not-rendered",
}


@dataclasses.dataclass
class Walked:
    """What became of the statements of an upgrade.

    :param run: statements that the server took
    :param refused: statements with its message
    :param unclaimed: what it did unsaid
    :param false: claims that the upgrade would fail, of statements that it took
    """

    run: int = 0
    refused: list[str] = dataclasses.field(default_factory=list)
    unclaimed: list[str] = dataclasses.field(default_factory=list)
    false: list[str] = dataclasses.field(default_factory=list)


def relations(connection: psycopg.Connection) -> dict[int, tuple[str, int, int, int]]:
    return {row[0]: row[1:] for row in connection.execute(RELATIONS).fetchall()}


def walk(folder: Path, url: str, heads: t.Sequence[str], **arguments: t.Any) -> Walked:
    """Judge the upgrade from `heads`, then run it.

    :param arguments: of AlembicProcess
    """
    with AlembicProcess(folder / "alembic.ini", "heads", 300, **arguments) as alembic:
        alembic.graph()
        rendered = alembic.render(list(heads))
    found = statements(rendered)
    walked = Walked()
    with psycopg.connect(url, autocommit=True) as connection:
        server = t.cast("ServerFacts", live_facts.server(connection, 0))
        with connection.transaction():
            facts = t.cast("DatabaseFacts", live_facts.collect(connection, facts_request(found)))
        catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
        judged = Judge(catalog, facts, server, Thresholds(), lock_timeout_set=True).judge(found, rendered.segments)
        said: dict[int | None, set[str]] = {}
        for item in judged.findings:
            said.setdefault(item.statement, set()).add(item.id)
        live = {oid: row[0] for oid, row in relations(connection).items()}
        for statement, form in zip(found, judged.statements, strict=True):
            claims = {lock["table"]: lock for lock in form["locks"] if not lock["new"]}
            ids = said.get(statement.number, set())
            try:
                wrong, _right = step(connection, statement, live, claims)
            except psycopg.Error as error:
                walked.refused.append(f"{statement.sql[:100]}: {str(error).splitlines()[0]}")
                continue
            walked.run += 1
            if not ids & UNKNOWN:
                walked.unclaimed += [f"{statement.revision}: {statement.sql[:120]}: {words}" for words in wrong]
            for item in judged.findings:
                missing = item.id in {"table-missing", "object-exists"} and item.severity == "fail"
                if item.statement == statement.number and missing:
                    walked.false.append(f"{statement.sql[:100]}: {item.message}")
    return walked


def step(
    connection: psycopg.Connection, statement: t.Any, live: dict[int, str], claims: dict[str, t.Any]
) -> tuple[list[str], int]:
    """Run one statement; what it did to tables that were there before the upgrade and was not claimed.

    Also how many locks that block writes it took on such tables as it was claimed.
    """
    if statement.transaction is None:
        connection.execute(statement.sql)
        return [], 0
    with connection.transaction():
        before = relations(connection)
        connection.execute(statement.sql.encode())
        rows = connection.execute(LOCKS, [connection.info.backend_pid]).fetchall()
        after = relations(connection)
    modes: dict[int, Mode] = {}
    for oid, mode in rows:
        modes[oid] = max(Mode.of_server(mode), modes.get(oid, Mode.NONE))
    wrong, right = [], 0
    for oid, name in live.items():
        claim = claims.get(name)
        taken = modes.get(oid, Mode.NONE)
        if blocks_writes(taken) and (claim is None or Mode[claim["mode"].replace(" ", "_")] < taken):
            wrong.append(f"{taken} on {name}, claimed {claim['mode'] if claim else 'nothing'}")
        elif blocks_writes(taken):
            right += 1
        if oid in before and oid in after and claim is not None and blocks_writes(taken):
            rewritten = after[oid][1] != before[oid][1] and after[oid][3] > 0
            scanned = after[oid][2] > before[oid][2] and after[oid][1] == before[oid][1]
            if rewritten and not claim["rewrite"]:
                wrong.append(f"{name} written anew, unsaid")
            if scanned and claim["scan"] is False and not claim["rewrite"] and before[oid][3]:
                wrong.append(f"{name} read under {taken}, unsaid")
    return wrong, right
