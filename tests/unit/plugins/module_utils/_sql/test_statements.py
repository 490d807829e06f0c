"""What each kind of statement costs, for each major version, over facts that real servers gave once."""

from __future__ import annotations

import functools
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS

from tests.unit.plugins.module_utils._sql.cases import CASES, VERSIONS, Case
from tests.unit.plugins.module_utils._sql.claims import claimed, parsed

FACTS = Path(__file__).parent / "facts"


@functools.cache
def recorded(version: int) -> t.Any:
    return {**NO_FACTS, **json.loads((FACTS / f"{version}.json").read_text())}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", [case for case in CASES if not case.before], ids=lambda case: case.name)
def test_cost(case: Case, version: int) -> None:
    facts = recorded(version)
    server = facts["server"]
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    judge = Judge(catalog, facts, server, Thresholds(), lock_timeout_set=True)
    claim, ids = claimed(judge.judge([parsed(case.sql, alone=case.alone)], []))
    expected = case.cost(version)
    if expected is None:
        assert "unsupported-by-server" in ids or "uuidv7" in case.sql
    else:
        assert claim == expected
        assert "unsupported-by-server" not in ids
