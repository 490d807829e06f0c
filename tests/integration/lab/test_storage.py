"""Volumes that outlive their pods, and images that come from the lab's registry."""

from __future__ import annotations

import json
import time

import pytest

from lab import cluster, images, registry
from lab.paths import REGISTRY

from .conftest import Namespaces, apply


@pytest.fixture(scope="module")
def namespace(namespaces: Namespaces) -> str:
    return namespaces.make("lab-storage")


def run(namespace: str, name: str, command: str, image: str = images.AGENT.reference) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    container = {
        "name": "main",
        "image": image,
        "command": ["sh", "-c", command],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"restartPolicy": "Never", "containers": [container], "volumes": [volume]},
        }
    )


def finished(namespace: str, name: str) -> str:
    words = ["wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "-n", namespace, "--timeout=90s"]
    cluster.kubectl(*words, timeout=100)
    return cluster.kubectl("logs", name, "-n", namespace).strip()


def test_a_volume_outlives_the_pod_that_wrote_it(namespace: str) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}
    metadata = {"name": "data", "namespace": namespace}
    apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})
    run(namespace, "writer", "echo kept > /data/file")
    finished(namespace, "writer")
    cluster.kubectl("delete", "pod", "writer", "-n", namespace)
    run(namespace, "reader", "cat /data/file")
    assert finished(namespace, "reader") == "kept"


def test_the_nodes_pull_from_the_registry_what_was_pushed_to_it() -> None:
    assert all(registry.holds(recipe.reference) for recipe in images.ALL)
    assert not registry.holds(f"{REGISTRY}/agent:never-pushed")
    assert registry.push([recipe.reference for recipe in images.ALL]) == []


def test_an_image_that_is_not_in_the_registry_is_said_to_be_missing_at_once(namespace: str) -> None:
    run(namespace, "missing", "true", f"{REGISTRY}/agent:never-pushed")
    deadline = time.monotonic() + 30
    message = ""
    while "not found" not in message and time.monotonic() < deadline:
        time.sleep(0.5)
        pod = json.loads(cluster.kubectl("get", "pod", "missing", "-n", namespace, "-o", "json"))
        waiting = [one["state"].get("waiting", {}) for one in pod["status"].get("containerStatuses", [])]
        message = " ".join(state.get("message", "") for state in waiting)
    assert f"{REGISTRY}/agent:never-pushed: not found" in message
