"""Keys whose numbers come to an end: what is said, and what INSERT then does."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_keys import judge_keys
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request

from tests.integration.preflight.said_and_done import ended, sql
from tests.unit.plugins.module_utils._sql.claims import parsed

# How the key is made, where its sequence stands, what is said, whether one more row fails.
KEYS: dict[str, tuple[str, int | None, str | None, bool]] = {
    "serial that is new": ("serial", None, None, False),
    "serial half used": ("serial", 2**30, None, False),
    "serial near its end": ("serial", 2**31 - 1000, "warn", False),
    "serial at its end": ("serial", 2**31 - 1, "fail", True),
    "bigserial": ("bigserial", 2**31 - 1, None, False),
    "identity near its end": ("int GENERATED ALWAYS AS IDENTITY", 2_000_000_000, "warn", False),
    "identity of its own end": ("bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 100)", 100, "fail", True),
    "identity that begins again": ("bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 100 CYCLE)", 100, None, False),
    "small": ("smallserial", 32767, "fail", True),
}


@pytest.mark.parametrize("name", KEYS)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    kind, last, wanted, fails = KEYS[name]
    session.execute(f"CREATE TABLE numbered (id {kind} PRIMARY KEY, a int)")
    if last is not None:
        session.execute("SELECT setval(pg_get_serial_sequence('numbered', 'id'), %s)", [last])
    assert said(session) == wanted
    assert bool(ended(session, sql("INSERT INTO numbered (a) VALUES (1)"))) == fails


def test_a_column_narrower_than_its_sequence(session: psycopg.Connection) -> None:
    session.execute("CREATE TABLE numbered (id int PRIMARY KEY, a int)")
    session.execute("CREATE SEQUENCE wide OWNED BY numbered.id")
    session.execute("ALTER TABLE numbered ALTER id SET DEFAULT nextval('wide')")
    session.execute("SELECT setval('wide', 2147483647)")
    assert said(session) == "fail"
    assert "out of range" in ended(session, sql("INSERT INTO numbered (a) VALUES (1)"))


def said(session: psycopg.Connection) -> str | None:
    request = facts_request([parsed("ALTER TABLE numbered ADD b int")])
    found = judge_keys(t.cast("DatabaseFacts", live_facts.collect(session, request)))
    return found[0].severity if found else None
