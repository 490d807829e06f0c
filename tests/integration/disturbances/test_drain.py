"""A worker is drained for maintenance while the agent answers: nobody notices."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cluster, images, shell, tools
from lab.paths import KUBECONFIG, ROOT, VARS, VAULT_PASSWORD

SPACE = "drain"
CONTROL_PLANE, STAYS, DRAINED = cluster.NODES
LOAD = (ROOT / "molecule" / "install" / "files" / "load.py").read_text()
ON_STAYS = {"nodeSelector": {"kubernetes.io/hostname": STAYS}}


def attempt(*words: str) -> None:
    shell.capture([tools.kubectl(), "--kubeconfig", KUBECONFIG, *words], timeout=120)


def deploy() -> None:
    variables = {
        "ai_agent_release_name": SPACE,
        "ai_agent_namespace": SPACE,
        "ai_agent_values": {
            "agent": {"replicaCount": 2},
            "postgresql": {"primary": ON_STAYS},
            "redis": {"master": ON_STAYS},
        },
    }
    words: list[str | Path] = [
        Path(sys.executable).parent / "ansible-playbook",
        "-i",
        "inventories/dev",
        "site.yml",
        "-e",
        f"@{VARS}",
    ]
    words += ["--vault-id", f"dev@{VAULT_PASSWORD}", "-e", json.dumps(variables)]
    done = subprocess.run(words, cwd=ROOT, env=shell.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def agents() -> dict[str, str]:
    """Node of each ready pod of the agent, by its name."""
    selector = f"app.kubernetes.io/instance={SPACE},app.kubernetes.io/component=agent"
    listed = json.loads(cluster.kubectl("get", "pods", "-n", SPACE, "-l", selector, "-o", "json"))["items"]
    return {
        pod["metadata"]["name"]: pod["spec"]["nodeName"]
        for pod in listed
        if not pod["metadata"].get("deletionTimestamp")
        and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
    }


def wait_for_two() -> dict[str, str]:
    deadline = time.monotonic() + 90
    while len(found := agents()) != 2:
        assert time.monotonic() < deadline, f"two pods were to be ready, these are: {found}"
        time.sleep(0.5)
    return found


@pytest.fixture
def one_agent_on_the_drained_worker() -> Iterator[str]:
    """A release with two pods, one of them on the worker to drain; its name."""
    attempt("delete", "namespace", SPACE, "--ignore-not-found")
    try:
        deploy()
        wait_for_two()
        there = list(agents().values()).count(DRAINED)
        if there != 1:
            # The scheduler was free to choose: it is left the nodes that make one of two.
            closed = [DRAINED] if there else [CONTROL_PLANE, STAYS]
            cluster.kubectl("cordon", *closed)
            cluster.kubectl("delete", "pod", "-n", SPACE, next(iter(agents())), timeout=120)
            wait_for_two()
            cluster.kubectl("uncordon", *closed)
        (name,) = [name for name, node in agents().items() if node == DRAINED]
        yield name
    finally:
        for node in cluster.NODES:
            attempt("uncordon", node)
        attempt("delete", "namespace", SPACE, "--wait=false")


def start_load() -> None:
    container = {
        "name": "script",
        "image": images.AGENT.reference,
        "command": ["python", "-c", LOAD],
        "env": [{"name": "AGENT_URL", "value": f"http://{SPACE}:8000"}],
    }
    labels = {f"{SPACE}-client": "true"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "load", "namespace": SPACE, "labels": labels},
        "spec": {"nodeName": STAYS, "terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    with images.workspace() as folder:
        (folder / "pod.json").write_text(json.dumps(pod))
        cluster.kubectl("apply", "-f", str(folder / "pod.json"))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/load", "-n", SPACE, "--timeout=60s", timeout=70)


def counts(at_least: int) -> dict[str, float]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = cluster.kubectl("logs", "load", "-n", SPACE, "--tail=1").splitlines()
        if lines and json.loads(lines[0])["requests"] >= at_least:
            return dict(json.loads(lines[0]))
        time.sleep(0.5)
    pytest.fail(f"the load did not reach {at_least} requests")


def test_draining_a_worker_costs_no_answer(one_agent_on_the_drained_worker: str) -> None:
    start_load()
    before = counts(at_least=10)
    words = ["drain", DRAINED, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s"]
    drained = cluster.kubectl(*words, timeout=130)
    assert f"pod/{one_agent_on_the_drained_worker} evicted" in drained
    assert DRAINED not in wait_for_two().values()
    after = counts(at_least=int(before["requests"]) + 20)
    print(f"drain: {after}")
    assert after["failed"] == 0, after
