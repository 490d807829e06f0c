"""The network policies, asked as a network plugin would: who may connect to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import pytest

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, Object, Render, Rendered
from tests.chart.test_migration import SERVING
from tests.chart.test_secrets import KEYS, live_secret

NAMESPACE: Object = {"kubernetes.io/metadata.name": "test"}
SYSTEM: Object = {"kubernetes.io/metadata.name": "kube-system"}
DATABASE, CACHE, AGENT = 5432, 6379, "http"


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod by its labels and those of its namespace, or an address outside."""

    labels: Object = field(default_factory=dict)
    namespace: Object = field(default_factory=lambda: NAMESPACE)
    address: str = ""


def selects(selector: Object, labels: Object) -> bool:
    """Say whether a label selector, here always matchLabels, selects labels."""
    assert selector.keys() <= {"matchLabels"}
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def peer_matches(peer: Object, end: End) -> bool:
    """Say whether a peer of a rule means one end."""
    if "ipBlock" in peer:
        return bool(end.address) and ip_address(end.address) in ip_network(peer["ipBlock"]["cidr"])
    if end.address:
        return False
    if "namespaceSelector" in peer:
        there = selects(peer["namespaceSelector"], end.namespace)
    else:
        there = end.namespace == NAMESPACE
    return there and selects(peer.get("podSelector", {}), end.labels)


def passes(policies: list[Object], direction: str, pod: End, other: End, port: Object) -> bool:
    """Say whether the policies of one pod let a connection pass in one direction."""
    if pod.address:
        return True
    key, peers = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}[direction]
    concerned = [
        policy["spec"]
        for policy in policies
        if pod.namespace == NAMESPACE
        and selects(policy["spec"]["podSelector"], pod.labels)
        and direction in policy["spec"]["policyTypes"]
    ]
    return not concerned or any(
        (peers not in rule or any(peer_matches(peer, other) for peer in rule[peers]))
        and ("ports" not in rule or port in rule["ports"])
        for spec in concerned
        for rule in spec.get(key, [])
    )


def connects(made: Rendered, source: End, target: End, port: int | str, protocol: str = "TCP") -> bool:
    """Say whether a connection is possible: out of its source and into its target."""
    policies = [item for item in made if item["kind"] == "NetworkPolicy"]
    wanted: Object = {"port": port, "protocol": protocol}
    out = passes(policies, "Egress", source, target, wanted)
    return out and passes(policies, "Ingress", target, source, wanted)


def pods(made: Rendered) -> dict[str, End]:
    """Return the release's pods by what they are."""
    names = {
        f"Deployment/{RELEASE}": "agent",
        f"Pod/{RELEASE}-connection-test": "test",
        f"StatefulSet/{RELEASE}-postgresql": "primary",
        f"StatefulSet/{RELEASE}-postgresql-primary": "primary",
        f"StatefulSet/{RELEASE}-postgresql-read": "read",
        f"StatefulSet/{RELEASE}-redis-master": "master",
        f"StatefulSet/{RELEASE}-redis-replicas": "replica",
    }
    return {names.get(name, "migration"): End(pod["metadata"]["labels"]) for name, pod in made.pods().items()}


def test_agent_migration_and_test_reach_database_cache_and_names(environment: Rendered) -> None:
    there = pods(environment)
    for client in ("agent", "migration", "test"):
        assert connects(environment, there[client], there["primary"], DATABASE), client
        assert connects(environment, there[client], there["master"], CACHE), client
        assert connects(environment, there[client], End({"k8s-app": "kube-dns"}, SYSTEM), 53, "UDP"), client


def test_names_are_resolved_wherever_the_name_service_usually_is(environment: Rendered) -> None:
    there = pods(environment)
    places = {
        "OpenShift": (End({"dns": "default"}, {"kubernetes.io/metadata.name": "openshift-dns"}), 5353),
        "CoreDNS on another port": (End({"k8s-app": "kube-dns"}, SYSTEM), 5353),
        "NodeLocal DNSCache": (End(address="169.254.20.10"), 53),
        "AKS' LocalDNS": (End(address="169.254.10.11"), 53),
        "GKE's Cloud DNS": (End(address="169.254.169.254"), 53),
    }
    for client in ("agent", "migration", "test", "primary", "master"):
        for place, (server, port) in places.items():
            assert connects(environment, there[client], server, port, "UDP"), (client, place)
            assert connects(environment, there[client], server, port), (client, place)
        # The cloud's metadata, with the node's credentials, are behind the same address.
        assert not connects(environment, there[client], End(address="169.254.169.254"), 80), client


