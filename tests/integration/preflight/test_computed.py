"""What a statement computes without any row, and the bodies of functions in SQL, over the tables as they will be."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, worst

TABLES = """
CREATE TABLE users (id serial PRIMARY KEY, email text, age int, tags text[]);
INSERT INTO users (email, age) VALUES ('a', 1), ('b', 2);
CREATE TABLE keyless (a int, b text);
CREATE FUNCTION boom() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''boom''; END';
"""
ABOUT = {
    "statement-refused",
    "definition-refused",
    "object-missing",
    "table-missing",
    "data-unknown",
    "statement-opaque",
}

# The statements of an upgrade, and the worst that is said; what is said to fail, and what is unknown here, the server refuses.
CASES: dict[str, tuple[str | None, list[str]]] = {
    'perform 1/0': ('fail', ['DO $$  BEGIN PERFORM 1/0; END $$']),
    'select 1/0': ('fail', ['SELECT 1/0']),
    'cast': ('fail', ["DO $$  BEGIN PERFORM 'x'::int; END $$"]),
    'select cast': ('fail', ["SELECT 'x'::int"]),
    'assign': ('unknown', ['DO $$ DECLARE x int; BEGIN x := 1/0; END $$']),
    'decl': ('unknown', ["DO $$ DECLARE x int := 'abc'; BEGIN NULL; END $$"]),
    'if 1/0': ('unknown', ['DO $$  BEGIN IF 1/0 = 1 THEN NULL; END IF; END $$']),
    'raise exception': ('unknown', ["DO $$  BEGIN RAISE EXCEPTION 'no'; END $$"]),
    'assert': ('unknown', ["DO $$  BEGIN ASSERT false, 'no'; END $$"]),
    'perform no func': ('fail', ['DO $$  BEGIN PERFORM nothere(); END $$']),
    'perform no table': ('fail', ['DO $$  BEGIN PERFORM 1 FROM nothere; END $$']),
    'perform date': ('fail', ["DO $$  BEGIN PERFORM '2026-02-30'::date; END $$"]),
    'perform json': ('fail', ["DO $$  BEGIN PERFORM '{bad'::jsonb; END $$"]),
    'update 1/0': ('fail', ['DO $$  BEGIN UPDATE users SET age = 1/0; END $$']),
    'select with where': ('fail', ['SELECT 1/0 FROM users WHERE false']),
    'select from users': ('fail', ['SELECT 1/0 FROM users']),
    'select sqrt': ('fail', ['SELECT sqrt(-1)']),
    'case': ('unknown', ['SELECT CASE WHEN true THEN 1 ELSE 1/0 END']),
    'perform boom': ('unknown', ['DO $$  BEGIN PERFORM boom(); END $$']),
    'select boom': ('unknown', ['SELECT boom()']),
    'overflow': ('fail', ['SELECT 2147483647 + 1']),
    'smallint': ('fail', ['SELECT 70000::smallint']),
    'insert select': ('fail', ['INSERT INTO users (age) SELECT 1/0']),
    'default 1/0': ('fail', ['ALTER TABLE users ADD c int DEFAULT 1/0']),
    'substring neg': ('fail', ["SELECT substring('abc' from 1 for -1)"]),
    'regex': ('fail', ["SELECT 'a' ~ '('"]),
    'ln': ('fail', ['DO $$  BEGIN PERFORM ln(0); END $$']),
    'repeat': ('fail', ["DO $$  BEGIN PERFORM set_config('work_mem', 'abc', false); END $$"]),
    'enum': ('fail', ["DO $$  BEGIN PERFORM 'x'::nothere; END $$"]),
    'mod': ('fail', ['SELECT mod(5, 0)']),
    'interval': ('fail', ["SELECT interval '1 foo'"]),
    'array': ('fail', ["SELECT '{1,2'::int[]"]),
    'create table as': ('fail', ['CREATE TABLE t AS SELECT 1/0 AS x']),
    'view 1/0': (None, ['CREATE VIEW v AS SELECT 1/0 AS x']),
    'matview 1/0': ('fail', ['CREATE MATERIALIZED VIEW v AS SELECT 1/0 AS x']),
    'where 1/0': ('fail', ['DELETE FROM users WHERE 1/0 = 1']),
    'empty table where 1/0 ': ('fail', ['DELETE FROM keyless WHERE 1/0 = 1']),
    'body no column': ('fail', ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nothere FROM users'"]),
    'body later column': ('fail', ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT score FROM users'", 'ALTER TABLE users ADD score int']),
    'body earlier column': (None, ['ALTER TABLE users ADD score int', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT score FROM users'"]),
    'body wrong after add': ('fail', ['ALTER TABLE users ADD score int', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT skore FROM users'"]),
    'body new table': ('fail', ['CREATE TABLE n (a int)', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT b FROM n'"]),
    'body after other function': ('fail', ["CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nothere FROM users'"]),
    'begin atomic': ('fail', ['CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT nothere FROM users; END']),
    'return': ('fail', ['CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN nothere(1)']),
    'body with params': ('fail', ["CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT nothere + x FROM users'"]),
    'body returns type': ('fail', ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT email FROM users'"]),
    'returns table': ('fail', ["CREATE FUNCTION f() RETURNS TABLE (a int) LANGUAGE sql AS 'SELECT nothere FROM users'"]),
    'procedure': ('fail', ["CREATE PROCEDURE f() LANGUAGE sql AS 'UPDATE users SET nothere = 1'"]),
    'check_function_bodies off': (None, ['SET check_function_bodies = off', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nothere FROM users'"]),
    'body table later': ('fail', ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT a FROM n'", 'CREATE TABLE n (a int)']),
    'after enum': ('fail', ["CREATE TYPE mood AS ENUM ('a')", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nothere FROM users'"]),
    'two statements': ('fail', ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM users WHERE nothere = 1; SELECT 1'"]),
    'insert body': ('fail', ["CREATE FUNCTION f(x int) RETURNS void LANGUAGE sql AS 'INSERT INTO users (nothere) VALUES (x)'"]),
    'named param': ('fail', ["CREATE FUNCTION f(who int) RETURNS int LANGUAGE sql AS 'SELECT nothere FROM users WHERE id = who'"]),
    'named param of function': (None, ["CREATE FUNCTION f(who int) RETURNS int LANGUAGE sql AS 'SELECT id FROM users WHERE id = f.who'"]),
    'begin atomic late': (None, ['ALTER TABLE users ADD score int', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT score FROM users; END']),
    'begin atomic wrong late': ('fail', ['ALTER TABLE users ADD score int', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT skore FROM users; END']),
    'in do': ('fail', ["DO $$  BEGIN CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nothere FROM users'; END $$"]),
    "of a sequence": (None, ["SELECT setval('users_id_seq', (SELECT last_value FROM users_id_seq))"]),
    "of what is greatest": (None, ["SELECT setval('users_id_seq', coalesce((SELECT max(id) + 1 FROM users), 1), false)"]),
    "of the time": (None, ["SELECT now() - interval '1 day'", "ALTER TABLE users ADD c timestamptz DEFAULT now() + interval '1 hour'"]),
    "default that is read": (None, ["ALTER TABLE users ADD c int DEFAULT 2 * 3", "ALTER TABLE users ADD d numeric(4, 2) DEFAULT round(10.0 / 3, 2)"]),
    "default too great": ("fail", ["ALTER TABLE users ADD c smallint DEFAULT 70000"]),
    "default of a later INSERT": (None, ["CREATE TABLE fresh (a int DEFAULT 1 / 0)"]),
    "divided by a column": ("unknown", ["SELECT 10 / (age - 1) FROM users"]),
    "divided by NULLIF": (None, ["SELECT 10 / NULLIF(age, 0) FROM users"]),
    "view of a division": (None, ["CREATE VIEW fresh AS SELECT 10 / (age - 1) AS x FROM users"]),
    "materialized view of a division": ("unknown", ["CREATE MATERIALIZED VIEW fresh AS SELECT 10 / (age - 1) AS x FROM users"]),
    "materialized view without data": (None, ["CREATE MATERIALIZED VIEW fresh AS SELECT 1 / 0 AS x WITH NO DATA"]),
    "body over a new table": (None, ["CREATE TABLE fresh (a int, b text)", "CREATE FUNCTION f(x int) RETURNS text LANGUAGE sql AS 'SELECT b FROM fresh WHERE a = x'"]),
    "body over a new column, by number": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users WHERE score > $1'"]),
    "body that calls a new function": (None, ["CREATE FUNCTION g(int) RETURNS int LANGUAGE sql AS 'SELECT $1'", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT g(x)'"]),
    "body that calls itself": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN x > 0 THEN f(x - 1) ELSE 0 END'"]),
    "parameter like a column of another type": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(email int) RETURNS text LANGUAGE sql AS 'SELECT lower(email) FROM users'"]),
    "body with WITH": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(x int) RETURNS bigint LANGUAGE sql AS 'WITH chosen AS (SELECT score FROM users WHERE id = x) SELECT sum(score) FROM chosen'"]),
    "body that writes": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(x int, y text) RETURNS int LANGUAGE sql AS 'INSERT INTO users (email, score) VALUES (y, x) RETURNING id'"]),
    "body that writes no such column": ("fail", ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(x int, y text) RETURNS int LANGUAGE sql AS 'UPDATE users SET skore = x WHERE email = y RETURNING id'"]),
    "body of a wrong operator": ("fail", ["CREATE TABLE fresh (a jsonb)", "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM fresh WHERE a > 5'"]),
    "body with a row as parameter": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(u keyless) RETURNS int LANGUAGE sql AS 'SELECT u.a'"]),
    "variadic body": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(VARIADIC ids int[]) RETURNS bigint LANGUAGE sql AS 'SELECT count(score) FROM users WHERE id = ANY (ids)'"]),
    "RETURN of a parameter": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql RETURN x + 1"]),
    "to_date": ("fail", ["INSERT INTO users (email) VALUES (to_date('2026-13-45', 'YYYY-MM-DD')::text)"]),
    "to_date of a new column": ("fail", ["ALTER TABLE users ADD d date DEFAULT to_date('2026-02-30', 'YYYY-MM-DD')"]),
    "to_date that is right": (None, ["ALTER TABLE users ADD d date DEFAULT to_date('2026-02-28', 'YYYY-MM-DD')"]),
    "to_timestamp": ("fail", ["DO $$ BEGIN PERFORM to_timestamp('25:00', 'HH24:MI'); END $$"]),
    "to_number": ("fail", ["SELECT to_number('x', '999')"]),
    "a zone that nobody knows": ("fail", ["SELECT now() AT TIME ZONE 'Mars/Olympus'"]),
    "a unit that nobody knows": ("fail", ["SELECT date_trunc('fortnight', now())"]),
    "a text as date": ("fail", ["SELECT ('2026-' || '13-01')::date"]),
    "a text as timestamptz": ("fail", ["INSERT INTO users (email) VALUES (('yester' || 'year')::text::timestamptz::text)"]),
    "make_timestamptz": ("fail", ["SELECT make_timestamptz(2026, 13, 1, 0, 0, 0)"]),
    "format": ("fail", ["SELECT format('%d', 1)"]),
    "a setting that nobody knows": ("fail", ["SELECT current_setting('no_such_setting')"]),
    "a setting that nobody knows, of a default": ("fail", ["ALTER TABLE users ADD s text DEFAULT current_setting('no_such_setting')"]),
    "a setting that may be missing": (None, ["SELECT current_setting('no_such_setting', true)"]),
    "a setting": (None, ["SELECT current_setting('work_mem')"]),
    "where no row is sure": (None, ["UPDATE users SET email = to_date('2026-13-45', 'YYYY-MM-DD')::text WHERE false"]),
    "a limit below nothing": ("fail", ["INSERT INTO users (age) SELECT 1 LIMIT -1"]),
    "an offset below nothing": ("fail", ["CREATE TABLE t AS SELECT id FROM users OFFSET -3"]),
    "a limit that is computed": ("fail", ["SELECT id FROM users LIMIT 1 - 2"]),
    "a limit": (None, ["SELECT id FROM users LIMIT 3 OFFSET 2"]),
    "no limit": (None, ["SELECT id FROM users LIMIT ALL", "SELECT id FROM users LIMIT NULL"]),
    "a default that is too long": ("fail", ["ALTER TABLE users ADD c varchar(3) DEFAULT lower('ABCD')"]),
    "a default that is too long, fixed": ("fail", ["ALTER TABLE users ADD c char(2) DEFAULT upper('abc')"]),
    "a default that is too long without a row": ("fail", ["ALTER TABLE keyless ADD c varchar(3) DEFAULT lower('ABCD')"]),
    "a default of the time that is too long": ("fail", ["ALTER TABLE users ADD c varchar(3) DEFAULT to_char(now(), 'YYYY')"]),
    "a default that fits": (None, ["ALTER TABLE users ADD c varchar(4) DEFAULT lower('ABCD'), ADD d varchar DEFAULT lower('ABCD')"]),
    "a default with blanks at its end": (None, ["ALTER TABLE users ADD c varchar(3) DEFAULT lower('ABC  ')"]),
    "a default that is cut": (None, ["ALTER TABLE users ADD c varchar(3) DEFAULT lower('ABCD')::varchar(3)"]),
    "body with too many columns": ("fail", ["CREATE FUNCTION f() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT 1, ''x'', 2'"]),
    "body with too few columns": ("fail", ["CREATE FUNCTION f() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT 1'"]),
    "body with a column of another type": ("fail", ["CREATE FUNCTION f() RETURNS TABLE (a int, b int) LANGUAGE sql AS 'SELECT 1, now()'"]),
    "body with the columns": (None, ["CREATE FUNCTION f() RETURNS TABLE (a bigint, b text) LANGUAGE sql AS 'SELECT id, age FROM users'"]),
    "body with the columns as a row": (None, ["CREATE FUNCTION f() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT ROW(1, ''x''::text)'"]),
    "body with its OUT parameters": (None, ["CREATE FUNCTION f(x int, OUT a int, OUT b text) LANGUAGE sql AS 'SELECT $1, ''x''::text'"]),
    "body with one OUT parameter less": ("fail", ["CREATE FUNCTION f(x int, OUT a int, OUT b text) LANGUAGE sql AS 'SELECT $1'"]),
    "body with one OUT parameter of another type": ("fail", ["CREATE FUNCTION f(OUT a int) LANGUAGE sql AS 'SELECT now()'"]),
    "body of a table's row": ("fail", ["CREATE FUNCTION f() RETURNS SETOF keyless LANGUAGE sql AS 'SELECT 1, ''x'', 2'"]),
    "body of a table's row that is right": (None, ["CREATE FUNCTION f() RETURNS SETOF keyless LANGUAGE sql AS 'SELECT a, b FROM keyless'"]),
    "body of a table's rows": (None, ["CREATE FUNCTION f() RETURNS SETOF keyless LANGUAGE sql AS 'SELECT k FROM keyless k'"]),
    "view of two counts": ("fail", ["CREATE VIEW v AS SELECT count(*), count(age) FROM users"]),
    "view of two counts with names": (None, ["CREATE VIEW v (a, b) AS SELECT count(*), count(age) FROM users"]),
    "table of two counts": ("fail", ["CREATE TABLE made AS SELECT count(*), count(age) FROM users"]),
    "table of a column twice": ("fail", ["CREATE MATERIALIZED VIEW made AS SELECT u.id, k.id FROM users u, users k"]),
    "table of two functions": (None, ["CREATE TABLE made AS SELECT min(age), max(age), lower('a') FROM users"]),
    "table of columns with names": (None, ["CREATE TABLE made (a, b) AS SELECT id, id FROM users"]),
    "body of any type": (None, ["ALTER TABLE users ADD score int", "CREATE FUNCTION f(x anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT x'"]),
}  # fmt: skip
# Not known, though the server takes it.
TAKEN = {"case"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_computed_and_what_a_body_names(name: str, session: psycopg.Connection) -> None:
    wanted, texts = CASES[name]
    found, error = said_and_done(session, TABLES, "", texts)
    told = [item.message for item in found]
    assert worst(found, ABOUT) == wanted, (told, error)
    assert bool(error) == (wanted is not None and name not in TAKEN), (told, error)
