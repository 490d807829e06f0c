"""From a statement to what the module claims about it."""

from __future__ import annotations

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judgement
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement
from pglast import parse_sql

from tests.unit.plugins.module_utils._sql.cases import Cost


def parsed(sql: str, *, alone: bool = False, number: int = 1, revision: str = "0001") -> Statement:
    """One statement, in a transaction of its revision or outside of any."""
    return Statement(number, revision, sql, parse_sql(sql)[0].stmt, None if alone else 1)


def claimed(judged: Judgement) -> tuple[dict[str, Cost], set[str]]:
    """By table what the first statement costs, and the ids of all findings."""
    costs = {}
    for lock in judged.statements[0]["locks"]:
        name = lock["table"].removeprefix("public.")
        costs[name] = Cost(lock["mode"], lock["rewrite"], lock["scan"])
    return costs, {item.id for item in judged.findings}
