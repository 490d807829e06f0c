"""The specification's acceptance criteria with plain helm: one install, helm test, three environments at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from lab import shell
from lab.paths import BIN, KUBECONFIG

from .conftest import Release, lab_images

# Requests of CPU and memory, replicas, LOG_LEVEL, WORKER_THREADS; pods of PostgreSQL and of Redis, copies included.
EXPECTED = {
    "dev": ("100m", "256Mi", 1, "debug", "1", 1, 1),
    "staging": ("250m", "512Mi", 2, "info", "2", 1, 2),
    "prod": ("500m", "1Gi", 3, "warn", "8", 3, 3),
}
LINES = [
    "Testing PostgreSQL connection...",
    "PostgreSQL connection successful!",
    "Testing Redis connection...",
    "Redis connection successful!",
    "All connectivity tests passed!",
]


@pytest.fixture(scope="module")
def environments(chart: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Release]]:
    """All three, installed one after the other as the specification does, and then waited for together."""
    folder = tmp_path_factory.mktemp("values")
    images = folder / "images.yaml"
    images.write_text(yaml.safe_dump(lab_images()))
    found = {name: Release(f"agent-{name}", f"criteria-{name}", folder, name) for name in EXPECTED}
    remove = [BIN / "kubectl", "--kubeconfig", KUBECONFIG, "delete", "namespace", "--ignore-not-found"]
    shell.capture([*remove, *(release.namespace for release in found.values())], timeout=180)
    try:
        for name, release in found.items():
            words = ["install", release.name, str(chart), "-f", str(chart / f"values-{name}.yaml"), "-f", str(images)]
            done = release.helm(*words, "--create-namespace")
            assert done.returncode == 0, done.stderr
        with ThreadPoolExecutor(len(found)) as pool:
            list(pool.map(ready, found.values()))
        yield found
    finally:
        shell.capture([*remove, "--wait=false", *(release.namespace for release in found.values())])


def ready(release: Release) -> None:
    """Wait for the agent and every StatefulSet."""
    for kind in ("deployment", "statefulset"):
        for item in release.get(kind)["items"]:
            name = f"{kind}/{item['metadata']['name']}"
            release.kubectl("rollout", "status", name, "--timeout=240s", timeout=250)


@pytest.mark.parametrize("name", EXPECTED)
def test_one_install_deploys_everything(environments: dict[str, Release], name: str) -> None:
    release = environments[name]
    found = release.get("all", selector=f"app.kubernetes.io/instance={release.name}")["items"]
    kinds = {(item["kind"], item["metadata"].get("labels", {}).get("app.kubernetes.io/name")) for item in found}
    assert {("Deployment", "ai-agent"), ("StatefulSet", "postgresql"), ("StatefulSet", "redis")} <= kinds
    (migration,) = release.get("jobs")["items"]
    assert migration["status"]["succeeded"] == 1
    assert release.revision() == "0006"


@pytest.mark.parametrize("name", EXPECTED)
def test_helm_test_prints_what_the_specification_shows(environments: dict[str, Release], name: str) -> None:
    release = environments[name]
    done = release.helm("test", release.name)
    assert done.returncode == 0, done.stdout + done.stderr
    log = release.kubectl("logs", f"{release.name}-connection-test").splitlines()
    assert [line for line in log if line in LINES] == LINES


@pytest.mark.parametrize("name", EXPECTED)
def test_each_environment_has_its_own_size(environments: dict[str, Release], name: str) -> None:
    release = environments[name]
    cpu, memory, replicas, level, threads, databases, caches = EXPECTED[name]
    deployment = release.get("deployment", release.name)
    requests = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert (requests["cpu"], requests["memory"]) == (cpu, memory)
    assert deployment["status"]["readyReplicas"] == replicas
    agent = json.loads(release.helm("get", "values", release.name, "-o", "json").stdout)["agent"]
    assert (agent["replicaCount"], agent["env"]["LOG_LEVEL"]) == (replicas, level)
    assert agent["env"]["WORKER_THREADS"] == threads
    sets = release.get("statefulsets")["items"]
    running = {
        part: sum(
            item["status"].get("readyReplicas", 0)
            for item in sets
            if item["metadata"]["labels"]["app.kubernetes.io/name"] == part
        )
        for part in ("postgresql", "redis")
    }
    assert running == {"postgresql": databases, "redis": caches}


def test_production_survives_the_loss_of_a_node(environments: dict[str, Release]) -> None:
    pods = environments["prod"].get("pods", selector="app.kubernetes.io/component=agent")["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) > 1


def test_production_reads_from_copies_of_what_was_written(environments: dict[str, Release]) -> None:
    release = environments["prod"]
    release.sql("CREATE TABLE copied (word text); INSERT INTO copied VALUES ('hello')")
    read = release.psql("SELECT word, pg_is_in_recovery() FROM copied", component="read")

    def copied() -> bool:
        return shell.capture(read).stdout.strip() == "hello|t"

    release.until("the copy has the row", copied, 30)
    release.sql("DROP TABLE copied")
