"""Each example as processes: its migration and its server start with what the values file gives, and keep the contract.

The database is a real PostgreSQL, and Redis a real one where TEST_REDIS_URL names it.
"""

from __future__ import annotations

import os
import typing as t
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import psycopg
import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import judge, report, trial
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import module as contract
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.plan import PATHS, Plan, plan

from tests.integration.contract.conftest import ProcessPlace
from tests.integration.servers.projects import SERVERS, Server
from tests.integration.servers.rendered import process

Render = t.Callable[[dict[str, t.Any]], str]


def cache_of(server: Server) -> SplitResult | None:
    """The URL of a Redis, for a server that uses one."""
    if not (server.values.get("redis") or {}).get("enabled", True):
        return None
    url = os.environ.get("TEST_REDIS_URL", "")
    if not url:
        pytest.fail("TEST_REDIS_URL is not set: name a Redis.", pytrace=False)
    return urlsplit(url)


def placed(
    server: Server, database: str, redis: SplitResult | None, render: Render, folder: Path
) -> tuple[ProcessPlace, Plan]:
    """The place in which it runs, its URLs as the chart writes them; and what the chart says of it."""
    place = ProcessPlace(
        folder, database, (redis.hostname or "127.0.0.1", redis.port or 6379) if redis else None, [], []
    )
    split = urlsplit(database)
    there: dict[str, t.Any] = {
        "secrets": {"generate": "always"},
        "postgresql": {"enabled": False},
        "redis": {"enabled": False},
        "externalDatabase": {
            "host": "127.0.0.1",
            "port": place.ports["database"],
            "username": split.username or "postgres",
            "database": split.path[1:],
            "password": split.password or "trusted",
        },
    }
    values = server.values
    if redis:
        there["externalCache"] = {
            "host": "127.0.0.1",
            "port": place.ports["cache"],
            "password": redis.password or "",
        }
    manifests = render(values | there)
    made = plan(manifests, server.secrets)
    assert made.missing == []
    objects = [item for item in yaml.safe_load_all(manifests) if item] + made.objects
    python = server.project.python
    assert made.migration
    migration, serving = (process(objects, pod, folder, python) for pod in (made.migration, made.agent))
    place.runs(serving.words, migration.words, serving.env, migration.env, made.container["ports"][0]["containerPort"])
    place.path = made.probe("startup")[1]
    return place, made


@pytest.mark.parametrize("example", SERVERS, ids=lambda example: str(example.name))
def test_it_keeps_the_contract_by_values_alone(example: Server, database: str, render: Render, tmp_path: Path) -> None:
    place, made = placed(example, database, cache_of(example), render, tmp_path)
    probes = {name: made.probe(name) for name in PATHS}
    target = trial.Target(example.name, made.tool, made.version_table, probes, away_seconds=10, back_seconds=120)
    try:
        lines = judge.lines(trial.run(place, target), contract.flat(example.values))
    finally:
        place.close()
    print("\n".join([example.name, *report.table(lines)]))
    with psycopg.connect(database) as connection:
        found = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables")}
    assert set(example.tables) <= found
    others = {line.part: line.status for line in lines if line.status not in {"right", "set"}}
    assert others == example.lasting, report.table(lines)
