"""Constants against the checks of tables and domains and the precision of numbers: what is said, and what happens."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import agree, said_and_done, sql

TABLES = """
CREATE DOMAIN plus AS int CHECK (value > 0);
CREATE DOMAIN plus_small AS plus CHECK (value < 100);
CREATE FUNCTION own(int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > 0';
CREATE DOMAIN of_own AS int CHECK (own(value));
CREATE TABLE ledger (id int PRIMARY KEY, amount int CHECK (amount > 0), kind text DEFAULT 'a' CONSTRAINT kinds CHECK (kind IN ('a', 'b')),
  low int, high int, label varchar(9), at date, CONSTRAINT in_order CHECK (low <= high), CONSTRAINT labelled CHECK (label ~ '^[a-z%]+$'));
INSERT INTO ledger VALUES (1, 1);
ANALYZE ledger;
CREATE TABLE hollow (v int CHECK (v > 0));
CREATE TABLE typed (a plus, b plus_small, c of_own);
CREATE TABLE called (v int CHECK (own(v)));
CREATE TABLE filled (v int CHECK (v > 0));
CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.v := 1; RETURN NEW; END';
CREATE TRIGGER fills BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fills();
CREATE TABLE "Of%d" ("a%s" int CHECK ("a%s" % 2 = 0));
CREATE TABLE priced (price numeric(3, 2), whole numeric(4));
"""

# statements, what is said (fail, unknown, None: nothing), a word of the server's error
CHECKS: dict[str, tuple[list[str], str | None, str]] = {
    "inserted": (sql("INSERT INTO ledger (id, amount) VALUES (2, -1)"), "fail", "ledger_amount_check"),
    "inserted, one of two rows": (sql("INSERT INTO ledger (id, amount) VALUES (2, 1), (3, 0)"), "fail", "ledger_amount_check"),
    "inserted as it wants": (sql("INSERT INTO ledger (id, amount, kind, low, high, label) VALUES (2, 1, 'b', 1, 2, 'a%b')"), None, ""),
    "inserted as a text": (sql("INSERT INTO ledger (id, amount) VALUES (2, '-1')"), "fail", "ledger_amount_check"),
    "inserted without columns": (sql("INSERT INTO ledger VALUES (2, 0)"), "fail", "ledger_amount_check"),
    "NULL": (sql("INSERT INTO ledger (id, amount, low, high) VALUES (2, NULL, 1, NULL)"), None, ""),
    "left out": (sql("INSERT INTO ledger (id, low) VALUES (2, 1)"), None, ""),
    "two columns": (sql("INSERT INTO ledger (id, low, high) VALUES (2, 2, 1)"), "fail", "in_order"),
    "one of a list": (sql("INSERT INTO ledger (id, kind) VALUES (2, 'c')"), "fail", "kinds"),
    "list made longer before": (sql("ALTER TABLE ledger DROP CONSTRAINT kinds", "ALTER TABLE ledger ADD CONSTRAINT kinds CHECK (kind IN ('a', 'b', 'c'))", "INSERT INTO ledger (id, kind) VALUES (2, 'c')"), None, ""),
    "another constraint made before": (sql("ALTER TABLE ledger ADD CONSTRAINT more CHECK (id > 0)", "INSERT INTO ledger (id, kind) VALUES (2, 'c')"), "fail", "kinds"),
    "pattern": (sql("INSERT INTO ledger (id, label) VALUES (2, 'A')"), "fail", "labelled"),
    "empty text": (sql("INSERT INTO ledger (id, label) VALUES (2, '')"), "fail", "labelled"),
    "conflict ignored": (sql("INSERT INTO ledger (id, amount) VALUES (1, -1) ON CONFLICT DO NOTHING"), "fail", "ledger_amount_check"),
    "only if": (sql("INSERT INTO ledger (id, amount) SELECT 2, -1 WHERE NOT EXISTS (SELECT FROM ledger)"), "unknown", ""),
    "no constant": (sql("INSERT INTO ledger (id, at) VALUES (2, now())"), None, ""),
    "set everywhere": (sql("UPDATE ledger SET amount = -1"), "fail", "ledger_amount_check"),
    "set somewhere": (sql("UPDATE ledger SET amount = -1 WHERE id = 7"), "unknown", ""),
    "set in no row": (sql("UPDATE hollow SET v = -1"), "unknown", ""),
    "set as it wants": (sql("UPDATE ledger SET amount = 1, kind = 'b'"), None, ""),
    "set one of two columns": (sql("UPDATE ledger SET low = 5"), None, ""),
    "domain": (sql("INSERT INTO typed (a) VALUES (-1)"), "fail", "domain plus"),
    "domain of a domain": (sql("INSERT INTO typed (b) VALUES (0)"), "fail", "domain plus_small"),
    "domain as it wants": (sql("INSERT INTO typed VALUES (1, 99)"), None, ""),
    "domain set": (sql("UPDATE typed SET b = 100"), "unknown", ""),
    "domain changed before": (sql("ALTER DOMAIN plus DROP CONSTRAINT plus_check", "INSERT INTO typed (a) VALUES (-1)"), None, ""),
    "own function": (sql("INSERT INTO called VALUES (1)"), None, ""),
    "trigger that fills": (sql("INSERT INTO filled VALUES (-1)"), None, ""),
    "names with a percent sign": (sql('INSERT INTO "Of%d" VALUES (3)'), "fail", "violates check"),
    "precision of a default": (sql("ALTER TABLE priced ADD more numeric(3, 2) DEFAULT '100'"), "fail", "overflow"),
    "precision of a default of a new table": (sql("CREATE TABLE fresh (more numeric(3, 2) DEFAULT 100)"), None, ""),
    "precision": (sql("INSERT INTO priced VALUES (9.995)"), "fail", "overflow"),
    "precision that rounds": (sql("INSERT INTO priced VALUES ('9.994', 9999.4), ('NaN', -9999)"), None, ""),
    "precision of a whole number": (sql("INSERT INTO priced (whole) VALUES (9999.5)"), "fail", "overflow"),
}  # fmt: skip
SAYS = {"data-refused", "data-unknown", "definition-refused"}


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    texts, wanted, words = CHECKS[name]
    agree(said_and_done(session, TABLES, "", texts), SAYS, wanted, words)
