"""Unique indexes over rows that are there: which rows are alike, the index, the collation and the type decide."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = """
CREATE COLLATION exact (locale = 'C');
CREATE TABLE member (id int PRIMARY KEY, mail text, nick text COLLATE exact, gone timestamptz, made timestamptz, paid numeric, code text UNIQUE, at timestamptz UNIQUE, amount numeric UNIQUE, grade text, UNIQUE (id, made));
INSERT INTO member SELECT n, 'm' || n, 'n' || n, NULL, now(), n, 'c' || n, '2026-01-01'::timestamptz + n * interval '1 day', n, 'low' FROM generate_series(1, 20) n;
ANALYZE member;
"""
CASE = "INSERT INTO member (id, mail, nick) VALUES (21, 'M1', 'x')"
SAME_NICK = "INSERT INTO member (id, mail, nick) VALUES (21, 'z', 'n1')"
TWO_NULLS = "INSERT INTO member (id, nick) VALUES (21, 'x'), (22, 'y')"
ALIKE = "could not create unique index"
# setup, statements, what is said, a word of the server's error (empty: it takes them)
CASES: dict[str, tuple[str, list[str], set[str], str]] = {
    "of an expression, alike": (CASE, sql("CREATE UNIQUE INDEX one ON member (lower(mail))"), {"fail"}, ALIKE),
    "of an expression, not alike": ("", sql("CREATE UNIQUE INDEX one ON member (lower(mail))"), set(), ""),
    "partial, alike": ("UPDATE member SET mail = 'm1' WHERE id = 2", sql("CREATE UNIQUE INDEX one ON member (mail) WHERE gone IS NULL"), {"fail"}, ALIKE),
    "partial, alike outside of it": ("UPDATE member SET mail = 'm1', gone = now() WHERE id = 2", sql("CREATE UNIQUE INDEX one ON member (mail) WHERE gone IS NULL"), set(), ""),
    "NULLs differ": (TWO_NULLS, sql("CREATE UNIQUE INDEX one ON member (mail)"), set(), ""),
    "a collation, alike": (SAME_NICK, sql("CREATE UNIQUE INDEX one ON member (nick COLLATE exact)"), {"fail"}, ALIKE),
    "a collation, not alike": (CASE, sql('CREATE UNIQUE INDEX one ON member (mail COLLATE "C")'), set(), ""),
    "a collation of this upgrade": ("", sql("CREATE COLLATION newer (locale = 'C')", "CREATE UNIQUE INDEX one ON member (mail COLLATE newer)"), {"unknown"}, ""),
    "another collation of a column": ("", sql("ALTER TABLE member ALTER code TYPE text COLLATE exact"), set(), ""),
    "a type that keeps them apart": ("", sql("ALTER TABLE member ALTER id TYPE bigint"), set(), ""),
    "a type that makes them alike": ("UPDATE member SET amount = 1.2 WHERE id = 2", sql("ALTER TABLE member ALTER amount TYPE int"), {"fail"}, ALIKE),
    "a type that could": ("", sql("ALTER TABLE member ALTER amount TYPE int"), set(), ""),
    "a day": ("UPDATE member SET at = '2026-01-05 07:00' WHERE id = 2; UPDATE member SET at = '2026-01-05 06:00' WHERE id = 4", sql("ALTER TABLE member ALTER at TYPE date"), {"fail"}, ALIKE),
    "a day, without an index": ("", sql("ALTER TABLE member ALTER gone TYPE date"), set(), ""),
    "a second, of an index of two": ("", sql("ALTER TABLE member ALTER made TYPE timestamptz(0)"), set(), ""),
    "a type whose index goes before": ("UPDATE member SET amount = 1.2 WHERE id = 2", sql("ALTER TABLE member DROP CONSTRAINT member_amount_key", "ALTER TABLE member ALTER amount TYPE int"), set(), ""),
    "USING that makes them alike": ("", sql("ALTER TABLE member ALTER code TYPE text USING left(code, 1)"), {"fail"}, ALIKE),
    "USING that does not": ("", sql("ALTER TABLE member ALTER code TYPE text USING upper(code)"), set(), ""),
    "a length": ("", sql("ALTER TABLE member ALTER code TYPE varchar(40)"), set(), ""),
}  # fmt: skip
SINCE_15: dict[str, tuple[str, list[str], set[str], str]] = {
    "NULLs are alike": (TWO_NULLS, sql("CREATE UNIQUE INDEX one ON member (mail) NULLS NOT DISTINCT"), {"fail"}, ALIKE),
    "NULLs are alike, as a constraint": (TWO_NULLS, sql("ALTER TABLE member ADD UNIQUE NULLS NOT DISTINCT (mail)"), {"fail"}, ALIKE),
    "one NULL": ("UPDATE member SET mail = NULL WHERE id = 1", sql("CREATE UNIQUE INDEX one ON member (mail) NULLS NOT DISTINCT"), set(), ""),
    "NULLs are alike beside another": (TWO_NULLS, sql("ALTER TABLE member ADD UNIQUE NULLS NOT DISTINCT (mail, id)"), set(), ""),
    "NULLs are alike in a part": ("", sql("CREATE UNIQUE INDEX one ON member (gone) NULLS NOT DISTINCT WHERE id < 2"), set(), ""),
}  # fmt: skip
SAYS = {"rows-violate", "rows-unknown"}


@pytest.mark.parametrize("name", [*CASES, *SINCE_15])
def test_which_rows_are_alike(name: str, session: psycopg.Connection) -> None:
    if name in SINCE_15 and session.info.server_version < 150000:
        return
    setup, texts, wanted, words = CASES.get(name) or SINCE_15[name]
    session.execute(TABLES)
    session.execute(setup or "SELECT")
    found = judged(session, texts, rows=True)
    error = ended(session, texts)
    assert severities(found, SAYS) == wanted, ([item.message for item in found], error)
    assert words in error, error
    assert bool(words) == bool(error), error
