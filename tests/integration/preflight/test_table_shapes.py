"""Expressions over tables that the same upgrade makes or changes: what is said before, and what the server does."""

# ruff: noqa: E501 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import LEDGER, agree_at_worst, said_and_done, sql

PROJ = "CREATE TABLE proj (id int PRIMARY KEY, code text, uid uuid DEFAULT gen_random_uuid(), meta jsonb, at timestamptz DEFAULT now(), arr int[]); INSERT INTO proj (id, code) SELECT n, n::text FROM generate_series(1, 3) n;"
ADD = "ALTER TABLE proj ADD z int"
# The kinds are those of public reports: indico/indico#5521, mybb/mybb#5074, concourse/concourse#6740,
# mautrix/signal#444, rmyndharis/OpenWA#690, Dolibarr/dolibarr#20140, prisma/prisma1#2750, oliverw/miningcore#1061.
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "new text with integer, update": ("", sql("ALTER TABLE ledger ADD ref text", "UPDATE ledger SET note = 'x' WHERE ref = id"), "fail", "operator does not exist"),
    "new text with integer, check": ("", sql("ALTER TABLE ledger ADD ref text", "ALTER TABLE ledger ADD CONSTRAINT c CHECK (ref <> amount)"), "fail", "operator does not exist"),
    "new text with integer, join": (PROJ, sql("ALTER TABLE ledger ADD pid text", "UPDATE ledger l SET note = p.code FROM proj p WHERE p.id = l.pid"), "fail", "operator does not exist"),
    "new text with integer, subquery": (PROJ, sql("ALTER TABLE proj ADD t text", "UPDATE ledger SET note = 'x' WHERE id IN (SELECT t FROM proj)"), "fail", "operator does not exist"),
    "new text with integer, correlated": (PROJ, sql("ALTER TABLE proj ADD t text", "DELETE FROM ledger l WHERE NOT EXISTS (SELECT 1 FROM proj p WHERE p.t = l.id)"), "fail", "operator does not exist"),
    "new text, trigger": ("CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';", sql("ALTER TABLE ledger ADD t text", "CREATE TRIGGER x BEFORE UPDATE ON ledger FOR EACH ROW WHEN (OLD.t <> NEW.id) EXECUTE FUNCTION tf()"), "fail", "operator does not exist"),
    "new text, policy": ("", sql("ALTER TABLE ledger ADD t text", "CREATE POLICY p ON ledger USING (t = id)"), "fail", "operator does not exist"),
    "retyped, join": (PROJ, sql("ALTER TABLE ledger ALTER amount TYPE text", "UPDATE ledger l SET note = p.code FROM proj p WHERE p.id = l.amount"), "fail", "operator does not exist"),
    "retyped, where": ("", sql("ALTER TABLE ledger ALTER amount TYPE text", "UPDATE ledger SET note = 'x' WHERE amount > 3"), "fail", "operator does not exist"),
    "retyped, aggregate": (PROJ, sql("ALTER TABLE ledger ALTER amount TYPE text", "INSERT INTO proj (id) SELECT sum(amount) + 100 FROM ledger"), "fail", "does not exist"),
    "foreign key to a new table": ("", sql("CREATE TABLE u (id uuid PRIMARY KEY)", "ALTER TABLE ledger ADD uid varchar(36)", "ALTER TABLE ledger ADD FOREIGN KEY (uid) REFERENCES u (id)"), "fail", "cannot be implemented"),
    "foreign key of a new column": ("", sql("CREATE TABLE u (id uuid PRIMARY KEY)", "ALTER TABLE ledger ADD uid varchar(36) REFERENCES u (id)"), "fail", "cannot be implemented"),
    "foreign key, only one side retyped": ("CREATE TABLE pa (id varchar PRIMARY KEY); CREATE TABLE ch (pid varchar REFERENCES pa);", sql("ALTER TABLE ch DROP CONSTRAINT ch_pid_fkey", "ALTER TABLE pa ALTER id TYPE uuid USING id::uuid", "ALTER TABLE ch ADD FOREIGN KEY (pid) REFERENCES pa (id)"), "fail", "cannot be implemented"),
    "foreign key to a primary key unnamed": ("", sql("CREATE TABLE u (id uuid PRIMARY KEY)", "CREATE TABLE v (u text REFERENCES u)"), "fail", "cannot be implemented"),
    "assigned, text to integer": ("", sql("ALTER TABLE ledger ADD n int", "UPDATE ledger SET n = note"), "fail", "but expression is of type"),
    "assigned, insert select": (PROJ, sql("CREATE TABLE nn (id int, pid int)", "INSERT INTO nn SELECT id, code FROM proj"), "fail", "but expression is of type"),
    "assigned, a text no date": ("", sql("CREATE TABLE nn (id int, b date)", "INSERT INTO nn VALUES (1, 'yesterdayish')"), "fail", "invalid input syntax"),
    "assigned, a text no array": (PROJ, sql("ALTER TABLE proj ADD j text[]", "UPDATE proj SET j = '[]'"), "fail", "malformed array"),
    "compared with a text that is none": ("", sql("ALTER TABLE ledger ADD f int", "UPDATE ledger SET note = 'a' WHERE f = 'abc'"), "fail", "invalid input syntax"),
    "boolean with a number": ("", sql("ALTER TABLE ledger ADD f boolean DEFAULT false", "UPDATE ledger SET note = 'a' WHERE f = 1"), "fail", "operator does not exist"),
    "default of another type": (PROJ, sql("ALTER TABLE proj ADD j int DEFAULT now()"), "fail", "but default expression"),
    "default of another type, new table": ("", sql("CREATE TABLE nn (u uuid DEFAULT md5('x'))"), "fail", "but default expression"),
    "generated of another type": ("", sql("ALTER TABLE ledger ADD h int GENERATED ALWAYS AS (note) STORED"), "fail", "is of type"),
    "generated of a new column": ("", sql("ALTER TABLE ledger ADD q text", "ALTER TABLE ledger ADD h int GENERATED ALWAYS AS (q * 2) STORED"), "fail", "operator does not exist"),
    "check of a new table": ("", sql("CREATE TABLE nn (id int, c text, CHECK (c > id))"), "fail", "operator does not exist"),
    "check that is no condition": ("", sql("CREATE TABLE nn (id int CHECK (id))"), "fail", "must be type boolean"),
    "index over a function": ("", sql("ALTER TABLE ledger ADD f int", "CREATE INDEX i ON ledger (lower(f))"), "fail", "does not exist"),
    "index with a collation": ("", sql("ALTER TABLE ledger ADD f int", "CREATE INDEX i ON ledger (f COLLATE \"C\")"), "fail", "collations are not supported"),
    "view": ("", sql("ALTER TABLE ledger ADD f int", "CREATE VIEW v AS SELECT lower(f) FROM ledger"), "fail", "does not exist"),
    "union": (PROJ, sql("ALTER TABLE proj ADD j int", "CREATE VIEW v AS SELECT j FROM proj UNION SELECT code FROM proj"), "fail", "cannot be matched"),
    "json has no order": (PROJ, sql("ALTER TABLE proj ADD j json", "CREATE TABLE x AS SELECT id FROM proj ORDER BY j"), "fail", "could not identify"),
    # The server takes these.
    "group by a key": (PROJ, sql(ADD, "CREATE VIEW v AS SELECT id, code FROM proj GROUP BY id"), None, ""),
    "system columns": (PROJ, sql(ADD, "DELETE FROM proj a USING proj b WHERE a.ctid < b.ctid AND a.id = b.id"), None, ""),
    "a WITH query of its name": (PROJ, sql(ADD, "WITH proj AS (SELECT 1 AS x) UPDATE ledger SET note = 'x' FROM proj WHERE x = 1 AND ledger.id = 1"), None, ""),
    "window": (PROJ, sql(ADD, "UPDATE proj SET z = s.rn FROM (SELECT id, row_number() OVER (PARTITION BY code ORDER BY at DESC) rn FROM proj) s WHERE s.id = proj.id"), None, ""),
    "arrays": (PROJ, sql("ALTER TABLE proj ADD tags text[] DEFAULT '{}' NOT NULL", "ALTER TABLE proj ADD ids bigint[]", "UPDATE proj SET tags = array_append(tags, 'x'), ids = arr"), None, ""),
    "numbers": (PROJ, sql(ADD, "ALTER TABLE proj ADD n numeric(8, 2)", "UPDATE proj SET z = id * 1.5, n = id"), None, ""),
    "a new enum": (PROJ, sql("CREATE TYPE st AS ENUM ('a', 'b')", "ALTER TABLE proj ADD s st DEFAULT 'a'", "UPDATE proj SET s = 'b', code = 'x' WHERE s = 'a'"), None, ""),
    "an extension's type and operator": (PROJ, sql("CREATE EXTENSION citext", "CREATE EXTENSION pg_trgm", "ALTER TABLE proj ADD e citext", "UPDATE proj SET e = code WHERE e IS NULL", "CREATE VIEW v AS SELECT * FROM proj WHERE code % 'a'"), None, ""),
    "a cast of the upgrade": (PROJ, sql(ADD, "CREATE CAST (text AS int) WITH INOUT AS ASSIGNMENT", "UPDATE proj SET z = code"), None, ""),
    "renamed, and another of its name": (PROJ, sql(ADD, "ALTER TABLE proj RENAME TO projects", "UPDATE projects SET z = id", "CREATE TABLE proj (x text)", "INSERT INTO proj VALUES ('a')"), None, ""),
    "dropped and made anew": (PROJ, sql("DROP TABLE proj", "CREATE TABLE proj (id text, n int)", "INSERT INTO proj VALUES ('a', 1)", "UPDATE proj SET n = 2 WHERE id = 'a'"), None, ""),
    "a column there already": (PROJ, sql("ALTER TABLE proj ADD COLUMN IF NOT EXISTS code int", "UPDATE proj SET code = 'abc'"), None, ""),
    "a table there already": (PROJ, sql("CREATE TABLE IF NOT EXISTS proj (id text)", "UPDATE proj SET code = 'abc' WHERE id = 1"), None, ""),
    "retyped, and fits": (PROJ, sql("ALTER TABLE proj ALTER code TYPE int USING code::int", "UPDATE proj SET code = 1 WHERE code > 0"), None, ""),
    "many types": ("", sql("CREATE TABLE nt (id serial PRIMARY KEY, n numeric(10, 2) DEFAULT 0, f boolean DEFAULT false, at timestamp DEFAULT timezone('utc', now()), d date DEFAULT CURRENT_DATE, j jsonb DEFAULT '{}', a text[] DEFAULT ARRAY[]::text[], i interval DEFAULT '1 day', t text DEFAULT 5, s smallint DEFAULT 1, x real DEFAULT 0.5, CHECK (n >= 0))", "INSERT INTO nt (n, f, d, j, a, i) VALUES (1, 't', '2024-01-01', '{\"a\": 1}', '{x,y}', '2 hours'), (DEFAULT, false, now(), NULL, ARRAY['z'], interval '1 s')"), None, ""),
    "quoted names": ('CREATE TABLE "User" (id int PRIMARY KEY, "group" text);', sql('ALTER TABLE "User" ADD "isOk" boolean DEFAULT false', "UPDATE \"User\" SET \"isOk\" = true WHERE \"group\" = 'x' AND \"User\".id > 1"), None, ""),
    "rows of one trigger": (PROJ + "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';", sql(ADD, "CREATE TRIGGER y AFTER UPDATE ON proj FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION tf()"), None, ""),
    "several at once": (PROJ, sql(ADD, "UPDATE proj SET (z, code) = (SELECT l.amount, l.note FROM ledger l WHERE l.id = proj.id)"), None, ""),
    "literals of a query": (PROJ, sql("CREATE TABLE kv (k text, d date, j jsonb, e boolean)", "INSERT INTO kv (k, d, j, e) SELECT 'a', '2024-01-01', '{}', 't' FROM proj"), None, ""),
    "keys of like types": ("CREATE TABLE pa (id varchar(10) PRIMARY KEY); CREATE TABLE nu (id numeric PRIMARY KEY);", sql("ALTER TABLE ledger ADD p text, ADD q int", "ALTER TABLE ledger ADD FOREIGN KEY (p) REFERENCES pa (id), ADD FOREIGN KEY (q) REFERENCES nu (id)"), None, ""),
}  # fmt: skip
SAYS = {"statement-refused", "definition-refused", "object-missing"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree_at_worst(said_and_done(session, LEDGER, setup, texts, rows=True), SAYS, wanted, words)
