"""An autovacuum at work, as a role sees it that may not see what other processes do: it gives way, or it does not."""

from __future__ import annotations

import time
import typing as t

import psycopg
import pytest

from dev.postgresql import running
from tests.integration.preflight.conftest import CHOSEN
from tests.integration.preflight.said_and_done import judged

# Of a table with work to do it does a little, and then sleeps.
SLOW: dict[str, t.Any] = {
    "autovacuum_naptime": "1s",
    "autovacuum_vacuum_threshold": "10",
    "autovacuum_vacuum_scale_factor": "0",
    "autovacuum_vacuum_cost_limit": "1",
    "autovacuum_vacuum_cost_delay": "100ms",
    "autovacuum_analyze_threshold": "1000000000",
}
ALTER = ["ALTER TABLE mill.ledger ADD COLUMN note text"]
TABLE = """
CREATE ROLE miller LOGIN PASSWORD 'x';
CREATE SCHEMA mill AUTHORIZATION miller;
CREATE TABLE mill.ledger (id int, body text) WITH (autovacuum_enabled = off);
ALTER TABLE mill.ledger OWNER TO miller;
INSERT INTO mill.ledger SELECT n, repeat('x', 400) FROM generate_series(1, 30000) n;
DELETE FROM mill.ledger WHERE id % 2 = 0;
"""
WORKER = """
SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.backend_type = 'autovacuum worker'
WHERE l.relation = 'mill.ledger'::regclass AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
  AND a.query LIKE %s
"""
# Each subtransaction that writes takes a number of its own.
AGED = """
DO $$ BEGIN FOR n IN 1..100100 LOOP
  BEGIN INSERT INTO ticks VALUES (n); EXCEPTION WHEN division_by_zero THEN NULL; END;
END LOOP; END $$
"""


@pytest.fixture(scope="module")
def admin() -> t.Iterator[psycopg.Connection]:
    with running(CHOSEN[-1], **SLOW) as server, psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(TABLE)
        yield connection


@pytest.fixture
def miller(admin: psycopg.Connection) -> t.Iterator[psycopg.Connection]:
    about = admin.info
    with psycopg.connect(
        host=about.host, port=about.port, dbname="postgres", user="miller", password="x"
    ) as connection:
        yield connection


def _working(admin: psycopg.Connection, query: str = "") -> None:
    """Wait until a worker has the table, with these words in its query."""
    admin.execute("ALTER TABLE mill.ledger SET (autovacuum_enabled = on)")
    end = time.monotonic() + 120
    while not admin.execute(WORKER, [f"%{query}%"]).fetchall():
        assert time.monotonic() < end, "no autovacuum came"
        time.sleep(0.2)


def _held(connection: psycopg.Connection) -> list[str]:
    return [item.message for item in judged(connection, ALTER) if item.id == "lock-held"]


def test_a_lock_of_another_process_is_in_the_way(admin: psycopg.Connection, miller: psycopg.Connection) -> None:
    with admin.transaction():
        admin.execute("LOCK TABLE mill.ledger IN SHARE UPDATE EXCLUSIVE MODE")
        assert _held(miller)


def test_an_autovacuum_gives_way(admin: psycopg.Connection, miller: psycopg.Connection) -> None:
    _working(admin)
    assert _held(miller) == []
    assert _held(admin) == []
    admin.execute("ALTER TABLE mill.ledger ADD COLUMN given text")


def test_one_that_prevents_wraparound_does_not(admin: psycopg.Connection, miller: psycopg.Connection) -> None:
    admin.execute("ALTER TABLE mill.ledger SET (autovacuum_enabled = off)")
    admin.execute("CREATE UNLOGGED TABLE ticks (n int)")
    admin.execute(AGED)
    admin.execute("ALTER TABLE mill.ledger SET (autovacuum_freeze_max_age = 100000)")
    _working(admin, "wraparound")
    assert _held(miller)
    # Who sees how young the worker's transaction is expects it to end.
    end = time.monotonic() + 60
    while not _held(admin):
        assert time.monotonic() < end, "it is never in the way"
        time.sleep(1)
