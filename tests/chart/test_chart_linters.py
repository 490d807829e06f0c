"""Programs of others judge the production values: nothing is found but what chart_linter_exceptions.yaml explains."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from dev import chart_linters
from tests.chart.conftest import ENVIRONMENTS, Object, Render, Rendered
from tests.chart.test_secrets import EXISTING

EXCEPTIONS: Object = yaml.safe_load(Path(__file__).with_name("chart_linter_exceptions.yaml").read_bytes())
SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
REFERENCE = re.compile(r'"[^"]*#/\$defs/([^"]+)"')
PROMETHEUS = [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]
ALL_ON: Object = {
    **EXISTING,
    "agent": {
        "port": 5000,
        "metrics": {"port": 9000},
        "urls": {"database": [{"name": "PG_URI", "scheme": "postgresql+psycopg"}, {"name": "PG_HOST", "part": "host"}]},
    },
    "migration": {"tool": "command", "command": ["migrate"]},
    "networkPolicy": {"scrapers": PROMETHEUS},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
    "ingress": {"enabled": True, "hosts": ["agent.example.org"], "tls": [{"secretName": "tls"}]},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]},
    "retention": {"schedule": "30 3 * * *", "timeZone": "Etc/UTC"},
    "backup": {"schedule": "17 2 * * *", "claim": "backups"},
    "externalSecret": {"enabled": True, "storeRef": {"name": "vault"}, "dataFrom": [{"extract": {"key": "agent"}}]},
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more", "namespace": "test"}}],
}
Finding = tuple[str, str]
"""A check and the kind of the object it failed for."""


def manifests(made: Rendered, folder: Path) -> Path:
    """Write objects to a file."""
    file = folder / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(made), encoding="utf-8")
    return file


def output(words: t.Sequence[object], env: dict[str, str] | None = None) -> t.Any:
    """Run a program that prints JSON, whatever its exit code."""
    done = subprocess.run(
        [str(word) for word in words], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout)


def judge(tool: str, found: set[Finding], made: Rendered) -> None:
    """Fail at a finding without an exception, and at an exception for a kind of these objects without a finding."""
    kinds = {item["kind"] for item in made}
    excused = {(entry["check"], kind) for entry in EXCEPTIONS[tool] for kind in entry["objects"] if kind in kinds}
    assert not found - excused, "found, and no exception says why it may stay"
    assert not excused - found, "exceptions that nothing needs any more"


def test_every_exception_has_a_reason() -> None:
    for entries in EXCEPTIONS.values():
        for entry in entries:
            assert entry.keys() == {"check", "objects", "reason"}
            assert entry["reason"].endswith(".")


def kube_score(made: Rendered, folder: Path) -> set[Finding]:
    """What it finds in these objects."""
    more = ("container-seccomp-profile", "container-ports-check")
    words = [chart_linters.kube_score(), "score", "--output-format", "json"]
    words += [word for check in more for word in ("--enable-optional-test", check)]
    scored = output([*words, manifests(made, folder)])
    return {
        (check["check"]["id"], item["type_meta"]["kind"])
        for item in scored
        for check in item["checks"]
        # 10 is "ok", less is a warning or critical.
        if not check["skipped"] and check["grade"] < 10
    }


@pytest.mark.parametrize("values", [{}, ALL_ON], ids=["prod", "all on"])
def test_kube_score(render: Render, tmp_path: Path, values: Object) -> None:
    made = render("prod", values)
    judge("kube-score", kube_score(made, tmp_path), made)


def test_kube_score_of_a_policy_for_pods_that_a_playbook_makes(render: Render, tmp_path: Path) -> None:
    """It finds that the policy selects no pod of the chart, and nothing else: the pod is that of a backup's Job."""
    to = [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    made = render("prod", {"networkPolicy": {"backupStore": {"to": to}}})
    found = kube_score(made, tmp_path)
    judge("kube-score", found - {("networkpolicy-targets-pod", "NetworkPolicy")}, made)
    assert ("networkpolicy-targets-pod", "NetworkPolicy") in found


@pytest.mark.parametrize("values", [{}, ALL_ON], ids=["prod", "all on"])
def test_checkov(render: Render, tmp_path: Path, values: Object) -> None:
    made = render("prod", values)
    env = {**os.environ, "PYTHONPATH": str(chart_linters.checkov())}
    words = [sys.executable, "-m", "checkov.main", "--framework", "kubernetes", "--output", "json", "--quiet"]
    result = output([*words, "--skip-download", "--file", manifests(made, tmp_path)], env)
    assert result["summary"]["parsing_errors"] == 0
    found = {(each["check_id"], each["resource"].partition(".")[0]) for each in result["results"]["failed_checks"]}
    judge("checkov", found, made)


def needed(text: str, definitions: Object) -> set[str]:
    """Return the definitions that a schema refers to, directly or through others."""
    found: set[str] = set()
    new = set(REFERENCE.findall(text))
    while new:
        found |= new
        new = {key for name in new for key in REFERENCE.findall(json.dumps(definitions[name]))} - found
    return found


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[Object], str]:
    """Put the schema of an object where kubeconform finds it; return the pattern of such places.

    The schemas are those that kubernetes-validate brings, so no network is needed; kubeconform follows none of their
    references into another file, so each gets the definitions into itself.
    """
    folder = tmp_path_factory.mktemp("schemas")
    newest = SCHEMAS / f"v{kubernetes_validate.latest_version()}-local-strict"
    definitions = json.loads((newest / "_definitions.json").read_text())["$defs"]

    def add(item: Object) -> str:
        group, _, version = item["apiVersion"].rpartition("/")
        suffix = f"{group.partition('.')[0]}-{version}" if group else version
        name = f"{item['kind'].lower()}-{suffix}.json"
        if not (folder / name).exists():
            text = (newest / name).read_text()
            whole = {**json.loads(text), "$defs": {key: definitions[key] for key in needed(text, definitions)}}
            (folder / name).write_text(json.dumps(whole).replace("/api/_definitions.json#", "#"))
        return f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"

    return add


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_kubeconform(render: Render, schemas: t.Callable[[Object], str], tmp_path: Path, name: str) -> None:
    made = render(name, {"agent": {"autoscaling": {"enabled": True}}})
    (place,) = {schemas(item) for item in made}
    words = [chart_linters.kubeconform(), "-strict", "-output", "json", "-verbose", "-schema-location", place]
    resources = output([*words, manifests(made, tmp_path)])["resources"]
    assert len(resources) == len(made)
    assert {each["name"]: each["msg"] for each in resources if each["status"] != "statusValid"} == {}


def test_kubeconform_would_find_a_mistake(render: Render, schemas: t.Callable[[Object], str], tmp_path: Path) -> None:
    deployment = render().one("Deployment")
    deployment["spec"]["replica"] = 1
    words = [chart_linters.kubeconform(), "-strict", "-output", "json", "-schema-location", schemas(deployment)]
    (found,) = output([*words, manifests(Rendered([deployment]), tmp_path)])["resources"]
    assert found["status"] == "statusInvalid"
