"""Rows that others decide about: it is never called known, and nothing is said where nothing can be in the way."""

# ruff: noqa: E501 - a table

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.integration.preflight.asking import ask, prepare
from tests.integration.preflight.said_and_done import said_and_done, severities, sql
from tests.unit.plugins.module_utils._in_pod.project import Project

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

BEHIND = "INSERT INTO thing (id) VALUES (2)"
PARTS = """
CREATE TABLE c1 PARTITION OF clean FOR VALUES FROM (1) TO (20);
CREATE TABLE c2 PARTITION OF clean FOR VALUES FROM (100) TO (200) PARTITION BY LIST (a);
CREATE TABLE c3 PARTITION OF c2 FOR VALUES IN (105, 106);
"""


def trigger(body: str, when: str = "BEFORE UPDATE") -> str:
    return f"CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $x${body}$x$; CREATE TRIGGER told {when} ON thing FOR EACH ROW EXECUTE FUNCTION told()"


# setup, statements, the severity of what is said, a word of the server's error
UNPROVEN: dict[str, tuple[str, list[str], str | None, str]] = {
    "key that is there": ("", sql("INSERT INTO owner VALUES (1, 'z')"), "fail", "duplicate key"),
    "key that is not there": ("", sql("INSERT INTO owner VALUES (9, 'z')"), None, ""),
    "key, conflict ignored": ("", sql("INSERT INTO owner VALUES (1, 'z') ON CONFLICT DO NOTHING"), None, ""),
    "key, conflict on another": ("", sql("INSERT INTO owner VALUES (1, 'z') ON CONFLICT (email) DO NOTHING"), "fail", "duplicate key"),
    "key, after a look": ("", sql("INSERT INTO owner SELECT 1, 'z' WHERE NOT EXISTS (SELECT FROM owner WHERE id = 1)"), None, ""),
    "key of its own": ("", sql("INSERT INTO thing (note) VALUES ('x')"), None, ""),
    "key of an empty table": ("", sql("INSERT INTO hollow (id) VALUES (1)"), None, ""),
    "key twice in an empty table": ("", sql("INSERT INTO hollow (id) VALUES (1)", "INSERT INTO hollow (id) VALUES (1)"), "unknown", "duplicate key"),
    "key of a query": ("", sql("INSERT INTO owner SELECT id, 'y' FROM owner"), "unknown", "duplicate key"),
    "key updated": ("", sql("UPDATE owner SET email = 'same'"), "unknown", "duplicate key"),
    "no key at all": ("", sql("INSERT INTO keyless VALUES (1, 'x')", "UPDATE keyless SET b = 'y'", "DELETE FROM keyless"), None, ""),
    "parent that is missing": ("", sql("INSERT INTO thing (owner_id) VALUES (99)"), "fail", "foreign key"),
    "parent that is there": ("", sql("INSERT INTO thing (owner_id) VALUES (2)"), None, ""),
    "parent left out": ("", sql("INSERT INTO thing (owner_id) VALUES (NULL)"), None, ""),
    "parent changed": ("", sql("UPDATE thing SET owner_id = 99"), "unknown", "foreign key"),
    "parent taken away": ("", sql("UPDATE thing SET owner_id = NULL"), None, ""),
    "foreign key dropped before": ("", sql("ALTER TABLE thing DROP CONSTRAINT owned", "INSERT INTO thing (owner_id) VALUES (99)"), None, ""),
    "deleted though referred to": ("", sql("DELETE FROM owner WHERE id = 1"), "unknown", "foreign key"),
    "deleted, not referred to": ("", sql("DELETE FROM owner WHERE id = 3"), "unknown", ""),
    "deleted after what referred to it": ("", sql("DELETE FROM part", "DELETE FROM thing", "DELETE FROM owner WHERE id = 1"), None, ""),
    "deleted over a cascade": ("", sql("DELETE FROM thing WHERE id = 1"), None, ""),
    "deleted over a cascade that ends": ("CREATE TABLE leaf (part_id int REFERENCES part); INSERT INTO leaf VALUES (1)", sql("DELETE FROM thing"), "unknown", "foreign key"),
    "trigger that refuses": (trigger("BEGIN RAISE EXCEPTION 'immutable'; END"), sql("UPDATE thing SET note = 'x'"), "unknown", "immutable"),
    "trigger of another event": (trigger("BEGIN RAISE EXCEPTION 'immutable'; END"), sql("INSERT INTO thing (note) VALUES ('x')"), None, ""),
    "trigger of another column": (trigger("BEGIN RAISE EXCEPTION 'immutable'; END", "BEFORE UPDATE OF seen"), sql("UPDATE thing SET note = 'x'"), None, ""),
    "trigger that fills a column": (trigger("BEGIN\n  -- now\n  NEW.seen := now();\n  RETURN NEW;\nEND;"), sql("UPDATE thing SET note = 'x'"), None, ""),
    "trigger that fills a column if": (trigger("BEGIN IF NEW.note IS DISTINCT FROM OLD.note THEN NEW.seen = now(); END IF; RETURN NEW; END"), sql("UPDATE thing SET note = 'x'"), None, ""),
    "trigger that asks": (trigger("BEGIN NEW.note := (SELECT 1 / 0)::text; RETURN NEW; END"), sql("UPDATE thing SET note = 'x'"), "unknown", "division by zero"),
    "trigger that writes elsewhere": (trigger("BEGIN INSERT INTO owner VALUES (1); RETURN NEW; END"), sql("UPDATE thing SET note = 'x'"), "unknown", "duplicate key"),
    "partition outside its bounds": ("", sql("ALTER TABLE clean ATTACH PARTITION later FOR VALUES FROM (1) TO (10)"), "unknown", "violated by some row"),
    "partition without rows": ("", sql("ALTER TABLE clean ATTACH PARTITION vacant FOR VALUES FROM (1) TO (10)"), None, ""),
    "partition of rows in the default one": ("", sql("CREATE TABLE s2 PARTITION OF span FOR VALUES FROM (10) TO (20)"), "unknown", "would be violated"),
    "partition beside no default one": ("", sql("CREATE TABLE s2 PARTITION OF clean FOR VALUES FROM (10) TO (20)"), None, ""),
    "row that no partition takes": (PARTS, sql("INSERT INTO clean VALUES (500)"), "fail", "no partition"),
    "row that a partition takes": (PARTS, sql("INSERT INTO clean VALUES (5), (10)"), None, ""),
    "row that a nested partition takes": (PARTS, sql("INSERT INTO clean VALUES (105)"), None, ""),
    "row that no nested partition takes": (PARTS, sql("INSERT INTO clean VALUES (150)"), "fail", "no partition"),
    "row for a new partition": (PARTS, sql("CREATE TABLE c9 PARTITION OF clean FOR VALUES FROM (500) TO (600)", "INSERT INTO clean VALUES (500)"), None, ""),
    "row for a dropped partition": (PARTS, sql("DROP TABLE c1", "INSERT INTO clean VALUES (5)"), "fail", "no partition"),
    "row of NULL": (PARTS, sql("INSERT INTO clean VALUES (NULL)"), "fail", "no partition"),
    "row of a query for partitions": (PARTS, sql("INSERT INTO clean SELECT id FROM owner"), "unknown", ""),
    "row for the default partition": ("", sql("INSERT INTO span VALUES (500)"), None, ""),
    "sequence behind its key": (BEHIND, sql("INSERT INTO thing (note) VALUES ('x')"), "fail", "duplicate key"),
    "sequence behind its key, several rows": ("INSERT INTO thing (id) VALUES (4)", sql("INSERT INTO thing (note) VALUES ('x'), ('y'), ('z')"), "fail", "duplicate key"),
    "sequence that comes to a key later": ("INSERT INTO thing (id) VALUES (9)", sql("INSERT INTO thing (note) VALUES ('x')"), "unknown", ""),
    "sequence behind its key, by a query": (BEHIND, sql("INSERT INTO thing (note) SELECT email FROM owner"), "unknown", "duplicate key"),
    "sequence set before": (BEHIND, sql("SELECT setval('thing_id_seq', 100)", "INSERT INTO thing (note) VALUES ('x')"), None, ""),
    "identity behind its key": ("CREATE TABLE leaf (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int); INSERT INTO leaf VALUES (1)", sql("INSERT INTO leaf (a) VALUES (5)"), "fail", "duplicate key"),
    "identity": ("CREATE TABLE leaf (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int); INSERT INTO leaf (a) VALUES (1)", sql("INSERT INTO leaf (a) VALUES (5)"), None, ""),
    "key that is there by another index": ("", sql("INSERT INTO owner VALUES (9, 'a')"), "fail", "duplicate key"),
    "key twice among its own rows": ("", sql("INSERT INTO owner VALUES (7, 'x'), (7, 'y')"), "fail", "duplicate key"),
    "keys that are not there": ("", sql("INSERT INTO owner (email, id) VALUES ('x', 7), (NULL, 8), (NULL, 9)"), None, ""),
    "key of a cast": ("", sql("INSERT INTO owner VALUES ('1'::int, 'z')"), "unknown", "duplicate key"),
    "key of an expression": ("", sql("INSERT INTO owner VALUES (1 + 0, 'z')"), "unknown", "duplicate key"),
    "key of a deferred constraint": ("ALTER TABLE keyless ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED", sql("INSERT INTO keyless VALUES (1)"), "unknown", ""),
    "key of a partial index": ("CREATE UNIQUE INDEX ON owner (kind) WHERE id > 5", sql("INSERT INTO owner VALUES (7, 'x', 'k')"), "unknown", ""),
    "key freed before": ("", sql("DELETE FROM owner WHERE id = 3", "INSERT INTO owner VALUES (3, 'q')"), "unknown", ""),
    "key under a trigger": (trigger("BEGIN NEW.id := 77; RETURN NEW; END", "BEFORE INSERT"), sql("INSERT INTO thing (id) VALUES (1)"), "unknown", ""),
    "parent among its own rows": ("CREATE TABLE leaf (id int PRIMARY KEY, up int REFERENCES leaf); INSERT INTO leaf VALUES (1)", sql("INSERT INTO leaf VALUES (2, 3), (3, 1)"), "unknown", ""),
    "parent of a deferred key": ("ALTER TABLE thing ALTER CONSTRAINT owned DEFERRABLE INITIALLY DEFERRED", sql("INSERT INTO thing (owner_id) VALUES (99)", "INSERT INTO owner VALUES (99, 'n')"), "unknown", ""),
    "divided": ("", sql("UPDATE keyless SET a = 1 / (a - 1)"), "unknown", "division by zero"),
    "divided by a constant": ("", sql("UPDATE keyless SET a = a / 2"), None, ""),
    "divided by what is never zero": ("", sql("UPDATE keyless SET a = 1 / nullif(a - 1, 0)"), None, ""),
    "text as a number": ("UPDATE keyless SET b = 'x'", sql("UPDATE keyless SET a = b::int"), "unknown", "invalid input"),
    "text in a condition": ("UPDATE keyless SET b = 'x'", sql("DELETE FROM keyless WHERE nullif(b, '')::int > 1"), "unknown", "invalid input"),
    "number as text": ("", sql("UPDATE keyless SET b = a::text"), None, ""),
    "query of several rows": ("", sql("UPDATE keyless SET a = (SELECT id FROM owner)"), "unknown", "more than one row"),
    "query by a key": ("", sql("UPDATE keyless SET a = (SELECT o.id FROM owner o WHERE o.email = 'a' AND kind IS NULL)"), None, ""),
    "query of a number": ("", sql("UPDATE keyless SET a = (SELECT max(id) FROM owner)", "INSERT INTO keyless VALUES ((SELECT id FROM owner LIMIT 1))"), None, ""),
    "query by no key": ("", sql("INSERT INTO keyless VALUES ((SELECT id FROM owner WHERE kind = 'k'))"), "unknown", ""),
    "key twice, updated": ("", sql("INSERT INTO owner (id, email) VALUES (7, 'x'), (7, 'y') ON CONFLICT (id) DO UPDATE SET kind = 'z'"), "fail", "a second time"),
    "keys once, updated": ("", sql("INSERT INTO owner (id, email) VALUES (7, 'x'), (8, 'y') ON CONFLICT (id) DO UPDATE SET kind = 'z'"), None, ""),
    "through a view": ("CREATE VIEW few_keyless AS SELECT * FROM keyless WHERE a < 5 WITH CHECK OPTION", sql("INSERT INTO few_keyless VALUES (9)"), "unknown", "check option"),
    "parent made before": ("", sql("INSERT INTO owner (id, email) VALUES (9, 'n')", "INSERT INTO thing (owner_id) VALUES (9)"), None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", UNPROVEN)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = UNPROVEN[name]
    # Committed: the size of a table that is locked, as a new one is, cannot be asked for.
    found, error = said_and_done(session, TABLES, setup, texts, gone=GONE)
    said = severities(found, {"data-unknown", "data-refused"})
    assert said == ({wanted} if wanted else set()), [item.message for item in found]
    assert words in error
    assert wanted or not error
    assert error or wanted != "fail"


def test_keys_are_not_looked_up_where_no_row_may_be_read(database: str, tmp_path: Path) -> None:
    prepare(database, TABLES, revision="0001")
    project = Project(tmp_path / "app").add("0001", None)
    project.add("0002", "0001", "INSERT INTO owner VALUES (1, 'z')")
    assert ask(project.folder, database).serious["data-refused"] == "fail"
    assert ask(project.folder, database, check_rows="never").serious["data-unknown"] == "unknown"
