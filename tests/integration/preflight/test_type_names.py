"""Types of one name in several schemas, and types that a condition takes for others: what is said, and what happens."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, sql, worst

TABLES = "CREATE SCHEMA home; SET LOCAL search_path = home; CREATE SCHEMA o"
GUARD = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'whim') THEN CREATE TYPE whim AS ENUM ('a', 'b'); END IF; END $$"
CAUGHT = "DO $$ BEGIN CREATE TYPE whim AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN NULL; END $$"
IN_HOME = GUARD.replace("typname = 'whim'", "typname = 'whim' AND typnamespace = 'home'::regnamespace")
VISIBLE = GUARD.replace("typname = 'whim'", "typname = 'whim' AND pg_type_is_visible(oid)")
USE = "CREATE TABLE m (m whim)"
OTHER, HERE = "CREATE TYPE o.whim AS ENUM ('a', 'b')", "CREATE TYPE whim AS ENUM ('a', 'b')"
FEWER = "CREATE TYPE whim AS ENUM ('a')"
WRONG = "invalid input value for enum"
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "there, in another schema": (OTHER, sql(GUARD, USE), "fail", "does not exist"),
    "there, in another schema on the path": (f"{OTHER}; SET LOCAL search_path = home, o", sql(GUARD, USE), None, ""),
    "there, in another schema, and the condition names the own": (OTHER, sql(IN_HOME, USE), None, ""),
    "there, in another schema, and the condition looks for a visible one": (OTHER, sql(VISIBLE, USE), None, ""),
    "there, in another schema, and caught": (OTHER, sql(CAUGHT, USE), None, ""),
    "nowhere": ("", sql(GUARD, USE, "INSERT INTO m VALUES ('b')"), None, ""),
    "there": (HERE, sql(GUARD, USE, "INSERT INTO m VALUES ('b')"), None, ""),
    "there, caught": (HERE, sql(CAUGHT, USE, "INSERT INTO m VALUES ('b')"), None, ""),
    "there, on the path": (f"{OTHER}; SET LOCAL search_path = home, o", sql(VISIBLE, "CREATE TABLE m (m home.whim)"), "fail", "does not exist"),
    "made elsewhere before": ("", sql(OTHER, GUARD, USE), "fail", "does not exist"),
    "moved elsewhere before": (HERE, sql("ALTER TYPE whim SET SCHEMA o", GUARD, USE), "fail", "does not exist"),
    "dropped elsewhere before": ("CREATE TYPE o.whim AS ENUM ('a')", sql("DROP TYPE o.whim", GUARD, "CREATE TABLE m (m whim DEFAULT 'b')"), None, ""),
    "renamed before": (FEWER, sql("ALTER TYPE whim RENAME TO whim_old", GUARD, "CREATE TABLE m (m whim DEFAULT 'b')"), None, ""),
    "a table's row, in another schema": ("CREATE TABLE o.whim (id int)", sql(GUARD, USE), "fail", "does not exist"),
    "a table's row": ("CREATE TABLE whim (id int)", sql(GUARD, USE, "INSERT INTO m VALUES ('a')"), "unknown", "malformed record"),
    "a table's row, caught": ("CREATE TABLE whim (id int)", sql(CAUGHT, USE, "INSERT INTO m VALUES ('a')"), "unknown", "malformed record"),
    "a table's row, of this upgrade": ("", sql("CREATE TABLE whim (id int)", CAUGHT, "CREATE TABLE m (m whim DEFAULT 'b')"), "unknown", "malformed record"),
    "a domain": ("CREATE DOMAIN whim AS int", sql(GUARD, "CREATE TABLE m (m whim DEFAULT 'a')"), "unknown", "invalid input syntax"),
    "a value fewer": (FEWER, sql(GUARD, USE), "unknown", ""),
    "a value more": ("CREATE TYPE whim AS ENUM ('a', 'b', 'c')", sql(CAUGHT, USE, "INSERT INTO m VALUES ('c')"), None, ""),
    "a value more, added": ("CREATE TYPE whim AS ENUM ('a', 'b', 'c')", sql(GUARD, "ALTER TYPE whim ADD VALUE 'c'"), "fail", "already exists"),
    "a value of the new type added": ("", sql(GUARD, "ALTER TYPE whim ADD VALUE 'b'"), "fail", "already exists"),
    "the other dropped": (f"{OTHER}; {HERE}", sql("DROP TYPE o.whim", USE), None, ""),
    "the own dropped": (f"{OTHER}; {HERE}", sql("DROP TYPE whim", USE), "fail", "does not exist"),
    "the own dropped, the other by its schema": (f"{OTHER}; {HERE}", sql("DROP TYPE whim", "CREATE TABLE m (m o.whim)"), None, ""),
    "the own dropped, the other on the path": (f"{OTHER}; {HERE}; SET LOCAL search_path = home, o", sql("DROP TYPE whim", USE), None, ""),
    "a value of the other": (f"{OTHER}; {FEWER}", sql("ALTER TYPE whim ADD VALUE 'b'"), None, ""),
    "a value of the other, by default": (f"{OTHER}; {FEWER}", sql("CREATE TABLE m (m whim DEFAULT 'b')"), "fail", WRONG),
    "made in another schema": ("", sql(OTHER, USE), "fail", "does not exist"),
    "made in another schema on the path": ("SET LOCAL search_path = home, o", sql(OTHER, USE), None, ""),
    "domain made in another schema": ("", sql("CREATE DOMAIN o.whim AS int", USE), "fail", "does not exist"),
    "table made in another schema": ("", sql("CREATE TABLE o.whim (id int)", USE), "fail", "does not exist"),
    "made in a schema of this upgrade": ("", sql("CREATE SCHEMA p", "CREATE TYPE p.whim AS ENUM ('a')", "CREATE TABLE m (m p.whim)"), None, ""),
    "moved out of the path": (HERE, sql("ALTER TYPE whim SET SCHEMA o", USE), "fail", "does not exist"),
    "moved into the path": (OTHER, sql("ALTER TYPE o.whim SET SCHEMA home", USE), None, ""),
    "moved, and is not there": ("", sql("ALTER TYPE whim SET SCHEMA o"), "fail", "does not exist"),
    "renamed to one that is there": (f"{HERE}; CREATE DOMAIN other AS int", sql("ALTER TYPE whim RENAME TO other"), "fail", "already exists"),
    "function made in another schema": ("", sql("CREATE FUNCTION o.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'", "CREATE TABLE m (i int DEFAULT f(1))"), "fail", "does not exist"),
    "function made in another schema on the path": ("SET LOCAL search_path = home, o", sql("CREATE FUNCTION o.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'", "CREATE TABLE m (i int DEFAULT f(1))"), None, ""),
    "domain that is looser in another schema": ("CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE DOMAIN o.pos AS int; CREATE TABLE m (i int); INSERT INTO m VALUES (-1)", sql("ALTER TABLE m ALTER i TYPE pos"), "unknown", "violates check constraint"),
}  # fmt: skip
SAYS = {"object-missing", "object-exists", "definition-differs", "definition-refused", "data-refused", "data-unknown",
        "rows-violate", "rows-unknown", "statement-refused", "statement-opaque"}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    found, error = said_and_done(session, TABLES, setup, texts, rows=True)
    said = worst(found, SAYS)
    assert said == wanted, (
        [item.message for item in found],
        error,
    )
    assert words in error, error
    assert bool(error) == (wanted == "fail") or wanted == "unknown", error
