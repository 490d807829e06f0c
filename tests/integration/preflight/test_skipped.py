"""IF NOT EXISTS over what is there already: the same is nothing to speak of, another is."""

# ruff: noqa: E501, S608 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = """
CREATE TABLE article (id serial PRIMARY KEY, name varchar(50), n int NOT NULL DEFAULT 0, note text, made timestamptz);
CREATE INDEX article_n ON article (n);
CREATE INDEX article_folded ON article (lower(name));
CREATE INDEX article_many ON article (n) WHERE n > 5;
CREATE UNIQUE INDEX article_pair ON article (id, n);
CREATE INDEX article_states ON article (id) WHERE name IN ('open', 'closed');
CREATE VIEW seen AS SELECT id FROM article;
CREATE MATERIALIZED VIEW stored AS SELECT id FROM article;
CREATE SEQUENCE numbers START 5;
CREATE SCHEMA garret;
CREATE ROLE caretaker;
"""
ORDERED = "CREATE COLLATION ordered (locale = 'C')"
COUNTED = "CREATE STATISTICS together ON n, id FROM article"
MADE = "CREATE TABLE IF NOT EXISTS box "
# setup, statements, what the new version does then (empty: nothing that fails), what is said (None: nothing)
CASES: dict[str, tuple[str, list[str], str, str | None]] = {
    "the same table": ("CREATE TABLE box (id int PRIMARY KEY, a text)", sql(MADE + "(id int PRIMARY KEY, a text)"), "", None),
    "the same table, types of every kind": ("CREATE TABLE box (id bigserial PRIMARY KEY, a varchar(9) UNIQUE, b numeric(10, 2), c text[], d timestamp(3) with time zone DEFAULT now(), e char(4), f jsonb NOT NULL, g double precision)", sql(MADE + "(id bigserial PRIMARY KEY, a varchar(9) UNIQUE, b numeric(10, 2), c text[], d timestamp(3) with time zone DEFAULT now(), e char(4), f jsonb NOT NULL, g double precision)"), "", None),
    "a table that is not there": ("", sql(MADE + "(id int PRIMARY KEY)"), "", None),
    "a table of this upgrade": ("", sql("CREATE TABLE box (id int)", MADE + "(id int PRIMARY KEY, a text)"), "", None),
    "a column less": ("CREATE TABLE box (id int PRIMARY KEY)", sql(MADE + "(id int PRIMARY KEY, a text)"), "SELECT a FROM box", "fail"),
    "another type": ("CREATE TABLE box (id int PRIMARY KEY, a int)", sql(MADE + "(id int PRIMARY KEY, a text)"), "INSERT INTO box VALUES (1, 'zz')", "fail"),
    "shorter": ("CREATE TABLE box (id int PRIMARY KEY, a varchar(5))", sql(MADE + "(id int PRIMARY KEY, a varchar(50))"), "INSERT INTO box VALUES (1, 'zzzzzzzzzz')", "fail"),
    "a column more that wants a value": ("CREATE TABLE box (id int PRIMARY KEY, z int NOT NULL)", sql(MADE + "(id int PRIMARY KEY)"), "INSERT INTO box (id) VALUES (1)", "fail"),
    "a column more": ("CREATE TABLE box (id int PRIMARY KEY, z int)", sql(MADE + "(id int PRIMARY KEY)"), "", None),
    "no default": ("CREATE TABLE box (id int PRIMARY KEY, a int NOT NULL)", sql(MADE + "(id int PRIMARY KEY, a int NOT NULL DEFAULT 0)"), "INSERT INTO box (id) VALUES (1)", "fail"),
    "no sequence": ("CREATE TABLE box (id int PRIMARY KEY, a int)", sql(MADE + "(id serial PRIMARY KEY, a int)"), "INSERT INTO box (a) VALUES (1)", "fail"),
    "no unique key": ("CREATE TABLE box (id int PRIMARY KEY, a int)", sql(MADE + "(id int PRIMARY KEY, a int UNIQUE)"), "INSERT INTO box VALUES (1, 1) ON CONFLICT (a) DO NOTHING", "fail"),
    "no unique key of two": ("CREATE TABLE box (id int PRIMARY KEY, a int)", sql(MADE + "(id int PRIMARY KEY, a int, UNIQUE (id, a))"), "INSERT INTO box VALUES (1, 1) ON CONFLICT (id, a) DO NOTHING", "fail"),
    "no primary key": ("CREATE TABLE box (id int, a int)", sql(MADE + "(id int PRIMARY KEY, a int)"), "INSERT INTO box VALUES (1, 1) ON CONFLICT (id) DO NOTHING", "fail"),
    "a check": ("CREATE TABLE box (id int PRIMARY KEY, a int CHECK (a > 5))", sql(MADE + "(id int PRIMARY KEY, a int)"), "INSERT INTO box VALUES (1, 1)", "warn"),
    "a view": ("", sql("CREATE TABLE IF NOT EXISTS seen (id int PRIMARY KEY, a text)"), "INSERT INTO seen (id, a) VALUES (1000, 'a')", "fail"),
    "a query that is not compared": ("", sql("CREATE TABLE IF NOT EXISTS article AS SELECT 1 AS zzz"), "SELECT zzz FROM article", "unknown"),
    "a materialized view": ("", sql("CREATE MATERIALIZED VIEW IF NOT EXISTS stored AS SELECT id, n FROM article"), "SELECT n FROM stored", "unknown"),
    "no materialized view": ("", sql("CREATE MATERIALIZED VIEW IF NOT EXISTS article AS SELECT 1"), "REFRESH MATERIALIZED VIEW article", "fail"),
    "the same index": ("", sql("CREATE INDEX IF NOT EXISTS article_n ON article (n)"), "", None),
    "the same index of an expression": ("", sql("CREATE INDEX IF NOT EXISTS article_folded ON article (lower(name))"), "", None),
    "the same index with WHERE": ("", sql("CREATE INDEX IF NOT EXISTS article_many ON article (n) WHERE n > 5"), "", None),
    "the same index with IN": ("", sql("CREATE INDEX IF NOT EXISTS article_states ON article (id) WHERE name IN ('open', 'closed')"), "", None),
    "the same index with BETWEEN and LIKE": ("CREATE INDEX article_some ON article (n) WHERE n BETWEEN 1 AND 5 AND name LIKE 'a%'", sql("CREATE INDEX IF NOT EXISTS article_some ON article (n) WHERE n BETWEEN 1 AND 5 AND name LIKE 'a%'"), "", None),
    "the same index, descending": ("CREATE INDEX article_made ON article (made DESC)", sql("CREATE INDEX IF NOT EXISTS article_made ON article (made DESC)"), "", None),
    "an index of another column": ("", sql("CREATE INDEX IF NOT EXISTS article_n ON article (name)"), "", "fail"),
    "an index in another order": ("", sql("CREATE INDEX IF NOT EXISTS article_pair ON article (n, id)"), "", "fail"),
    "a unique index of more columns": ("", sql("CREATE UNIQUE INDEX IF NOT EXISTS article_pair ON article (n)"), "INSERT INTO article (n) VALUES (1) ON CONFLICT (n) DO NOTHING", "fail"),
    "an index with WHERE": ("", sql("CREATE INDEX IF NOT EXISTS article_many ON article (n)"), "", "fail"),
    "an index with another WHERE": ("", sql("CREATE INDEX IF NOT EXISTS article_many ON article (n) WHERE n > 7"), "", "unknown"),
    "an index of another expression": ("", sql("CREATE INDEX IF NOT EXISTS article_folded ON article (upper(name))"), "", "unknown"),
    "an index of another method": ("", sql("CREATE INDEX IF NOT EXISTS article_n ON article USING hash (n)"), "", "fail"),
    "an index that includes nothing": ("", sql("CREATE INDEX IF NOT EXISTS article_n ON article (n) INCLUDE (name)"), "", "fail"),
    "the same column": ("", sql("ALTER TABLE article ADD COLUMN IF NOT EXISTS note text"), "", None),
    "a column of another type": ("", sql("ALTER TABLE article ADD COLUMN IF NOT EXISTS n text"), "INSERT INTO article (n) VALUES ('zz'::text)", "fail"),
    "a column that is shorter": ("", sql("ALTER TABLE article ADD COLUMN IF NOT EXISTS name varchar(200)"), "INSERT INTO article (name) VALUES (repeat('x', 100))", "fail"),
    "a column without a default": ("", sql("ALTER TABLE article ADD COLUMN IF NOT EXISTS note text NOT NULL DEFAULT 'x'"), "", "warn"),
    "a column that is not generated": ("", sql("ALTER TABLE article ADD COLUMN IF NOT EXISTS n int GENERATED ALWAYS AS (id * 2) STORED"), "", "fail"),
    "a column without a foreign key": ("", sql("ALTER TABLE article ADD COLUMN IF NOT EXISTS n int REFERENCES article (id)"), "", "warn"),
    "the same sequence": ("", sql("CREATE SEQUENCE IF NOT EXISTS numbers START 5"), "", None),
    "another sequence": ("", sql("CREATE SEQUENCE IF NOT EXISTS numbers START 1000 INCREMENT 10"), "", "warn"),
    "no sequence but a table": ("", sql("CREATE SEQUENCE IF NOT EXISTS article"), "SELECT nextval('article')", "fail"),
    "the same collation": (ORDERED, sql("CREATE COLLATION IF NOT EXISTS ordered (locale = 'C')"), "", None),
    "a collation that is not there": ("", sql("CREATE COLLATION IF NOT EXISTS ordered (locale = 'C')"), "", None),
    "a collation of another locale": (ORDERED, sql("CREATE COLLATION IF NOT EXISTS ordered (locale = 'POSIX')"), "", "warn"),
    "a collation that takes more texts as equal": (ORDERED + "; UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'ordered'", sql("CREATE COLLATION IF NOT EXISTS ordered (locale = 'C')"), "", "fail"),
    "a collation that copies": (ORDERED, sql('CREATE COLLATION IF NOT EXISTS ordered FROM "C"'), "", "unknown"),
    "the same statistics": (COUNTED, sql("CREATE STATISTICS IF NOT EXISTS together ON n, id FROM article"), "", None),
    "statistics that are not there": ("", sql("CREATE STATISTICS IF NOT EXISTS together ON n, id FROM article"), "", None),
    "statistics of other columns": (COUNTED, sql("CREATE STATISTICS IF NOT EXISTS together ON n, name FROM article"), "", "warn"),
    "statistics of an expression": (COUNTED, sql("CREATE STATISTICS IF NOT EXISTS together ON n, id, (id * 2) FROM article"), "", "warn"),
    "statistics of another table": ("CREATE TABLE box (n int, id int); CREATE STATISTICS together ON n, id FROM box", sql("CREATE STATISTICS IF NOT EXISTS together ON n, id FROM article"), "", "warn"),
    "the same schema": ("", sql("CREATE SCHEMA IF NOT EXISTS garret"), "", None),
    "a schema of another owner": ("", sql("CREATE SCHEMA IF NOT EXISTS garret AUTHORIZATION caretaker"), "SET LOCAL ROLE caretaker; CREATE TABLE garret.z (id int)", "warn"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_skipped_is_compared(name: str, session: psycopg.Connection) -> None:
    setup, texts, then, wanted = CASES[name]
    for text in (TABLES, setup):
        session.execute(text or "SELECT")
    found = judged(session, texts)
    assert severities(found, {"definition-differs"}) == ({wanted} if wanted else set()), [x.message for x in found]
    assert ended(session, texts) == ""
    if then:
        assert ended(session, [then]) != ""
