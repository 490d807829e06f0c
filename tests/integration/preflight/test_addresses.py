"""Objects that a statement names by kind, name and argument types; tablespaces; schemas named by their owner."""

# ruff: noqa: E501 - tables

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, worst

TABLES = """
CREATE ROLE mover; CREATE ROLE boss; CREATE ROLE agent;
CREATE TABLE users (id serial PRIMARY KEY, email text, age int, tags text[]);
CREATE FUNCTION f1(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f2(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f2(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f3(a int, OUT b int) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE p1(a int) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE agg1(int) (SFUNC = int4pl, STYPE = int4, INITCOND = '0');
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
"""
ABOUT = {"privilege-missing", "statement-refused", "definition-refused", "object-missing", "object-exists",
         "table-missing", "statement-unruled"}  # fmt: skip

# What is set up, the statements of an upgrade, and the worst that is said: what is not refused is not spoken of.
CASES: dict[str, tuple[str | None, str, list[str]]] = {
    'index global': ('fail', '', ['CREATE INDEX i ON users (age) TABLESPACE pg_global']),
    'index nothere': ('fail', '', ['CREATE INDEX i ON users (age) TABLESPACE nothere']),
    'table global': ('fail', '', ['CREATE TABLE t (a int) TABLESPACE pg_global']),
    'table nothere': ('fail', '', ['CREATE TABLE t (a int) TABLESPACE nothere']),
    'set tablespace global': ('fail', '', ['ALTER TABLE users SET TABLESPACE pg_global']),
    'set tablespace nothere': ('fail', '', ['ALTER TABLE users SET TABLESPACE nothere']),
    'index set nothere': ('fail', '', ['ALTER INDEX users_pkey SET TABLESPACE nothere']),
    'index set global': ('fail', '', ['ALTER INDEX users_pkey SET TABLESPACE pg_global']),
    'unique using': ('fail', '', ['ALTER TABLE users ADD UNIQUE (age) USING INDEX TABLESPACE nothere']),
    'unique global': ('fail', '', ['ALTER TABLE users ADD UNIQUE (age) USING INDEX TABLESPACE pg_global']),
    'create as': ('fail', '', ['CREATE TABLE t TABLESPACE nothere AS SELECT 1 AS a']),
    'matview': ('fail', '', ['CREATE MATERIALIZED VIEW t TABLESPACE pg_global AS SELECT 1 AS a']),
    'pk in create': ('fail', '', ['CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE nothere)']),
    'default_tablespace': ('fail', '', ["SET default_tablespace = 'nothere'", 'CREATE TABLE t (a int)']),
    'default': (None, '', ['CREATE INDEX i ON users (age) TABLESPACE pg_default']),
    'default set': (None, '', ['ALTER TABLE users SET TABLESPACE pg_default']),
    'all in': ('unknown', '', ['ALTER TABLE ALL IN TABLESPACE nothere SET TABLESPACE pg_default']),
    'all in default to global': ('fail', '', ['ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_global']),
    'reindex tablespace': ('fail', '', ['REINDEX (TABLESPACE nothere) TABLE users']),
    'partitioned': ('fail', '', ['CREATE TABLE t (a int) PARTITION BY LIST (a) TABLESPACE nothere']),
    'default_tablespace global': ('fail', '', ['SET LOCAL default_tablespace = pg_global', 'CREATE TABLE t (a int)']),
    'temp_tablespaces': ('fail', '', ["SET temp_tablespaces = 'nothere'"]),
    'matview set': ('fail', 'CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a', ['ALTER MATERIALIZED VIEW mv SET TABLESPACE nothere']),
    'comment': ('fail', '', ["COMMENT ON TABLESPACE nothere IS 'x'"]),
    'grant': ('fail', '', ['GRANT CREATE ON TABLESPACE nothere TO agent']),
    'wrong type': ('fail', '', ["COMMENT ON FUNCTION f1(text) IS 'x'"]),
    'right': (None, '', ["COMMENT ON FUNCTION f1(int) IS 'x'"]),
    'no args unique': (None, '', ["COMMENT ON FUNCTION f1 IS 'x'"]),
    'no args ambiguous': ('fail', '', ["COMMENT ON FUNCTION f2 IS 'x'"]),
    'two args': (None, '', ["COMMENT ON FUNCTION f2(int, text) IS 'x'"]),
    'aggregate wrong': ('fail', '', ["COMMENT ON AGGREGATE agg1(text) IS 'x'"]),
    'aggregate right': (None, '', ["COMMENT ON AGGREGATE agg1(int) IS 'x'"]),
    'function is aggregate': (None, '', ["COMMENT ON FUNCTION agg1(int) IS 'x'"]),
    'aggregate is function': ('fail', '', ["COMMENT ON AGGREGATE f1(int) IS 'x'"]),
    'procedure wrong': ('fail', '', ["COMMENT ON PROCEDURE p1(text) IS 'x'"]),
    'procedure right': (None, '', ["COMMENT ON PROCEDURE p1(int) IS 'x'"]),
    'procedure is function': ('fail', '', ["COMMENT ON PROCEDURE f1(int) IS 'x'"]),
    'function is procedure': ('fail', '', ["COMMENT ON FUNCTION p1(int) IS 'x'"]),
    'routine': (None, '', ["COMMENT ON ROUTINE p1(int) IS 'x'"]),
    'operator': ('fail', '', ["COMMENT ON OPERATOR === (text, text) IS 'x'"]),
    'operator right': (None, '', ["COMMENT ON OPERATOR === (int, int) IS 'x'"]),
    'type': ('fail', '', ["COMMENT ON TYPE nothere IS 'x'"]),
    'cast': ('fail', '', ["COMMENT ON CAST (text AS int) IS 'x'"]),
    'drop function wrong': ('fail', '', ['DROP FUNCTION f1(text)']),
    'alter function wrong': ('fail', '', ['ALTER FUNCTION f1(text) STABLE']),
    'owner wrong': ('fail', '', ['ALTER FUNCTION f1(text) OWNER TO boss']),
    'grant wrong': ('fail', '', ['GRANT EXECUTE ON FUNCTION f1(text) TO agent']),
    'out param': (None, '', ["COMMENT ON FUNCTION f3(int) IS 'x'"]),
    'out given': (None, '', ["COMMENT ON FUNCTION f3(int, OUT int) IS 'x'"]),
    'alias': (None, '', ["COMMENT ON FUNCTION f1(integer) IS 'x'"]),
    'alias bigint': ('fail', '', ["COMMENT ON FUNCTION f1(bigint) IS 'x'"]),
    'after create': ('fail', '', ["CREATE FUNCTION n1(x text) RETURNS text LANGUAGE sql AS 'SELECT x'", "COMMENT ON FUNCTION n1(int) IS 'x'"]),
    'after create ok': (None, '', ["CREATE FUNCTION n1(x text) RETURNS text LANGUAGE sql AS 'SELECT x'", "COMMENT ON FUNCTION n1(text) IS 'x'"]),
    'varargs': (None, "CREATE FUNCTION fv(VARIADIC a int[]) RETURNS int LANGUAGE sql AS 'SELECT 1'", ["COMMENT ON FUNCTION fv(int[]) IS 'x'"]),
    'argtype missing': ('fail', '', ["COMMENT ON FUNCTION f1(nothere) IS 'x'"]),
    'schema': ('fail', '', ["COMMENT ON FUNCTION public.f1(int, int) IS 'x'"]),
    'agg star': ('fail', '', ["COMMENT ON AGGREGATE agg1(*) IS 'x'"]),
    'builtin': (None, '', ["COMMENT ON FUNCTION pg_catalog.lower(text) IS 'x'"]),
    'set schema': ('fail', '', ['ALTER FUNCTION f1(text) SET SCHEMA public']),
    'rename': ('fail', '', ['ALTER FUNCTION f1(text) RENAME TO f9']),
    'rename aggregate': ('fail', '', ['ALTER AGGREGATE agg1(text) RENAME TO f9']),
    'drop aggregate': ('fail', '', ['DROP AGGREGATE agg1(text)']),
    'drop procedure': ('fail', '', ['DROP PROCEDURE p1(text)']),
    'security label / depends': ('unknown', '', ['ALTER FUNCTION f1(text) DEPENDS ON EXTENSION plpgsql']),
    'op class': ('fail', '', ["COMMENT ON OPERATOR CLASS nothere USING btree IS 'x'"]),
    'constraint': ('fail', '', ["COMMENT ON CONSTRAINT nothere ON users IS 'x'"]),
    'trigger': ('fail', '', ["COMMENT ON TRIGGER nothere ON users IS 'x'"]),
    'policy': ('fail', '', ["COMMENT ON POLICY nothere ON users IS 'x'"]),
    'column': ('fail', '', ["COMMENT ON COLUMN users.nothere IS 'x'"]),
    'domain': ('fail', '', ["COMMENT ON DOMAIN nothere IS 'x'"]),
    'collation': ('fail', '', ["COMMENT ON COLLATION nothere IS 'x'"]),
    'conversion': ('fail', '', ["COMMENT ON CONVERSION nothere IS 'x'"]),
    'text search': ('fail', '', ["COMMENT ON TEXT SEARCH CONFIGURATION nothere IS 'x'"]),
    'statistics': ('fail', '', ["COMMENT ON STATISTICS nothere IS 'x'"]),
    'rule': ('fail', '', ["COMMENT ON RULE nothere ON users IS 'x'"]),
    'publication': ('fail', '', ["COMMENT ON PUBLICATION nothere IS 'x'"]),
    'event trigger': ('fail', '', ["COMMENT ON EVENT TRIGGER nothere IS 'x'"]),
    'role': ('fail', '', ["COMMENT ON ROLE nothere IS 'x'"]),
    'large object': ('fail', '', ["COMMENT ON LARGE OBJECT 1 IS 'x'"]),
    'language': ('fail', '', ["COMMENT ON LANGUAGE nothere IS 'x'"]),
    'server': ('fail', '', ["COMMENT ON SERVER nothere IS 'x'"]),
    'database other': (None, '', ["COMMENT ON DATABASE nothere IS 'x'"]),
    'transform': ('fail', '', ["COMMENT ON TRANSFORM FOR int LANGUAGE plpgsql IS 'x'"]),
    'access method': ('fail', '', ["COMMENT ON ACCESS METHOD nothere IS 'x'"]),
    'sequence': ('fail', '', ["COMMENT ON SEQUENCE nothere IS 'x'"]),
    'view of table': ('fail', '', ["COMMENT ON VIEW users IS 'x'"]),
    '9a': (None, '', ['CREATE SCHEMA AUTHORIZATION boss']),
    '9b': (None, '', ['CREATE SCHEMA loft AUTHORIZATION boss']),
    '9c': (None, '', ['CREATE SCHEMA IF NOT EXISTS AUTHORIZATION boss']),
    '9d': (None, '', ['CREATE SCHEMA AUTHORIZATION CURRENT_USER']),
    '9e': ('fail', '', ['CREATE SCHEMA AUTHORIZATION nobody_here']),
    '9f': ('fail', 'CREATE SCHEMA boss', ['CREATE SCHEMA AUTHORIZATION boss']),
    '9g': (None, '', ['CREATE SCHEMA AUTHORIZATION boss', 'CREATE TABLE boss.t (a int)']),
    '9h': (None, '', ['CREATE SCHEMA AUTHORIZATION CURRENT_USER', 'CREATE TABLE postgres.t (a int)']),
    '9i': (None, '', ['CREATE SCHEMA AUTHORIZATION boss CREATE TABLE t (a int) CREATE VIEW v AS SELECT a FROM t']),
    '9j': (None, 'CREATE SCHEMA boss', ['CREATE SCHEMA IF NOT EXISTS AUTHORIZATION boss']),
    '9k': (None, '', ['CREATE SCHEMA IF NOT EXISTS AUTHORIZATION SESSION_USER', 'CREATE TABLE postgres.t (a int)']),
    '9l': ('fail', '', ['CREATE SCHEMA AUTHORIZATION boss', 'CREATE SCHEMA boss']),
    '9m': ('fail', '', ['CREATE SCHEMA pg_x AUTHORIZATION boss']),
    '9n': ('fail', 'SET LOCAL ROLE mover', ['CREATE SCHEMA AUTHORIZATION boss']),
    '9o': (None, 'GRANT CREATE ON DATABASE postgres TO mover; SET LOCAL ROLE mover', ['CREATE SCHEMA AUTHORIZATION mover']),
    '9p': ('fail', 'GRANT CREATE ON DATABASE postgres TO mover; SET LOCAL ROLE mover', ['CREATE SCHEMA AUTHORIZATION boss']),
    'of another schema, after SET search_path': ('unknown', '', ["SET LOCAL search_path = pg_catalog", "COMMENT ON FUNCTION nothere(int) IS 'x'"]),
    'of an extension of this upgrade': (None, '', ["CREATE EXTENSION pg_trgm", "COMMENT ON FUNCTION f1(int) IS 'x'"]),
    'operator of this upgrade': (None, '', ["CREATE OPERATOR ==== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)", "COMMENT ON OPERATOR ==== (int, int) IS 'x'"]),
    'type of this upgrade': (None, '', ["CREATE TYPE fresh AS ENUM ('a')", "COMMENT ON TYPE fresh IS 'x'"]),
    'view of this upgrade': (None, '', ["CREATE VIEW fresh AS SELECT 1 AS a", "COMMENT ON VIEW fresh IS 'x'"]),
    'not there, and not needed': (None, '', ["DROP AGGREGATE IF EXISTS agg9(int)", "DROP OPERATOR IF EXISTS ==== (int, int)"]),
    'replaced and told': (None, '', ["CREATE OR REPLACE FUNCTION f1(int) RETURNS int LANGUAGE sql AS 'SELECT 2'", "COMMENT ON FUNCTION f1(int) IS 'x'"]),
    'overloaded and told': (None, '', ["CREATE FUNCTION f1(text) RETURNS int LANGUAGE sql AS 'SELECT 2'", "COMMENT ON FUNCTION f1(int) IS 'x'", "COMMENT ON FUNCTION f1(text) IS 'x'", "DROP FUNCTION f1(text)"]),
    'renamed and told': (None, '', ["ALTER FUNCTION f1(int) RENAME TO f9", "COMMENT ON FUNCTION f9(int) IS 'x'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_named(name: str, session: psycopg.Connection) -> None:
    wanted, setup, texts = CASES[name]
    setup = setup.replace("DATABASE postgres", f"DATABASE {session.info.dbname}")
    found, error = said_and_done(session, TABLES, setup, texts)
    told = [item.message for item in found]
    assert worst(found, ABOUT) == wanted, (told, error)
    assert bool(error) == (wanted is not None), (told, error)
