"""An upgrade that takes an advisory lock waits for whoever holds it: what is said, and what then happens."""

from __future__ import annotations

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import LOCK_KEY

from tests.integration.preflight.said_and_done import ended, judged, severities

TABLES = "CREATE TABLE users (id int PRIMARY KEY, age int); INSERT INTO users VALUES (1, 1);"
# The statement, and what is said of it.
CASES = {
    "SELECT pg_advisory_lock(42)": "warn",
    "SELECT pg_advisory_xact_lock(42)": "warn",
    "SELECT pg_catalog.pg_advisory_xact_lock_shared(42)": "warn",
    "SELECT pg_advisory_lock_shared(0, 42)": "warn",
    "SELECT pg_advisory_xact_lock(hashtext('migration'))": "warn",
    "WITH taken AS (SELECT pg_advisory_xact_lock(42)) SELECT count(*) FROM taken": "warn",
    "UPDATE users SET age = 2 WHERE pg_advisory_xact_lock(42) IS NOT NULL": "warn",
    "DO $$ BEGIN PERFORM pg_advisory_xact_lock(42); END $$": "warn",
    f"SELECT pg_advisory_lock({LOCK_KEY})": "fail",
    f"SELECT pg_advisory_xact_lock({LOCK_KEY}::bigint)": "fail",
    f"SELECT pg_try_advisory_lock({LOCK_KEY})": "warn",
    "SELECT pg_try_advisory_lock(42)": None,
    "SELECT pg_advisory_unlock_all()": None,
    "SELECT 'pg_advisory_lock(42)'": None,
}
# What waits where another session holds these three.
HELD = ["SELECT pg_advisory_lock(42), pg_advisory_lock(0, 42)", "SELECT pg_advisory_lock(hashtext('migration'))",
        f"SELECT pg_advisory_lock({LOCK_KEY})"]  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_who_waits_is_told(text: str, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other, psycopg.connect(database) as session:
        session.execute(TABLES)
        for held in HELD:
            other.execute(held)
        session.execute("SET LOCAL lock_timeout = '300ms'")
        said = severities(judged(session, [text]), {"advisory-lock"})
        error = ended(session, [text])
        session.rollback()
        other.execute("SELECT pg_advisory_unlock_all()")
    assert said == ({CASES[text]} if CASES[text] else set())
    assert ("lock timeout" in error) == (CASES[text] is not None and "try" not in text), error


def test_without_a_timeout_nothing_ends_it(database: str) -> None:
    with psycopg.connect(database) as session:
        texts = ["SET lock_timeout = 0", "SELECT pg_advisory_lock(42)"]
        found = [item.message for item in judged(session, texts) if item.id == "advisory-lock"]
    assert "nothing ends that" in found[0]
