"""What PostgreSQL 18 refuses of a virtual generated column, and what it takes; before there are none."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, severities, sql

TABLES = """
CREATE TYPE feeling AS ENUM ('low');
CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE TABLE target (id int PRIMARY KEY);
CREATE TABLE thing (id int PRIMARY KEY, name text, feeling feeling);
INSERT INTO thing VALUES (1, 'a', 'low');
"""
FIRST = 18
ADD = "ALTER TABLE thing ADD v int GENERATED ALWAYS AS (id + 1) VIRTUAL"
CHECKED = f"{ADD}, ADD CHECK (v > 0)"
NEW = "CREATE TABLE fresh (id int, v int GENERATED ALWAYS AS (id + 1) VIRTUAL{})"

# setup, statements, a word of the server's error; none where it takes them
CASES: dict[str, tuple[str, list[str], str]] = {
    "added": ("", sql(ADD), ""),
    "without a word for it": ("", sql(ADD.replace(" VIRTUAL", "")), ""),
    "checked": ("", sql(ADD, "ALTER TABLE thing ADD CHECK (v > 0)"), ""),
    "NOT NULL": ("", sql(ADD, "ALTER TABLE thing ALTER v SET NOT NULL"), ""),
    "index": ("", sql(ADD, "CREATE INDEX i ON thing (v)"), "not supported"),
    "index, without a word for it": ("", sql(ADD.replace(" VIRTUAL", ""), "CREATE INDEX i ON thing (v)"), "not supported"),
    "index of a stored one": ("", sql(ADD.replace("VIRTUAL", "STORED"), "CREATE INDEX i ON thing (v)"), ""),
    "index of an expression": ("", sql(ADD, "CREATE INDEX i ON thing ((v + 1))"), "not supported"),
    "index with a predicate": ("", sql(ADD, "CREATE INDEX i ON thing (id) WHERE v > 3"), "not supported"),
    "index beside it": ("", sql(ADD, "CREATE INDEX i ON thing (name)"), ""),
    "index of one that is there": (ADD, sql("CREATE INDEX i ON thing (v)"), "not supported"),
    "index after it was dropped and made plain": (ADD, sql("ALTER TABLE thing DROP v", "ALTER TABLE thing ADD v int", "CREATE INDEX i ON thing (v)"), ""),
    "index after it was renamed": (ADD, sql("ALTER TABLE thing RENAME v TO w", "CREATE INDEX i ON thing (w)"), "not supported"),
    "index after its table was renamed": (ADD, sql("ALTER TABLE thing RENAME TO items", "CREATE INDEX i ON items (v)"), "not supported"),
    "unique": ("", sql(ADD, "ALTER TABLE thing ADD UNIQUE (v)"), "not supported"),
    "unique beside it": ("", sql(f"{ADD} UNIQUE"), "not supported"),
    "foreign key": ("", sql(ADD, "ALTER TABLE thing ADD FOREIGN KEY (v) REFERENCES target"), "not supported"),
    "exclusion": ("", sql(ADD, "ALTER TABLE thing ADD EXCLUDE USING btree (v WITH =)"), "not supported"),
    "statistics": ("", sql(ADD, "CREATE STATISTICS s ON v, id FROM thing"), "not supported"),
    "primary key of a new table": ("", sql(NEW.format(" PRIMARY KEY")), "not supported"),
    "key of a new table": ("", sql(NEW.format(", PRIMARY KEY (v)")), "not supported"),
    "index of a new table": ("", sql(NEW.format(""), "CREATE INDEX i ON fresh (v)"), "not supported"),
    "made plain": (ADD, sql("ALTER TABLE thing ALTER v DROP EXPRESSION"), "not supported"),
    "computed otherwise": (ADD, sql("ALTER TABLE thing ALTER v SET EXPRESSION AS (id + 2)"), ""),
    "computed otherwise under a check": (CHECKED, sql("ALTER TABLE thing ALTER v SET EXPRESSION AS (id + 2)"), "not supported"),
    "of a type of one's own": ("", sql("ALTER TABLE thing ADD v feeling GENERATED ALWAYS AS (feeling) VIRTUAL"), "user-defined type"),
    "of a new type": ("", sql("CREATE DOMAIN word AS text", "ALTER TABLE thing ADD v word GENERATED ALWAYS AS (name) VIRTUAL"), "domain type"),
    "by a function of one's own": ("", sql("ALTER TABLE thing ADD v text GENERATED ALWAYS AS (norm(name)) VIRTUAL"), "user-defined function"),
    "by a function": ("", sql("ALTER TABLE thing ADD v text GENERATED ALWAYS AS (lower(name)) VIRTUAL"), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, words = CASES[name]
    if session.info.server_version < FIRST * 10000:
        if not setup and "VIRTUAL" in texts[-1]:
            found, error = said_and_done(session, TABLES, "", texts)
            assert "unsupported-by-server" in {thing.id for thing in found}, found
            assert error
        return
    found, error = said_and_done(session, TABLES, setup, texts)
    assert severities(found, {"definition-refused"}) == ({"fail"} if words else set()), [x.message for x in found]
    assert words in error, error
    assert bool(words) == bool(error), error
