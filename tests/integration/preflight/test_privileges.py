"""What a role may not do: what is said before, and what the server then does. The same for what it may do."""

# ruff: noqa: E501 - tables

from __future__ import annotations

import psycopg

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = """
CREATE ROLE mover; CREATE ROLE boss; CREATE ROLE reader; CREATE ROLE team; CREATE ROLE silent; GRANT team TO mover;
CREATE SCHEMA work; CREATE SCHEMA shown; CREATE SCHEMA held AUTHORIZATION mover;
GRANT ALL ON SCHEMA work TO mover; GRANT USAGE ON SCHEMA shown, work TO mover, boss, team; SET LOCAL search_path = work;
CREATE TABLE own (id int PRIMARY KEY, a text, b int); ALTER TABLE own OWNER TO mover;
CREATE TABLE others (id int PRIMARY KEY, a text, b int); ALTER TABLE others OWNER TO boss;
CREATE TABLE granted (id serial PRIMARY KEY, a text, b int); ALTER TABLE granted OWNER TO boss;
GRANT SELECT, INSERT ON granted TO mover; GRANT UPDATE (a) ON granted TO mover; GRANT REFERENCES ON granted TO mover;
CREATE TABLE refers (id int CONSTRAINT away REFERENCES granted); ALTER TABLE refers OWNER TO mover;
CREATE TABLE held.kept (id int); ALTER TABLE held.kept OWNER TO boss;
CREATE TABLE shown.seen (id int, a text); ALTER TABLE shown.seen OWNER TO mover;
CREATE VIEW window_of AS SELECT id FROM others; ALTER VIEW window_of OWNER TO boss; GRANT SELECT ON window_of TO mover;
CREATE MATERIALIZED VIEW summed AS SELECT 1 AS id; ALTER MATERIALIZED VIEW summed OWNER TO boss;
CREATE SEQUENCE numbers; ALTER SEQUENCE numbers OWNER TO boss;
CREATE TYPE mood AS ENUM ('a'); ALTER TYPE mood OWNER TO boss; CREATE TYPE mine AS ENUM ('a'); ALTER TYPE mine OWNER TO mover;
CREATE TYPE closed AS ENUM ('a'); REVOKE USAGE ON TYPE closed FROM PUBLIC;
CREATE DOMAIN small AS int; ALTER DOMAIN small OWNER TO boss;
CREATE FUNCTION does(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION does OWNER TO boss;
CREATE FUNCTION hidden() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION hidden FROM PUBLIC;
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; ALTER FUNCTION fires OWNER TO mover;
CREATE EXTENSION citext SCHEMA shown; CREATE FUNCTION held.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1';
INSERT INTO others VALUES (1, 'x', 1); INSERT INTO own VALUES (1, 'x', 1);
"""
SHUT = "REVOKE CREATE ON SCHEMA work FROM mover"
PASSES, FAILS, UNKNOWN = None, "fail", "unknown"