def test_the_release_is_closed_otherwise(environment: Rendered) -> None:
    there = pods(environment)
    stranger = End({"app": "stranger"})
    for server, port in (("primary", DATABASE), ("master", CACHE)):
        assert not connects(environment, stranger, there[server], port)
        assert not connects(environment, End(there["agent"].labels, SYSTEM), there[server], port)
        assert not connects(environment, there["agent"], there[server], port + 1)
    for pod in there.values():
        assert not connects(environment, pod, End(address="198.51.100.7"), 443)
        assert not connects(environment, pod, stranger, 8080)
    assert not connects(environment, there["primary"], there["master"], CACHE)
    assert not connects(environment, stranger, there["test"], AGENT)


def test_whoever_carries_the_label_is_a_client(environment: Rendered) -> None:
    client = End({f"{RELEASE}-db-client": "true"})
    assert connects(environment, client, pods(environment)["primary"], DATABASE)
    assert connects(environment, client, pods(environment)["agent"], AGENT)
    other = End({"other-db-client": "true"})
    assert not connects(environment, other, pods(environment)["primary"], DATABASE)


def test_replicas_reach_their_primary(render: Render) -> None:
    made = render("prod")
    there = pods(made)
    assert connects(made, there["read"], there["primary"], DATABASE)
    assert connects(made, there["replica"], there["master"], CACHE)
    assert connects(made, there["read"], End({}, SYSTEM), 53, "TCP")
    assert not connects(made, there["read"], there["master"], CACHE)


def test_who_may_call_the_agent(render: Render) -> None:
    there = pods(render())["agent"]
    neighbour, far = End({"app": "web"}), End({"app": "gateway"}, SYSTEM)
    assert connects(render(), neighbour, there, AGENT)
    assert not connects(render(), far, there, AGENT)
    gateway = {"namespaceSelector": {"matchLabels": SYSTEM}, "podSelector": {"matchLabels": {"app": "gateway"}}}
    only = render({"networkPolicy": {"callers": [gateway]}})
    assert connects(only, far, there, AGENT)
    assert not connects(only, neighbour, there, AGENT)
    assert not connects(only, End({"app": "other"}, SYSTEM), there, AGENT)
    nobody = render({"networkPolicy": {"callers": []}})
    assert not connects(nobody, neighbour, there, AGENT)


def test_scrapers_reach_the_metrics(render: Render) -> None:
    prometheus = End({"app": "prometheus"}, {"kubernetes.io/metadata.name": "monitoring"})
    peer = {"namespaceSelector": {"matchLabels": prometheus.namespace}}
    made = render({"networkPolicy": {"scrapers": [peer]}})
    assert connects(made, prometheus, pods(made)["agent"], AGENT)
    assert not connects(made, prometheus, pods(made)["primary"], 9187)
    assert not connects(render(), prometheus, pods(made)["agent"], AGENT)


@pytest.mark.parametrize(
    ("url", "policy", "address", "port"),
    [
        ("http://192.0.2.1/v1", {}, "192.0.2.1", 80),
        ("https://192.0.2.1/v1", {}, "192.0.2.1", 443),
        ("http://192.0.2.1:11434/v1", {}, "192.0.2.1", 11434),
        ("https://llm.example.org/v1", {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}, "192.0.2.7", 443),
        ("http://192.0.2.1", {"ports": [8000, 8443]}, "192.0.2.1", 8443),
    ],
)
def test_agent_reaches_its_model_and_nothing_beside(
    render: Render, url: str, policy: Object, address: str, port: int
) -> None:
    made = render({"agent": {"llm": {"baseUrl": url}}, "networkPolicy": {"model": policy}})
    there = pods(made)
    assert connects(made, there["agent"], End(address=address), port)
    assert not connects(made, there["agent"], End(address=address), port + 1)
    assert not connects(made, there["agent"], End(address="198.51.100.7"), port)
    assert not connects(made, there["migration"], End(address=address), port)


def test_agent_reaches_its_collector_beside_its_model(render: Render) -> None:
    urls = {"llm": {"baseUrl": "http://192.0.2.1/v1"}, "tracing": {"endpoint": "http://192.0.2.9:4318"}}
    made = render({"agent": urls})
    agent = pods(made)["agent"]
    assert connects(made, agent, End(address="192.0.2.9"), 4318)
    assert connects(made, agent, End(address="192.0.2.1"), 80)
    assert not connects(made, agent, End(address="192.0.2.9"), 80)
    assert not connects(made, pods(made)["migration"], End(address="192.0.2.9"), 4318)


