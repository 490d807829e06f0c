"""Checks of rows that wait for the commit, and changes of their tables before it: what is said, and what happens."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, severities, sql

TABLES = """
CREATE TABLE author (id int PRIMARY KEY, place int CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED, t text);
CREATE TABLE book (id int PRIMARY KEY, author_id int CONSTRAINT written_by REFERENCES author DEFERRABLE INITIALLY DEFERRED, t text);
CREATE TABLE page (id int PRIMARY KEY, book_id int CONSTRAINT bound_in REFERENCES book DEFERRABLE);
CREATE TABLE loose (id int);
CREATE INDEX book_t ON book (t);
INSERT INTO author VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO book VALUES (1, 1), (2, 1);
INSERT INTO page VALUES (1, 1);
"""
NOTES = "CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE CONSTRAINT TRIGGER notes AFTER UPDATE ON loose DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION notes(); INSERT INTO loose VALUES (1)"
ADD = "ALTER TABLE book ADD pages int"

# setup, statements, what is said (fail, unknown, None: nothing), whether the server fails
PENDING: dict[str, tuple[str, list[str], str | None, bool]] = {
    "insert, then altered": ("", sql("INSERT INTO book VALUES (3, 2)", ADD), "fail", True),
    "insert without the key, then altered": ("", sql("INSERT INTO book (id) VALUES (3)", ADD), "fail", True),
    "insert, then indexed": ("", sql("INSERT INTO book VALUES (3, 2)", "CREATE INDEX i ON book (author_id)"), "fail", True),
    "insert, then truncated": ("", sql("INSERT INTO book VALUES (3, 2)", "TRUNCATE book, page"), "fail", True),
    "insert, then dropped": ("", sql("INSERT INTO book VALUES (3, 2)", "DROP TABLE book CASCADE"), "fail", True),
    "insert, then clustered": ("", sql("INSERT INTO book VALUES (3, 2)", "CLUSTER book USING book_t"), "fail", True),
    "insert, then its constraint dropped": ("", sql("INSERT INTO book VALUES (3, 2)", "ALTER TABLE book DROP CONSTRAINT written_by"), "fail", True),
    "insert, then renamed and altered": ("", sql("INSERT INTO book VALUES (3, 2)", "ALTER TABLE book RENAME TO volume", "ALTER TABLE volume ADD pages int"), "fail", True),
    "insert, then a column renamed": ("", sql("INSERT INTO book VALUES (3, 2)", "ALTER TABLE book RENAME t TO title"), None, False),
    "insert, then described": ("", sql("INSERT INTO book VALUES (3, 2)", "COMMENT ON TABLE book IS 'x'", "DROP INDEX book_t"), None, False),
    "insert, then the other altered": ("", sql("INSERT INTO book VALUES (3, 2)", "ALTER TABLE author ADD pages int"), None, False),
    "altered before": ("", sql(ADD, "INSERT INTO book VALUES (3, 2)"), None, False),
    "insert, checked, then altered": ("", sql("INSERT INTO book VALUES (3, 2)", "SET CONSTRAINTS ALL IMMEDIATE", ADD), None, False),
    "insert, checked by name, then altered": ("", sql("INSERT INTO book VALUES (3, 2)", "SET CONSTRAINTS written_by IMMEDIATE", ADD), None, False),
    "checked at once, insert, then altered": ("", sql("SET CONSTRAINTS ALL IMMEDIATE", "INSERT INTO book VALUES (3, 2)", ADD), None, False),
    "insert of a query, then altered": ("", sql("INSERT INTO book SELECT id + 9, 2 FROM loose", ADD), "unknown", False),
    "update of the key, then altered": ("", sql("UPDATE book SET author_id = 2 WHERE id = 1", ADD), "unknown", True),
    "update of the same key, then altered": ("", sql("UPDATE book SET author_id = 1", ADD), "unknown", False),
    "update of another column, then altered": ("", sql("UPDATE book SET t = 'x'", ADD), None, False),
    "delete, then altered": ("", sql("DELETE FROM book WHERE id = 2", ADD), None, False),
    "delete of what is referred to, then altered": ("", sql("DELETE FROM author WHERE id = 3", "ALTER TABLE author ADD x int"), "unknown", True),
    "delete of no row, then altered": ("", sql("DELETE FROM author WHERE id = 9", "ALTER TABLE author ADD x int"), "unknown", False),
    "key referred to changed, then altered": ("", sql("UPDATE author SET id = 9 WHERE id = 3", "ALTER TABLE author ADD x int"), "unknown", True),
    "unique values moved, then altered": ("", sql("UPDATE author SET place = place + 1", "ALTER TABLE author ADD x int"), "unknown", True),
    "insert of what is referred to, then altered": ("", sql("INSERT INTO author VALUES (9, 9)", "ALTER TABLE author ADD x int"), None, False),
    "insert under a deferrable key, then altered": ("", sql("INSERT INTO page VALUES (2, 1)", "ALTER TABLE page ADD x int"), None, False),
    "insert under a key put off, then altered": ("", sql("SET CONSTRAINTS ALL DEFERRED", "INSERT INTO page VALUES (2, 1)", "ALTER TABLE page ADD x int"), "fail", True),
    "constraint trigger, then altered": (NOTES, sql("UPDATE loose SET id = 2", "ALTER TABLE loose ADD x int"), "unknown", True),
    "constraint trigger of another event, then altered": (NOTES, sql("DELETE FROM loose", "ALTER TABLE loose ADD x int"), None, False),
    "key made deferred before": ("", sql("ALTER TABLE loose ADD CONSTRAINT l FOREIGN KEY (id) REFERENCES author DEFERRABLE INITIALLY DEFERRED", "INSERT INTO loose VALUES (1)", "ALTER TABLE loose ADD x int"), "fail", True),
    "table made before": ("", sql("CREATE TABLE fresh (id int REFERENCES author DEFERRABLE INITIALLY DEFERRED)", "INSERT INTO fresh VALUES (1)", "ALTER TABLE fresh ADD x int"), "fail", True),
    "column made before, deferred": ("", sql("ALTER TABLE loose ADD who int REFERENCES author DEFERRABLE INITIALLY DEFERRED", "INSERT INTO loose VALUES (1, 1)", "CREATE INDEX i ON loose (who)"), "fail", True),
    "column made before, not deferred": ("", sql("ALTER TABLE loose ADD who int REFERENCES author DEFERRABLE", "INSERT INTO loose VALUES (1, 1)", "CREATE INDEX i ON loose (who)"), None, False),
    "conflict, then altered": ("", sql("INSERT INTO book VALUES (1, 1) ON CONFLICT DO NOTHING", ADD), "unknown", False),
}  # fmt: skip
GONE = "DROP TABLE IF EXISTS author, book, page, loose CASCADE; DROP FUNCTION IF EXISTS notes"


@pytest.mark.parametrize("name", PENDING)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, fails = PENDING[name]
    # Checked before it is committed, so that the statements begin with nothing pending.
    found, error = said_and_done(session, TABLES, f"{setup}; SET CONSTRAINTS ALL IMMEDIATE", texts, gone=GONE)
    assert severities(found, {"pending-trigger-events"}) == ({wanted} if wanted else set())
    assert bool(error) == fails, error
    assert "pending trigger events" in error or not fails
