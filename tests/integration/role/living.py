"""A release of dev as it lives, in a stand-in API server that is only read."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data

from tests.chart.cluster import Cluster

from .conftest import ROOT

Object = dict[str, t.Any]
RELEASE, NAMESPACE, SECRET = "agent-dev", "dev", "agent-dev-secret"
KEYS = ("password", "postgres-password", "replication-password", "redis-password")


def helm() -> str:
    program = ROOT / ".lab/bin/helm"
    assert program.is_file(), "make helm first"
    return str(program)


def manifests(folder: Path) -> list[Object]:
    """What dev's values install."""
    chart = assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=folder).path
    auth = {"auth": {"existingSecret": SECRET}}
    (folder / "role.yaml").write_text(json.dumps({"existingSecret": SECRET, "postgresql": auth, "redis": auth}))
    words = [helm(), "template", RELEASE, str(chart), "-n", NAMESPACE, "-f", f"{chart}/values-dev.yaml"]
    done = subprocess.run([*words, "-f", f"{folder}/role.yaml"], capture_output=True, text=True, check=True)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def release(objects: list[Object], password: str, folder: Path, token: str = "") -> Cluster:
    """An API server with these objects and their Secret, for `with`; with a token it knows that account only."""
    running = Cluster(folder, token)
    running.add_namespace(NAMESPACE)
    for item in objects:
        if item["kind"] in {"Deployment", "StatefulSet", "Service"}:
            status = {"availableReplicas": 1} if item["kind"] == "Deployment" else {}
            running.add(item | {"status": status}, NAMESPACE)
    data = secret_data(dict.fromkeys(KEYS, password), yaml.safe_dump_all(objects)) | {"rotation-id": "YWJj"}
    running.add({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": data}, NAMESPACE)
    return running
