"""New columns whose cost a domain or an expression decides: what is said, and what the server does to the table."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import judged

TABLES = """
CREATE DOMAIN token AS uuid DEFAULT gen_random_uuid();
CREATE DOMAIN moment AS timestamptz DEFAULT now();
CREATE DOMAIN plain AS int;
CREATE TABLE ledger (id int, amount int);
INSERT INTO ledger SELECT n, n FROM generate_series(1, 100) n;
"""
FILE = "SELECT relfilenode FROM pg_class WHERE oid = 'ledger'::regclass"
# The column, whether the table is written anew.
COLUMNS = {
    "token": True,
    "token NOT NULL": True,
    "token DEFAULT '00000000-0000-0000-0000-000000000000'": False,
    "moment NOT NULL": False,
    "plain": False,
    "token[]": False,
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_domain_whose_default_is_volatile(column: str, session: psycopg.Connection) -> None:
    session.execute(TABLES)
    before = session.execute(FILE).fetchone()
    statement = f"ALTER TABLE ledger ADD COLUMN more {column}"
    found = judged(session, [statement])
    session.execute(statement)
    assert (session.execute(FILE).fetchone() != before) == COLUMNS[column]
    (lock,) = (item.message for item in found if item.id == "lock-brief")
    assert ("rewrites" in lock) == COLUMNS[column]
    assert not [item.message for item in found if item.severity == "fail"]


SCANS = "SELECT pg_stat_get_xact_numscans('ledger'::regclass)"


@pytest.mark.parametrize("null", ["", " NOT NULL"])
def test_a_virtual_column(null: str, session: psycopg.Connection) -> None:
    """What is computed when it is read must be computed for each row before it is never NULL."""
    session.execute(TABLES)
    statement = f"ALTER TABLE ledger ADD COLUMN more int GENERATED ALWAYS AS (amount * 2) VIRTUAL{null}"
    found = judged(session, [statement])
    if session.info.server_version < 180000:
        assert "unsupported-by-server" in {item.id for item in found}
        return
    before = session.execute(SCANS).fetchone()
    session.execute(statement)
    assert (session.execute(SCANS).fetchone() != before) == bool(null)
    (lock,) = (item.message for item in found if item.id == "lock-brief")
    assert ("reads it" in lock) == bool(null)
