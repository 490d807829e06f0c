"""Settings that the upgrade itself changes, in whatever way, and what they decide."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.integration.preflight.said_and_done import ended, judged, severities, sql
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLES = """
CREATE TABLE visit (id int PRIMARY KEY, at timestamp, seen timestamptz);
INSERT INTO visit SELECT n, now(), now() FROM generate_series(1, 100) n;
CREATE TABLE day (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE day_1 PARTITION OF day FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-01-02 00:00+00');
"""
CHANGE = "ALTER TABLE visit ALTER at TYPE timestamptz"
AGAIN = "ALTER TABLE visit ALTER seen TYPE timestamp"

# What the session starts with, what comes before the change of type.
ZONES: dict[str, tuple[str, list[str]]] = {
    "none": ("UTC", []),
    "SET": ("UTC", sql("SET timezone = 'Europe/Vienna'")),
    "SET TIME ZONE": ("UTC", sql("SET TIME ZONE 'America/New_York'")),
    "an offset": ("UTC", sql("SET TIME ZONE -5")),
    "set_config": ("UTC", sql("SELECT set_config('TimeZone', 'Europe/Vienna', false)")),
    "LOCAL": ("UTC", sql("SET LOCAL timezone = 'Europe/Vienna'")),
    "and back": ("UTC", sql("SET timezone = 'Europe/Vienna'", "RESET timezone")),
    "and to UTC": ("UTC", sql("SET timezone = 'Europe/Vienna'", "SET timezone = 'utc'")),
    "elsewhere": ("Europe/Vienna", []),
    "elsewhere, to UTC": ("Europe/Vienna", sql("SET timezone = 'UTC'")),
    "elsewhere, to UTC and back": ("Europe/Vienna", sql("SET timezone = 'UTC'", "SET timezone TO DEFAULT")),
}


def _file(session: psycopg.Connection) -> int:
    (found,) = session.execute("SELECT pg_relation_filenode('visit')").fetchone() or (0,)
    return int(found)


@pytest.mark.parametrize("change", [CHANGE, AGAIN], ids=["with a zone", "without"])
@pytest.mark.parametrize("name", ZONES)
def test_a_time_gets_a_zone(name: str, change: str, database: str) -> None:
    zone, before = ZONES[name]
    with psycopg.connect(database, options=f"-c timezone={zone}") as session:
        session.execute(TABLES)
        found = judged(session, [*before, change])
        file = _file(session)
        assert not ended(session, [*before, change])
        rewritten = _file(session) != file
    said = "public.visit" in " ".join(item.message for item in found if item.id in {"table-rewrite", "lock-brief"})
    assert said
    assert any("ewrites it" in item.message for item in found) == rewritten, [item.message for item in found]


def test_bounds_are_read_in_the_zone_that_is_set(session: psycopg.Connection) -> None:
    session.execute(TABLES)
    # In Vienna the day of UTC begins at one o'clock.
    texts = sql(
        "SET LOCAL timezone = 'Europe/Vienna'",
        "CREATE TABLE day_2 PARTITION OF day FOR VALUES FROM ('2026-01-02 00:30') TO ('2026-01-03 00:30')",
    )
    found = judged(session, texts)
    assert "would overlap" in ended(session, texts)
    assert severities(found, {"definition-refused"}) == {"fail"}


SECOND = "CREATE SCHEMA loft; CREATE TABLE loft.visit (id int)"
PATHS = {
    "SET": "SET search_path = loft",
    "LOCAL": "SET LOCAL search_path = loft, public",
    "set_config": "SELECT set_config('search_path', 'loft', true)",
    "as pg_dump begins": "SELECT pg_catalog.set_config('search_path', '', false)",
    "empty": "SET search_path = ''",
}  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_another_search_path(name: str, database: str, tmp_path: Path) -> None:
    """Whatever comes of it, nothing is said to be safe, and nothing to fail."""
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    project.add("0002", "0001", PATHS[name], "CREATE TABLE visit (n int)", "ALTER TABLE loft.visit ADD more int")
    prepare(database, TABLES, SECOND, revision="0001")
    answer = ask(project.folder, database)
    assert answer.verdict == "unknown", answer.findings
    assert answer.serious["search-path-set"] == "unknown"


def test_an_empty_search_path_loses_the_version_table(database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    project.add("0002", "0001", PATHS["as pg_dump begins"], "CREATE TABLE public.more (n int)")
    prepare(database, TABLES, revision="0001")
    answer = ask(project.folder, database)
    assert "version table" in answer.said("search-path-set")
    assert "alembic_version" in migrate(project.folder, database)
