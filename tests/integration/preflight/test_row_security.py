"""Rows that a policy hides from the migrating role: a copy that misses them is not safe."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = """
CREATE TABLE private (id int PRIMARY KEY, word text);
INSERT INTO private SELECT n, 'x' FROM generate_series(1, 10) n;
CREATE POLICY few ON private USING (id < 5);
CREATE TABLE kept (id int PRIMARY KEY, word text);
CREATE TABLE open (id int PRIMARY KEY, word text);
INSERT INTO open SELECT n, 'x' FROM generate_series(1, 10) n;
CREATE VIEW pane AS SELECT * FROM private;
CREATE ROLE migrator;
GRANT ALL ON SCHEMA public TO migrator;
ALTER TABLE private OWNER TO migrator;
ALTER TABLE kept OWNER TO migrator;
ALTER TABLE open OWNER TO migrator;
ALTER VIEW pane OWNER TO migrator;
"""
FORCED = "ALTER TABLE private ENABLE ROW LEVEL SECURITY; ALTER TABLE private FORCE ROW LEVEL SECURITY"
KEPT = "DO $$ BEGIN ASSERT (SELECT count(*) FROM kept) = 10, 'rows are missing'; END $$"

# setup, statements, what must hold then, whether it is told
CASES: dict[str, tuple[str, list[str], str, bool]] = {
    "copied": (FORCED, sql("INSERT INTO kept SELECT id, word FROM private"), KEPT, True),
    "copied by WITH": (FORCED, sql("WITH few AS (SELECT * FROM private) INSERT INTO kept SELECT id, word FROM few"), KEPT, True),
    "copied through a view": (FORCED, sql("INSERT INTO kept SELECT id, word FROM pane"), KEPT, True),
    "copied through a view made before": (FORCED, sql("CREATE VIEW door AS SELECT * FROM private", "INSERT INTO kept SELECT id, word FROM door"), KEPT, True),
    "copied into a new table": (FORCED, sql("CREATE TABLE fresh AS SELECT * FROM private", "INSERT INTO kept SELECT * FROM fresh"), KEPT, True),
    "forced by the upgrade": ("ALTER TABLE private ENABLE ROW LEVEL SECURITY", sql("ALTER TABLE private FORCE ROW LEVEL SECURITY", "INSERT INTO kept SELECT id, word FROM private"), KEPT, True),
    "not forced": ("ALTER TABLE private ENABLE ROW LEVEL SECURITY", sql("INSERT INTO kept SELECT id, word FROM private"), KEPT, False),
    "another table": (FORCED, sql("INSERT INTO kept SELECT id, word FROM open"), KEPT, False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_copy_of_hidden_rows_is_told(name: str, session: psycopg.Connection) -> None:
    setup, texts, holds, told = CASES[name]
    session.execute(TABLES)
    session.execute(setup)
    session.execute("SET LOCAL ROLE migrator")
    found = judged(session, texts)
    error = ended(session, [*texts, "RESET ROLE", holds])
    reads = [item for item in found if item.id == "data-unknown" and "reads" in item.message]
    assert bool(reads) == told == ("rows are missing" in error), ([item.message for item in found], error)


def test_row_security_that_is_switched_on_is_told(session: psycopg.Connection) -> None:
    session.execute(TABLES)
    found = judged(session, sql("ALTER TABLE open ENABLE ROW LEVEL SECURITY"))
    assert "warn" in severities(found, {"contract-phase"})
