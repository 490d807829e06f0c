"""What an upgrade changes under the version that serves, though it takes no column or table away."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, said_and_done, sql

TABLES = """
CREATE TABLE users (id serial PRIMARY KEY, email text CONSTRAINT one_email UNIQUE, age int CONSTRAINT adult CHECK (age > 0));
CREATE INDEX plain_index ON users (age);
CREATE FUNCTION norm(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)';
CREATE FUNCTION idle(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)';
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE INDEX by_norm ON users (norm(email));
CREATE TRIGGER tells BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION told();
CREATE POLICY mine ON users USING (true);
CREATE VIEW people AS SELECT id, email FROM users;
CREATE SEQUENCE loose;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM users;
INSERT INTO users (email) VALUES ('a');
"""
NOTHING: set[str] = set()

# statements, the findings of which at least these are said, of the ids below
REPLACED: dict[str, tuple[list[str], set[str]]] = {
    "row-level security": (sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY"), {"contract-phase"}),
    "row-level security for the owner": (sql("ALTER TABLE users FORCE ROW LEVEL SECURITY"), {"contract-phase"}),
    "row-level security off": (sql("ALTER TABLE users DISABLE ROW LEVEL SECURITY"), NOTHING),
    "row-level security of a new table": (sql("CREATE TABLE fresh (a int)", "ALTER TABLE fresh ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON fresh AS RESTRICTIVE USING (a > 1)"), NOTHING),
    "restrictive policy": (sql("CREATE POLICY p ON users AS RESTRICTIVE FOR INSERT WITH CHECK (age > 5)"), {"write-rejected"}),
    "permissive policy": (sql("CREATE POLICY p ON users USING (age > 5)"), NOTHING),
    "policy altered": (sql("ALTER POLICY mine ON users USING (age > 5)"), {"contract-phase"}),
    "policy dropped": (sql("DROP POLICY mine ON users"), {"contract-phase"}),
    "unique constraint renamed": (sql("ALTER TABLE users RENAME CONSTRAINT one_email TO once"), {"conflict-target-dropped"}),
    "its index renamed": (sql("ALTER INDEX one_email RENAME TO once"), {"conflict-target-dropped"}),
    "table given away": (sql("ALTER TABLE users OWNER TO CURRENT_USER"), {"contract-phase"}),
    "function given away": (sql("ALTER FUNCTION norm(text) OWNER TO CURRENT_USER"), {"contract-phase"}),
    "what is new given away": (sql("CREATE TABLE fresh (a int)", "ALTER TABLE fresh OWNER TO CURRENT_USER", "CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'", "ALTER FUNCTION fresh() OWNER TO CURRENT_USER", "CREATE TYPE kind AS ENUM ('a')", "ALTER TYPE kind OWNER TO CURRENT_USER", "CREATE SCHEMA loft", "ALTER SCHEMA loft OWNER TO CURRENT_USER"), NOTHING),
    "sessions ended": (sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE false"), {"contract-phase"}),
    "check renamed": (sql("ALTER TABLE users RENAME CONSTRAINT adult TO grown"), NOTHING),
    "plain index renamed": (sql("ALTER INDEX plain_index RENAME TO k"), NOTHING),
    "rule": (sql("CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING"), {"trigger-created"}),
    "sequence restarted": (sql("ALTER SEQUENCE users_id_seq RESTART WITH 1"), {"contract-phase"}),
    "sequence by another step": (sql("ALTER SEQUENCE users_id_seq INCREMENT BY 10"), {"contract-phase"}),
    "sequence owned": (sql("ALTER SEQUENCE loose OWNED BY users.age"), NOTHING),
    "sequence of a new table": (sql("CREATE SEQUENCE fresh", "ALTER SEQUENCE fresh RESTART WITH 5"), NOTHING),
    "setval to a constant": (sql("SELECT setval('users_id_seq', 1)"), {"contract-phase"}),
    "setval to what is there": (sql("SELECT setval('users_id_seq', (SELECT max(id) FROM users))"), NOTHING),
    "function of an index": (sql("CREATE OR REPLACE FUNCTION norm(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(x)'"), {"contract-phase"}),
    "function of a trigger": (sql("CREATE OR REPLACE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"), {"trigger-created"}),
    "function of nobody here": (sql("CREATE OR REPLACE FUNCTION idle(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(x)'"), {"contract-phase"}),
    "function that is new": (sql("CREATE OR REPLACE FUNCTION fresh(x text) RETURNS text LANGUAGE sql AS 'SELECT x'", "CREATE OR REPLACE FUNCTION fresh(x text) RETURNS text LANGUAGE sql AS 'SELECT x'"), NOTHING),
    "function beside another": (sql("CREATE FUNCTION norm(x text, y int DEFAULT 1) RETURNS text LANGUAGE sql AS 'SELECT x'"), {"contract-phase"}),
    "function with more arguments": (sql("CREATE FUNCTION norm(x text, y int) RETURNS text LANGUAGE sql AS 'SELECT x'"), NOTHING),
    "view replaced": (sql("CREATE OR REPLACE VIEW people AS SELECT id, email FROM users WHERE age > 5"), {"contract-phase"}),
    "view made": (sql("CREATE OR REPLACE VIEW fresh AS SELECT id FROM users"), NOTHING),
    "every row locked": (sql("SELECT * FROM users FOR UPDATE"), {"full-table-write"}),
    "one row locked": (sql("SELECT * FROM users WHERE id = 1 FOR UPDATE"), NOTHING),
    "merged": (sql("MERGE INTO users u USING (SELECT 1 AS id) s ON u.id = s.id WHEN MATCHED THEN UPDATE SET age = 9"), {"full-table-write"}),
    "upserted from a query": (sql("INSERT INTO users (id, email) SELECT id, email FROM users ON CONFLICT (id) DO UPDATE SET age = 9"), {"full-table-write"}),
    "upserted": (sql("INSERT INTO users (id, email) VALUES (1, 'b') ON CONFLICT (id) DO UPDATE SET age = 9"), NOTHING),
    "triggers off": (sql("SET session_replication_role = replica"), {"data-unknown"}),
    "triggers on again": (sql("SET session_replication_role = DEFAULT"), NOTHING),
    "what is not there dropped": (sql("DROP TYPE IF EXISTS nothere", "DROP FUNCTION IF EXISTS nothere(int)", "DROP TRIGGER IF EXISTS nothere ON users", "DROP VIEW IF EXISTS nothere", "DROP POLICY IF EXISTS nothere ON users", "DROP TABLE IF EXISTS nothere"), NOTHING),
    "what is there dropped": (sql("DROP TRIGGER IF EXISTS tells ON users"), {"contract-phase"}),
    "every row deleted by a condition": (sql("DELETE FROM users WHERE true"), {"destructive", "full-table-write"}),
    "every row deleted by constants": (sql("WITH gone AS (DELETE FROM users WHERE 1 = 1 OR age > 5 RETURNING id) SELECT count(*) FROM gone"), {"destructive", "full-table-write"}),
    "some rows deleted": (sql("DELETE FROM users WHERE 1 = 2 OR true AND age > 5"), {"full-table-write"}),
    "materialized view emptied": (sql("REFRESH MATERIALIZED VIEW kept WITH NO DATA"), {"destructive"}),
    "materialized view filled": (sql("REFRESH MATERIALIZED VIEW kept"), NOTHING),
    "values thrown away": (sql("ALTER TABLE users DROP CONSTRAINT adult, ALTER age TYPE text USING 'unknown'"), {"destructive"}),
    "values of another column": (sql("ALTER TABLE users DROP CONSTRAINT adult, ALTER age TYPE text USING email"), {"destructive"}),
    "values made others": (sql("ALTER TABLE users DROP CONSTRAINT adult, ALTER age TYPE text USING users.age || '!'"), {"type-change"}),
    "not logged": (sql("ALTER TABLE users SET UNLOGGED"), {"contract-phase"}),
    "trigger off": (sql("ALTER TABLE users DISABLE TRIGGER tells"), {"contract-phase"}),
    "triggers of the table off": (sql("ALTER TABLE users DISABLE TRIGGER USER"), {"contract-phase"}),
    "trigger on": (sql("ALTER TABLE users ENABLE TRIGGER tells"), NOTHING),
    "settings of a role": (sql("ALTER ROLE postgres SET search_path = elsewhere"), {"contract-phase"}),
    "settings of a database": (sql("ALTER DATABASE shared SET statement_timeout = '1s'"), {"contract-phase"}),
    "role that is missing": (sql("SET ROLE nobody_here"), {"object-missing"}),
    "role that is there": (sql("SET LOCAL ROLE postgres", "SET ROLE NONE"), NOTHING),
}  # fmt: skip
SAYS = {"contract-phase", "write-rejected", "conflict-target-dropped", "trigger-created", "full-table-write",
        "object-missing", "statement-refused"}  # fmt: skip


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_said(name: str, session: psycopg.Connection) -> None:
    texts, wanted = REPLACED[name]
    if "MERGE" in texts[0] and session.info.server_version < 150000:
        wanted = wanted | {"unsupported-by-server"}
    found, error = said_and_done(session, TABLES, "", texts)
    says = SAYS | wanted
    assert {item.id for item in found if item.id in says} == wanted, [item.message for item in found]
    fails = {"object-missing", "statement-refused", "unsupported-by-server"} & wanted
    assert bool(error) == bool(fails)


# What COPY says, what is said of it.
COPIES = {"COPY users FROM STDIN": ("statement-refused", "fail"), "COPY users TO STDOUT": ("statement-refused", "fail"),
          "COPY users FROM '/nowhere/rows'": ("data-unknown", "unknown"),
          "COPY users FROM PROGRAM 'echo none'": ("data-unknown", "unknown"),
          "COPY users TO '/nowhere/rows'": ("data-unknown", "unknown")}  # fmt: skip


@pytest.mark.parametrize("text", COPIES)
def test_what_copy_needs_is_not_there_or_not_known(text: str, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        found = {(item.id, item.severity) for item in judged(connection, [text])}
    assert COPIES[text] in found
    other = psycopg.connect(database)
    assert ended(other, [TABLES, text])
    other.close()


EVENT = """
CREATE FUNCTION watches() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no DDL here''; END';
CREATE EVENT TRIGGER watch ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION watches();
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ALTER TABLE users ADD more int", True),
        ("CREATE TABLE fresh (a int)", False),
        ("UPDATE users SET age = 1", False),
    ],
)
def test_an_event_trigger_is_foreign_code(text: str, said: bool, session: psycopg.Connection) -> None:
    found, error = said_and_done(session, TABLES, EVENT, [text])
    assert any("event trigger watch" in item.message for item in found) == said
    assert ("no DDL here" in error) == said


