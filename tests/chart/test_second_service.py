"""The second chart: fewer than 60 lines of templates, and every standard of the organisation."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.chart.conftest import ROOT, Object, Rendered, RenderError, containers
from tests.chart.test_manifests import VERSIONS

EXAMPLE = ROOT / "examples" / "second-service"
PEER = {"podSelector": {"matchLabels": {"app": "caller"}}}


@pytest.fixture(scope="module")
def second(helm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as `helm dependency build` completes it, beside the library as in the checkout; no network is asked."""
    folder = tmp_path_factory.mktemp("second")
    shutil.copytree(ROOT / "subcharts" / "platform-library", folder / "subcharts" / "platform-library")
    chart = folder / "examples" / "second-service"
    shutil.copytree(EXAMPLE, chart, ignore=shutil.ignore_patterns("charts"))
    subprocess.run([helm, "dependency", "build", str(chart)], capture_output=True, check=True)
    return chart


class Render(t.Protocol):
    """Renders the second chart."""

    def __call__(self, **values: t.Any) -> Rendered:
        """Render with values."""


@pytest.fixture
def render(helm: str, second: Path, tmp_path: Path) -> Render:
    """Render with `helm template`."""

    def call(**values: t.Any) -> Rendered:
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        command = [helm, "template", "two", str(second), "--namespace", "test", "-f", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RenderError(done.stderr)
        return Rendered(item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item)

    return call


def test_it_is_short() -> None:
    lines = [line for file in EXAMPLE.glob("templates/*") for line in file.read_text().splitlines()]
    assert len(lines) < 60


def test_lint(helm: str, second: Path) -> None:
    done = subprocess.run([helm, "lint", "--strict", str(second)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(render: Render, version: str) -> None:
    made = render(networkPolicy={"callers": [PEER]}, command=["serve"], imagePullSecrets=[{"name": "pull"}])
    for item in made:
        kubernetes_validate.validate(item, version, strict=True)


def test_all_standards_are_there(render: Render) -> None:
    made = render(serviceMonitor={"enabled": True})
    assert sorted(item["kind"] for item in made) == [
        *("Deployment", "HorizontalPodAutoscaler", "Job", "NetworkPolicy", "NetworkPolicy", "NetworkPolicy"),
        *("PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor"),
    ]
    for item in made:
        assert item["metadata"]["namespace"] == "test"
        assert item["metadata"]["labels"]["helm.sh/chart"] == "second-service-1.0.0"
        assert item["metadata"]["labels"]["app.kubernetes.io/instance"] == "two"
    for name, pod in made.pods().items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        assert pod["metadata"]["labels"]["two-db-client"] == "true", name
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"], name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"], name


def test_pods_wait_for_the_server_and_the_schema_and_the_job_for_the_server(render: Render) -> None:
    pods = render().pods()
    [deployment] = [pod for name, pod in pods.items() if name.startswith("Deployment/")]
    [job] = [pod for name, pod in pods.items() if name.startswith("Job/")]
    wait, before = deployment["spec"]["initContainers"][0], job["spec"]["initContainers"][0]
    assert wait["command"][3:] == ["DATABASE_URL", "alembic", "current", "--check-heads"]
    assert before["command"][3:] == ["DATABASE_URL"]
    assert job["spec"]["containers"][0]["command"] == ["alembic", "upgrade", "head"]


def test_another_image_is_another_job(render: Render) -> None:
    names = [render(image={"tag": tag}).names("Job")[0] for tag in ("1", "2", "1")]
    assert names[0] == names[2] != names[1]
    assert all(re.fullmatch(r"two-second-service-db-migrate-1-[0-9a-f]{8}", name) for name in names)


def test_the_autoscaler_alone_sets_the_number_of_pods(render: Render) -> None:
    assert "replicas" not in render().one("Deployment")["spec"]


def test_a_standard_can_be_tightened_for_a_release(render: Render) -> None:
    values: Object = {"platform-library": {"dns": {"ports": [1053]}}}
    for policy in render(**values):
        if policy["kind"] == "NetworkPolicy" and "egress" in policy["spec"]:
            assert {port["port"] for port in policy["spec"]["egress"][0]["ports"]} == {1053}
