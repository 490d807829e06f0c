"""Rows that another session has held for a while, and an upgrade that changes rows of the same table."""

from __future__ import annotations

import dataclasses
import time

import psycopg
import pytest

from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.integration.preflight.said_and_done import ended, judged

TABLES = (
    "CREATE TABLE ledger (id int PRIMARY KEY, note text); INSERT INTO ledger SELECT n, 'a' FROM generate_series(1, 6) n"
)


@dataclasses.dataclass(frozen=True)
class Case:
    """What another session does and leaves open, the upgrade, and whether that is said to be not known, or waits."""

    held: str
    upgrade: str
    said: bool
    waits: bool


CASES = {
    "all rows": Case("UPDATE ledger SET note = 'b' WHERE id = 1", "UPDATE ledger SET note = 'c'", True, True),
    "the same row": Case("SELECT FROM ledger WHERE id = 2 FOR UPDATE", "DELETE FROM ledger WHERE id = 2", True, True),
    "another row": Case("UPDATE ledger SET note = 'b' WHERE id = 1", "DELETE FROM ledger WHERE id = 2", True, False),
    "a reader": Case("SELECT FROM ledger", "UPDATE ledger SET note = 'c'", False, False),
    "rows that are added": Case(
        "UPDATE ledger SET note = 'b' WHERE id = 1", "INSERT INTO ledger VALUES (7)", False, False
    ),
}


@pytest.mark.parametrize("version", CHOSEN)
@pytest.mark.parametrize("name", CASES)
def test_rows_that_somebody_holds(name: str, version: int, servers: Servers) -> None:
    case = CASES[name]
    with copy_of(servers(version), "template1") as url, psycopg.connect(url) as other, psycopg.connect(url) as own:
        other.execute(TABLES)
        other.commit()
        other.execute(case.held)
        # What is held for a shorter time is the daily work of an application.
        time.sleep(2.1)
        found = [item for item in judged(own, [case.upgrade]) if item.id == "lock-held"]
        assert [item.severity for item in found] == (["unknown"] if case.said else [])
        error = ended(own, ["SET LOCAL lock_timeout = '300ms'", case.upgrade])
        assert ("lock timeout" in error) == case.waits, error
        own.rollback()
        other.rollback()
