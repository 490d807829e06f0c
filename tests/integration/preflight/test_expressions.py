"""Expressions that definitions keep: what is said about them, and whether the server takes them."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import agree, said_and_done, severities, sql

TABLES = """
CREATE TYPE phase AS ENUM ('open', 'shut');
CREATE TABLE visit (id int PRIMARY KEY, who text NOT NULL, at timestamp, seen timestamptz, day date, doc jsonb, n int, phase phase, tags text[],
  twice int GENERATED ALWAYS AS (n * 2) STORED);
CREATE TABLE parts (id int, at timestamptz) PARTITION BY RANGE (at);
CREATE MATERIALIZED VIEW visits AS SELECT who, seen FROM visit;
CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION written(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower($1); END';
CREATE FUNCTION stable(text) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN lower($1); END';
CREATE FUNCTION waits(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END';
CREATE FUNCTION seen_through(text) RETURNS text LANGUAGE sql AS 'SELECT lower($1)';
CREATE FUNCTION twofold(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION twofold(int) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
INSERT INTO visit (id, who, n) VALUES (1, 'a', 1);
"""

# statements, what is said (fail, unknown, None: nothing), a word of the server's error
EXPRESSIONS: dict[str, tuple[list[str], str | None, str]] = {
    "lower": (sql("CREATE INDEX ON visit (lower(who))"), None, ""),
    "several": (sql("CREATE INDEX ON visit (id, (n + 1), (who || 'x') DESC) WHERE n > 1 AND phase = 'open' AND day > '2026-01-01'"), None, ""),
    "day of a timestamp": (sql("CREATE INDEX ON visit (date_trunc('day', at))"), None, ""),
    "day of a timestamptz": (sql("CREATE INDEX ON visit (date_trunc('day', seen))"), "fail", "IMMUTABLE"),
    "day in a zone": (sql("CREATE INDEX ON visit (date_trunc('day', seen AT TIME ZONE 'UTC'))"), None, ""),
    "a timestamp as timestamptz": (sql("CREATE INDEX ON visit ((at::timestamptz))"), "fail", "IMMUTABLE"),
    "a timestamp as date": (sql("CREATE INDEX ON visit ((at::date))"), None, ""),
    "a timestamptz as date": (sql("CREATE INDEX ON visit (CAST(seen AS date))"), "fail", "IMMUTABLE"),
    "a text as date": (sql("CREATE INDEX ON visit ((who::date))"), "fail", "IMMUTABLE"),
    "a text as number": (sql("CREATE INDEX ON visit ((nullif(tags[1], '')::int))"), None, ""),
    "JSON as timestamptz": (sql("CREATE INDEX ON visit (((doc ->> 'at')::timestamptz))"), "fail", "IMMUTABLE"),
    "JSON": (sql("CREATE INDEX ON visit ((doc ->> 'at'), ((doc -> 'n')::int))"), None, ""),
    "to_char": (sql("CREATE INDEX ON visit (to_char(at, 'YYYY'))"), "fail", "IMMUTABLE"),
    "extract": (sql("CREATE INDEX ON visit (extract(year FROM at))"), None, ""),
    "extract of a timestamptz": (sql("CREATE INDEX ON visit (extract(year FROM seen))"), "fail", "IMMUTABLE"),
    "text search without a configuration": (sql("CREATE INDEX ON visit USING gin (to_tsvector(who))"), "fail", "IMMUTABLE"),
    "text search": (sql("CREATE INDEX ON visit USING gin (to_tsvector('english', coalesce(who, '') || ' x'))"), None, ""),
    "concat": (sql("CREATE INDEX ON visit (concat(who, n))"), "fail", "IMMUTABLE"),
    "an enum as text": (sql("CREATE INDEX ON visit ((phase::text))"), "fail", "IMMUTABLE"),
    "an array joined": (sql("CREATE INDEX ON visit (array_to_string(tags, ','))"), "fail", "IMMUTABLE"),
    "now in a predicate": (sql("CREATE INDEX ON visit (id) WHERE seen > now()"), "fail", "IMMUTABLE"),
    "the day in a predicate": (sql("CREATE INDEX ON visit (id) WHERE day > CURRENT_DATE - 30"), "fail", "IMMUTABLE"),
    "a text beside a timestamptz": (sql("CREATE INDEX ON visit (id) WHERE seen > '2026-01-01 00:00+00'"), None, ""),
    "a timestamp beside a timestamptz": (sql("CREATE INDEX ON visit (id) WHERE seen > timestamp '2026-01-01'"), "fail", "IMMUTABLE"),
    "unique": (sql("CREATE UNIQUE INDEX ON visit (id) WHERE at < localtimestamp"), "fail", "IMMUTABLE"),
    "IF NOT EXISTS": (sql("CREATE INDEX IF NOT EXISTS visit_pkey ON visit (to_char(at, 'YYYY'))"), "fail", "IMMUTABLE"),
    "of a materialized view": (sql("CREATE INDEX ON visits (date_trunc('day', seen))"), "fail", "IMMUTABLE"),
    "of a partitioned table": (sql("CREATE INDEX ON parts (date_trunc('day', at))"), "fail", "IMMUTABLE"),
    "a schema before it": (sql("CREATE INDEX ON public.visit (pg_catalog.lower(visit.who))"), None, ""),
    "own function": (sql("CREATE INDEX ON visit (plain(who), written(who))"), None, ""),
    "own function that is STABLE": (sql("CREATE INDEX ON visit (upper(public.stable(who)))"), "fail", "IMMUTABLE"),
    "own function that says nothing": (sql("CREATE INDEX ON visit (waits(who))"), "fail", "IMMUTABLE"),
    "own function in SQL, which is looked through": (sql("CREATE INDEX ON visit (seen_through(who))"), None, ""),
    "own function of a constant": (sql("CREATE INDEX ON visit ((who || written('X')))"), None, ""),
    "own function of two kinds": (sql("CREATE INDEX ON visit (twofold(who))"), None, ""),
    "own function of the other kind": (sql("CREATE INDEX ON visit (twofold(n))"), "fail", "IMMUTABLE"),
    "own function of two kinds of a constant": (sql("CREATE INDEX ON visit ((who || twofold('X')))"), "unknown", ""),
    "function made before": (sql("CREATE FUNCTION f(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END'", "CREATE INDEX ON visit (f(who))"), "fail", "IMMUTABLE"),
    "function made before, in SQL": (sql("CREATE FUNCTION f(text) RETURNS text LANGUAGE sql AS 'SELECT lower($1)'", "CREATE INDEX ON visit (f(who))"), "unknown", ""),
    "function made before, IMMUTABLE": (sql("CREATE FUNCTION f(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END'", "CREATE INDEX ON visit (f(who))"), None, ""),
    "new column": (sql("ALTER TABLE visit ADD made timestamptz", "CREATE INDEX ON visit (date_trunc('month', made))"), "fail", "IMMUTABLE"),
    "new column that is fine": (sql("ALTER TABLE visit ADD made timestamp", "CREATE INDEX ON visit (date_trunc('month', made), lower(who))"), None, ""),
    "new table": (sql("CREATE TABLE fresh (id serial PRIMARY KEY, made timestamptz NOT NULL, name varchar(20))", "CREATE INDEX ON fresh (lower(name))", "CREATE INDEX ON fresh ((made::date))"), "fail", "IMMUTABLE"),
    "new table that is fine": (sql("CREATE TABLE fresh (id serial PRIMARY KEY, made timestamp, name varchar(20))", "CREATE INDEX ON fresh (lower(name), (made::date))"), None, ""),
    "renamed column": (sql("ALTER TABLE visit RENAME at TO made", "CREATE INDEX ON visit (date_trunc('day', made))"), "unknown", ""),
    "generated": (sql("ALTER TABLE visit ADD g text GENERATED ALWAYS AS (lower(who) || n) STORED"), None, ""),
    "generated by now": (sql("ALTER TABLE visit ADD g timestamptz GENERATED ALWAYS AS (now()) STORED"), "fail", "not immutable"),
    "generated text search": (sql("ALTER TABLE visit ADD g tsvector GENERATED ALWAYS AS (to_tsvector(who)) STORED"), "fail", "not immutable"),
    "generated age": (sql("ALTER TABLE visit ADD g interval GENERATED ALWAYS AS (age(at)) STORED"), "fail", "not immutable"),
    "generated from a generated one": (sql("ALTER TABLE visit ADD g int GENERATED ALWAYS AS (twice + 1) STORED"), "fail", "generated column"),
    "generated from another new one": (sql("ALTER TABLE visit ADD m int, ADD g int GENERATED ALWAYS AS (m + n) STORED"), None, ""),
    "generated in a new table": (sql("CREATE TABLE fresh (a text, b text GENERATED ALWAYS AS (concat_ws(' ', a, a)) STORED)"), "fail", "not immutable"),
    "generated in a new table that is fine": (sql("CREATE TABLE fresh (a text, b text GENERATED ALWAYS AS (a || ' ' || a) STORED)"), None, ""),
    "generated in a new table from its own": (sql("CREATE TABLE fresh (a int, b int GENERATED ALWAYS AS (a) STORED, c int GENERATED ALWAYS AS (b) STORED)"), "fail", "generated column"),
    "generated by a query": (sql("ALTER TABLE visit ADD g int GENERATED ALWAYS AS ((SELECT max(id) FROM visit)) STORED"), "fail", "subquery"),
    "generated, already there": (sql("ALTER TABLE visit ADD COLUMN IF NOT EXISTS twice timestamptz GENERATED ALWAYS AS (now()) STORED"), None, ""),
    "partition key": (sql("CREATE TABLE fresh (at timestamptz) PARTITION BY RANGE (date_trunc('day', at))"), "fail", "IMMUTABLE"),
    "partition key that is fine": (sql("CREATE TABLE fresh (at timestamp) PARTITION BY RANGE (date_trunc('day', at))"), None, ""),
    "index by a query": (sql("CREATE INDEX ON visit (id) WHERE id IN (SELECT n FROM visit)"), "fail", "subquery"),
    "index by an aggregate": (sql("CREATE INDEX ON visit (max(n))"), "fail", "aggregate"),
    "index by a set": (sql("CREATE INDEX ON visit (unnest(tags))"), "fail", "set-returning"),
    "check by a query": (sql("ALTER TABLE visit ADD CHECK (n IN (SELECT id FROM parts))"), "fail", "subquery"),
    "check of the time": (sql("ALTER TABLE visit ADD CHECK (seen < now())"), None, ""),
    "check by a query in a new table": (sql("CREATE TABLE fresh (a int CHECK (EXISTS (SELECT FROM visit WHERE id = a)))"), "fail", "subquery"),
    "check by a window": (sql("ALTER TABLE visit ADD CHECK (row_number() OVER () > 0)"), "fail", "window"),
    "default of another column": (sql("ALTER TABLE visit ADD m int DEFAULT n"), "fail", "column reference"),
    "default by a query": (sql("ALTER TABLE visit ALTER n SET DEFAULT (SELECT max(id) FROM visit)"), "fail", "subquery"),
    "default of the time": (sql("ALTER TABLE visit ALTER at SET DEFAULT now()", "ALTER TABLE visit ADD m timestamptz DEFAULT CURRENT_TIMESTAMP"), None, ""),
    "type by a query": (sql("ALTER TABLE visit ALTER who TYPE int USING (SELECT max(v.id) FROM visit v WHERE v.who = visit.who)"), "fail", "subquery"),
    "trigger by a query": (sql("CREATE TRIGGER g BEFORE INSERT ON visit FOR EACH ROW WHEN (NEW.id IN (SELECT 1)) EXECUTE FUNCTION told()"), "fail", "subquery"),
    "trigger": (sql("CREATE TRIGGER g BEFORE INSERT ON visit FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION told()"), None, ""),
    "policy by a query": (sql("CREATE POLICY p ON visit USING (id IN (SELECT id FROM parts GROUP BY id HAVING count(*) > 1))"), None, ""),
    "policy by an aggregate": (sql("CREATE POLICY p ON visit USING (count(*) > 1)"), "fail", "aggregate"),
    "generated of a column that is missing": (sql("ALTER TABLE visit ADD g int GENERATED ALWAYS AS (nobody + 1) STORED"), "fail", "does not exist"),
    "after a block": (sql("DO $$ BEGIN DROP FUNCTION plain; END $$", "CREATE INDEX ON visit (to_char(at, 'YYYY'))"), "fail", "IMMUTABLE"),
    "after what nobody knows": (sql("DO $$ BEGIN EXECUTE 'DROP FUNCTION ' || (SELECT 'plain'); END $$", "CREATE INDEX ON visit (to_char(at, 'YYYY'))"), "unknown", "IMMUTABLE"),
}  # fmt: skip
SAYS = {"definition-refused", "statement-refused"}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    texts, wanted, words = EXPRESSIONS[name]
    agree(said_and_done(session, TABLES, "", texts), SAYS, wanted, words)


def test_the_planner_calls_no_function(session: psycopg.Connection) -> None:
    session.execute("CREATE TABLE called (n int)")
    session.execute(
        "CREATE FUNCTION shouts(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END'"
    )
    found, error = said_and_done(session, "SELECT 1", "", sql("CREATE INDEX ON called ((n + shouts(1)))"))
    assert not severities(found, SAYS)
    assert "called" in error
