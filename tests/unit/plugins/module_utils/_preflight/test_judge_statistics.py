"""Statistics objects where no server was asked: a file of facts has none, and does not say that there are none."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_statistics import StatisticsJudge
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS

from tests.unit.plugins.module_utils._sql.claims import parsed


def said(*texts: str, of_file: bool) -> list[tuple[str, str]]:
    judge = StatisticsJudge(Catalog(complete=True), {**NO_FACTS, "of_file": of_file})
    found = [judge.judge(parsed(text), {"revision": "0001"}, certain=True) for text in texts]
    return [(item.id, item.severity) for items in found for item in items]


MADE = "CREATE STATISTICS s ON a, b FROM t"


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ([MADE], [("object-exists", "unknown")]),
        (["CREATE STATISTICS IF NOT EXISTS s ON a, b FROM t"], []),
        (["CREATE STATISTICS ON a, b FROM t"], []),
        (["DROP STATISTICS s"], [("object-missing", "unknown")]),
        (["DROP STATISTICS IF EXISTS s"], []),
        (["ALTER STATISTICS s RENAME TO r"], [("object-missing", "unknown")]),
        (["ALTER STATISTICS s SET STATISTICS 100"], [("object-missing", "unknown")]),
        ([MADE, "DROP STATISTICS s"], [("object-exists", "unknown")]),
    ],
)
def test_a_file_does_not_say_that_there_are_none(texts: list[str], wanted: list[tuple[str, str]]) -> None:
    assert said(*texts, of_file=True) == wanted
    assert said(*texts, of_file=False) == []
