"""A value that is used in the transaction that adds it to its enum: what is said, and what the server does."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding

from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.integration.preflight.said_and_done import agree, ended, judged, said_and_done

TABLES = """
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE person (id int PRIMARY KEY, mood mood DEFAULT 'low', moods mood[], word text, short varchar(9));
CREATE TABLE other (id int, word text);
INSERT INTO person VALUES (1, 'low', '{low}', 'a', 'b');
"""
ADD = "ALTER TYPE mood ADD VALUE 'mid'"

# What follows in the same transaction, and whether the server refuses it.
USES: dict[str, tuple[str, bool]] = {
    "written": ("UPDATE person SET mood = 'mid'", True),
    "written as a text": ("UPDATE person SET word = 'mid', short = 'mid'", False),
    "inserted": ("INSERT INTO person (id, mood) VALUES (2, 'mid')", True),
    "inserted as a text": ("INSERT INTO person (id, word) VALUES (2, 'mid')", False),
    "inserted as a text, by order": ("INSERT INTO other VALUES (2, 'mid')", False),
    "compared": ("DELETE FROM person WHERE mood = 'mid'", True),
    "compared with an array": ("DELETE FROM person WHERE mood = ANY('{low,mid}')", True),
    "written among others": ("UPDATE person SET moods = '{low, \"mid\"}'", True),
    "others written": ("UPDATE person SET moods = '{low,high}', word = '{mid}'", False),
    "compared with its text": ("DELETE FROM person WHERE mood::text = 'mid'", False),
    "compared with a text": ("DELETE FROM person WHERE word = 'mid' OR short IN ('x', 'mid')", False),
    "cast": ("SELECT 'mid'::mood", True),
    "cast to a text": ("SELECT 'mid'::text", False),
    "default": ("ALTER TABLE person ALTER mood SET DEFAULT 'mid'", True),
    "default of a text": ("ALTER TABLE person ALTER word SET DEFAULT 'mid', ADD more text DEFAULT 'mid'", False),
    "default of a new column": ("ALTER TABLE person ADD more mood DEFAULT 'mid'", True),
    "comment": ("COMMENT ON COLUMN person.mood IS 'mid'", False),
    "function in SQL": ("CREATE FUNCTION f() RETURNS mood LANGUAGE sql AS $$ SELECT 'mid'::mood $$", True),
    "function in SQL that compares": ("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM person WHERE mood = 'mid' $$", True),
    "function in SQL of a text": ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'mid'::text $$", False),
    "function in PL/pgSQL": ("CREATE FUNCTION f() RETURNS mood LANGUAGE plpgsql AS $$ BEGIN RETURN 'mid'; END $$", False),
}  # fmt: skip


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize("name", USES)
def test_what_is_said_is_what_happens(name: str, version: int, servers: Servers) -> None:
    text, refused = USES[name]
    outcome: tuple[list[Finding], str]
    with copy_of(servers(version), "template1") as url, psycopg.connect(url) as connection:
        # Committed: the values of a type that the same transaction made may be used at once.
        connection.execute(TABLES)
        connection.commit()
        found = judged(connection, [ADD, text])
        connection.rollback()
        outcome = found, ended(connection, [ADD, text])
    agree(outcome, {"enum-value-used"}, "fail" if refused else None, "unsafe use of new value" if refused else "")


RETYPED = """
CREATE TYPE feeling AS ENUM ('low', 'high');
CREATE TABLE feeler (id int PRIMARY KEY, mood feeling DEFAULT 'low', word text);
"""
CONVERSIONS: dict[str, tuple[list[str], str | None, str]] = {
    "a text": (["ALTER TABLE feeler ALTER word TYPE tone"], "fail", "cannot be cast automatically"),
    "a text, as USING says": (["ALTER TABLE feeler ALTER word TYPE tone USING word::tone"], None, ""),
    "another enum": (["ALTER TABLE feeler ALTER mood TYPE tone"], "fail", "cannot be cast automatically"),
    "another enum with a default": (["ALTER TABLE feeler ALTER mood TYPE tone USING 'a'"], "fail", "default for column"),
    "a text, after a cast was made": (["CREATE CAST (text AS tone) WITH INOUT AS ASSIGNMENT", "ALTER TABLE feeler ALTER word TYPE tone"], None, ""),
    "a type that was renamed": (["ALTER TYPE tone RENAME TO pitch", "ALTER TABLE feeler ALTER word TYPE pitch"], "fail", "cannot be cast automatically"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERSIONS)
def test_what_becomes_a_new_enum(name: str, session: psycopg.Connection) -> None:
    texts, wanted, words = CONVERSIONS[name]
    made = ["CREATE TYPE tone AS ENUM ('a', 'b')", *texts]
    agree(said_and_done(session, RETYPED, "", made), {"object-depended-upon"}, wanted, words)
