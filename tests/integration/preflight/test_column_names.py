"""Names in statements about what the same upgrade made: columns that are not there, temporary tables that hide others."""

# ruff: noqa: E501 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import LEDGER, agree_at_worst, said_and_done, sql

CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "temp: update missing column": ("", sql("CREATE TEMP TABLE ledger AS SELECT 1 AS id", "UPDATE ledger SET kind = 'b'"), "fail", "does not exist"),
    "temp: update missing column, listed": ("", sql("CREATE TEMP TABLE ledger (id int)", "UPDATE ledger SET kind = 'b'"), "fail", "does not exist"),
    "temp: select into": ("", sql("SELECT id INTO TEMP ledger FROM home.ledger", "UPDATE ledger SET kind = 'b'"), "fail", "does not exist"),
    "temp: like": ("", sql("CREATE TEMP TABLE ledger (LIKE ledger)", "UPDATE ledger SET kind = 'b'"), None, ""),
    "temp: drop column missing": ("", sql("CREATE TEMP TABLE ledger AS SELECT 1 AS id", "ALTER TABLE ledger DROP COLUMN kind"), "fail", "does not exist"),
    "temp: index missing column": ("", sql("CREATE TEMP TABLE ledger AS SELECT 1 AS id", "CREATE INDEX x ON ledger (kind)"), "fail", "does not exist"),
    "ctas: update missing column": ("", sql("CREATE TABLE nn AS SELECT id FROM ledger", "UPDATE nn SET kind = 'b'"), "fail", "does not exist"),
    "ctas: insert missing column": ("", sql("CREATE TABLE nn AS SELECT id AS lid FROM ledger", "INSERT INTO nn (id) VALUES (1)"), "fail", "does not exist"),
    "ctas: index missing column": ("", sql("CREATE TABLE nn AS SELECT id AS lid FROM ledger", "CREATE INDEX x ON nn (id)"), "fail", "does not exist"),
    "new table: update missing column": ("", sql("CREATE TABLE nn (id int)", "UPDATE nn SET kind = 'b'"), "fail", "does not exist"),
    "new table: select missing column": ("", sql("CREATE TABLE nn (id int)", "INSERT INTO ledger (id, kind) SELECT id, kind FROM nn"), "fail", "does not exist"),
    "new table: where missing column": ("", sql("CREATE TABLE nn (id int)", "DELETE FROM nn WHERE kind = 'b'"), "fail", "does not exist"),
    "new column: misspelled": ("", sql("ALTER TABLE ledger ADD COLUMN shade text", "UPDATE ledger SET shde = 'b'"), "fail", "does not exist"),
    "new column: misspelled in where": ("", sql("ALTER TABLE ledger ADD COLUMN shade text", "UPDATE ledger SET shade = 'b' WHERE shde IS NULL"), "fail", "does not exist"),
    "caught beside temp, insert": ("", sql("CREATE TEMP TABLE mood (a int)", "DO $$  BEGIN CREATE TYPE mood AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END $$", "CREATE TABLE m (v mood)", "INSERT INTO m VALUES ('x')"), "unknown", "malformed record"),
    "caught beside temp, default": ("", sql("CREATE TEMP TABLE mood (a int)", "DO $$  BEGIN CREATE TYPE mood AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END $$", "CREATE TABLE m (v mood DEFAULT 'x')"), "unknown", "malformed record"),
    "plain type beside temp, default": ("", sql("CREATE TEMP TABLE mood (a int)", "CREATE TYPE mood AS ENUM ('x')", "CREATE TABLE m (v mood DEFAULT 'x')"), "unknown", "malformed record"),
    "caught beside temp, qualified": ("", sql("CREATE TEMP TABLE mood (a int)", "DO $$  BEGIN CREATE TYPE home.mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$", "CREATE TABLE m (v home.mood DEFAULT 'a')"), None, ""),
    "caught pg_temp on purpose": ("", sql("CREATE TYPE pg_temp.mood AS ENUM ('a')", "CREATE TEMP TABLE m (v mood DEFAULT 'a')"), None, ""),
    "select into over a live table": ("", sql("SELECT 1 AS id INTO ledger"), "fail", "already exists"),
    "select into temp hides": ("", sql("SELECT id INTO TEMP ledger FROM home.ledger", "UPDATE ledger SET kind = 'b'"), "fail", "does not exist"),
    "select into column missing": ("", sql("SELECT id INTO copied FROM ledger", "CREATE INDEX ON copied (kind)"), "fail", "does not exist"),
}  # fmt: skip
TYPES = ("text[]", "int[][]", "numeric(8, 2)", "interval second (0)", "bigserial", '"char"', "mood", "home.mood[]", "short",
         "int GENERATED ALWAYS AS IDENTITY", "int GENERATED ALWAYS AS (id * 2) STORED", "time with time zone", "other",
         "bit varying (3)", "int4range", "double precision DEFAULT random()", "text COLLATE \"C\"", "pg_catalog.int8")  # fmt: skip
