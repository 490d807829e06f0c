"""Statements that the server refuses: what the real module says before, and what the server does then."""

from __future__ import annotations

import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.parse_facts import refusals
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.parse_questions import parse_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLES = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE people (id int PRIMARY KEY, name varchar(10), mood mood, born date, tags text[], data jsonb, raw json,
  tenant int, up text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text);
CREATE TABLE orders (id int PRIMARY KEY, person int REFERENCES people, total numeric, state text);
CREATE VIEW totals AS SELECT person, sum(total) AS total FROM orders GROUP BY person;
CREATE VIEW plain AS SELECT id, name FROM people;
"""

# A migration of one statement or more; the number of the one that the server refuses, None where it accepts all.
CASES: list[tuple[str, int | None]] = [
    ("INSERT INTO people (id, name) VALUES (1, 'a')", None),
    ("INSERT INTO people (id, name) VALUES (1)", 1),
    ("CREATE MATERIALIZED VIEW kept AS SELECT nme FROM people", 1),
    ("CREATE MATERIALIZED VIEW kept AS SELECT name FROM people", None),
    ("CREATE TABLE kept AS SELECT id, name || total FROM orders", 1),
    ("CREATE TABLE kept AS WITH x AS (SELECT id FROM orders) SELECT id FROM x", None),
    ("CREATE TABLE fresh (a int); CREATE TABLE kept AS SELECT a FROM fresh", None),
    ("ALTER TABLE people RENAME name TO label; CREATE TABLE kept AS SELECT label FROM people", None),
    ("INSERT INTO people (id, nme) VALUES (1, 'a')", 1),
    ("INSERT INTO people (id) VALUES ('one')", 1),
    ("INSERT INTO people (id, mood) VALUES (1, 'ugly')", 1),
    ("INSERT INTO people (id, mood) VALUES (1, 'good')", None),
    ("INSERT INTO people (id, born) VALUES (1, '2026-02-30')", 1),
    ("INSERT INTO people (id, tags) VALUES (1, '[]')", 1),
    ("INSERT INTO people (id, data) VALUES (1, '{a: 1}')", 1),
    ("INSERT INTO people (id, data) VALUES (1, '{\"a\": 1}')", None),
    ("INSERT INTO people (id, up) VALUES (1, 'A')", 1),
    ("INSERT INTO people (id, up) VALUES (1, DEFAULT)", None),
    ("INSERT INTO numbered (id, a) VALUES (1, 'a')", 1),
    ("INSERT INTO numbered (id, a) OVERRIDING SYSTEM VALUE VALUES (1, 'a')", None),
    ("INSERT INTO orders (id, total) SELECT id, name FROM people", 1),
    ("INSERT INTO orders (id, total) SELECT id, tenant FROM people", None),
    ("INSERT INTO totals VALUES (1, 2)", 1),
    ("INSERT INTO plain VALUES (1, 'a')", None),
    ("UPDATE people SET up = 'A'", 1),
    ("UPDATE numbered SET id = 3", 1),
    ("UPDATE people SET name = id", None),
    ("UPDATE people SET tenant = name", 1),
    ("UPDATE people SET tenant = name::int", None),
    ("UPDATE orders o SET state = name FROM people p, people q WHERE o.person = p.id", 1),
    ("UPDATE orders SET state = 'x' WHERE person = 'me'", 1),
    ("DELETE FROM people WHERE nobody", 1),
    ("DELETE FROM people WHERE mood = 'good'", None),
    ("UPDATE people SET data = (SELECT person, sum(total) FROM orders)", 1),
    ("INSERT INTO orders (id, person) SELECT max(id), tenant FROM people", 1),
    ("INSERT INTO orders (id) SELECT DISTINCT ON (id) id FROM people ORDER BY name", 1),
    ("UPDATE people SET name = 'x' WHERE raw = '{}'", 1),
    ("CREATE VIEW v AS SELECT nme FROM people", 1),
    ("CREATE VIEW v AS SELECT name FROM people", None),
    ("ALTER TABLE people ADD CONSTRAINT c CHECK (name > 1)", 1),
    ("ALTER TABLE people ADD CONSTRAINT c CHECK (name > 'a') NOT VALID", None),
    ("ALTER TABLE people ALTER tenant SET DEFAULT 'x'", 1),
    ("ALTER TABLE people ALTER tenant SET DEFAULT '7'", None),
    ("ALTER TABLE people ALTER mood SET DEFAULT 'ugly'", 1),
    ("ALTER TABLE people ALTER up SET DEFAULT 'A'", 1),
    ("ALTER TABLE people ALTER tenant TYPE text USING nobody::text", 1),
    ("ALTER TABLE people ALTER tenant TYPE text USING tenant::text || 'x'", None),
    ("ALTER TABLE people ADD COLUMN more text[] DEFAULT '[]'", 1),
    ("ALTER TABLE people ADD COLUMN more text[] DEFAULT '{}'", None),
    ("ALTER TABLE people ADD COLUMN more mood DEFAULT 'ugly'", 1),
    ("ALTER TABLE people ADD COLUMN more varchar(3) DEFAULT 'abc'", None),
    ("CREATE INDEX ON people (lower(nobody))", 1),
    ("CREATE INDEX ON people (lower(id))", 1),
    ("CREATE INDEX ON people (lower(name)) WHERE tenant > 'x'", 1),
    ("CREATE INDEX ON people (lower(name)) WHERE tenant > 3", None),
    ("CREATE POLICY p ON people USING (tenant = current_setting('app.tenant'))", 1),
    ("CREATE POLICY p ON people USING (tenant = current_setting('app.tenant')::int)", None),
    # What the upgrade changes itself first is not known to the server yet.
    ("ALTER TABLE people ADD COLUMN more int; UPDATE people SET more = 1", None),
    ("ALTER TYPE mood ADD VALUE 'ugly'; COMMIT; BEGIN; INSERT INTO people (id, mood) VALUES (1, 'ugly')", None),
    ("ALTER TABLE people RENAME TO folk; UPDATE folk SET name = 'x'", None),
    ("CREATE TABLE fresh (a int); INSERT INTO fresh VALUES (1)", None),
    ("DO $$ BEGIN CREATE TABLE made (a int); END $$; INSERT INTO made VALUES (1)", None),
    ("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; UPDATE people SET tenant = f(id)", None),
    ("CREATE SEQUENCE s; UPDATE people SET tenant = nextval('s')", None),
    ("CREATE TEMP TABLE t AS SELECT 1 AS a; INSERT INTO orders (id) SELECT a FROM t", None),
    ("SET search_path = pg_catalog; SELECT 1 FROM pg_class", None),
    ("UPDATE people SET name = 'x'; UPDATE orders SET nobody = 1", 2),
    ("SET lock_timeout = '3s'; UPDATE people SET tenant = name", 2),
    ("SET statement_timeout = 0; SET maintenance_work_mem = '1GB'; UPDATE people SET tenant = name", 3),
    ("ALTER TABLE people ADD COLUMN more int; UPDATE orders SET nobody = 1", 2),
]


@pytest.mark.parametrize("major", CHOSEN)
def test_the_server_agrees(major: int, servers: Servers) -> None:
    wrong = []
    for sql, number in CASES:
        with copy_of(servers(major), "template1") as url, psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLES)
            rendered = Rendered(sql, [Segment("0002", 0, len(sql), "", "0002.py", None, None)])
            found = statements(rendered)
            connection.read_only = True
            with connection.transaction(force_rollback=True):
                said = [row["number"] for row in refusals(connection, parse_questions(found))]
            connection.read_only = False
            failed = _executed(connection, [item.sql for item in found])
            kept = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
            if said != ([number] if number else []) or failed != number or kept != (0,):
                wrong.append((sql, said, failed, number))
    assert wrong == []


def _executed(connection: psycopg.Connection, texts: t.Sequence[str]) -> int | None:
    """The number of the first statement that the server refuses, run for real."""
    for number, text in enumerate(texts, 1):
        try:
            connection.execute(text)
        except psycopg.Error:
            return number
    return None


def test_the_module_says_it(database: str, tmp_path: Path) -> None:
    prepare(database, TABLES, revision="0001")
    project = Project(tmp_path / "app").add("0001", None)
    project.add("0002", "0001", "UPDATE people SET nobody = 1", "UPDATE people SET tenant = name")
    answer = ask(project.folder, database)
    assert answer.verdict == "unsafe"
    assert [item["statement"] for item in answer.findings if item["severity"] == "fail"] == [1, 2]
    assert 'column "tenant" is of type integer but expression is of type character varying' in answer.said(
        "statement-refused"
    )


def test_what_a_lock_costs_hides_no_refusal(database: str, tmp_path: Path) -> None:
    prepare(database, TABLES, "INSERT INTO people (id) VALUES (1)", "ANALYZE people", revision="0001")
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    project.add("0002", "0001", "CREATE INDEX summed ON people ((name + 1))")
    answer = ask(project.folder, database, thresholds={"small_table_bytes": 0})
    failing = {name for name, severity in answer.serious.items() if severity == "fail"}
    assert failing == {"lock-blocks-writes", "statement-refused"}, answer.findings
    assert "operator does not exist" in migrate(project.folder, database)


def test_a_second_statement_is_never_taken(database: str) -> None:
    """Whatever reaches the collector, the protocol takes one statement."""
    with psycopg.connect(database, autocommit=True) as connection:
        with connection.transaction(force_rollback=True):
            (row,) = refusals(connection, [(1, "SELECT 1; CREATE TABLE surprise (a int)")])
        assert row["state"] == "42601"
        assert connection.execute("SELECT to_regclass('surprise')").fetchone() == (None,)


def test_a_function_is_not_called(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE calls (n int)")
        body = "$$ BEGIN RAISE EXCEPTION 'called'; END $$"
        connection.execute(f"CREATE FUNCTION f() RETURNS int IMMUTABLE LANGUAGE plpgsql AS {body}")
        with connection.transaction(force_rollback=True):
            assert refusals(connection, [(1, "INSERT INTO calls SELECT f()")]) == []


def test_a_table_that_is_locked_keeps_it_unknown(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection, psycopg.connect(database) as other:
        connection.execute("CREATE TABLE busy (n int)")
        other.execute("LOCK TABLE busy")
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL lock_timeout = '100ms'")
            assert refusals(connection, [(1, "INSERT INTO busy VALUES (1)"), (2, "SELECT nobody")]) == [
                {"number": 2, "state": "42703", "message": 'column "nobody" does not exist'}
            ]
