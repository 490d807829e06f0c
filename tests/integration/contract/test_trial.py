"""Servers that keep the contract, and servers that break a part of it: the line of that part says so, no other."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import judge, report, trial

from tests.integration.contract.conftest import ProcessPlace

Place = t.Callable[..., ProcessPlace]


def tried(place: ProcessPlace, **request: str) -> list[judge.Line]:
    """The lines of a trial."""
    probes = {
        "startup": ("http", "/health", place.port),
        "liveness": ("http", "/health", place.port),
        "readiness": ("http", "/ready", place.port),
    }
    given = request or {"path": "/slow"}
    target = trial.Target("image:1", "command", "alembic_version", probes, given, away_seconds=3, back_seconds=20)
    return judge.lines(trial.run(place, target), {})


def statuses(lines: list[judge.Line]) -> dict[str, str]:
    """By part."""
    return {line.part: line.status for line in lines}


def test_a_server_that_keeps_it(place: Place) -> None:
    lines = tried(place())
    assert set(statuses(lines).values()) == {"right"}, "\n" + "\n".join(report.table(lines))
    assert judge.verdict(lines) == "kept"
    assert {"migration twice at once", "migration again", "SIGTERM under load", "schema ahead"} <= statuses(
        lines
    ).keys()
    assert {"database away", "cache away"} <= statuses(lines).keys()


@pytest.mark.parametrize(
    ("breaks", "part", "status", "words"),
    [
        ("again", "migration twice at once", "wrong", "items"),
        ("start", "start", "wrong", "MODEL is not set"),
        ("ready-elsewhere", "readiness probe", "missing", "/healthz"),
        ("ready-always", "database away", "wrong", "ready all the same"),
        ("alive", "database away", "wrong", "liveness"),
        ("dies", "database away", "wrong", "process ends"),
        ("cache", "cache away", "wrong", "every pod"),
        ("deaf", "SIGTERM under load", "wrong", "killed"),
        ("drops", "SIGTERM under load", "wrong", "got no answer"),
        ("ahead-migration", "schema ahead", "wrong", "Can't locate revision"),
        ("ahead-start", "schema ahead", "wrong", "out-of-date"),
    ],
)
def test_a_server_that_breaks_a_part(place: Place, breaks: str, part: str, status: str, words: str) -> None:
    lines = tried(place(breaks))
    [line] = [line for line in lines if line.part == part]
    told = "\n" + "\n".join(report.table(lines))
    assert (line.status, words in line.words) == (status, True), told
    assert judge.verdict(lines) == "broken"
    # Without a readiness that can be asked, what follows from it is not right either; what dies answers nothing more.
    follows = {"ready-elsewhere": {"database away", "cache away"}, "dies": set(statuses(lines))}.get(breaks, set())
    assert {name for name, found in statuses(lines).items() if found != "right"} - follows <= {part}, told


def test_what_was_taken_away_is_back_afterwards(place: Place) -> None:
    made = place()
    tried(made)
    answer = made.desk({"do": "ahead", "url": made.url(), "table": "alembic_version", "revision": "x"})
    assert answer == {"rows": ["0001"]}


def test_a_later_release_stands_in_the_ledger_as_well(place: Place, database: str) -> None:
    made = place()
    ledger = "ai_agent.migrations"
    with psycopg.connect(database, autocommit=True) as connection:

        def releases() -> list[str]:
            return [row[0] for row in connection.execute("SELECT release FROM ai_agent.migrations ORDER BY at DESC")]

        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.execute("CREATE SCHEMA ai_agent")
        connection.execute("CREATE TABLE ai_agent.migrations (release text PRIMARY KEY, pod text, at timestamptz)")
        connection.execute("INSERT INTO ai_agent.migrations VALUES ('image:1', '', '2026-01-01')")
        asked = {"url": database, "table": "alembic_version", "revision": "x", "ledger": ledger}
        assert made.desk({"do": "ahead", **asked}) == {"rows": ["0001"]}
        assert releases() == ["x", "image:1"]
        assert made.desk({"do": "back", "rows": ["0001"], **asked}) == {}
        assert releases() == ["image:1"]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
