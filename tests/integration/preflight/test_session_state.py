"""What a session keeps from one transaction to the next, and what it switches off: what is said, and what happens."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import COMMIT, ended, judged, sql, worst

TABLES = """
CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o VALUES (1);
CREATE TABLE c (id int, o_id int CONSTRAINT cfk REFERENCES o);
CREATE TABLE y (i int); CREATE TABLE hidden (i int);
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plain') THEN CREATE ROLE plain; END IF; END $$;
GRANT ALL ON SCHEMA public TO plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;
"""
DROPPED = "CREATE TEMP TABLE x (i int) ON COMMIT DROP"
EMPTIED = "CREATE TEMP TABLE x (i int) ON COMMIT DELETE ROWS"
ORPHAN = "INSERT INTO c VALUES (1, 99)"
PLAIN = "SET ROLE plain"
GONE = "does not exist"
# setup, statements, what is said (fail, unknown, None: nothing), a word of the server's error
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "dropped by the commit": ("", sql(DROPPED, COMMIT, "INSERT INTO x VALUES (1)"), "fail", GONE),
    "dropped by the commit, changed": ("", sql(DROPPED, COMMIT, "ALTER TABLE x ADD j int"), "fail", GONE),
    "dropped by the commit, read": ("", sql(DROPPED, COMMIT, "UPDATE y SET i = x.i FROM x"), "fail", GONE),
    "dropped by the commit, made of a query": ("", sql("CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1 AS i", COMMIT, "INSERT INTO y SELECT i FROM x"), "fail", GONE),
    "dropped by the commit, and dropped": ("", sql(DROPPED, COMMIT, "DROP TABLE x"), "fail", GONE),
    "dropped by the commit, and dropped, IF EXISTS": ("", sql(DROPPED, COMMIT, "DROP TABLE IF EXISTS x"), None, ""),
    "dropped by the commit, indexed": ("", sql(DROPPED, COMMIT, "CREATE INDEX ON x (i)"), "fail", GONE),
    "dropped by the commit, made again": ("", sql(DROPPED, COMMIT, DROPPED, "INSERT INTO x VALUES (1)"), None, ""),
    "made twice in one transaction": ("", sql(DROPPED, DROPPED), "fail", "already exists"),
    "used in its transaction": ("", sql(DROPPED, "INSERT INTO x VALUES (1)", "INSERT INTO y SELECT i FROM x"), None, ""),
    "its view goes with it": ("", sql(DROPPED, "CREATE TEMP VIEW v AS SELECT * FROM x", COMMIT, "INSERT INTO y SELECT i FROM v"), "fail", GONE),
    "another has its name again": ("", sql("CREATE TEMP TABLE hidden (j int) ON COMMIT DROP", COMMIT, "INSERT INTO hidden (j) VALUES (1)"), "fail", GONE),
    "another has its name again, by its columns": ("", sql("CREATE TEMP TABLE hidden (j int) ON COMMIT DROP", COMMIT, "INSERT INTO hidden (i) VALUES (1)"), None, ""),
    "kept over the commit": ("", sql("CREATE TEMP TABLE x AS SELECT 1 AS i", COMMIT, "INSERT INTO y SELECT i FROM x"), None, ""),
    "emptied by the commit": ("", sql(EMPTIED, "INSERT INTO x VALUES (1)", COMMIT, "INSERT INTO y SELECT i FROM x"), "unknown", ""),
    "emptied by the commit, made of a query": ("", sql("CREATE TEMP TABLE x ON COMMIT DELETE ROWS AS SELECT 1 AS i", COMMIT, "UPDATE y SET i = x.i FROM x"), "unknown", ""),
    "emptied by the commit, and filled again": ("", sql(EMPTIED, "INSERT INTO x VALUES (1)", COMMIT, "INSERT INTO x VALUES (1)", "INSERT INTO y SELECT i FROM x"), None, ""),
    "read before it is emptied": ("", sql(EMPTIED, "INSERT INTO x VALUES (1)", "INSERT INTO y SELECT i FROM x"), None, ""),
    "keys switched off": ("", sql("SET session_replication_role = replica", ORPHAN), "unknown", ""),
    "keys switched off by a function": ("", sql("SELECT set_config('session_replication_role', 'replica', false)", ORPHAN), "unknown", ""),
    "keys switched off and on": ("", sql("SET session_replication_role = replica", "RESET session_replication_role", ORPHAN), "fail", "foreign key"),
    "keys switched off for another transaction": ("", sql("SET LOCAL session_replication_role = replica", COMMIT, ORPHAN), "fail", "foreign key"),
    "keys switched off, and a value twice": ("", sql("SET session_replication_role = replica", "INSERT INTO o VALUES (1)"), "fail", "duplicate key"),
    "keys switched off by no role": ("", sql("SET session_replication_role = replicas"), "fail", "invalid value"),
    "keys switched off without the right": (PLAIN, sql("SET session_replication_role = replica"), "fail", "permission denied"),
    "keys switched off by a function, without the right": (PLAIN, sql("SELECT set_config('session_replication_role', 'replica', false)"), "fail", "permission denied"),
    "triggers switched off": ("", sql("ALTER TABLE c DISABLE TRIGGER ALL", ORPHAN), "unknown", ""),
    "triggers switched off and on": ("", sql("ALTER TABLE c DISABLE TRIGGER ALL", "ALTER TABLE c ENABLE TRIGGER ALL", ORPHAN), "fail", "foreign key"),
}  # fmt: skip
SAYS = {"data-refused", "data-unknown", "object-missing", "object-exists", "table-missing", "statement-refused"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, database: str) -> None:
    setup, texts, wanted, words = CASES[name]
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.commit()
        connection.execute(setup or "SELECT 1")
        connection.commit()
        found = judged(connection, texts)
        connection.rollback()
        error = ended(connection, texts)
        connection.rollback()
    said = worst(found, SAYS)
    told = [item.message for item in found]
    assert said == wanted, (told, error)
    assert words in error, error
    assert bool(error) == (wanted == "fail"), error
