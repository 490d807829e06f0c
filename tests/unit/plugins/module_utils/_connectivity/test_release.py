"""Judgement of a release in a cluster: what its pods, its Service and its policies make of it."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.negatives import negatives
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import details
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.table import summary

FACTS = Path(__file__).parent / "facts"
Facts = t.Any
CLIENT = {"app.kubernetes.io/instance": "r", "app.kubernetes.io/component": "agent", "r-db-client": "true"}
SERVER = {"app.kubernetes.io/instance": "r", "app.kubernetes.io/name": "postgresql"}
CACHE = {"app.kubernetes.io/instance": "r", "app.kubernetes.io/name": "redis"}


def policy(name: str, selector: dict[str, str], **rules: t.Any) -> Facts:
    spec = {"podSelector": {"matchLabels": selector}, "policyTypes": ["Ingress", "Egress"], **rules}
    return {"metadata": {"name": name}, "spec": spec}


def policies() -> list[Facts]:
    """As the chart makes them."""
    clients = {"podSelector": {"matchLabels": {"r-db-client": "true"}}}
    servers = {"to": [{"podSelector": {"matchLabels": SERVER}}]}
    dns = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}
    return [
        policy("r-default-deny", {"app.kubernetes.io/instance": "r"}),
        policy("r-postgresql-server", SERVER, ingress=[{"from": [clients]}]),
        policy("r-redis-server", CACHE, ingress=[{"from": [clients]}]),
        policy("r-db-clients", {"r-db-client": "true"}, egress=[dns, servers]),
        policy("r", {"app.kubernetes.io/component": "agent"}, ingress=[{"from": [{"podSelector": {}}]}]),
    ]


def records(*names: str) -> list[Facts]:
    """Of recorded situations, without what ends them."""
    found = [json.loads((FACTS / f"{name}.json").read_text())["observations"][0]["records"] for name in names]
    return [record for one in found for record in one if record["record"] != "end"]


def http(path: str, status: int | None = 200, **more: t.Any) -> Facts:
    return {"record": "http", "name": "itself", "path": path, "ms": 1.0, "status": status, **more}


def reach(name: str, got: str) -> Facts:
    return {"record": "reach", "name": name, "got": got, "ms": 5.0}


def seen(place: str, pod: str, *found: Facts) -> Facts:
    end = {"record": "end", "host": pod, "ms": 9.0, "peak_kib": 40000}
    return {"from": place, "pod": pod, "node": "n", "records": [*found, end], "problem": None}


def release() -> Facts:
    """Three pods that are well, and a stranger that reaches nothing."""
    names = ("a", "b", "c")
    well = [*records("postgresql-well", "redis-well"), http("/health"), http("/ready"), reach("api-server", "timeout")]
    agents = [seen("agent", name, *copy.deepcopy(well)) for name in names]
    through = [http(path) | {"name": "service"} for path in ("/health", "/ready")]
    stranger = seen("stranger", "s", *through, reach("postgresql", "timeout"), reach("redis", "timeout"))
    servers = {"postgresql": {"host": "r-postgresql.n.svc", "port": 5432, "ready": 1, "labels": SERVER}}
    servers["redis"] = {"host": "r-redis-master.n.svc", "port": 6379, "ready": 1, "labels": CACHE}
    pods = [{"name": name, "node": "n", "ready": True, "reason": None, "labels": CLIENT} for name in names]
    return {
        "observations": [*agents, stranger],
        "release": {
            "name": "r",
            "namespace": "n",
            "replicas": 3,
            "pods": pods,
            "endpoints": {"ready": list(names), "unready": []},
            "servers": servers,
            "policies": policies(),
            "stranger_labels": {"app.kubernetes.io/name": "ai-agent-check"},
            "other_namespace": None,
        },
        "untested": [],
    }


def findings(facts: Facts) -> list[Finding]:
    return [*judge(facts, Thresholds()), *negatives(facts)[1]]


def ids(facts: Facts) -> list[str]:
    return [item.id for item in findings(facts)]


def replaced(facts: Facts, place: str, kind: str, **change: t.Any) -> None:
    """Change the records of a kind in the observations of a place."""
    for observation in facts["observations"]:
        if observation["from"] == place:
            for record in observation["records"]:
                if record["record"] == kind:
                    record.update(change)


def test_all_well() -> None:
    facts = release()
    assert ids(facts) == []
    entries = negatives(facts)[0]
    assert {entry["status"] for entry in entries} == {"pass"}
    assert len(entries) == 5


def unready(facts: Facts, *names: str) -> None:
    for pod in facts["release"]["pods"]:
        if pod["name"] in names:
            pod |= {"ready": False, "reason": "ContainersNotReady"}
    left = [name for name in facts["release"]["endpoints"]["ready"] if name not in names]
    facts["release"]["endpoints"] = {"ready": left, "unready": list(names)}


@pytest.mark.parametrize(
    ("server", "situation", "wanted"),
    [
        ("redis", ("postgresql-well", "redis-refused"), "service-without-endpoints"),
        ("postgresql", ("postgresql-refused", "redis-well"), "service-without-endpoints"),
    ],
)
def test_a_server_that_is_down_explains_the_agents_state(server: str, situation: tuple[str, str], wanted: str) -> None:
    facts = release()
    facts["release"]["servers"][server]["ready"] = 0
    broken: Facts = {
        "status": 503,
        "body": {"checks": {"cache" if server == "redis" else "database": {"status": "failed"}}},
    }
    for observation in facts["observations"][:3]:
        observation["records"] = [*records(*situation), http("/health"), http("/ready", **broken)]
    replaced(facts, "stranger", "reach", got="refused")
    replaced(facts, "stranger", "http", status=None, error={"text": "refused"})
    unready(facts, "a", "b", "c")
    found = findings(facts)
    assert [(item.id, item.dependency, item.pods) for item in found] == [(wanted, server, ("a", "b", "c"))]
    proofs = {entry["to"]: entry["status"] for entry in negatives(facts)[0]}
    assert proofs[server] == "skip"


def test_one_pod_that_is_not_ready_for_a_reason_of_its_own() -> None:
    facts = release()
    unready(facts, "b")
    found = findings(facts)
    assert [(item.id, item.pods) for item in found] == [("agent-not-ready", ("b",))]


def test_one_pod_that_reaches_nothing() -> None:
    facts = release()
    unready(facts, "b")
    facts["observations"][1]["records"] = records("postgresql-filtered", "redis-filtered")
    found = findings(facts)
    assert {(item.id, item.pods) for item in found} == {("database-filtered", ("b",)), ("cache-filtered", ("b",))}


@pytest.mark.parametrize(
    ("limit", "most", "wanted"), [("64Mi", 0, True), ("64Mi", 40_000_000, False), (None, 0, False)]
)
def test_a_cache_that_the_kernel_would_kill(limit: str | None, most: int, wanted: bool) -> None:
    facts = release()
    facts["release"]["servers"]["redis"]["memory_limit"] = limit
    for observation in facts["observations"][:3]:
        for record in observation["records"]:
            if record.get("dependency") == "redis" and record.get("phase") == "query":
                record["facts"]["maxmemory"] = most
    assert ("cache-memory-unlimited" in {item.id for item in findings(facts)}) is wanted


def test_a_service_that_selects_nobody() -> None:
    facts = release()
    facts["release"]["endpoints"] = {"ready": [], "unready": []}
    replaced(facts, "stranger", "http", status=None, error={"text": "Connection refused", "cause": "refused"})
    assert [(item.id, item.dependency) for item in findings(facts)] == [("service-without-endpoints", "agent")]


def test_a_service_that_leads_elsewhere() -> None:
    facts = release()
    facts["release"]["endpoints"] = {"ready": ["a", "b", "x"], "unready": []}
    [found] = findings(facts)
    assert found.id == "service-endpoints-differ"
    assert "leaves out c, and leads to x" in found.message


def test_endpoints_that_may_not_be_read() -> None:
    facts = release()
    facts["release"]["endpoints"] = None
    assert ids(facts) == []


def test_no_pod_at_all() -> None:
    facts = release()
    facts["release"] |= {"pods": [], "endpoints": {"ready": [], "unready": []}}
    facts["observations"] = [seen("probe", "p", *records("postgresql-well", "redis-well"))]
    assert ids(facts) == ["agent-absent"]


def test_a_pod_that_answers_and_a_service_that_does_not() -> None:
    facts = release()
    replaced(facts, "stranger", "http", status=None, error={"text": "timed out", "cause": "timeout"})
    assert ids(facts) == ["service-unreachable"]
    facts["release"]["policies"][-1]["spec"]["ingress"] = [{"from": [{"podSelector": {"matchLabels": {"x": "y"}}}]}]
    assert ids(facts) == ["service-not-testable"]


def test_an_answer_through_the_service_is_the_agents_own() -> None:
    facts = release()
    replaced(facts, "stranger", "http", status=503)
    assert ids(facts) == ["agent-not-ready"]


@pytest.mark.parametrize("body", [{"checks": ["database"]}, {"checks": {"database": "down"}}, {"checks": None}, []])
def test_another_image_may_mean_something_else_by_checks(body: t.Any) -> None:
    facts = release()
    facts["release"]["health"] = "/alive"
    well = records("postgresql-well", "redis-well")
    facts["observations"][0]["records"] = [*well, http("/alive", 500), http("/status", 503, body=body)]
    found = findings(facts)
    assert [item.id for item in found] == ["agent-health", "agent-not-ready"]
    assert "answers: status 503." in found[1].message


def test_health_and_readiness_of_a_pod_are_told_apart() -> None:
    facts = release()
    facts["observations"][0]["records"] = [
        *records("postgresql-well", "redis-well"),
        http("/health", None, error={"text": "timed out"}),
        http("/ready", 503, body={"checks": {"schema": {"status": "failed", "message": "behind 0006"}}}),
    ]
    found = findings(facts)
    assert [item.id for item in found] == ["agent-health", "agent-not-ready"]
    assert "schema: behind 0006" in found[1].message


@pytest.mark.parametrize("got", ["timeout", "refused", "unreachable"])
def test_not_reached_is_a_pass(got: str) -> None:
    facts = release()
    replaced(facts, "stranger", "reach", got=got)
    assert ids(facts) == []
    assert {entry["status"] for entry in negatives(facts)[0]} == {"pass"}


def test_a_name_that_does_not_resolve_proves_nothing() -> None:
    facts = release()
    replaced(facts, "stranger", "reach", got="no-name")
    assert [entry["status"] for entry in negatives(facts)[0] if entry["from"] == "stranger"] == ["skip", "skip"]


def reached_by_stranger() -> Facts:
    facts = release()
    replaced(facts, "stranger", "reach", got="reached")
    return facts


def test_reached_although_policies_forbid_it() -> None:
    facts = reached_by_stranger()
    [found] = findings(facts)
    assert found.id == "policy-not-enforced"
    assert "does not enforce" in found.message
    assert {entry["status"] for entry in negatives(facts)[0] if entry["from"] == "stranger"} == {"fail"}


@pytest.mark.parametrize("left", [[], ["r", "r-db-clients"]])
def test_reached_because_no_policy_is_there(left: list[str]) -> None:
    facts = reached_by_stranger()
    kept = [item for item in facts["release"]["policies"] if item["metadata"]["name"] in left]
    facts["release"]["policies"] = kept
    assert [(item.id, item.dependency) for item in findings(facts)] == [
        ("policy-missing", "postgresql"),
        ("policy-missing", "redis"),
    ]


@pytest.mark.parametrize(
    "rule",
    [{}, {"from": [{"podSelector": {}}]}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    ids=["anybody", "any-pod", "addresses"],
)
def test_reached_because_a_policy_is_too_wide(rule: Facts) -> None:
    facts = reached_by_stranger()
    facts["release"]["policies"].append(policy("wide", {"app.kubernetes.io/instance": "r"}, ingress=[rule]))
    assert set(ids(facts)) == {"policy-missing"}
    assert "let everybody in" in findings(facts)[0].message


def test_reached_and_policies_may_not_be_read() -> None:
    facts = reached_by_stranger()
    facts["release"]["policies"] = None
    assert set(ids(facts)) == {"policy-missing"}
    assert "may not list networkpolicies" in findings(facts)[0].message


def test_from_another_namespace() -> None:
    facts = release()
    facts["observations"].append(seen("elsewhere", "e", reach("postgresql", "reached")))
    facts["release"]["other_namespace"] = {"name": "other", "labels": {"team": "x"}}
    assert ids(facts) == ["policy-not-enforced"]
    wide = {"from": [{"namespaceSelector": {"matchLabels": {"team": "x"}}}]}
    facts["release"]["policies"].append(policy("wide", SERVER, ingress=[wide]))
    assert ids(facts) == ["policy-missing"]


def test_the_agent_leaves_its_egress() -> None:
    facts = release()
    for observation in facts["observations"][:3]:
        observation["records"][-2]["got"] = "reached"
    assert ids(facts) == ["policy-not-enforced"]
    allowed = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
    facts["release"]["policies"].append(policy("out", {"r-db-client": "true"}, egress=[allowed]))
    assert ids(facts) == []
    facts["release"]["policies"] = []
    assert [(item.id, item.dependency) for item in findings(facts)] == [("policy-missing", "agent")]


METADATA = ("metadata", "169.254.169.254:80")
OUTSIDE = ("outside", "1.1.1.1:443")
DNS_OF_THE_NODE = {
    "to": [{"ipBlock": {"cidr": "169.254.0.0/16"}}],
    "ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}],
}


def tried(facts: Facts, target: tuple[str, str], agent: str, stranger: str) -> None:
    """Pod a tries an address outside, and the stranger as well."""
    for observation, got in ((facts["observations"][0], agent), (facts["observations"][-1], stranger)):
        observation["records"].insert(0, reach(target[0], got) | {"asked": target[1]})


@pytest.mark.parametrize("target", [METADATA, OUTSIDE])
@pytest.mark.parametrize(
    ("agent", "stranger", "status", "wanted"),
    [
        ("timeout", "reached", "pass", []),
        # Nobody gets there: that proves nothing of the agent's policies.
        ("timeout", "timeout", "skip", []),
        ("reached", "reached", "fail", ["policy-not-enforced"]),
        ("reached", "timeout", "fail", ["policy-not-enforced"]),
    ],
)
def test_an_address_outside(target: tuple[str, str], agent: str, stranger: str, status: str, wanted: list[str]) -> None:
    facts = release()
    # The name service of the node has an address of the same block as the metadata service, and ports of its own.
    facts["release"]["policies"].append(policy("r-dns", {"r-db-client": "true"}, egress=[DNS_OF_THE_NODE]))
    tried(facts, target, agent, stranger)
    assert ids(facts) == wanted
    entries = [entry for entry in negatives(facts)[0] if entry["to"] == target[0]]
    assert [(entry["from"], entry["status"]) for entry in entries] == [("agent", status)]


@pytest.mark.parametrize("left", [[], [policy("r-open", {"r-db-client": "true"}, egress=[{}])]])
def test_an_address_outside_that_nothing_forbids(left: list[Facts]) -> None:
    facts = release()
    facts["release"]["policies"] = left
    tried(facts, METADATA, "reached", "reached")
    assert ids(facts) == []


def test_the_agent_leaves_its_egress_although_the_name_service_has_an_address_of_the_node() -> None:
    """The block of the node's name service is no way to the API server; it was taken for one."""
    facts = release()
    facts["release"]["policies"].append(policy("r-dns", {"r-db-client": "true"}, egress=[DNS_OF_THE_NODE]))
    replaced(facts, "agent", "reach", got="reached")
    assert ids(facts) == ["policy-not-enforced"]


def test_the_model_from_a_pod_that_is_none_of_the_agents() -> None:
    """The policies let the agent's own pods alone to it."""
    facts = release()
    for place, wanted in (("probe", ["model-not-tested"]), ("agent", ["model-filtered"])):
        facts["observations"][0] = seen(place, "a", *records("postgresql-well", "redis-well", "model-filtered"))
        assert ids(facts) == wanted


def test_what_was_not_tried_is_no_pass() -> None:
    facts = release()
    facts["untested"] = ["No pod of this namespace could try it: a quota."]
    found = findings(facts)
    assert [(item.id, item.status) for item in found] == [("negative-not-tested", "skip")]


def test_the_summary_is_read_at_a_glance() -> None:
    facts = reached_by_stranger()
    entries, reached = negatives(facts)
    full = report("connectivity_test", "n/r", [*judge(facts, Thresholds()), *reached], details(facts, entries))
    lines = summary(full)
    assert lines[0] == "UNSAFE  n/r: asked from 3 agent pods"
    assert lines[1].startswith("  postgresql          answers 3 of 3, round trip in ms p50 ")
    assert "stranger to redis: reached" in lines[3]
    assert "agent to api-server: timeout" in lines[3]
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 150
