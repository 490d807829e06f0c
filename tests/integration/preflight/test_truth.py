"""What the module claims is what the server does: each kind of statement on each supported major version."""

from __future__ import annotations

import psycopg
import pytest

from ansible_collections.ai_platform.agent.plugins.module_utils import _live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._questions import names
from tests.integration.preflight import observe
from tests.integration.preflight.conftest import TEMPLATE, Servers, copy_of
from tests.unit.preflight.cases import CASES, VERSIONS, Case, Cost
from tests.unit.preflight.claims import claimed, parsed

# An index or sequence that a statement does not name follows its table.
_FOLLOWS = {"i", "I", "S"}


def _claim(url: str, case: Case) -> tuple[dict[str, Cost], set[str]]:
    found = [parsed(case.sql, alone=case.alone)]
    with psycopg.connect(url) as connection:
        connection.read_only = True
        server = _live_facts.server(connection, 0)
        facts = _live_facts.collect(connection, names(found))
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    judge = Judge(catalog, facts, server, Thresholds(), lock_timeout_set=True)
    return claimed(judge.judge(found, []))


def _check(url: str, case: Case, version: int) -> None:
    cost = case.cost(version)
    claim, ids = _claim(url, case)
    if cost is None:
        with pytest.raises(psycopg.Error):
            observe.alone(url, case.sql, []) if case.alone else observe.inside(url, case.sql)
        assert "unsupported-by-server" in ids or "uuidv7" in case.sql
        return
    seen = observe.alone(url, case.sql, claim) if case.alone else observe.inside(url, case.sql)
    real = {
        name: Cost(one.mode or "NONE", one.rewritten, None if name in claim and claim[name].scan is None else one.scanned)
        for name, one in seen.items()
        if one.kind not in _FOLLOWS or name in claim
    }
    # A rewrite reads every row, too; it is claimed as a rewrite.
    real = {
        name: one._replace(scan=claim[name].scan) if one.rewrite and name in claim else one for name, one in real.items()
    }
    assert claim == real
    assert claim == cost


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_claim_is_true(case: Case, version: int, servers: Servers) -> None:
    server = servers(version)
    if not case.alone and not case.before:
        _check(server.url(TEMPLATE), case, version)
        return
    with copy_of(server, TEMPLATE) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in case.before:
                connection.execute(statement)  # type: ignore[arg-type]
        _check(url, case, version)
