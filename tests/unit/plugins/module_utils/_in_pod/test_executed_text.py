"""Several statements in one text: what the driver, or the server, does not take."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.executed_text import refused

ALONE = "PostgreSQL runs in one transaction"


@pytest.mark.parametrize(
    ("text", "driver", "words"),
    [
        ("SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a)", "psycopg", ALONE),
        ("SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a)", None, ALONE),
        ("create unique index\n concurrently i on t (a);\ndrop table u", "psycopg2", ALONE),
        ("SELECT 1; REINDEX INDEX CONCURRENTLY i", "psycopg", ALONE),
        ("VACUUM t; ANALYZE t", "psycopg", ALONE),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY; SELECT 1", "psycopg", ALONE),
        ("ALTER SYSTEM SET a = 1; SELECT 1", "psycopg", ALONE),
        ("SELECT 1; SELECT 2", "asyncpg", "asyncpg refuses"),
        ("CREATE INDEX CONCURRENTLY i ON t (a);", "psycopg", None),
        ("CREATE INDEX CONCURRENTLY i ON t (a); -- and no more", "psycopg", None),
        ("SELECT 1; SELECT 2", "psycopg", None),
        ("SELECT 'CREATE INDEX CONCURRENTLY i'; SELECT 2", "psycopg", None),
        ("REINDEX INDEX i; SELECT 'CONCURRENTLY'", "psycopg", None),
        ("ALTER TABLE t DETACH PARTITION p; SELECT 1", "psycopg", None),
    ],
)
def test_several_statements_in_one_text(text: str, driver: str | None, words: str | None) -> None:
    said = refused(text, driver)
    assert (words in said) if words and said else said is words
