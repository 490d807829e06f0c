"""New columns of a domain that refuses values, over rows that are there."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities

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
