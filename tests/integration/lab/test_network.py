"""The lab's network: pods of different nodes reach each other, and policies are enforced (facts of netpol.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from lab import cluster

from .conftest import Namespaces, Pod, apply, ask_all

CONTROL_PLANE, FIRST, SECOND = cluster.NODES
OPEN, DROPPED = "open", "timed out"


@dataclass(frozen=True)
class Shop:
    """A server and its callers: of the right role on both workers, of another role, and of another namespace."""

    web: Pod
    near: Pod
    far: Pod
    bad: Pod
    other: Pod
    elsewhere: Pod

    @property
    def targets(self) -> list[str]:
        """The Service, both ports of the server's pod, and a server that no policy is about."""
        address = self.web.address
        return ["web.lab-shop:80", f"{address}:8080", f"{address}:9090", f"{self.elsewhere.address}:8080"]

    def look(self) -> dict[str, list[str]]:
        """What each caller finds at the targets."""
        return ask_all([self.near, self.far, self.bad, self.other], self.targets)


@pytest.fixture(scope="module")
def shop(namespaces: Namespaces) -> Shop:
    namespaces.make("lab-shop")
    namespaces.make("lab-other")
    found = Shop(
        web=namespaces.pod("lab-shop", "web", FIRST),
        near=namespaces.pod("lab-shop", "near", FIRST, role="frontend"),
        far=namespaces.pod("lab-shop", "far", SECOND, role="frontend"),
        bad=namespaces.pod("lab-shop", "bad", SECOND, role="batch"),
        other=namespaces.pod("lab-other", "other", CONTROL_PLANE, role="frontend"),
        elsewhere=namespaces.pod("lab-other", "elsewhere", SECOND),
    )
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "lab-shop"},
            "spec": service,
        }
    )
    namespaces.ready()
    return found


def policy(name: str, spec: dict[str, object]) -> None:
    apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": "lab-shop"},
            "spec": spec,
        }
    )


def test_every_node_is_ready_and_takes_pods() -> None:
    nodes = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"]
    assert sorted(node["metadata"]["name"] for node in nodes) == sorted(cluster.NODES)
    assert [node["spec"].get("taints", []) for node in nodes] == [[]] * len(cluster.NODES)


def test_pods_of_different_nodes_reach_each_other(shop: Shop) -> None:
    assert shop.far.ask(f"{shop.web.address}:8080", "web.lab-shop.svc.cluster.local:80") == [OPEN, OPEN]
    assert shop.web.ask(f"{shop.far.address}:8080", f"{shop.other.address}:9090") == [OPEN, OPEN]
    assert shop.web.ask("nobody.lab-shop:80", f"{shop.far.address}:81") == ["no such name", "Connection refused"]


def test_policies_are_enforced(shop: Shop) -> None:
    everything = [OPEN] * 4
    assert shop.look() == {"near": everything, "far": everything, "bad": everything, "other": everything}

    policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
    closed = [DROPPED, DROPPED, DROPPED, OPEN]
    assert shop.look() == {"near": closed, "far": closed, "bad": closed, "other": closed}

    allowed = {"from": [{"podSelector": {"matchLabels": {"role": "frontend"}}}], "ports": [{"port": 8080}]}
    policy("allow", {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [allowed]})
    clients = [OPEN, OPEN, DROPPED, OPEN]
    assert shop.look() == {"near": clients, "far": clients, "bad": closed, "other": closed}