MAKINGS = {
    "of a live table": [
        "ALTER TABLE ledger ADD {column}",
        "CREATE INDEX ON ledger ((c IS NULL))",
        "DELETE FROM ledger WHERE c IS NULL",
    ],
    "of a live table, twice": [
        "ALTER TABLE ledger ADD {column}, ADD d text[]",
        "DELETE FROM ledger WHERE c IS NULL OR d IS NULL",
    ],
    "renamed": [
        "ALTER TABLE ledger ADD {column}",
        "ALTER TABLE ledger RENAME c TO e",
        "DELETE FROM ledger WHERE e IS NULL",
    ],
    "of a new table": [
        "CREATE TABLE nn (id int, {column})",
        "DELETE FROM nn WHERE c IS NULL",
        "CREATE TABLE mm AS SELECT c FROM nn",
        "DELETE FROM mm WHERE c IS NULL",
    ],
    "added to a new table": [
        "CREATE TABLE nn (id int)",
        "ALTER TABLE nn ADD {column}",
        "DELETE FROM nn WHERE c IS NULL",
    ],
    "of a temporary table": [
        "CREATE TEMP TABLE ledger2 (id int, {column})",
        "DELETE FROM ledger2 WHERE c IS NULL",
        "ALTER TABLE ledger2 RENAME c TO e",
        "DELETE FROM ledger2 WHERE e IS NULL",
    ],
    "by inheritance": [
        "CREATE TABLE nn (id int, {column})",
        "CREATE TABLE oo (f int) INHERITS (nn)",
        "DELETE FROM oo WHERE c IS NULL AND f = 1",
    ],
    "by LIKE": ["CREATE TABLE nn (id int, {column})", "CREATE TABLE oo (LIKE nn)", "DELETE FROM oo WHERE c IS NULL"],
    "of a partition": [
        "CREATE TABLE nn (id int, {column}) PARTITION BY LIST (id)",
        "CREATE TABLE oo PARTITION OF nn DEFAULT",
        "DELETE FROM oo WHERE c IS NULL",
    ],
}
SAYS = {"object-missing", "object-exists", "definition-differs", "statement-refused"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree_at_worst(said_and_done(session, LEDGER, setup, texts, rows=True), SAYS, wanted, words)


@pytest.mark.parametrize("made", MAKINGS)
@pytest.mark.parametrize("kind", TYPES)
def test_a_column_of_any_type_is_there(kind: str, made: str, session: psycopg.Connection) -> None:
    setup = "CREATE TYPE mood AS ENUM ('x'); CREATE DOMAIN short AS varchar(9); CREATE TABLE other (a int)"
    texts = [text.format(column=f"c {kind}") for text in MAKINGS[made]]
    found, error = said_and_done(session, LEDGER, setup, texts)
    told = [item.message for item in found if item.id == "object-missing"]
    assert (told, error) == ([], "")
