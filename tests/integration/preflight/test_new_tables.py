"""Rows for tables of the upgrade itself: what is said, and what the server does."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import agree, said_and_done, sql

TABLES = """
CREATE TABLE team (id int PRIMARY KEY, name text UNIQUE, note text);
CREATE TABLE person (id serial PRIMARY KEY, team_id int NOT NULL REFERENCES team, boss int, mail text, code text);
INSERT INTO team VALUES (1, 'a', NULL), (2, 'b', 'x'), (3, 'c', 'x');
INSERT INTO person (team_id, boss, mail) VALUES (1, 7, 'm'), (1, NULL, 'm'), (2, 1, NULL);
"""
PAIRS = "CREATE TABLE couple (team_id int NOT NULL REFERENCES team, person_id int NOT NULL REFERENCES person (id), PRIMARY KEY (team_id, person_id))"

# statements, what is said (fail, unknown, None: nothing), a word of the server's error
NEW: dict[str, tuple[list[str], str | None, str]] = {
    "column left out": (sql("CREATE TABLE fresh (id int PRIMARY KEY, n text NOT NULL)", "INSERT INTO fresh (id) VALUES (1)"), "fail", "not-null"),
    "column left out without columns": (sql("CREATE TABLE fresh (id int PRIMARY KEY, n text NOT NULL)", "INSERT INTO fresh VALUES (1)"), "fail", "not-null"),
    "column left out, with a default": (sql("CREATE TABLE fresh (id serial PRIMARY KEY, n text NOT NULL DEFAULT 'x', u uuid, g int GENERATED ALWAYS AS IDENTITY)", "INSERT INTO fresh (u) VALUES (NULL)"), None, ""),
    "NULL": (sql("CREATE TABLE fresh (id serial PRIMARY KEY, n text NOT NULL)", "INSERT INTO fresh (n) VALUES ('a'), (NULL)"), "fail", "not-null"),
    "DEFAULT": (sql("CREATE TABLE fresh (id serial PRIMARY KEY, n text NOT NULL)", "INSERT INTO fresh VALUES (DEFAULT, DEFAULT)"), "fail", "not-null"),
    "NOT NULL of a later statement": (sql("CREATE TABLE fresh (id serial, n text)", "ALTER TABLE fresh ALTER n SET NOT NULL", "INSERT INTO fresh (id) VALUES (1)"), "fail", "not-null"),
    "NOT NULL taken back": (sql("CREATE TABLE fresh (id serial, n text NOT NULL)", "ALTER TABLE fresh ALTER n DROP NOT NULL", "INSERT INTO fresh (id) VALUES (1)"), None, ""),
    "renamed": (sql("CREATE TABLE fresh (id serial, n text NOT NULL)", "ALTER TABLE fresh RENAME TO newer", "INSERT INTO newer (id) VALUES (1)"), "fail", "not-null"),
    "filled by a trigger": (sql("CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := 1; RETURN NEW; END'", "CREATE TABLE fresh (id serial, n text NOT NULL)", "CREATE TRIGGER t BEFORE INSERT ON fresh FOR EACH ROW EXECUTE FUNCTION fills()", "INSERT INTO fresh (id) VALUES (1)"), None, ""),
    "copied": (sql("CREATE TABLE fresh (LIKE team INCLUDING ALL)", "INSERT INTO fresh SELECT * FROM team"), None, ""),
    "all of another table": (sql("CREATE TABLE fresh (id int PRIMARY KEY, name text UNIQUE, note text)", "INSERT INTO fresh SELECT * FROM team"), None, ""),
    "of another table": (sql("CREATE TABLE fresh (id int PRIMARY KEY, team_id int NOT NULL REFERENCES team, mail text)", "INSERT INTO fresh (id, team_id, mail) SELECT p.id, p.team_id, p.mail FROM person p WHERE p.boss > 3"), None, ""),
    "NULLs of another table": (sql("CREATE TABLE fresh (mail text NOT NULL)", "INSERT INTO fresh SELECT mail FROM person"), "unknown", "not-null"),
    "NULLs left out": (sql("CREATE TABLE fresh (mail text NOT NULL)", "INSERT INTO fresh SELECT mail FROM person WHERE mail IS NOT NULL"), None, ""),
    "NULLs replaced": (sql("CREATE TABLE fresh (mail text NOT NULL)", "INSERT INTO fresh SELECT coalesce(mail, 'none') FROM person"), None, ""),
    "NULLs of an outer join": (sql("CREATE TABLE fresh (id int NOT NULL)", "INSERT INTO fresh SELECT t.id FROM person p LEFT JOIN team t ON t.id = p.boss"), "unknown", "not-null"),
    "values twice": (sql("CREATE TABLE fresh (team_id int UNIQUE)", "INSERT INTO fresh SELECT team_id FROM person"), "unknown", "duplicate key"),
    "values once": (sql("CREATE TABLE fresh (team_id int UNIQUE)", "INSERT INTO fresh SELECT DISTINCT team_id FROM person"), None, ""),
    "values by group": (sql("CREATE TABLE fresh (team_id int PRIMARY KEY, n bigint NOT NULL)", "INSERT INTO fresh SELECT team_id, count(*) FROM person GROUP BY team_id"), None, ""),
    "values twice, ignored": (sql("CREATE TABLE fresh (team_id int UNIQUE)", "INSERT INTO fresh SELECT team_id FROM person ON CONFLICT DO NOTHING"), None, ""),
    "values with a number of their own": (sql("CREATE TABLE fresh (id serial PRIMARY KEY, token uuid UNIQUE, mail text)", "INSERT INTO fresh (token, mail) SELECT gen_random_uuid(), mail FROM person"), None, ""),
    "two tables": (sql("CREATE TABLE fresh (id int PRIMARY KEY)", "INSERT INTO fresh SELECT id FROM team", "INSERT INTO fresh SELECT id FROM person"), "unknown", "duplicate key"),
    "unique index of a later statement": (sql("CREATE TABLE fresh (team_id int)", "CREATE UNIQUE INDEX ON fresh (team_id)", "INSERT INTO fresh SELECT team_id FROM person"), "unknown", "duplicate key"),
    "pairs of a reference": (sql(PAIRS, "INSERT INTO couple (team_id, person_id) SELECT team_id, id FROM person"), None, ""),
    "pairs of a join": (sql(PAIRS, "INSERT INTO couple SELECT t.id, p.id FROM team t JOIN person p ON p.team_id = t.id"), None, ""),
    "pairs of every row": (sql(PAIRS, "INSERT INTO couple SELECT t.id, p.id FROM team t CROSS JOIN person p"), None, ""),
    "pairs of a circle": (sql("CREATE TABLE fresh (note text UNIQUE)", "INSERT INTO fresh SELECT t.note FROM team t JOIN team u ON u.id = t.id"), "unknown", "duplicate key"),
    "pairs of a join that gives some twice": (sql(PAIRS, "INSERT INTO couple SELECT p.team_id, q.id FROM person p JOIN person q ON q.team_id = p.team_id"), "unknown", "duplicate key"),
    "parents that nobody wants to be there": (sql("CREATE TABLE fresh (boss int REFERENCES team)", "INSERT INTO fresh SELECT boss FROM person"), "unknown", "foreign key"),
    "parents of another column": (sql("CREATE TABLE fresh (id int REFERENCES team)", "INSERT INTO fresh SELECT id FROM person WHERE boss = 7"), "unknown", ""),
    "parents themselves": (sql("CREATE TABLE fresh (id int PRIMARY KEY REFERENCES team)", "INSERT INTO fresh SELECT id FROM team"), None, ""),
    "a parent that is missing": (sql("CREATE TABLE fresh (id int REFERENCES team)", "INSERT INTO fresh VALUES (9)"), "unknown", "foreign key"),
    "no parent": (sql("CREATE TABLE fresh (id int REFERENCES team)", "INSERT INTO fresh VALUES (NULL)"), None, ""),
    "parents made before": (sql("CREATE TABLE kind (id int PRIMARY KEY)", "INSERT INTO kind VALUES (1)", "CREATE TABLE fresh (id int REFERENCES kind)", "INSERT INTO fresh VALUES (1)"), None, ""),
    "a query that is not followed": (sql("CREATE TABLE fresh (mail text NOT NULL)", "INSERT INTO fresh SELECT mail FROM person UNION SELECT 'x'"), "unknown", "not-null"),
    "a query that is not followed, of free columns": (sql("CREATE TABLE fresh (mail text)", "INSERT INTO fresh SELECT mail FROM person UNION SELECT 'x'"), None, ""),
    "of a new table": (sql("CREATE TABLE first (id int PRIMARY KEY, n text NOT NULL)", "INSERT INTO first SELECT id, name FROM team WHERE name IS NOT NULL", "CREATE TABLE second (id int PRIMARY KEY, n text NOT NULL)", "INSERT INTO second SELECT id, n FROM first"), None, ""),
}  # fmt: skip
SAYS = {"data-refused", "data-unknown"}


@pytest.mark.parametrize("name", NEW)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    texts, wanted, words = NEW[name]
    agree(said_and_done(session, TABLES, "", texts), SAYS, wanted, words)
