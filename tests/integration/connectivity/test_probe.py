"""Each situation, set up with real servers: the right finding, nothing else, and no password anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import probe_answers
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Facts, Observation
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import http_answers
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import PROBE, bundle, command

from tests.integration.connectivity.model_server import model_server, proxy_server
from tests.integration.connectivity.model_situations import KEY, environment, model
from tests.integration.connectivity.observe import REQUEST, facts, forms_of_the_canary
from tests.integration.connectivity.situations import (
    CANARY,
    SITUATIONS,
    Stage,
    cache,
    database,
    listener,
    web_server,
)
from tests.mirror_server import Authority
from tests.unit.plugins.module_utils._connectivity.cases import CASES
from tests.unit.plugins.module_utils._sql.test_facts import unlike

# A machine that runs four test processes on two cores is no network: what is slow is judged from recorded facts.
LIMITS = Thresholds(p95_ms=5000, p99_ms=5000)


def test_every_case_has_a_situation() -> None:
    assert set(SITUATIONS) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_finding_and_nothing_else(name: str, stage: Stage) -> None:
    found = facts(name, stage)
    assert [item["problem"] for item in found["observations"]] == [None]
    assert unlike(found, Facts) == []
    told = judge(found, Thresholds() if name == "redis-slow" else LIMITS)
    assert {item.id for item in told} == CASES[name], [item.message for item in told]
    everything = json.dumps(found, ensure_ascii=False) + json.dumps(found) + "".join(item.message for item in told)
    assert [form for form in forms_of_the_canary() if form in everything] == []


def _leftovers(stage: Stage) -> list[t.Any]:
    query = "SELECT relname FROM pg_class WHERE relname LIKE 'connectivity%'"
    with psycopg.connect(stage.postgresql().url()) as connection:
        tables = connection.execute(query).fetchall()
    return [*tables, *stage.redis().client().keys("*connectivity*")]


def test_nothing_stays_behind(stage: Stage) -> None:
    asked = [database(stage.postgresql().url()), cache(stage.redis().url())]
    assert probe_answers.run_here(REQUEST | {"dependencies": asked})["problem"] is None
    assert _leftovers(stage) == []


def test_nothing_stays_behind_when_it_is_killed(stage: Stage) -> None:
    """The table is gone with its session, the key expires by itself."""
    asked = [database(stage.postgresql().url()), cache(stage.redis().url())]
    words = [sys.executable, *command()[1:]]
    request = REQUEST | {"dependencies": asked, "rounds": 1_000_000, "deadline": 5}
    done = subprocess.run([*words, bundle(PROBE, request)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode < 0, done.stderr
    records, ended = probe_answers.read(probe_answers.from_stream(done.stdout.splitlines()))
    assert not ended
    assert {"write"} <= {record.get("phase") for record in records}
    client = stage.redis().client()
    assert all(0 < client.pttl(key) <= 30_000 for key in client.scan_iter("*connectivity*"))
    with psycopg.connect(stage.postgresql().url()) as connection:
        assert connection.execute("SELECT 1 FROM pg_class WHERE relname LIKE 'connectivity%'").fetchall() == []


def test_one_connection_at_a_time_and_a_name_on_it(stage: Stage) -> None:
    """Seen from the server while it works."""
    url = stage.postgresql().url()
    words = [sys.executable, *command()[1:]]
    request = REQUEST | {"dependencies": [database(url)], "rounds": 20_000_000}
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ai_platform.agent connectivity'"
    counts: list[int] = []
    with (
        subprocess.Popen([*words, bundle(PROBE, request)], stdout=subprocess.DEVNULL) as process,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        try:
            # Its rounds go on until it is stopped.
            while process.poll() is None and sum(counts) < 50:
                counts += [int(row[0]) for row in connection.execute(query)]
        finally:
            process.kill()
    assert sum(counts) == 50
    assert max(counts) == 1


def test_memory_stays_small(stage: Stage) -> None:
    asked = [database(stage.postgresql().url()), cache(stage.redis().url())]
    end = probe_answers.run_here(REQUEST | {"dependencies": asked, "rounds": 2000})["records"][-1]
    assert end["record"] == "end"
    assert end["peak_kib"] < 96 * 1024


def test_without_drivers_the_image_is_named() -> None:
    words = [sys.executable, "-S", *command()[1:]]
    asked = [database("postgresql://a@127.0.0.1:1/b"), cache("redis://127.0.0.1:1/0")]
    request = bundle(PROBE, REQUEST | {"dependencies": asked})
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([*words, request], capture_output=True, text=True, check=True, env=bare, timeout=60)
    records, ended = probe_answers.read(probe_answers.from_stream(done.stdout.splitlines()))
    assert ended
    observation: Observation = {"from": "agent", "pod": "p", "node": "n", "records": records, "problem": None}
    told = judge({"observations": [observation], "release": None, "untested": []}, LIMITS)
    assert [(item.id, item.dependency) for item in told] == [
        ("driver-missing", "postgresql"),
        ("driver-missing", "redis"),
    ]


def test_the_url_is_taken_from_the_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_URL", stage.redis().url())
    asked = [
        {"name": "redis", "kind": "redis", "env": "THE_URL"},
        {"name": "postgresql", "kind": "postgresql", "env": "X"},
    ]
    observation = probe_answers.run_here(REQUEST | {"dependencies": asked})
    told = judge({"observations": [observation], "release": None, "untested": []}, LIMITS)
    assert [item.id for item in told] == ["database-url-invalid"]
    assert "X is not set" in told[0].message


def test_what_may_not_be_reached_is_told_apart(stage: Stage) -> None:
    with listener(full=True) as port:
        targets = {"open": stage.redis().port, "closed": 1, "dropped": port}
        asked = [{"name": name, "host": "127.0.0.1", "port": number} for name, number in targets.items()]
        asked.append({"name": "nowhere", "host": "no-such-name.invalid", "port": 1})
        records = probe_answers.run_here(REQUEST | {"reach": asked})["records"]
    got = {record["name"]: record["got"] for record in records if record["record"] == "reach"}
    assert got == {"open": "reached", "closed": "refused", "dropped": "timeout", "nowhere": "no-name"}


def test_http_is_asked(stage: Stage) -> None:
    with web_server() as port:
        asked = [{"name": "self", "host": "127.0.0.1", "port": port, "path": "/health"}]
        asked.append({"name": "gone", "host": "127.0.0.1", "port": 1, "path": "/ready"})
        seen = probe_answers.run_here(REQUEST | {"http": asked})
    assert [(record["name"], record["status"]) for record in http_answers(seen)] == [("self", 501), ("gone", None)]
    assert CANARY not in json.dumps(seen)


def test_what_the_models_endpoint_and_the_proxy_are_told(stage: Stage) -> None:
    authority = Authority(stage.folder)
    with (
        model_server(authority.server("127.0.0.1")) as (port, requests),
        proxy_server() as (proxy, tunnels),
        environment(HTTPS_PROXY=f"http://user:p%40ss@127.0.0.1:{proxy}"),
    ):
        asked = [model(f"https://127.0.0.1:{port}/well/v1", ca_file=str(authority.file))]
        assert probe_answers.run_here(REQUEST | {"dependencies": asked})["problem"] is None
    assert [(item["path"], item["authorization"]) for item in requests] == [("/well/v1/models", f"Bearer {KEY}")]
    assert len(tunnels) == 1
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in tunnels[0]
    assert KEY not in tunnels[0]


def test_without_an_address_in_the_environment_no_model_is_asked() -> None:
    asked = [{"name": "model", "kind": "model", "env": "NO_SUCH_VARIABLE", "optional": True}]
    records = probe_answers.run_here(REQUEST | {"dependencies": asked})["records"]
    assert [record["record"] for record in records] == ["end"]