DROPS = EVENT.replace("ddl_command_start WHEN TAG IN ('ALTER TABLE')", "sql_drop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ALTER TABLE users DROP COLUMN age", True),
        ("ALTER TABLE users DROP CONSTRAINT adult", True),
        ("ALTER TABLE users ALTER id DROP DEFAULT", True),
        ("ALTER TABLE users ADD more int", False),
        ("ALTER TABLE users ALTER age SET DEFAULT 1", False),
        ("DROP VIEW people", True),
        ("CREATE OR REPLACE VIEW people AS SELECT id, email FROM users", False),
    ],
)
def test_an_event_trigger_of_what_is_dropped(text: str, said: bool, session: psycopg.Connection) -> None:
    found, error = said_and_done(session, TABLES, DROPS, [text])
    assert any("event trigger watch" in item.message for item in found) == said
    assert ("no DDL here" in error) == said


@pytest.mark.parametrize(
    "text",
    [
        "ALTER SYSTEM SET work_mem = '8MB'",
        "CREATE DATABASE another",
        "DROP DATABASE another",
        "CREATE TABLESPACE fast LOCATION '/nowhere'",
        "DROP TABLESPACE fast",
    ],
)
def test_what_concerns_the_whole_server_wants_no_transaction(text: str, session: psycopg.Connection) -> None:
    found = {item.id: item.severity for item in judged(session, [text])}
    assert found["fails-in-transaction"] == "fail"
    # Outside of one, too, what it does to the server was not asked.
    assert found["statement-unruled"] == "unknown"
    assert "inside a transaction block" in ended(session, [text])


def test_a_query_in_a_text_is_not_read(session: psycopg.Connection) -> None:
    session.execute(TABLES)
    text = "SELECT query_to_xml('SELECT told()', true, true, '')"
    assert {item.severity for item in judged(session, [text]) if item.id == "statement-opaque"} == {"unknown"}
    assert ended(session, [text])