# The statements of an upgrade, and how severe the worst is that is said of rights; after a `|` what is set up before.
CASES: dict[str, tuple[str | None, list[str]]] = {
    # Making something
    "table": (PASSES, sql("CREATE TABLE fresh (id serial, m mine)", "CREATE INDEX ON fresh (id)", "DROP TABLE fresh")),
    "table, shut": (FAILS, [SHUT, *sql("CREATE TABLE fresh (id int)")]),
    "temporary table, shut": (PASSES, [SHUT, *sql("CREATE TEMP TABLE fresh AS SELECT 1 AS a", "CREATE INDEX ON fresh (a)")]),
    "index, shut": (FAILS, [SHUT, *sql("CREATE INDEX ON own (a)")]),
    "unique constraint, shut": (FAILS, [SHUT, *sql("ALTER TABLE own ADD UNIQUE (a)")]),
    "column, shut": (PASSES, [SHUT, *sql("ALTER TABLE own ADD c int", "ALTER TABLE own ADD CHECK (b > 0)")]),
    "view, shut": (FAILS, [SHUT, *sql("CREATE VIEW fresh AS SELECT 1")]),
    "materialized view, shut": (FAILS, [SHUT, *sql("CREATE MATERIALIZED VIEW fresh AS SELECT 1")]),
    "table of a query, shut": (FAILS, [SHUT, *sql("CREATE TABLE fresh AS SELECT 1")]),
    "sequence, shut": (FAILS, [SHUT, *sql("CREATE SEQUENCE fresh")]),
    "enum, shut": (FAILS, [SHUT, *sql("CREATE TYPE fresh AS ENUM ('a')")]),
    "row type, shut": (FAILS, [SHUT, *sql("CREATE TYPE fresh AS (a int)")]),
    "domain, shut": (FAILS, [SHUT, *sql("CREATE DOMAIN fresh AS int")]),
    "function, shut": (FAILS, [SHUT, *sql("CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'")]),
    "renamed, shut": (FAILS, [SHUT, *sql("ALTER TABLE own RENAME TO renamed")]),
    "column renamed, shut": (PASSES, [SHUT, *sql("ALTER TABLE own RENAME a TO renamed")]),
    "in another schema": (FAILS, sql("CREATE TABLE shown.fresh (id int)")),
    "index in another schema": (FAILS, sql("CREATE INDEX ON shown.seen (id)")),
    "in the own schema": (PASSES, sql("CREATE TABLE held.fresh (id int)", "CREATE VIEW held.v AS SELECT 1")),
    "moved to another schema": (FAILS, sql("ALTER TABLE own SET SCHEMA shown")),
    "schema": (FAILS, sql("CREATE SCHEMA fresh")),
    "function in C": (FAILS, sql("CREATE FUNCTION fresh() RETURNS int LANGUAGE c AS 'x', 'y'")),
    # Owning it
    "function replaced": (FAILS, sql("CREATE OR REPLACE FUNCTION does(int) RETURNS int LANGUAGE sql AS 'SELECT 2'")),
    "function beside another": (PASSES, sql("CREATE OR REPLACE FUNCTION does(text) RETURNS int LANGUAGE sql AS 'SELECT 2'")),
    "function replaced twice": (PASSES, sql("CREATE OR REPLACE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE OR REPLACE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 2'", "DROP FUNCTION fresh()")),
    "function altered": (FAILS, sql("ALTER FUNCTION does(int) STABLE")),
    "function dropped": (FAILS, sql("DROP FUNCTION does(int)")),
    "function dropped in the own schema": (PASSES, sql("DROP FUNCTION held.theirs()")),
    "view replaced": (FAILS, sql("CREATE OR REPLACE VIEW window_of AS SELECT id FROM own")),
    "value of an enum": (FAILS, sql("ALTER TYPE mood ADD VALUE 'b'")),
    "value of the own enum": (PASSES, sql("ALTER TYPE mine ADD VALUE 'b'", "COMMENT ON TYPE mine IS 'x'")),
    "type dropped": (FAILS, sql("DROP TYPE mood")),
    "type renamed": (FAILS, sql("ALTER TYPE mood RENAME TO feeling")),
    "domain altered": (FAILS, sql("ALTER DOMAIN small ADD CHECK (VALUE > 0)")),
    "type commented": (FAILS, sql("COMMENT ON TYPE mood IS 'x'")),
    "extension altered": (FAILS, sql("ALTER EXTENSION citext UPDATE")),
    "extension commented": (FAILS, sql("COMMENT ON EXTENSION citext IS 'x'")),
    "schema renamed": (FAILS, sql("ALTER SCHEMA shown RENAME TO hidden")),
    "table dropped": (FAILS, sql("DROP TABLE others")),
    "table dropped in the own schema": (PASSES, sql("DROP TABLE held.kept")),
    "table altered in the own schema": (FAILS, sql("ALTER TABLE held.kept ADD c int")),
    "table dropped that refers to another's": (PASSES, sql("DROP TABLE refers")),
    "foreign key to another's dropped": (PASSES, sql("ALTER TABLE refers DROP CONSTRAINT away")),
    # Reading and writing
    "select": (FAILS, sql("CREATE TABLE fresh AS SELECT * FROM others")),
    "select in a materialized view": (FAILS, sql("CREATE MATERIALIZED VIEW fresh AS SELECT * FROM others")),
    "select in a view": (PASSES, sql("CREATE VIEW fresh AS SELECT * FROM others")),
    "select through a view": (PASSES, sql("CREATE TABLE fresh AS SELECT * FROM window_of")),
    "select in a write": (FAILS, sql("UPDATE own SET b = 2 WHERE id IN (SELECT id FROM others)")),
    "select by a name of WITH": (PASSES, sql("WITH others AS (SELECT 1 AS id) UPDATE own SET b = 2 FROM others WHERE own.id = others.id")),
    "insert": (FAILS, sql("INSERT INTO others VALUES (2)")),
    "insert, granted": (PASSES, sql("INSERT INTO granted (id, a) VALUES (2, 'x')")),
    "insert in WITH": (FAILS, sql("WITH made AS (INSERT INTO others VALUES (2) RETURNING id) UPDATE own SET b = 2 WHERE id = 1")),
    "upsert": (FAILS, sql("INSERT INTO others VALUES (2) ON CONFLICT (id) DO UPDATE SET b = 3")),
    "update": (FAILS, sql("UPDATE others SET b = 2")),
    "update of a column": (UNKNOWN, sql("UPDATE granted SET b = 2")),
    "delete": (FAILS, sql("DELETE FROM granted WHERE id = 1")),
    "truncate": (FAILS, sql("TRUNCATE others")),
    "refresh": (FAILS, sql("REFRESH MATERIALIZED VIEW summed")),
    "next number": (FAILS, sql("UPDATE own SET b = nextval('numbers')")),
    "position": (FAILS, sql("SELECT setval('numbers', 5)")),
    "function": (FAILS, sql("UPDATE own SET b = hidden()")),
    "type of a column": (FAILS, sql("ALTER TABLE own ADD c closed")),
    "trigger": (FAILS, sql("CREATE TRIGGER t BEFORE INSERT ON others FOR EACH ROW EXECUTE FUNCTION fires()")),
    "trigger, own": (PASSES, sql("CREATE TRIGGER t BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION fires()")),
    "triggers of keys": (FAILS, sql("CREATE TABLE key_of (a int PRIMARY KEY)", "CREATE TABLE keyed (a int REFERENCES key_of)", "ALTER TABLE keyed DISABLE TRIGGER ALL")),
    "triggers of its own": (PASSES, sql("ALTER TABLE own DISABLE TRIGGER ALL", "ALTER TABLE own ENABLE TRIGGER USER")),
    "granting": (FAILS, sql("GRANT SELECT ON others TO reader")),
    "granting, own": (PASSES, sql("GRANT SELECT ON own TO reader", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader")),
    # Roles
    "role made": (FAILS, sql("CREATE ROLE fresh")),
    "role altered": (FAILS, sql("ALTER ROLE reader SET work_mem = '8MB'")),
    "own role altered": (PASSES, sql("ALTER ROLE mover SET work_mem = '8MB'")),
    "rights by default of another": (FAILS, sql("ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT SELECT ON TABLES TO reader")),
    "given away": (FAILS, sql("ALTER TABLE own OWNER TO boss")),
    "given to the team": (FAILS, sql("ALTER TABLE own OWNER TO team")),
    "given to the team that may": (PASSES, ["GRANT CREATE ON SCHEMA work TO team", *sql("ALTER TABLE own OWNER TO team")]),
    "role taken": (FAILS, sql("SET LOCAL ROLE boss", "ALTER TABLE own ADD c int")),
    "role of the team taken": (UNKNOWN, sql("SET LOCAL ROLE team", "ALTER TABLE own ADD c int")),
    "own role taken": (PASSES, sql("SET LOCAL ROLE mover", "ALTER TABLE own ADD c int", "RESET ROLE")),
    "after a grant": (UNKNOWN, sql("GRANT SELECT ON own TO reader", "DELETE FROM others WHERE id = 1")),
}  # fmt: skip


def test_what_is_said_is_what_the_role_may_do(session: psycopg.Connection) -> None:
    session.execute(TABLES)
    wrong = []
    for name, (wanted, texts) in CASES.items():
        with session.transaction(force_rollback=True):
            said, error = _said_and_done(session, texts)
        if said != ({wanted} if wanted else set()) or bool(error) != bool(wanted):
            wrong.append((name, said, error))
    assert wrong == []


def _said_and_done(session: psycopg.Connection, texts: list[str]) -> tuple[set[str], str]:
    """The worst that is said of rights, and the server's error."""
    while texts[0].startswith(("REVOKE CREATE", "GRANT CREATE")):
        session.execute(texts[0])
        texts = texts[1:]
    session.execute("SET LOCAL SESSION AUTHORIZATION mover; SET LOCAL search_path = work, shown")
    said = severities(judged(session, texts), {"privilege-missing"})
    with session.transaction(force_rollback=True):
        error = ended(session, texts)
    return {FAILS} & said or {UNKNOWN} & said, error


def test_a_superuser_may_do_all(session: psycopg.Connection) -> None:
    session.execute(TABLES)
    texts = [text for _wanted, (*_setup, text) in CASES.values() if not text.startswith("SET LOCAL ROLE")]
    assert [item.message for item in judged(session, texts) if item.id == "privilege-missing"] == []
