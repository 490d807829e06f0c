"""New columns of a domain that refuses values, and new constraints of a domain, over rows that are there."""

# ruff: noqa: E501, S608 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = """
CREATE TABLE holder AS SELECT n AS id FROM generate_series(1, 10) n;
ANALYZE holder;
CREATE DOMAIN full_int AS int NOT NULL;
CREATE DOMAIN full_filled AS int NOT NULL DEFAULT 1;
CREATE DOMAIN little AS int CHECK (VALUE < 5);
CREATE DOMAIN never_null AS int CHECK (VALUE IS NOT NULL);
"""
# a type and more, what is said, whether the server refuses it
CASES: dict[str, tuple[str, set[str], bool]] = {
    "NOT NULL": ("full_int", {"fail"}, True),
    "NOT NULL with a default": ("full_int DEFAULT 5", set(), False),
    "NOT NULL with the domain's default": ("full_filled", set(), False),
    "checked": ("little", set(), False),
    "checked, with a default that does not fit": ("little DEFAULT 9", {"unknown"}, True),
    "checked, with a default": ("little DEFAULT 3", {"unknown"}, False),
    "checked for NULL": ("never_null", {"unknown"}, True),
    "no domain": ("int", set(), False),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    kind, wanted, refused = CASES[name]
    session.execute(TABLES)
    text = f"ALTER TABLE holder ADD COLUMN more {kind}"
    found = judged(session, [text])
    assert severities(found, {"rows-violate", "rows-unknown"}) == wanted, [item.message for item in found]
    assert bool(ended(session, [text])) == refused


@pytest.mark.parametrize("change", ["SET DEFAULT 5", "DROP NOT NULL", "DROP CONSTRAINT little_check"])
def test_a_domain_that_refuses_less_reads_no_row(change: str, session: psycopg.Connection) -> None:
    session.execute(TABLES)
    text = f"ALTER DOMAIN little {change}"
    assert not severities(judged(session, [text]), {"statement-opaque"})
    assert not ended(session, [text])


SHOP = """
CREATE DOMAIN amount AS int;
CREATE DOMAIN price AS amount;
CREATE DOMAIN lone AS text;
CREATE DOMAIN waits AS int;
ALTER DOMAIN waits ADD CONSTRAINT waits_positive CHECK (VALUE > 0) NOT VALID;
CREATE TABLE sale (id int, paid amount, asked price, late waits);
INSERT INTO sale SELECT n, n, n, n FROM generate_series(1, 20) n;
CREATE TABLE part (id int, paid amount) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE MATERIALIZED VIEW paid_sums AS SELECT paid FROM sale;
CREATE VIEW paid_seen AS SELECT paid FROM sale;
"""
BAD, NONE = "INSERT INTO sale VALUES (21, -1, -1, NULL)", "INSERT INTO sale VALUES (21, NULL, 1, 1)"
POSITIVE = "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0)"
VALIDATE = "ALTER DOMAIN amount VALIDATE CONSTRAINT positive"
# setup, statements, what is said of them, a word of the server's error (empty: it takes them)
CONSTRAINTS: dict[str, tuple[str, list[str], set[str], str]] = {
    "a check that holds": ("", sql(POSITIVE), set(), ""),
    "a check that does not": (BAD, sql(POSITIVE), {"fail"}, "contains values that violate"),
    "a check, in a partition": ("INSERT INTO part VALUES (1, -1)", sql(POSITIVE), {"fail"}, "contains values that violate"),
    "a check, in a materialized view": (BAD + "; REFRESH MATERIALIZED VIEW paid_sums; DELETE FROM sale WHERE paid < 0", sql(POSITIVE), {"fail"}, "contains values that violate"),
    "a check of the domain above": ("INSERT INTO sale VALUES (21, 1, -1, 1)", sql(POSITIVE), {"fail"}, "contains values that violate"),
    "a check of the domain below": ("INSERT INTO sale VALUES (21, -1, 1, 1)", sql("ALTER DOMAIN price ADD CHECK (VALUE > 0)"), set(), ""),
    "a check that is to be validated": (BAD, sql(POSITIVE + " NOT VALID"), set(), ""),
    "a check that is validated in the upgrade": (BAD, sql(POSITIVE + " NOT VALID", VALIDATE), {"fail"}, "contains values that violate"),
    "rows set right before": (BAD, sql("UPDATE sale SET paid = 1, asked = 1 WHERE id = 21", POSITIVE), {"unknown"}, ""),
    "rows set wrong before": ("", sql("UPDATE sale SET paid = -1 WHERE id = 1", POSITIVE), {"unknown"}, "contains values that violate"),
    "a check of NULL": (NONE, sql("ALTER DOMAIN amount ADD CHECK (VALUE IS NOT NULL)"), {"fail"}, "contains values that violate"),
    "a check that NULL passes": (NONE, sql(POSITIVE), set(), ""),
    "a check that is there": ("", sql("ALTER DOMAIN waits VALIDATE CONSTRAINT waits_positive"), set(), ""),
    "a check that is there and does not hold": ("ALTER DOMAIN waits DROP CONSTRAINT waits_positive; INSERT INTO sale VALUES (21, 1, 1, -1); ALTER DOMAIN waits ADD CONSTRAINT waits_positive CHECK (VALUE > 0) NOT VALID", sql("ALTER DOMAIN waits VALIDATE CONSTRAINT waits_positive"), {"fail"}, "contains values that violate"),
    "a function that is not asked": ("CREATE FUNCTION fine(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true'", sql("ALTER DOMAIN amount ADD CHECK (fine(VALUE))"), {"unknown"}, ""),
    "NOT NULL that holds": ("", sql("ALTER DOMAIN amount SET NOT NULL"), set(), ""),
    "NOT NULL that does not": (NONE, sql("ALTER DOMAIN amount SET NOT NULL"), {"fail"}, "contains null values"),
    "NOT NULL that is there": ("ALTER DOMAIN amount SET NOT NULL", sql("ALTER DOMAIN amount SET NOT NULL"), set(), ""),
    "in use nowhere": ("", sql("ALTER DOMAIN lone ADD CHECK (VALUE <> '')", "ALTER DOMAIN lone SET NOT NULL"), set(), ""),
    "in an array": ("CREATE TABLE many (paid amount[])", sql(POSITIVE), {"fail"}, "uses it"),
    "in an array, NOT VALID": ("CREATE TABLE many (paid amount[])", sql(POSITIVE + " NOT VALID"), set(), ""),
    "in a row": ("CREATE TYPE slip AS (paid amount); CREATE TABLE slips (one slip)", sql("ALTER DOMAIN amount SET NOT NULL"), {"fail"}, "uses it"),
    "in a row that is stored nowhere": ("CREATE TYPE slip AS (paid amount)", sql("ALTER DOMAIN amount SET NOT NULL"), set(), ""),
    "in a column of this upgrade": ("", sql("ALTER TABLE part ADD extra lone", "UPDATE part SET extra = ''", "ALTER DOMAIN lone ADD CHECK (VALUE <> '')"), {"unknown"}, ""),
    "of this upgrade": ("", sql("CREATE DOMAIN fresh AS int", "ALTER DOMAIN fresh ADD CHECK (VALUE > 0)"), set(), ""),
    "called otherwise before": (BAD, sql("ALTER DOMAIN amount RENAME TO sum_of", "ALTER DOMAIN sum_of ADD CHECK (VALUE > 0)"), {"unknown"}, "contains values that violate"),
    "its table called otherwise before": (BAD, sql("ALTER TABLE sale RENAME TO sold", POSITIVE), {"unknown"}, "contains values that violate"),
    "its column called otherwise before": (BAD, sql("ALTER TABLE sale RENAME paid TO gave", POSITIVE), {"fail", "unknown"}, "contains values that violate"),
    "of no domain": ("", sql("ALTER DOMAIN nowhere ADD CHECK (VALUE > 0)"), {"unknown"}, "does not exist"),
}  # fmt: skip
SAYS = {"rows-violate", "rows-unknown", "definition-refused", "statement-opaque", "object-missing"}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_domain_is_held_against_the_rows(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CONSTRAINTS[name]
    session.execute(SHOP)
    session.execute(setup or "SELECT")
    found = judged(session, texts, rows=True)
    assert severities(found, SAYS) == wanted, [item.message for item in found]
    error = ended(session, texts)
    assert words in error, error
    assert bool(words) == bool(error), error
