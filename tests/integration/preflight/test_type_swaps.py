"""A type is renamed, made anew and dropped: what is said before, and what the server does."""

# ruff: noqa: E501 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import LEDGER, agree_at_worst, said_and_done, sql

TEMPER = "CREATE TYPE temper AS ENUM ('a'); CREATE TABLE w (id int, v temper);"
WITH_DEFAULT = TEMPER.replace("v temper", "v temper DEFAULT 'a'")
SWAP = ("ALTER TYPE temper RENAME TO temper_old", "CREATE TYPE temper AS ENUM ('a', 'b')")
RETYPED = "ALTER TABLE w ALTER v TYPE temper USING v::text::temper"
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "a text, and the type goes": (TEMPER, sql("ALTER TABLE w ALTER v TYPE text", "DROP TYPE temper"), None, ""),
    "a varchar, and the type goes": (TEMPER, sql("ALTER TABLE w ALTER v TYPE varchar(9) USING v::text", "DROP TYPE temper"), None, ""),
    "an array, and the type goes": (TEMPER.replace("v temper", "v temper[]"), sql("ALTER TABLE w ALTER v TYPE text[]", "DROP TYPE temper"), None, ""),
    "one of two columns": (TEMPER + "ALTER TABLE w ADD u temper;", sql("ALTER TABLE w ALTER v TYPE text", "DROP TYPE temper"), "fail", "depend on it"),
    "a default that keeps the type": (WITH_DEFAULT, sql("ALTER TABLE w ALTER v TYPE text USING v::text", "DROP TYPE temper"), "fail", "depend on it"),
    "swapped": (TEMPER, sql(*SWAP, RETYPED, "DROP TYPE temper_old"), None, ""),
    "swapped, the default dropped first": (WITH_DEFAULT, sql("ALTER TABLE w ALTER v DROP DEFAULT", *SWAP, RETYPED, "ALTER TABLE w ALTER v SET DEFAULT 'a'", "DROP TYPE temper_old"), None, ""),
    "swapped, the default kept": (WITH_DEFAULT, sql(*SWAP, RETYPED), "fail", "cannot be cast automatically"),
    "swapped without USING": (TEMPER, sql(*SWAP, "ALTER TABLE w ALTER v TYPE temper"), "fail", "cannot be cast automatically"),
    "swapped in one of two columns": (TEMPER + "ALTER TABLE w ADD u temper;", sql(*SWAP, RETYPED, "DROP TYPE temper_old"), "fail", "depend on it"),
    "swapped, another table left": (TEMPER + "CREATE TABLE o (v temper);", sql(*SWAP, RETYPED, "DROP TYPE temper_old"), "fail", "depend on it"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree_at_worst(said_and_done(session, LEDGER, setup, texts), {"object-depended-upon"}, wanted, words)
