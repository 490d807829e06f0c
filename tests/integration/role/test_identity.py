"""What would lead a living release elsewhere stops in guard: the playbook, the real helm, and a stand-in API server.

The stand-in answers reading only, so a run that went on to write would fail with other words.
"""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data

from tests.chart.cluster import Cluster

from .conftest import ROOT, Run, play

Object = dict[str, t.Any]
RELEASE, NAMESPACE, SECRET = "agent-dev", "dev", "agent-dev-secret"
# Those of dev's vault, and one that no output may hold.
CANARY = "c4n4ry!p4ss"
PASSWORDS = dict.fromkeys(("password", "postgres-password", "replication-password", "redis-password"), CANARY)
VARIABLES = {
    f"ai_agent_{name}": CANARY
    for name in ("postgresql_password", "postgresql_admin_password", "replication_password", "redis_password")
}


@pytest.fixture(scope="module")
def helm() -> str:
    program = ROOT / ".lab/bin/helm"
    assert program.is_file(), "make tools first"
    return str(program)


@pytest.fixture(scope="module")
def manifests(helm: str, tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """What dev's values install."""
    folder = tmp_path_factory.mktemp("charts")
    chart = assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=folder).path
    auth = {"auth": {"existingSecret": SECRET}}
    (folder / "role.yaml").write_text(json.dumps({"existingSecret": SECRET, "postgresql": auth, "redis": auth}))
    words = [helm, "template", RELEASE, str(chart), "-n", NAMESPACE, "-f", f"{chart}/values-dev.yaml"]
    done = subprocess.run([*words, "-f", f"{folder}/role.yaml"], capture_output=True, text=True, check=True)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


@pytest.fixture
def cluster(manifests: list[Object], tmp_path: Path) -> t.Iterator[Cluster]:
    """The release as it lives, read only."""
    running = Cluster(tmp_path)
    running.add_namespace(NAMESPACE)
    for item in manifests:
        if item["kind"] in {"Deployment", "StatefulSet", "Service"}:
            status = {"availableReplicas": 1} if item["kind"] == "Deployment" else {}
            running.add(item | {"status": status}, NAMESPACE)
    data = secret_data(PASSWORDS, yaml.safe_dump_all(manifests)) | {"rotation-id": "YWJj"}
    running.add({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": data}, NAMESPACE)
    with running:
        yield running


def guard(cluster: Cluster, helm: str, **variables: t.Any) -> Run:
    """All steps up to the first that would write."""
    words = [
        "-i",
        "inventories/dev",
        "--vault-id",
        "dev@lab/dev-vault-password",
        "site.yml",
        "--tags",
        "guard,credentials",
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


def test_the_same_values_pass(cluster: Cluster, helm: str) -> None:
    run = guard(cluster, helm, ai_agent_values={"agent": {"replicaCount": 2}})
    # The first thing that would be written, the Secret's labels, is what the stand-in refuses.
    assert "another database" not in run.output
    assert "Secret dev/agent-dev-secret could not be written" in run.errors[-1]
