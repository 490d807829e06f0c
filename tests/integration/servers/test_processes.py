"""Each example as processes: an older release's database is judged and migrated, and the server keeps the contract."""

from __future__ import annotations

import os
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import report

from dev import examples
from dev.examples import Example
from tests.integration.servers.conftest import Live
from tests.integration.strong_secrets import CONTEXTFORGE

_SECRETS: t.Final = {"mcp-contextforge": {"mcp-contextforge": CONTEXTFORGE}}
_TABLES: t.Final = {
    "aegra": {"assistant", "thread", "runs"},
    "mcp-contextforge": {"tools", "gateways"},
    "mlflow": {"experiments", "runs"},
    "phoenix": {"projects", "traces", "spans"},
}


@pytest.mark.parametrize("example", examples.read().values(), ids=lambda example: str(example.name))
def test_it_lives_by_values_alone(example: Example, database: str, live: Live) -> None:
    seen = live(example, _SECRETS.get(example.name, {}))
    print("\n".join([example.name, str(seen), *report.table(seen.lines)]))
    assert seen.lines, f"The migration of {example.package} {example.older} failed:\n{seen.words[-3000:]}"
    with psycopg.connect(database) as connection:
        found = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables")}
    assert _TABLES[example.name] <= found
    assert seen.start != seen.end
    assert seen.verdict, f"The preflight has no verdict about the pending revisions: {seen.words}"
    others = {line.part for line in seen.lines if line.status not in {"right", "set"}}
    assert others == set(example.breaks), "\n".join(report.table(seen.lines))
    assert seen.by_name == 200, "It refuses who calls it by the name of its Service."
    row = seen.row(example)
    if os.environ.get("EXAMPLES_RECORD"):
        examples.record(example.name, row)
    known = examples.seen().get(example.name, {})
    assert {**row, "seconds": None} == {**known, "seconds": None}, (
        "examples/seen.yml says otherwise: run this with EXAMPLES_RECORD=1, then python -m dev.examples."
    )
