"""What a new table may say only on newer servers: the version of the server decides."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities

TABLES = "CREATE TABLE root_table (id int PRIMARY KEY, n int)"
# a statement, and the first version that takes it
CASES: dict[str, tuple[str, int]] = {
    "plain": ("CREATE TABLE fresh (id int PRIMARY KEY, a int NOT NULL, b int CHECK (b > 0), c int REFERENCES root_table, CHECK (a > 1), UNIQUE (a))", 14),
    "stored": ("CREATE TABLE fresh (a int, b int GENERATED ALWAYS AS (a * 2) STORED)", 14),
    "virtual": ("CREATE TABLE fresh (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)", 18),
    "virtual by itself": ("CREATE TABLE fresh (a int, b int GENERATED ALWAYS AS (a * 2))", 18),
    "NULLS NOT DISTINCT": ("CREATE TABLE fresh (a int, UNIQUE NULLS NOT DISTINCT (a))", 15),
    "NULLS NOT DISTINCT of a column": ("CREATE TABLE fresh (a int UNIQUE NULLS NOT DISTINCT)", 15),
    "NOT ENFORCED": ("CREATE TABLE fresh (a int, CHECK (a > 1) NOT ENFORCED)", 18),
    "NOT ENFORCED of a column": ("CREATE TABLE fresh (a int CHECK (a > 1) NOT ENFORCED)", 18),
    "NOT NULL of the table": ("CREATE TABLE fresh (a int, CONSTRAINT filled NOT NULL a)", 18),
    "STORAGE": ("CREATE TABLE fresh (a text STORAGE PLAIN)", 16),
    "columns after SET NULL": ("CREATE TABLE fresh (a int, b int, FOREIGN KEY (a) REFERENCES root_table ON DELETE SET NULL (a))", 15),
    "exclusion without an operator class": ("ALTER TABLE root_table ADD EXCLUDE USING gist (n WITH =)", 99),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_version_decides(name: str, session: psycopg.Connection) -> None:
    text, first = CASES[name]
    session.execute(TABLES)
    found = judged(session, [text])
    error = ended(session, [text])
    fails = session.info.server_version // 10000 < first
    said = severities(found, {"unsupported-by-server", "definition-refused"})
    assert said == ({"fail"} if fails else set()), ([item.message for item in found], error)
    assert bool(error) == fails, error
