"""A revision that ran otherwise than it was rendered; what only differs from one run to the next is no difference."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace, findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_log import Traced
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment

ONE, TWO = "CREATE INDEX one ON t (a)", "CREATE UNIQUE INDEX two ON t (b)"
TIMES = "INSERT INTO t (a) VALUES ('2026-11-30 12:0{}:00.123+00:00')"
ALIKE = {
    "the same": ([ONE], [ONE]),
    "indexes in another order": ([ONE, TWO], [TWO, ONE]),
    "rows that the driver puts together": (
        ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"], ["INSERT INTO t VALUES (1), (2)"],
    ),
    "a time": ([TIMES.format(1)], [TIMES.format(2)]),
    "an id": (
        ["INSERT INTO t VALUES ('0f8fad5b-d9cb-469f-a165-70867728950e')"],
        ["INSERT INTO t VALUES ('7c9e6679-7425-40de-944b-e07fc1f90ae7')"],
    ),
}  # fmt: skip
OTHER = {
    "another index": ([ONE], [TWO]),
    "an index before and behind another statement": ([ONE, "SELECT 1 FROM t", TWO], [TWO, "SELECT 1 FROM t", ONE]),
    "a row more": (["INSERT INTO t VALUES (1)"], ["INSERT INTO t VALUES (1), (1)"]),
    "another value": (["INSERT INTO t VALUES (1)"], ["INSERT INTO t VALUES (2)"]),
    "rows in another order": (
        ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"], ["INSERT INTO t VALUES (2), (1)"],
    ),
}  # fmt: skip


def said(offline: list[str], online: list[str]) -> list[str]:
    sql = "".join(f"{text};\n" for text in offline)
    segment = Segment("r1", 0, len(sql), doc="", path="r1.py", error=None, inspects=None)
    trace = Trace([Traced("r1", text) for text in online], None, "r1", {"r1": 0.1}, {})
    return [item.id for item in findings(Rendered(sql, [segment]), trace)]


@pytest.mark.parametrize("name", ALIKE)
def test_what_each_run_has_otherwise_is_no_difference(name: str) -> None:
    assert said(*ALIKE[name]) == []


@pytest.mark.parametrize("name", OTHER)
def test_what_runs_otherwise_is_told(name: str) -> None:
    assert said(*OTHER[name]) == ["trace-differs"]
