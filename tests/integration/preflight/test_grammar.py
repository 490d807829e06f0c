"""Statements that only a newer server's grammar knows: the server itself reads them, and runs nothing of them."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import parse_facts

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = "CREATE TABLE root_table (id int PRIMARY KEY, n int, word text); CREATE ROLE one; CREATE ROLE two"
# statements, and the first version that takes them
CASES: dict[str, tuple[list[str], int]] = {
    "nothing new": (sql("ALTER TABLE root_table ADD more int DEFAULT 5 -- the last word", "CREATE INDEX ON root_table (n)", "COMMENT ON TABLE root_table IS 'a; b'"), 14),
    "access method by itself": (sql("ALTER TABLE root_table SET ACCESS METHOD DEFAULT"), 17),
    "statistics by themselves": (sql("ALTER TABLE root_table ALTER n SET STATISTICS DEFAULT"), 17),
    "storage by itself": (sql("ALTER TABLE root_table ALTER word SET STORAGE DEFAULT"), 16),
    "membership with options": (sql("GRANT one TO two WITH INHERIT FALSE"), 16),
    "maintain": (sql("GRANT MAINTAIN ON root_table TO one"), 17),
    "builtin": (sql("CREATE COLLATION simple (provider = builtin, locale = 'C.UTF-8')"), 17),
    "number in sixteens": (sql("ALTER TABLE root_table ADD more int DEFAULT 0xFF"), 16),
    "number with a line": (sql("ALTER TABLE root_table ADD more int DEFAULT 1_000"), 16),
    "new among old": (sql("ALTER TABLE root_table ADD a int", "ALTER TABLE root_table ADD b int DEFAULT 0b11", "ALTER TABLE root_table ADD c int"), 16),
    "after a new type": (sql("CREATE TYPE temper AS ENUM ('a')", "MERGE INTO root_table p USING (SELECT 1 AS id) s ON p.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE"), 17),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_server_reads_them(name: str, session: psycopg.Connection) -> None:
    texts, first = CASES[name]
    session.execute(TABLES)
    found = judged(session, texts)
    error = ended(session, texts)
    fails = session.info.server_version // 10000 < first
    said = severities(found, {"unsupported-by-server", "statement-refused"})
    assert said == ({"fail"} if fails else set()), ([item.message for item in found], error)
    assert bool(error) == fails, error


def test_nothing_of_what_is_read_is_run(session: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_facts, "GRAMMAR", 990000)
    session.execute(TABLES)
    texts = [
        "DROP TABLE root_table",
        "COMMIT",
        "SELECT 1; DROP TABLE root_table; COMMIT",
        "ALTER TABLE root_table ADD b int LATER",
    ]
    found = parse_facts.grammar(session, list(enumerate(texts, 1)))
    assert [(row["number"], row["state"]) for row in found] == [(4, "42601")]
    assert session.execute("SELECT count(*) FROM root_table").fetchone() == (0,)
