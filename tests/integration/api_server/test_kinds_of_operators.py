"""What the chart makes for operators is what their own definitions take; and autoscaling to KEDA and back, by Helm.

The chart, helm, the API server and the definitions are real; KEDA is the object that it would make.
"""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble

from dev import operators
from dev.api_server import Server
from lab import tools
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE
from tests.integration.api_server.test_ownership import BASE

Object = dict[str, t.Any]
NAME = "operated"
TRIGGER: Object = {"type": "prometheus", "metadata": {"serverAddress": "http://p:9090", "query": "q", "threshold": "4"}}
SCALER: Object = {
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    "targetMemoryUtilizationPercentage": 80,
    "keda": {"enabled": True, "triggers": [TRIGGER], "fallback": {"failureThreshold": 3, "replicas": 4}},
}
FROM: list[Object] = [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]
EVERYTHING: Object = {
    "agent": {"replicaCount": 3, "autoscaling": {"enabled": True} | SCALER},
    "networkPolicy": {"scrapers": FROM},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
    "httpRoute": {
        "enabled": True,
        "parentRefs": [{"name": "public", "namespace": "gateways"}],
        "hostnames": ["agent.example.org"],
        "timeouts": {"request": "300s"},
    },
    "externalSecret": {
        "enabled": True,
        "storeRef": {"name": "vault", "kind": "ClusterSecretStore"},
        "data": [{"secretKey": "password", "remoteRef": {"key": "agent", "property": "password"}}],
        "dataFrom": [{"extract": {"key": "agent"}}],
        "templateData": {"redis-url": "redis://:{{ .cache }}@kv"},
    },
}
KINDS = {"ScaledObject", "ExternalSecret", "HTTPRoute", "ServiceMonitor", "PrometheusRule"}


@pytest.fixture(scope="module")
def operated(api: Server) -> Server:
    """The API server, which knows the operators' kinds."""
    for file in operators.definitions():
        api.apply(file.read_text())
    names = [yaml.safe_load(file.read_text())["metadata"]["name"] for file in operators.definitions()]
    done = api.ask("wait", "--for=condition=Established", "--timeout=60s", *[f"crd/{name}" for name in names])
    assert done.returncode == 0, done.stderr
    return api


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with the embedded subcharts."""
    folder = tmp_path_factory.mktemp("charts")
    return assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=folder).path


def helm(api: Server, *words: str, values: Object | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(tools.helm()), *words, "-n", NAMESPACE, "--kubeconfig", str(api.kubeconfig)]
    command += ["-f", "-"] if values else []
    return subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, check=False)


def strictly(api: Server, item: Object) -> subprocess.CompletedProcess[str]:
    """What the API server says of an object, unknown fields included."""
    words = ("create", "--dry-run=server", "--validate=strict", "-n", NAMESPACE, "-f", "-")
    return api.ask(*words, text=json.dumps(item))


@pytest.fixture(scope="module")
def made(operated: Server, chart: Path) -> dict[str, Object]:
    """The objects for operators, by kind."""
    done = helm(operated, "template", NAME, str(chart), values=BASE | EVERYTHING)
    assert done.returncode == 0, done.stderr
    found = {item["kind"]: item for item in yaml.safe_load_all(done.stdout) if item}
    return {kind: found[kind] for kind in KINDS}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_operators_definition_takes_it(operated: Server, made: dict[str, Object], kind: str) -> None:
    done = strictly(operated, made[kind])
    assert done.returncode == 0, done.stderr
    wrong = made[kind] | {"spec": made[kind]["spec"] | {"thisIsNoField": 1}}
    assert "thisIsNoField" in strictly(operated, wrong).stderr


def scaled(api: Server, chart: Path, autoscaling: Object) -> subprocess.CompletedProcess[str]:
    """Deploy with this autoscaling."""
    values = BASE | {"agent": {"replicaCount": 3, "autoscaling": autoscaling}}
    return helm(api, "upgrade", "--install", NAME, str(chart), "--force-conflicts", values=values)


def replicas(api: Server) -> int:
    done = api.ask("-n", NAMESPACE, "get", "deployment", NAME, "-o", "jsonpath={.spec.replicas}")
    return int(done.stdout)


def as_keda_makes_it(api: Server) -> Object:
    """The HorizontalPodAutoscaler of the living ScaledObject, with its labels and annotations."""
    done = api.ask("-n", NAMESPACE, "get", "scaledobject", NAME, "-o", "json")
    assert done.returncode == 0, done.stderr
    own = json.loads(done.stdout)["metadata"]
    kept = {key: own[key] for key in ("labels", "annotations")}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": 2,
        "maxReplicas": 10,
    }
    metadata = {"name": f"keda-hpa-{NAME}", "namespace": NAMESPACE} | kept
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}


def test_to_keda_and_back(operated: Server, chart: Path) -> None:
    """The chart's own autoscaler has to go first; and with KEDA's, the values' number of pods counts again."""
    on = {"enabled": True}
    done = scaled(operated, chart, on)
    assert done.returncode == 0, done.stderr
    try:
        refused = scaled(operated, chart, on | SCALER)
        assert refused.returncode
        assert f"the HorizontalPodAutoscaler {NAME} scales the agent" in refused.stderr
        for autoscaling in ({"enabled": False}, on | SCALER):
            done = scaled(operated, chart, autoscaling)
            assert done.returncode == 0, done.stderr
        operated.apply(json.dumps(as_keda_makes_it(operated)))
        words = ("--subresource=scale", "--type=merge", "--field-manager=kube-controller-manager")
        patch = json.dumps({"spec": {"replicas": 7}})
        assert operated.ask("-n", NAMESPACE, "patch", "deployment", NAME, *words, "-p", patch).returncode == 0
        for _again in range(2):
            done = scaled(operated, chart, on | SCALER)
            assert (done.returncode, replicas(operated)) == (0, 7), done.stderr
        done = scaled(operated, chart, {"enabled": False})
        assert (done.returncode, replicas(operated)) == (0, 3), done.stderr
    finally:
        operated.ask("-n", NAMESPACE, "delete", "hpa", f"keda-hpa-{NAME}", "--ignore-not-found")
        helm(operated, "uninstall", NAME)
