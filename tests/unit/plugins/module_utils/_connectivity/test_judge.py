"""Judgement over recorded facts: the right finding and nothing else; what follows from it is not told beside it."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import facts as connectivity
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import summary
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import details

from tests.unit.plugins.module_utils._connectivity.cases import CASES
from tests.unit.plugins.module_utils._sql.test_facts import unlike

FACTS = Path(__file__).parent / "facts"
Facts = t.Any


def recorded(name: str) -> Facts:
    return json.loads((FACTS / f"{name}.json").read_text())


def ids(facts: Facts, limits: Thresholds | None = None) -> list[str]:
    return [item.id for item in judge(facts, limits or Thresholds())]


@pytest.mark.parametrize("name", CASES)
def test_the_recorded_facts_have_their_types(name: str) -> None:
    assert unlike(recorded(name), connectivity.Facts) == []


@pytest.mark.parametrize("name", CASES)
def test_recorded_situation(name: str) -> None:
    found = judge(recorded(name), Thresholds())
    assert {item.id for item in found} == CASES[name]
    for item in found:
        assert item.message.endswith(".")
        assert "\n" not in item.message
        assert item.dependency == ("redis" if name.startswith("redis") else item.dependency)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("postgresql-refused", ["no TCP connection", "127.0.0.1:", "refused"]),
        ("postgresql-no-such-name", ["name resolution failed", "no-such-name.invalid:5432"]),
        ("postgresql-too-many-connections", ["no session", "connection slots"]),
        ("postgresql-tls-other-name", ["the TLS handshake failed", "mismatch"]),
        ("redis-out-of-memory", ["a write failed", "maxmemory"]),
    ],
)
def test_the_message_names_layer_place_and_cause(name: str, words: list[str]) -> None:
    message = judge(recorded(name), Thresholds())[0].message
    assert [word for word in words if word not in message] == []


def pods(*names: str, base: str = "postgresql-well") -> Facts:
    """The observation of a recording, made by pods of an agent; pod b is that of redis-refused."""
    facts = recorded(base)
    record = facts["observations"][0]["records"]
    facts["observations"] = [
        {"from": "agent", "pod": name, "node": f"node-{name}", "records": copy.deepcopy(record), "problem": None}
        for name in names
    ]
    return facts


def test_what_three_pods_see_is_told_once() -> None:
    found = judge(pods("a", "b", "c", base="redis-refused"), Thresholds())
    assert [(item.id, item.pods) for item in found] == [("cache-connection-refused", ("a", "b", "c"))]
    assert "(seen by 3 of 3 pods)" in found[0].message


def test_one_of_three_pods_is_named() -> None:
    facts = pods("a", "b", "c")
    facts["observations"][1]["records"] = recorded("postgresql-filtered")["observations"][0]["records"]
    found = judge(facts, Thresholds())
    assert [(item.id, item.pods) for item in found] == [("database-filtered", ("b",))]
    assert "(seen by 1 of 3 pods)" in found[0].message


def test_slow_rounds() -> None:
    facts = recorded("redis-well")
    rounds = next(item for item in facts["observations"][0]["records"] if item["record"] == "rounds")
    rounds["samples_ms"] = [1.0] * 90 + [150.0] * 10
    assert ids(facts) == ["latency-high"]
    assert ids(facts, Thresholds(p95_ms=200)) == []
    rounds["samples_ms"] = [1.0] * 98 + [600.0] * 2
    found = judge(facts, Thresholds())
    assert [item.id for item in found] == ["latency-high"]
    assert "p99 600 ms" in found[0].message
    assert "p95 1 ms" not in found[0].message


def test_broken_rounds() -> None:
    facts = recorded("redis-well")
    rounds = next(item for item in facts["observations"][0]["records"] if item["record"] == "rounds")
    rounds |= {"failed": 3, "samples_ms": [1.0], "error": {"type": "ConnectionError", "text": "Connection reset."}}
    assert ids(facts) == ["rounds-failed"]


def test_slow_name_service() -> None:
    facts = recorded("postgresql-well")
    for item in facts["observations"][0]["records"]:
        if item.get("phase") == "dns":
            item["ms"] = 5007.0
    assert ids(facts) == ["dns-slow"]


@pytest.mark.parametrize(("number", "wanted"), [(-2, "database-host-unknown"), (-3, "dns-unavailable")])
def test_no_such_name_is_not_no_answer(number: int, wanted: str) -> None:
    facts = recorded("postgresql-no-such-name")
    for item in facts["observations"][0]["records"]:
        if item.get("phase") == "dns":
            item["error"]["errno"] = number
    assert ids(facts) == [wanted]


def test_a_collector_that_ended_early_is_no_pass() -> None:
    facts = recorded("postgresql-well")
    facts["observations"][0] |= {"records": [], "problem": "It ended."}
    assert ids(facts) == ["collector-broken"]


def test_persistence_that_fails() -> None:
    facts = recorded("redis-well")
    for item in facts["observations"][0]["records"]:
        if item.get("phase") == "query":
            item["facts"]["rdb_last_bgsave_status"] = "err"
    assert ids(facts) == ["cache-persistence-failing"]


def test_details_have_phases_and_percentiles() -> None:
    facts = recorded("redis-well")
    form = details(facts, [])["dependencies"][0]
    assert [phase["name"] for phase in form["phases"]] == ["dns", "tcp", "auth", "query", "write"]
    assert {phase["status"] for phase in form["phases"]} == {"pass"}
    rounds = form["rounds"]
    assert rounds["count"] == len(rounds["samples_ms"]) == 5
    assert min(rounds["samples_ms"]) <= rounds["p50"] <= rounds["worst"] == max(rounds["samples_ms"])


@pytest.mark.parametrize(
    ("count", "known"), [(0, set()), (1, {"p50"}), (19, {"p50"}), (20, {"p50", "p95"}), (100, {"p50", "p95", "p99"})]
)
def test_a_percentile_needs_enough_rounds_to_be_no_other_name_of_the_worst(count: int, known: set[str]) -> None:
    figures = summary([float(number) for number in range(count)])
    given = {name: value for name, value in figures.items() if value is not None}
    assert given.keys() - {"worst"} == known
    assert all(given[name] < given["worst"] for name in known - {"p50"})


def test_one_slow_round_of_ten_is_no_alarm_and_ten_are() -> None:
    facts = recorded("redis-well")
    rounds = next(item for item in facts["observations"][0]["records"] if item["record"] == "rounds")
    rounds["samples_ms"] = [1.0] * 9 + [450.0]
    assert ids(facts) == []
    rounds["samples_ms"] = [450.0] * 10
    found = judge(facts, Thresholds())
    assert [item.id for item in found] == ["latency-high"]
    assert "p50 450 ms" in found[0].message


def test_details_of_a_failure_name_the_finding() -> None:
    form = details(recorded("redis-wrongpass"), [])["dependencies"][0]
    assert form["phases"][-1]["name"] == "auth"
    assert form["phases"][-1]["status"] == "fail"
    assert form["phases"][-1]["finding"] == "cache-wrongpass"
    assert "rounds" not in form