def test_model_in_the_cluster(render: Render) -> None:
    to = [{"namespaceSelector": {"matchLabels": SYSTEM}, "podSelector": {"matchLabels": {"app": "llm"}}}]
    values: Object = {"agent": {"llm": {"baseUrl": "http://llm.kube-system/v1"}}}
    made = render(values, {"networkPolicy": {"model": {"to": to, "ports": [8080]}}})
    assert connects(made, pods(made)["agent"], End({"app": "llm"}, SYSTEM), 8080)
    assert not connects(made, pods(made)["agent"], End({"app": "llm"}, SYSTEM), 80)


def test_external_servers_are_reached_by_address_and_port(render: Render) -> None:
    made = render(
        {"postgresql": {"enabled": False}, "redis": {"enabled": False}},
        {"externalDatabase": {"host": "192.0.2.1", "password": "p", "port": 6432}},
        {"externalCache": {"host": "kv.example.org"}},
        {"networkPolicy": {"cache": {"to": [{"ipBlock": {"cidr": "192.0.2.2/32"}}]}}},
    )
    for client in ("agent", "migration", "test"):
        pod = pods(made)[client]
        assert connects(made, pod, End(address="192.0.2.1"), 6432)
        assert connects(made, pod, End(address="192.0.2.2"), 6379)
        assert not connects(made, pod, End(address="192.0.2.1"), 5432)
        assert not connects(made, pod, End(address="192.0.2.3"), 6379)


def test_a_pooler_and_the_server_behind_it_are_two_ports(render: Render) -> None:
    """An existing Secret has the URLs, of which the chart knows neither host nor port."""
    peers = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    made = render(
        {"postgresql": {"enabled": False}, "redis": {"enabled": False}, "existingSecret": "urls"},
        {"networkPolicy": {"database": {**peers, "ports": [6432, 5432]}, "cache": {**peers, "ports": [6380]}}},
    )
    for client in ("agent", "migration", "test"):
        pod = pods(made)[client]
        assert all(connects(made, pod, End(address="192.0.2.1"), port) for port in (6432, 5432, 6380))
        assert not connects(made, pod, End(address="192.0.2.1"), 6379)


def test_hook_reaches_a_database_that_the_old_policies_do_not_know(render: Render, cluster: Cluster) -> None:
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(SERVING)
    made = render(
        {"postgresql": {"enabled": False}, "externalDatabase": {"host": "192.0.2.1", "password": "p"}}, cluster=cluster
    )
    job = End(made.one("Job")["spec"]["template"]["metadata"]["labels"])
    brought = made.one("NetworkPolicy", f"{RELEASE}-pre-upgrade")
    assert brought["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    old = [item for item in render() if item["kind"] == "NetworkPolicy"]
    assert not connects(Rendered(old), job, End(address="192.0.2.1"), 5432)
    assert connects(Rendered([*old, brought]), job, End(address="192.0.2.1"), 5432)


def test_ports_are_those_of_the_pods(render: Render) -> None:
    made = render(
        {"postgresql": {"containerPorts": {"postgresql": 5555}, "primary": {"service": {"ports": {"postgresql": 7}}}}},
        {"redis": {"master": {"containerPorts": {"redis": 6666}}, "architecture": "standalone"}},
    )
    there = pods(made)
    assert connects(made, there["agent"], there["primary"], 5555)
    assert connects(made, there["agent"], there["master"], 6666)
    assert not connects(made, there["agent"], there["primary"], 7)


def test_a_backup_reaches_its_store_and_the_database(render: Render) -> None:
    """The Job of playbooks/backup.yml is none of the chart's; its labels are those of _database/backup_cluster.py."""
    peers = [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    labels = {
        "app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/component": "backup",
        "app.kubernetes.io/name": "ai-agent-check", f"{RELEASE}-db-client": "true",
    }  # fmt: skip
    job, store = End(labels), End(address="192.0.2.7")
    closed = render()
    assert not connects(closed, job, store, 443)
    made = render({"networkPolicy": {"backupStore": {"to": peers, "ports": [9000]}}})
    assert connects(made, job, store, 9000)
    assert not connects(made, job, store, 443)
    assert connects(made, job, pods(made)["primary"], 5432)
    for client in ("agent", "migration", "test"):
        assert not connects(made, pods(made)[client], store, 9000)


def test_open_when_turned_off(render: Render) -> None:
    assert render({"networkPolicy": {"enabled": False}}).names("NetworkPolicy") == []
