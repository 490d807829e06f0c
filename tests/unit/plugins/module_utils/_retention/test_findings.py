"""What is said of a deletion."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._retention.findings import findings, freed, summary

Row = dict[str, t.Any]
TABLE = {
    "bytes": 1000, "rows": 100, "live_rows": 50, "dead_rows": 50, "vacuum_begins_at": 70, "autovacuum": True,
    "last_autovacuum": None,
}  # fmt: skip


def answer(table: Row | None = None, **done: t.Any) -> Row:
    own = {"rows": {"sessions": 50}, "sessions": 50, "held": 0, "refused": 0, "large": 0, "absent": [], "stopped": ""}
    own |= {"beyond": [], "beside": {}}
    return {
        "done": own | done,
        "unindexed": [],
        "triggers": [],
        "changes": [],
        "after_known": True,
        "tables": {"sessions": {"before": TABLE, "after": TABLE | (table or {})}},
    }


def said(given: Row, *, named: bool = False) -> list[tuple[str, str]]:
    return [(item.id, item.severity) for item in findings(given, dry=False, named=named)]


@pytest.mark.parametrize(
    ("done", "old", "named"),
    [
        ({}, [], []),
        ({"held": 1}, [("retention-locked", "info")], [("retention-locked", "fail")]),
        ({"refused": 1}, [("retention-locked", "warn")], [("retention-locked", "fail")]),
        ({"large": 1}, [("retention-large", "warn")], [("retention-large", "fail")]),
        ({"absent": ["x"]}, [("retention-absent", "info")], [("retention-absent", "info")]),
        ({"stopped": "time"}, [("retention-unfinished", "warn")], [("retention-unfinished", "fail")]),
        ({"stopped": "caller"}, [("retention-unfinished", "warn")], [("retention-unfinished", "fail")]),
        ({"stopped": "lock"}, [("retention-waited", "warn")], [("retention-waited", "fail")]),
    ],
)
def test_whoever_named_a_session_waits_for_an_answer(
    done: Row, old: list[tuple[str, str]], named: list[tuple[str, str]]
) -> None:
    assert said(answer(**done)) == old
    assert said(answer(**done), named=True) == named


@pytest.mark.parametrize(
    ("table", "due"),
    [
        ({"autovacuum": False, "dead_rows": 5000, "live_rows": 5000}, True),
        ({"autovacuum": True, "dead_rows": 5000, "live_rows": 5000}, False),
        ({"autovacuum": False, "dead_rows": 999, "live_rows": 0}, False),
        ({"autovacuum": False, "dead_rows": 1000, "live_rows": 9000}, False),
    ],
)
def test_dead_rows_that_nobody_sees_to(table: Row, due: bool) -> None:
    assert said(answer(table)) == ([("vacuum-due", "warn")] if due else [])


def test_bytes_are_a_share_of_the_table() -> None:
    assert freed(answer()) == {"sessions": 500}
    assert freed(answer(rows={})) == {"sessions": 0}
    # More rows than statistics know of.
    assert freed(answer(rows={"sessions": 400})) == {"sessions": 1000}


def test_the_first_line_is_the_outcome() -> None:
    full = {
        "subject": "dev/a", "sessions": 50, "rows": {"sessions": 50}, "cutoff": "2026-08-31", "dry_run": False,
        "bytes": {"sessions": 500}, "batches": 2, "longest_ms": 12, "findings": [], "tables": answer()["tables"],
    }  # fmt: skip
    lines = summary(full)
    assert lines[0].startswith("dev/a: 50 sessions older than 2026-08-31 deleted (50 of sessions), about 500 B")
    assert "12 ms" in lines[1]
    dry = summary(full | {"dry_run": True, "cutoff": None})
    assert "50 sessions that were named would be deleted" in dry[0]
