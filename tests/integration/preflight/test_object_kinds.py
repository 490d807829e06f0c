"""Definitions about an object of another kind, or with what its kind cannot have: what is said, and what the server does."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import agree, said_and_done, sql

TABLES = """
CREATE TYPE stage AS ENUM ('a', 'b');
CREATE TYPE stage2 AS ENUM ('a', 'b');
CREATE TABLE owner (id int PRIMARY KEY, name text COLLATE "C", net inet);
CREATE TABLE thing (id int PRIMARY KEY, owner_id int CONSTRAINT owned REFERENCES owner, n int CONSTRAINT positive CHECK (n > 0), word text, stage stage, code varchar(9));
CREATE INDEX by_stage ON thing (id) WHERE stage = 'a';
CREATE INDEX by_word ON thing (lower(word));
CREATE UNLOGGED TABLE fast (id int PRIMARY KEY, owner_id int REFERENCES owner);
CREATE TABLE slow (id int PRIMARY KEY);
CREATE TABLE waits (id int REFERENCES slow);
CREATE VIEW seen AS SELECT id, name FROM owner;
CREATE MATERIALIZED VIEW kept AS SELECT id, name FROM owner;
CREATE SEQUENCE numbers;
CREATE FUNCTION one(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION two(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION two(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION three(stage2) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE ROLE somebody;
CREATE TABLE indexed (net inet, word text, doc jsonb, n int);
CREATE INDEX indexed_net ON indexed USING gist (net inet_ops);
CREATE INDEX ON indexed (word text_pattern_ops);
CREATE INDEX ON indexed USING gin (doc);
CREATE INDEX ON indexed (n);
"""

# statements, what is said (fail, unknown, None: nothing), a word of the server's error
FIT: dict[str, tuple[list[str], str | None, str]] = {
    "column of a view": (sql("ALTER TABLE seen ADD more int"), "fail", "seen"),
    "default of a view": (sql("ALTER TABLE seen ALTER name SET DEFAULT 'x'"), None, ""),
    "index of a view": (sql("CREATE INDEX ON seen (id)"), "fail", "view"),
    "index of a materialized view": (sql("CREATE INDEX ON kept (id)"), None, ""),
    "view that is a materialized one dropped": (sql("DROP VIEW kept"), "fail", "is not a view"),
    "view dropped": (sql("DROP VIEW seen"), None, ""),
    "materialized view that is a view dropped": (sql("DROP MATERIALIZED VIEW IF EXISTS seen"), "fail", "is not a materialized view"),
    "materialized view dropped": (sql("DROP MATERIALIZED VIEW kept"), None, ""),
    "sequence dropped": (sql("DROP SEQUENCE numbers"), None, ""),
    "index that is a table dropped": (sql("DROP INDEX slow"), "fail", "is not an index"),
    "foreign key to a view": (sql("ALTER TABLE thing ADD FOREIGN KEY (n) REFERENCES seen (id)"), "fail", "is not a table"),
    "foreign key of a new table to a view": (sql("CREATE TABLE fresh (a int REFERENCES seen (id))"), "fail", "is not a table"),
    "foreign key to an unlogged table": (sql("ALTER TABLE thing ADD FOREIGN KEY (n) REFERENCES fast"), "fail", "permanent tables"),
    "foreign key of a new unlogged table to another": (sql("CREATE UNLOGGED TABLE fresh (a int REFERENCES fast)"), None, ""),
    "foreign key of a new table to an unlogged one": (sql("CREATE TABLE fresh (a int REFERENCES fast)"), "fail", "permanent tables"),
    "unlogged under a foreign key": (sql("ALTER TABLE slow SET UNLOGGED"), "fail", "references"),
    "unlogged": (sql("ALTER TABLE waits SET UNLOGGED"), None, ""),
    "logged": (sql("ALTER TABLE fast SET LOGGED"), None, ""),
    "NOT NULL of a primary key": (sql("ALTER TABLE thing ALTER id DROP NOT NULL"), "fail", "primary key"),
    "NOT NULL of a primary key that is dropped": (sql("ALTER TABLE slow DROP CONSTRAINT slow_pkey CASCADE", "ALTER TABLE slow ALTER id DROP NOT NULL"), None, ""),
    "check over another type": (sql("ALTER TABLE thing ALTER n TYPE text"), "unknown", "operator does not exist"),
    "check over a wider type": (sql("ALTER TABLE thing ALTER n TYPE bigint"), None, ""),
    "foreign key of another type": (sql("ALTER TABLE thing ALTER owner_id TYPE text"), "fail", "cannot be implemented"),
    "foreign key to another type": (sql("ALTER TABLE slow ALTER id TYPE uuid USING gen_random_uuid()"), "fail", "cannot be implemented"),
    "foreign key of a wider type": (sql("ALTER TABLE thing ALTER owner_id TYPE bigint"), None, ""),
    "another enum under a predicate": (sql("ALTER TABLE thing ALTER stage TYPE stage2 USING stage::text::stage2"), "unknown", "operator does not exist"),
    "index of an expression": (sql("ALTER TABLE thing ALTER word TYPE varchar(90)"), None, ""),
    "index of an expression of another type": (sql("ALTER TABLE thing ALTER word TYPE int USING 1"), "unknown", "does not exist"),
    "unique by hash": (sql("CREATE UNIQUE INDEX ON thing USING hash (n)"), "fail", "does not support unique"),
    "two columns by hash": (sql("CREATE INDEX ON thing USING hash (n, word)"), "fail", "does not support multicolumn"),
    "hash": (sql("CREATE INDEX ON thing USING hash (n)"), None, ""),
    "hash with another column": (sql("CREATE INDEX ON thing USING hash (n) INCLUDE (word)"), "fail", "does not support included"),
    "gist in an order": (sql("CREATE INDEX ON owner USING gist (net inet_ops DESC)"), "fail", "does not support ASC/DESC"),
    "brin": (sql("CREATE INDEX ON thing USING brin (n, word)"), None, ""),
    "no length": (sql("ALTER TABLE thing ADD more varchar(0)"), "fail", "must be at least 1"),
    "too much precision": (sql("CREATE TABLE fresh (n numeric(1001, 2))"), "fail", "precision"),
    "length": (sql("ALTER TABLE thing ADD more varchar(1), ADD less numeric(10, 0)"), None, ""),
    "collation of a number": (sql('ALTER TABLE thing ADD more int COLLATE "C"'), "fail", "not supported by type"),
    "collation of a text": (sql('ALTER TABLE thing ADD more text COLLATE "C"'), None, ""),
    "collation of a number in a new table": (sql('CREATE TABLE fresh (a uuid COLLATE "C")'), "fail", "not supported by type"),
    "storage parameter": (sql("ALTER TABLE thing SET (autovacuum_enabled = false, fillfactor = 70, toast.autovacuum_enabled = false)"), None, ""),
    "storage parameter that is off": (sql("ALTER TABLE thing SET (autovacuum_enabled = off)"), None, ""),
    "storage parameter of an index that is off": (sql("CREATE INDEX ON thing (n) WITH (deduplicate_items = off)"), None, ""),
    "storage parameter of a new table that is off": (sql("CREATE TABLE fresh (a int) WITH (autovacuum_enabled = off)"), None, ""),
    "storage parameter that nobody knows": (sql("ALTER TABLE thing SET (autovacuum_enabledd = false)"), "fail", "unrecognized parameter"),
    "storage parameter of a new table": (sql("CREATE TABLE fresh (a int) WITH (fillfactor = 5)"), "fail", "out of bounds"),
    "right on a missing column": (sql("GRANT SELECT (nobody) ON thing TO somebody"), "fail", "does not exist"),
    "right on a column": (sql("GRANT SELECT (word), UPDATE (n) ON thing TO somebody"), None, ""),
    "function of other arguments dropped": (sql("DROP FUNCTION one(text)"), "fail", "does not exist"),
    "function dropped": (sql("DROP FUNCTION one(int)", "DROP FUNCTION two(text)"), None, ""),
    "function of a renamed type dropped": (sql("ALTER TYPE stage2 RENAME TO phase", "DROP FUNCTION three(phase)"), None, ""),
    "function dropped that got the name of another": (sql("ALTER FUNCTION one(int) RENAME TO three", "DROP FUNCTION three(int)"), None, ""),
    "function of other arguments dropped, IF EXISTS": (sql("DROP FUNCTION IF EXISTS one(text)"), None, ""),
    "one of two functions dropped": (sql("DROP FUNCTION two"), "fail", "not unique"),
    "setting that nobody knows": (sql("SET lock_timout = '2s'"), "fail", "unrecognized"),
    "setting of another value": (sql("SET lock_timeout = '2 parsecs'"), "fail", "invalid value"),
    "settings": (sql("SET LOCAL lock_timeout = '2s'", "SET statement_timeout = 0", "SET app.tenant = 'x'", "SET work_mem TO '64MB'"), None, ""),
    "enum value before one that is missing": (sql("ALTER TYPE stage ADD VALUE 'c' BEFORE 'z'"), "fail", "is not an existing enum label"),
    "enum value before another": (sql("ALTER TYPE stage ADD VALUE 'c' BEFORE 'b'"), None, ""),
    "body of a missing table": (sql("CREATE FUNCTION three() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM nowhere'"), "fail", "does not exist"),
    "body of a missing table, arguments named": (sql("CREATE FUNCTION three(n int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM nowhere WHERE id = n'"), "fail", "does not exist"),
    "body of a new table": (sql("CREATE TABLE fresh (id int)", "CREATE FUNCTION three() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM fresh'"), None, ""),
    "body of arguments": (sql("CREATE FUNCTION three(int, more text DEFAULT 'x', OUT n int) LANGUAGE sql AS 'SELECT thing.id + $1 FROM thing WHERE word = more LIMIT 1'"), None, ""),
    "body of another type": (sql("CREATE FUNCTION three() RETURNS int LANGUAGE sql AS $$SELECT 'a'::text$$"), "fail", "return type mismatch"),
    "body of a type that is cast": (sql("CREATE FUNCTION three() RETURNS int LANGUAGE sql AS 'SELECT count(*) FROM thing'", "CREATE FUNCTION four() RETURNS text LANGUAGE sql AS 'SELECT 1'"), None, ""),
    "body of two columns": (sql("CREATE FUNCTION three() RETURNS int LANGUAGE sql AS 'SELECT 1, 2'"), "fail", "return type mismatch"),
    "body of several statements": (sql("CREATE FUNCTION three(a int) RETURNS void LANGUAGE sql AS 'DELETE FROM slow WHERE id = a; INSERT INTO slow VALUES (a)'"), None, ""),
    "body that gives rows": (sql("CREATE FUNCTION three() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT id, word FROM thing'", "CREATE FUNCTION four() RETURNS SETOF int LANGUAGE sql AS 'SELECT id FROM thing'"), None, ""),
    "body that is not looked at": (sql("SET check_function_bodies = off", "CREATE FUNCTION three() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM nowhere'", "CREATE FUNCTION four() RETURNS int LANGUAGE plpgsql AS 'BEGIN retrun 1; END'"), None, ""),
    "body in PL/pgSQL": (sql("CREATE FUNCTION three() RETURNS int LANGUAGE plpgsql AS $$BEGIN retrun 1; END$$"), "fail", "syntax error"),
    "body in PL/pgSQL that does not end": (sql("CREATE FUNCTION three() RETURNS int LANGUAGE plpgsql AS $$BEGIN IF true THEN RETURN 1; END$$"), "fail", "syntax error"),
    "body in PL/pgSQL of rows and variables": (sql("CREATE FUNCTION three(a thing) RETURNS int LANGUAGE plpgsql AS $$DECLARE r thing%ROWTYPE; w thing.word%TYPE; BEGIN SELECT * INTO r FROM thing; r.n := a.n; w := 'x'; RETURN r.n; END$$"), None, ""),
    "block that is misspelt": (sql("DO $$BEGIN PREFORM 1; END$$"), "fail", "syntax error"),
    "index of the type": (sql("ALTER TABLE owner ADD doc jsonb", "CREATE INDEX ON owner USING gin (doc)"), None, ""),
    "type that an operator class does not take": (sql("ALTER TABLE indexed ALTER net TYPE text"), "fail", "does not accept data type"),
    "type that an operator class takes": (sql("ALTER TABLE indexed ALTER word TYPE varchar(90)"), None, ""),
    "type of another order": (sql("ALTER TABLE indexed ALTER word TYPE int USING 1"), "fail", "does not accept data type"),
    "type without an operator class": (sql("ALTER TABLE indexed ALTER doc TYPE text USING 'x'"), "fail", "no default operator class"),
    "type of an index that is dropped before": (sql("DROP INDEX indexed_net", "ALTER TABLE indexed ALTER net TYPE text"), None, ""),
    "type of a plain index": (sql("ALTER TABLE indexed ALTER n TYPE text"), None, ""),
    "function dropped without arguments": (sql("DROP FUNCTION one"), None, ""),
}  # fmt: skip
SAYS = {"definition-refused", "object-missing", "statement-refused", "object-depended-upon"}


@pytest.mark.parametrize("name", FIT)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    texts, wanted, words = FIT[name]
    agree(said_and_done(session, TABLES, "", texts), SAYS, wanted, words)
