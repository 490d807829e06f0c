"""The assembled chart, rendered by the real helm, with or without the live objects that its templates look up."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release import schema_errors
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble

from tests.chart.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")
RELEASE = "my-agent"

Object = dict[str, t.Any]


class RenderError(Exception):
    """Helm refused; the text is its message."""


class Rendered(list[Object]):
    """The objects of a rendering."""

    def one(self, kind: str, name: str | None = None) -> Object:
        """Return the only object of a kind, with a name where one is given."""
        found = [item for item in self if item["kind"] == kind and name in (None, item["metadata"]["name"])]
        assert len(found) == 1, f"{len(found)} objects of kind {kind}, name {name}: {self.names(kind)}"
        return found[0]

    def names(self, kind: str) -> list[str]:
        """Return the names of the objects of a kind."""
        return [item["metadata"]["name"] for item in self if item["kind"] == kind]

    def ours(self) -> Rendered:
        """Return the objects that no subchart made."""
        return Rendered(item for item in self if item["metadata"]["labels"]["helm.sh/chart"].startswith("ai-agent-"))

    def secret(self, name: str = f"{RELEASE}-secret") -> dict[str, str]:
        """Return the decoded data of a Secret."""
        data = self.one("Secret", name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def pods(self) -> dict[str, Object]:
        """Return every pod's metadata and spec, by kind and name of the object that makes it."""
        result = {}
        for item in self:
            if item["kind"] == "Pod":
                result[f"Pod/{item['metadata']['name']}"] = item
            elif "template" in item.get("spec", {}):
                result[f"{item['kind']}/{item['metadata']['name']}"] = item["spec"]["template"]
        return result


def containers(pod: Object) -> list[Object]:
    """Return all containers of a pod, init containers included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm program: $HELM, else the lab's."""
    program = os.environ.get("HELM") or str(ROOT / ".lab" / "bin" / "helm")
    if not shutil.which(program):
        pytest.fail(f"There is no helm at {program}: run `make helm`, or name one in HELM.")
    return program


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with the embedded subcharts."""
    made = assemble(
        ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=tmp_path_factory.mktemp("charts")
    )
    return made.path


@pytest.fixture(scope="session")
def subcharts(helm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the charts that stand alone, each with the library that `helm dependency build` puts into it."""
    folder = tmp_path_factory.mktemp("alone") / "subcharts"
    shutil.copytree(ROOT / "subcharts", folder, ignore=shutil.ignore_patterns("charts"))
    for name in ("postgresql", "redis"):
        subprocess.run([helm, "dependency", "build", str(folder / name)], capture_output=True, check=True)
    return folder


class Render(t.Protocol):
    """Renders the chart with values, as dictionaries or names of environments, and returns its objects."""

    def __call__(self, *values: Object | str, release: str = RELEASE, cluster: Cluster | None = None) -> Rendered:
        """Render. A cluster makes it an upgrade that looks objects up there.

        :raises RenderError: helm refuses
        """


@pytest.fixture(scope="session")
def render(helm: str, chart: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the chart with `helm template`."""
    scratch = tmp_path_factory.mktemp("values")

    def call(*values: Object | str, release: str = RELEASE, cluster: Cluster | None = None) -> Rendered:
        # What is rendered without a cluster is only looked at, unless a test says otherwise.
        command = [helm, "template", release, str(chart), "--namespace", "test"]
        if not cluster:
            file = scratch / "looked-at.yaml"
            file.write_text("secrets: {generate: always}", encoding="utf-8")
            command += ["-f", str(file)]
        for number, given in enumerate(values):
            file = chart / f"values-{given}.yaml" if isinstance(given, str) else scratch / f"{number}.yaml"
            if not isinstance(given, str):
                file.write_text(yaml.safe_dump(given), encoding="utf-8")
            command += ["-f", str(file)]
        if cluster:
            command += ["--is-upgrade", "--dry-run=server", "--disable-openapi-validation"]
            command += ["--kubeconfig", str(cluster.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RenderError(done.stderr)
        return Rendered(item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item)

    return call


@pytest.fixture(scope="session")
def explained(helm: str, chart: Path, tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[Object], list[str]]:
    """The sentences about values, from what the real helm says of them."""
    file = tmp_path_factory.mktemp("values") / "values.yaml"
    schemas = schema_errors.read(chart, "ai-agent", ["postgresql", "redis"])
    assert list(schemas) == ["ai-agent", "postgresql", "redis"]

    def explain(values: Object) -> list[str]:
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        done = subprocess.run([helm, "template", "x", chart, "-f", file], capture_output=True, text=True, check=False)
        assert done.returncode
        return schema_errors.explain(done.stderr, schemas, values).split("; ")

    return explain


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, render: Render) -> Rendered:
    """The chart as each environment renders it."""
    return render(request.param)


@pytest.fixture
def empty_cluster(tmp_path: Path) -> t.Iterator[Cluster]:
    """A stand-in API server that holds the objects given to it."""
    with Cluster(tmp_path) as running:
        yield running


@pytest.fixture
def cluster(empty_cluster: Cluster) -> Cluster:
    """The same with the volumes of a release that runs with its own database and cache."""
    for server in ("data-{}-postgresql-0", "data-{}-postgresql-primary-0", "redis-data-{}-redis-master-0"):
        name = server.format(RELEASE)
        empty_cluster.add({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}})
    return empty_cluster
