"""Rows that others decide about: it is never called known, and nothing is said where nothing can be in the way."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.test_drift import ended, judged, session, sql

__all__ = ("session",)

TABLES = """
CREATE TABLE owner (id int PRIMARY KEY, email text UNIQUE, kind text);
CREATE TABLE thing (id serial PRIMARY KEY, owner_id int CONSTRAINT owned REFERENCES owner, note text, seen timestamptz);
CREATE TABLE part (id serial PRIMARY KEY, thing_id int CONSTRAINT in_thing REFERENCES thing ON DELETE CASCADE);
CREATE TABLE keyless (a int, b text);
CREATE TABLE hollow (id int PRIMARY KEY, owner_id int CONSTRAINT hollow_owner REFERENCES owner);
CREATE TABLE span (a int) PARTITION BY RANGE (a);
CREATE TABLE rest PARTITION OF span DEFAULT;
CREATE TABLE clean (a int) PARTITION BY RANGE (a);
CREATE TABLE later (a int);
CREATE TABLE vacant (a int);
INSERT INTO owner VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO thing (owner_id) VALUES (1);
INSERT INTO part (thing_id) VALUES (1);
INSERT INTO keyless VALUES (1);
INSERT INTO span VALUES (15);
INSERT INTO later VALUES (50);
"""
GONE = """
DROP TABLE IF EXISTS owner, thing, part, keyless, hollow, span, clean, later, vacant, leaf CASCADE;
DROP FUNCTION IF EXISTS told
"""


def trigger(body: str, when: str = "BEFORE UPDATE") -> str:
    return f"CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $x${body}$x$; CREATE TRIGGER told {when} ON thing FOR EACH ROW EXECUTE FUNCTION told()"


# setup, statements, whether it is said, a word of the server's error
UNPROVEN: dict[str, tuple[str, list[str], bool, str]] = {
    "key that is there": ("", sql("INSERT INTO owner VALUES (1, 'z')"), True, "duplicate key"),
    "key that is not there": ("", sql("INSERT INTO owner VALUES (9, 'z')"), True, ""),
    "key, conflict ignored": ("", sql("INSERT INTO owner VALUES (1, 'z') ON CONFLICT DO NOTHING"), False, ""),
    "key, conflict on another": ("", sql("INSERT INTO owner VALUES (1, 'z') ON CONFLICT (email) DO NOTHING"), True, "duplicate key"),
    "key, after a look": ("", sql("INSERT INTO owner SELECT 1, 'z' WHERE NOT EXISTS (SELECT FROM owner WHERE id = 1)"), False, ""),
    "key of its own": ("", sql("INSERT INTO thing (note) VALUES ('x')"), False, ""),
    "key of an empty table": ("", sql("INSERT INTO hollow (id) VALUES (1)"), False, ""),
    "key twice in an empty table": ("", sql("INSERT INTO hollow (id) VALUES (1)", "INSERT INTO hollow (id) VALUES (1)"), True, "duplicate key"),
    "key of a query": ("", sql("INSERT INTO owner SELECT id, 'y' FROM owner"), True, "duplicate key"),
    "key updated": ("", sql("UPDATE owner SET email = 'same'"), True, "duplicate key"),
    "no key at all": ("", sql("INSERT INTO keyless VALUES (1, 'x')", "UPDATE keyless SET b = 'y'", "DELETE FROM keyless"), False, ""),
    "parent that is missing": ("", sql("INSERT INTO thing (owner_id) VALUES (99)"), True, "foreign key"),
    "parent that is there": ("", sql("INSERT INTO thing (owner_id) VALUES (2)"), True, ""),
    "parent left out": ("", sql("INSERT INTO thing (owner_id) VALUES (NULL)"), False, ""),
    "parent changed": ("", sql("UPDATE thing SET owner_id = 99"), True, "foreign key"),
    "parent taken away": ("", sql("UPDATE thing SET owner_id = NULL"), False, ""),
    "foreign key dropped before": ("", sql("ALTER TABLE thing DROP CONSTRAINT owned", "INSERT INTO thing (owner_id) VALUES (99)"), False, ""),
    "deleted though referred to": ("", sql("DELETE FROM owner WHERE id = 1"), True, "foreign key"),
    "deleted, not referred to": ("", sql("DELETE FROM owner WHERE id = 3"), True, ""),
    "deleted after what referred to it": ("", sql("DELETE FROM part", "DELETE FROM thing", "DELETE FROM owner WHERE id = 1"), False, ""),
    "deleted over a cascade": ("", sql("DELETE FROM thing WHERE id = 1"), False, ""),
    "deleted over a cascade that ends": ("CREATE TABLE leaf (part_id int REFERENCES part); INSERT INTO leaf VALUES (1)", sql("DELETE FROM thing"), True, "foreign key"),
    "trigger that refuses": (trigger("BEGIN RAISE EXCEPTION 'immutable'; END"), sql("UPDATE thing SET note = 'x'"), True, "immutable"),
    "trigger of another event": (trigger("BEGIN RAISE EXCEPTION 'immutable'; END"), sql("INSERT INTO thing (note) VALUES ('x')"), False, ""),
    "trigger of another column": (trigger("BEGIN RAISE EXCEPTION 'immutable'; END", "BEFORE UPDATE OF seen"), sql("UPDATE thing SET note = 'x'"), False, ""),
    "trigger that fills a column": (trigger("BEGIN\n  -- now\n  NEW.seen := now();\n  RETURN NEW;\nEND;"), sql("UPDATE thing SET note = 'x'"), False, ""),
    "trigger that fills a column if": (trigger("BEGIN IF NEW.note IS DISTINCT FROM OLD.note THEN NEW.seen = now(); END IF; RETURN NEW; END"), sql("UPDATE thing SET note = 'x'"), False, ""),
    "trigger that asks": (trigger("BEGIN NEW.note := (SELECT 1 / 0)::text; RETURN NEW; END"), sql("UPDATE thing SET note = 'x'"), True, "division by zero"),
    "trigger that writes elsewhere": (trigger("BEGIN INSERT INTO owner VALUES (1); RETURN NEW; END"), sql("UPDATE thing SET note = 'x'"), True, "duplicate key"),
    "partition outside its bounds": ("", sql("ALTER TABLE clean ATTACH PARTITION later FOR VALUES FROM (1) TO (10)"), True, "violated by some row"),
    "partition without rows": ("", sql("ALTER TABLE clean ATTACH PARTITION vacant FOR VALUES FROM (1) TO (10)"), False, ""),
    "partition of rows in the default one": ("", sql("CREATE TABLE s2 PARTITION OF span FOR VALUES FROM (10) TO (20)"), True, "would be violated"),
    "partition beside no default one": ("", sql("CREATE TABLE s2 PARTITION OF clean FOR VALUES FROM (10) TO (20)"), False, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", UNPROVEN)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = UNPROVEN[name]
    session.execute(TABLES)
    if setup:
        session.execute(setup)
    # The size of a table that is locked, as a new one is, cannot be asked for.
    session.commit()
    try:
        found = judged(session, texts)
        session.rollback()
        error = ended(session, texts)
    finally:
        session.rollback()
        session.execute(GONE)
        session.commit()
    assert {item.severity for item in found if item.id == "data-unknown"} == ({"unknown"} if wanted else set()), [
        item.message for item in found
    ]
    assert words in error
    assert wanted or not error
