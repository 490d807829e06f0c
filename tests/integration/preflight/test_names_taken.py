"""Statistics objects, and temporary relations beside those of the server: what is said, and what the server does."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import agree, said_and_done, sql

TABLES = """
CREATE TABLE doublet (a int, b int, c int);
INSERT INTO doublet VALUES (1, 1, 1);
CREATE STATISTICS known ON a, b FROM doublet;
"""
SAYS = {"object-exists", "object-missing", "table-missing", "not-null-without-default"}
# statements, what is said (fail, None: nothing), a word of the server's error
CASES: dict[str, tuple[list[str], str | None, str]] = {
    "statistics that are there": (sql("CREATE STATISTICS known ON a, b FROM doublet"), "fail", "already exists"),
    "statistics that are there, if not exists": (sql("CREATE STATISTICS IF NOT EXISTS known ON a, b FROM doublet"), None, ""),
    "statistics that are there, by their schema": (sql("CREATE STATISTICS public.known ON a, b FROM doublet"), "fail", "already exists"),
    "statistics made twice": (sql("CREATE STATISTICS fresh ON a, b FROM doublet", "CREATE STATISTICS fresh ON b, c FROM doublet"), "fail", "already exists"),
    "statistics of one name in two schemas": (sql("CREATE SCHEMA other", "CREATE STATISTICS other.known ON a, b FROM doublet"), None, ""),
    "statistics that are dropped before": (sql("DROP STATISTICS known", "CREATE STATISTICS known ON a, c FROM doublet"), None, ""),
    "statistics that went with their table": (sql("DROP TABLE doublet", "CREATE TABLE remaining (a int, b int)", "CREATE STATISTICS known ON a, b FROM remaining"), None, ""),
    "statistics that have another name now": (sql("ALTER STATISTICS known RENAME TO older", "CREATE STATISTICS known ON a, c FROM doublet"), None, ""),
    "statistics that are missing": (sql("DROP STATISTICS nobody"), "fail", "does not exist"),
    "statistics that are missing, if exists": (sql("DROP STATISTICS IF EXISTS nobody"), None, ""),
    "statistics dropped twice": (sql("DROP STATISTICS known", "DROP STATISTICS known"), "fail", "does not exist"),
    "a temporary table over a live one": (sql("CREATE TEMP TABLE doublet (id int)", "ALTER TABLE doublet ADD COLUMN x int NOT NULL"), None, ""),
    "a temporary table over a live one, whose column is wanted": (sql("CREATE TEMP TABLE doublet (id int)", "ALTER TABLE public.doublet ADD COLUMN x int NOT NULL"), "fail", "null values"),
    "a temporary table that is gone again": (sql("CREATE TEMP TABLE doublet (id int)", "DROP TABLE doublet", "ALTER TABLE doublet ADD COLUMN x int NOT NULL"), "fail", "null values"),
    "a temporary table made twice": (sql("CREATE TEMP TABLE old AS SELECT 1 AS a", "CREATE TEMP TABLE old AS SELECT 1 AS a"), "fail", "already exists"),
    "a temporary table made twice, by its columns": (sql("CREATE TEMP TABLE old (a int)", "CREATE TEMP TABLE old (a int)"), "fail", "already exists"),
    "a temporary table made again": (sql("CREATE TEMP TABLE old (a int)", "DROP TABLE old", "CREATE TEMP TABLE old (a int)"), None, ""),
    "a table beside a temporary one": (sql("CREATE TEMP TABLE fresh (a int)", "CREATE TABLE public.fresh (a int)"), None, ""),
    "a temporary table by its schema": (sql("CREATE TABLE pg_temp.doublet (a int)", "ALTER TABLE doublet ADD COLUMN x int NOT NULL"), None, ""),
    "a temporary view over a live table": (sql("CREATE TEMP VIEW doublet AS SELECT 1 AS a"), None, ""),
    "a temporary sequence twice": (sql("CREATE TEMP SEQUENCE s", "CREATE TEMP SEQUENCE s"), "fail", "already exists"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    texts, wanted, words = CASES[name]
    agree(said_and_done(session, TABLES, "", texts), SAYS, wanted, words)
