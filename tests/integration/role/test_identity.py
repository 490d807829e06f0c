"""What would lead a living release elsewhere stops in guard: the playbook, the real helm, and a stand-in API server.

The stand-in refuses writing, so a run that went on to write would fail with other words.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.chart.cluster import Cluster

from . import living
from .conftest import Run, play

Object = dict[str, t.Any]
# One that no output may hold.
CANARY = "c4n4ry!p4ss"
VARIABLES = dict.fromkeys(
    (f"ai_agent_{name}_password" for name in ("postgresql", "postgresql_admin", "redis")), CANARY
) | {"ai_agent_replication_password": CANARY}


@pytest.fixture(scope="module")
def helm() -> str:
    return living.helm()


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    return living.manifests(tmp_path_factory.mktemp("charts"))


@pytest.fixture
def cluster(manifests: list[Object], tmp_path: Path) -> t.Iterator[Cluster]:
    """The release as it lives, read only."""
    with living.release(manifests, CANARY, tmp_path) as running:
        yield running


def guard(cluster: Cluster, helm: str, *more: str, **variables: t.Any) -> Run:
    """All steps up to the first that would write."""
    words = [
        "-i",
        "inventories/dev",
        "--vault-id",
        "dev@lab/dev-vault-password",
        "site.yml",
        "--tags",
        "guard,credentials",
        *more,
    ]
    given = VARIABLES | {"ai_agent_subcharts": "embedded", "ai_agent_kubeconfig": str(cluster.kubeconfig)}
    return play(*words, ai_agent_helm_binary=helm, **(given | variables))


CASES: dict[str, tuple[Object, str]] = {
    "architecture": ({"postgresql": {"architecture": "replication"}}, "agent-dev-postgresql-primary"),
    "nameOverride": ({"postgresql": {"nameOverride": "pg"}}, "agent-dev-pg"),
    "fullnameOverride": ({"postgresql": {"fullnameOverride": "other"}}, "these values name it other"),
    "fullnameOverride of the cache": ({"redis": {"fullnameOverride": "kv"}}, "these values name it kv-master"),
    "user": ({"postgresql": {"auth": {"username": "other"}}}, "postgresql.auth.username is other"),
    "database": ({"postgresql": {"auth": {"database": "other"}}}, "postgresql.auth.database is other"),
    "port": ({"postgresql": {"primary": {"service": {"ports": {"postgresql": 5433}}}}}, "agent-dev-postgresql:5433"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_of_identity_stops_before_anything_is_written(case: str, cluster: Cluster, helm: str) -> None:
    values, words = CASES[case]
    run = guard(cluster, helm, ai_agent_values=values)
    assert run.code != 0, run.output
    assert len(run.errors) == 1, run.output
    assert words in run.errors[0]
    assert "runbook.md#another-database" in run.errors[0]
    assert run.recap("changed") == 0
    assert CANARY not in run.output


def test_a_volume_that_cannot_be_changed_stops_it(cluster: Cluster, helm: str) -> None:
    values = {"postgresql": {"primary": {"persistence": {"size": "77Gi"}}}}
    run = guard(cluster, helm, ai_agent_values=values)
    assert len(run.errors) == 1, run.output
    assert "these values want 77Gi" in run.errors[0]
    assert "runbook.md#volume-differs" in run.errors[0]


HELMS = {"meta.helm.sh/release-name": living.RELEASE, "meta.helm.sh/release-namespace": living.NAMESPACE}


def test_what_helm_would_remove_stops_it(cluster: Cluster, helm: str) -> None:
    claim = {"name": "models", "annotations": HELMS}
    cluster.add({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claim}, living.NAMESPACE)
    run = guard(cluster, helm)
    assert len(run.errors) == 1, run.output
    assert "PersistentVolumeClaim models: Helm made it for this release" in run.errors[0]
    assert "runbook.md#would-be-lost" in run.errors[0]
    assert run.recap("changed") == 0


def test_a_release_that_helm_forgot_stops_it(cluster: Cluster, manifests: list[Object], helm: str) -> None:
    (deployment,) = (item for item in manifests if item["kind"] == "Deployment")
    metadata = deployment["metadata"] | {"annotations": HELMS}
    cluster.add(deployment | {"metadata": metadata, "status": {"availableReplicas": 1}}, living.NAMESPACE)
    run = guard(cluster, helm)
    assert len(run.errors) == 1, run.output
    assert "Helm made Deployment agent-dev" in run.errors[0]
    assert "runbook.md#release-unrecorded" in run.errors[0]
    # Whoever says so goes on: the first thing that would be written is what the stand-in refuses.
    again = guard(cluster, helm, ai_agent_repair=True)
    assert "could not be written" in again.errors[-1], again.output


def test_the_same_values_pass(cluster: Cluster, helm: str) -> None:
    run = guard(cluster, helm, ai_agent_values={"agent": {"replicaCount": 2}})
    # The first thing that would be written, the Secret's labels, is what the stand-in refuses.
    assert "another database" not in run.output
    assert "Secret dev/agent-dev-secret could not be written" in run.errors[-1]


@pytest.mark.parametrize(("timeout", "warned"), [("40s", True), ("4m30s", True), ("10m", False), ("1h", False)])
def test_a_time_out_shorter_than_what_it_waits_for(timeout: str, warned: bool, cluster: Cluster, helm: str) -> None:
    output = " ".join(guard(cluster, helm, ai_agent_timeout=timeout).output.split())
    assert ("WARNING: helm waits" in output) is warned, output
    assert "the release may take 270 s" in output or not warned


@pytest.mark.parametrize(
    ("name", "namespace", "inventory", "stranger"),
    [
        ("agent-old", living.NAMESPACE, {}, True),
        # Another host of this inventory.
        ("agent-old", living.NAMESPACE, {"agent-old": {}}, False),
        ("agent-old", living.NAMESPACE, {"second": {"ai_agent_release_name": "agent-old"}}, False),
    ],
)
def test_a_release_under_another_name_is_told(
    name: str, namespace: str, inventory: Object, helm: str, tmp_path: Path, *, stranger: bool
) -> None:
    """A first install beside a living release that no host of the inventory is: it may be that one, renamed."""
    with Cluster(tmp_path) as running:
        running.add_namespace(living.NAMESPACE)
        labels = {"app.kubernetes.io/component": "agent", "app.kubernetes.io/instance": name}
        labels["helm.sh/chart"] = "ai-agent-1.0.0_0badcafe"
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        running.add({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {}}, namespace)
        hosts = tmp_path / "more.yml"
        hosts.write_text(json.dumps({"all": {"hosts": inventory}}))
        run = guard(running, helm, "-i", str(hosts), "--limit", living.RELEASE)
    output = " ".join(run.output.split())
    words = f"while {name} in namespace {namespace} lives and is no host of this inventory"
    assert (words in output) is stranger, output
