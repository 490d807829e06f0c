"""`database-url` may lead to a pooler in transaction mode: what one client sets there meets the next one."""

from __future__ import annotations

import typing as t

import psycopg
import pytest

from dev import pooler
from tests.integration.schema.conftest import Image

# What a session can leave behind that another client would notice.
SETTINGS = (
    "default_transaction_read_only",
    "statement_timeout",
    "lock_timeout",
    "idle_session_timeout",
    "idle_in_transaction_session_timeout",
    "client_connection_check_interval",
)


@pytest.fixture
def pooled(database: str) -> t.Iterator[str]:
    """The URL of the same database through PgBouncer, with one server connection for everybody."""
    with pooler.in_front_of(database) as url:
        yield url


def left(url: str) -> list[str]:
    """The settings that the next client of the pool meets."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        return [str(connection.execute(f"SHOW {name}").fetchone()) for name in SETTINGS]


def test_wait_leaves_nothing_behind(image: Image, pooled: str) -> None:
    assert image.run("migrate").code == 0
    before = left(pooled)
    assert image.run("wait", DATABASE_URL=pooled).code == 0
    assert left(pooled) == before
    with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("INSERT INTO item VALUES (1, 'a')")


def test_wait_beside_a_client_that_keeps_the_only_connection(image: Image, pooled: str) -> None:
    assert image.run("migrate").code == 0
    with psycopg.connect(pooled, prepare_threshold=None) as connection:
        connection.execute("INSERT INTO item VALUES (1, 'a')")
        started = image.start("wait", DATABASE_URL=pooled)
        connection.commit()
        assert started.end(20).code == 0


def test_migrate_refuses_a_pooler_in_one_sentence_and_leaves_nothing(image: Image, pooled: str) -> None:
    before = left(pooled)
    done = image.run("migrate", "--database-timeout", "20", DATABASE_URL=pooled)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "pooler" in done.err
    assert "migration-database-url" in done.err
    assert left(pooled) == before
    assert image.rows("SELECT to_regclass('item')") == [(None,)]
