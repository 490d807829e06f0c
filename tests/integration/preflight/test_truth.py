"""What the module claims is what the server does: each kind of statement on each supported major version."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts, ServerFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request

from tests.integration.preflight import observe
from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.unit.plugins.module_utils._sql.cases import CASES, Case, Cost
from tests.unit.plugins.module_utils._sql.claims import claimed, parsed

# LOCK TABLE takes no index.
INDEXES = {"item_qty"}
# An index or sequence that a statement does not name follows its table.
_FOLLOWS = {"i", "I", "S"}


def _claim(connection: psycopg.Connection, case: Case) -> tuple[dict[str, Cost], set[str]]:
    found = [parsed(case.sql, alone=case.alone)]
    server = t.cast("ServerFacts", live_facts.server(connection, 0))
    facts = t.cast("DatabaseFacts", live_facts.collect(connection, facts_request(found)))
    connection.rollback()
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    judge = Judge(catalog, facts, server, Thresholds(), lock_timeout_set=True)
    return claimed(judge.judge(found, []))


def _told(costs: dict[str, Cost]) -> str:
    return "; ".join(
        f"{name} {cost.mode}{' rewrite' * cost.rewrite}{' scan?' if cost.scan is None else ' scan' * cost.scan}"
        for name, cost in sorted(costs.items())
    )


def _check(connection: psycopg.Connection, case: Case, version: int) -> None:
    cost = case.cost(version)
    claim, ids = _claim(connection, case)
    tables = [name for name in claim if name not in INDEXES]
    if cost is None:
        with pytest.raises(psycopg.Error):
            observe.inside(connection, case.sql)
        connection.rollback()
        assert "unsupported-by-server" in ids or "uuidv7" in case.sql
        return
    if case.alone:
        seen = observe.alone(connection.info.dsn, connection.info.password, case.sql, tables)
    else:
        seen = observe.inside(connection, case.sql)
    if case.alone:
        # CONCURRENTLY locks the index it replaces only once nobody can use it any more.
        claim, cost = ({name: one for name, one in costs.items() if name in tables} for costs in (claim, cost))
    real = {
        name: Cost(
            one.mode or "NONE", one.rewritten, None if name in claim and claim[name].scan is None else one.scanned
        )
        for name, one in seen.items()
        if one.kind not in _FOLLOWS or name in claim
    }
    # A rewrite reads every row, too: said once.
    real = {name: one._replace(scan=False) if one.rewrite else one for name, one in real.items()}
    assert _told(claim) == _told(real)
    assert _told(claim) == _told(cost)


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_claim_is_true(case: Case, version: int, servers: Servers) -> None:
    server = servers(version)
    if not case.alone and not case.before:
        _check(server.shared(), case, version)
        return
    with copy_of(server) as url, psycopg.connect(url) as connection:
        for statement in case.before:
            connection.execute(statement)
        connection.commit()
        _check(connection, case, version)


@pytest.mark.parametrize("version", CHOSEN)
def test_a_lock_stays_until_the_transaction_ends(version: int, servers: Servers) -> None:
    connection = servers(version).shared()
    connection.execute("ALTER TABLE other ADD COLUMN extra int")
    connection.execute("SELECT count(*) FROM item")
    held = "SELECT mode FROM pg_locks WHERE relation = 'other'::regclass AND pid = pg_backend_pid()"
    assert ("AccessExclusiveLock",) in connection.execute(held).fetchall()
    connection.commit()
    assert connection.execute(held).fetchall() == []
    connection.execute("ALTER TABLE other DROP COLUMN extra")
    connection.commit()
