"""The skill for coding assistants: each rule names a test that shows it, and has a wrong chart that is found."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from markdown_it import MarkdownIt

from tests.chart.cluster import Cluster
from tests.chart.conftest import ROOT, Object, Render
from tests.chart.test_manifests import VERSIONS
from tests.chart.test_migration import SERVING
from tests.chart.test_secrets import EXISTING

SKILL = ROOT / "skills" / "helm-chart"
STARTER = SKILL / "assets" / "starter"
PAGES = [SKILL / "SKILL.md", *sorted((SKILL / "references").glob("*.md"))]
ROW = re.compile(r"^\| (?:`([a-z-]+)`|by hand) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`((?:tests|molecule)/[^`]+)`")
RELEASE = "my-agent"
VALUES: Object = {"existingSecret": "server-credentials"}
PROGRAM = SKILL / "scripts" / "check_chart.py"


def _program() -> t.Any:
    spec = importlib.util.spec_from_file_location("check_chart", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up.
    sys.modules["check_chart"] = module
    spec.loader.exec_module(module)
    return module


check_chart = _program()
RULES = [row for page in PAGES for row in ROW.findall(page.read_text(encoding="utf-8"))]
DEPENDENCY = """
dependencies:
  - {name: common, version: 1.x.x, repository: https://charts.example.com}
"""
GLOBAL = '"global": {"type": "object"},'
COMMON = "apiVersion: v2\nname: common\nversion: 1.2.0\ntype: library\n"
SECRET = """apiVersion: v1
kind: Secret
metadata:
  name: {{ .Values.existingSecret }}
  labels:
    {{- include "server.labels" (dict "root" . "component" "server") | nindent 4 }}
stringData: {password: given}
"""
AUTOSCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "server.fullname" . }}
  labels:
    {{- include "server.labels" (dict "root" . "component" "server") | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "server.fullname" . }}}
  maxReplicas: 5
"""
ANNOTATED = "  annotations:\n    helm.sh/hook: {}\n    helm.sh/hook-delete-policy: before-hook-creation\n"
IMAGE = '        image: {{ include "server.image" $root }}\n'
PLAIN = '  {{- end }}\n  labels:\n    {{- include "server.labels" $labels | nindent 4 }}\nspec:\n  {{- $spec'

# A rule, and what is wrong in the starter: a file, a text in it, and what stands there instead; a file that is not
# there is made. What it breaks beside, in brackets.
Edit = tuple[str, str, str]
WRONG: list[tuple[str, list[Edit], set[str]]] = [
    (
        "lint",
        [
            ("templates/configmap.yaml", "}}-config", "}}_config"),
            ("templates/deployment.yaml", "}}-config}", "}}_config}"),
        ],
        set(),
    ),
    ("kube-version", [("Chart.yaml", 'kubeVersion: ">=1.30.0-0"\n', "")], set()),
    (
        "lock-missing",
        [
            ("Chart.yaml", "", DEPENDENCY),
            ("values.schema.json", GLOBAL, f'{GLOBAL}\n    "common": {{"type": "object"}},'),
            ("charts/common/Chart.yaml", "", COMMON),
        ],
        set(),
    ),
    ("define-name", [("templates/_helpers.tpl", "", '{{- define "fullname" -}}x{{- end -}}')], set()),
    ("schema-open", [("values.schema.json", '"additionalProperties": false,\n  "required"', '"required"')], set()),
    (
        "schema-lacks",
        [
            (
                "values.schema.json",
                '"migration": {\n      "type": "object",\n      "additionalProperties": false,',
                '"migration": {',
            ),
            ("values.yaml", "  timeout: 240", "  timeout: 240\n  timeuot: 240"),
        ],
        set(),
    ),
    ("unstable", [("templates/deployment.yaml", ".Values.config | toJson | sha256sum", "randAlphaNum 8")], set()),
    (
        "hook-order",
        [("templates/migration.yaml", PLAIN, ANNOTATED.format("pre-install") + PLAIN)],
        {"hook-deadline", "network-hook"},
    ),
    (
        "hook-order",
        [("templates/migration.yaml", PLAIN, ANNOTATED.format("post-install,post-upgrade") + PLAIN)],
        {"hook-deadline"},
    ),
    (
        "hook-needs-upgrade",
        [
            (
                "templates/_helpers.tpl",
                IMAGE,
                f"{IMAGE}        envFrom: [{{configMapRef: {{name: {RELEASE}-config}}}}]\n",
            )
        ],
        set(),
    ),
    (
        "hook-evidence",
        [("templates/tests/test-connection.yaml", "before-hook-creation", "before-hook-creation,hook-succeeded")],
        set(),
    ),
    (
        "hook-evidence",
        [
            (
                "templates/migration.yaml",
                "before-hook-creation\n    helm.sh/hook-output",
                "hook-failed\n    helm.sh/hook-output",
            )
        ],
        set(),
    ),
    ("hook-deadline", [("templates/tests/test-connection.yaml", "  activeDeadlineSeconds: 120\n", "")], set()),
    (
        "job-deadline",
        [("templates/_helpers.tpl", "{{- if .hook }}\nactiveDeadlineSeconds", "{{- if true }}\nactiveDeadlineSeconds")],
        set(),
    ),
    ("job-name", [("templates/migration.yaml", "-{{ $spec | sha256sum | trunc 8 }}", "")], set()),
    (
        "label-missing",
        [("templates/service.yaml", '    {{- include "server.labels" $labels | nindent 4 }}\n', "    app: server\n")],
        set(),
    ),
    (
        "version-in-pods",
        [
            (
                "templates/deployment.yaml",
                '{{- include "server.clientLabels" $labels',
                '{{- include "server.labels" $labels',
            )
        ],
        {"network-dns"},
    ),
    (
        "service-selects",
        [
            (
                "templates/service.yaml",
                '{{- include "server.selector" $labels | nindent 4 }}',
                "app.kubernetes.io/name: server",
            )
        ],
        set(),
    ),
    (
        "secret-literal",
        [
            (
                "templates/deployment.yaml",
                "          startupProbe:",
                "            - {name: ADMIN_PASSWORD, value: given}\n          startupProbe:",
            )
        ],
        set(),
    ),
    (
        "secret-literal",
        [
            (
                "templates/deployment.yaml",
                "          startupProbe:",
                "            - {name: CACHE, value: redis://:given@cache:6379}\n          startupProbe:",
            )
        ],
        set(),
    ),
    ("secret-lost", [("templates/secret.yaml", "", SECRET)], set()),
    ("pod-restricted", [("templates/_helpers.tpl", "allowPrivilegeEscalation: false\n", "")], set()),
    ("pod-token", [("templates/tests/test-connection.yaml", "  automountServiceAccountToken: false\n", "")], set()),
    ("pod-resources", [("values.yaml", "limits: {memory: 256Mi}", "limits: {}")], set()),
    ("image-moves", [("values.yaml", "postgresql:17.2", "postgresql:latest")], set()),
    (
        "config-unnoticed",
        [("templates/deployment.yaml", "checksum/config: {{ .Values.config | toJson | sha256sum }}", "note: none")],
        set(),
    ),
    ("rollout-gap", [("templates/deployment.yaml", "maxUnavailable: 0, maxSurge: 1", "maxUnavailable: 1")], set()),
    (
        "not-ready",
        [
            ("templates/deployment.yaml", "readinessProbe:", "livenessProbe:"),
            (
                "templates/deployment.yaml",
                "          livenessProbe:\n            httpGet: {path: /live, port: http}\n",
                "",
            ),
        ],
        set(),
    ),
    ("probe-same", [("templates/deployment.yaml", "path: /ready", "path: /live")], set()),
    (
        "no-drain",
        [("templates/deployment.yaml", "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 5")],
        set(),
    ),
    (
        "no-drain",
        [
            (
                "templates/deployment.yaml",
                "          lifecycle:\n            preStop:\n              sleep: {seconds: 5}\n",
                "",
            )
        ],
        set(),
    ),
    ("replicas-twice", [("templates/autoscaler.yaml", "", AUTOSCALER)], set()),
    ("budget-blocks", [("templates/poddisruptionbudget.yaml", "maxUnavailable: 1", "minAvailable: 2")], set()),
    ("set-ordered", [("templates/database.yaml", "  podManagementPolicy: Parallel\n", "")], set()),
    (
        "network-open",
        [("templates/networkpolicies.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]")],
        set(),
    ),
    ("network-dns", [("templates/_helpers.tpl", "    - {port: 53, protocol: UDP}\n", "")], set()),
    (
        "network-port",
        [("templates/networkpolicies.yaml", "{port: http, protocol: TCP}", "{port: 80, protocol: TCP}")],
        set(),
    ),
    ("network-hook", [("templates/migration.yaml", 'weight: "-10"', 'weight: "0"')], set()),
    (
        "test-missing",
        [("templates/tests/test-connection.yaml", "helm.sh/hook: test", "helm.sh/hook: post-rollback")],
        set(),
    ),
]
UPGRADES = {"hook-needs-upgrade", "network-hook"}
"""Rules about what only an upgrade renders."""


def serving(cluster: Cluster) -> list[str]:
    """Helm's options for an upgrade of what serves."""
    cluster.add(SERVING)
    options = ["--is-upgrade", "--dry-run=server", "--disable-openapi-validation"]
    return [*options, "--kubeconfig", str(cluster.kubeconfig)]


@pytest.fixture
def values(tmp_path: Path) -> list[str]:
    """Helm's words for the values that the starter needs."""
    (tmp_path / "given.yaml").write_text(yaml.safe_dump(VALUES), encoding="utf-8")
    return ["--values", str(tmp_path / "given.yaml")]


def spoilt(folder: Path, edits: list[Edit]) -> Path:
    """The starter with a mistake."""
    shutil.copytree(STARTER, folder)
    for name, old, new in edits:
        file = folder / name
        file.parent.mkdir(exist_ok=True, parents=True)
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        assert old in text, f"{name} has no {old!r}"
        file.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")
    return folder


@pytest.mark.parametrize("wrong", WRONG, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(WRONG)])
def test_a_wrong_chart_is_found(
    helm: str, values: list[str], empty_cluster: Cluster, tmp_path: Path, wrong: tuple[str, list[Edit], set[str]]
) -> None:
    rule, edits, beside = wrong
    folder = spoilt(tmp_path / "server", edits)
    upgrade = rule in UPGRADES or "hook-output" in edits[0][1]
    words = [*values, *(serving(empty_cluster) if upgrade else [])]
    objects = check_chart.rendered(folder, helm, words, RELEASE)
    chart = check_chart.Chart(
        folder,
        objects,
        check_chart.rendered(folder, helm, words, RELEASE) if rule == "unstable" else objects,
        lint=check_chart.linted(folder, helm, values) if rule == "lint" else "",
        takes_anything=rule == "schema-open" and check_chart.takes_anything(folder, helm, values),
        metadata=yaml.safe_load((folder / "Chart.yaml").read_bytes()),
    )
    found = {each[0] for each in check_chart.check(chart)}
    assert rule in found
    assert found - {rule} <= beside


def test_each_rule_of_the_script_has_a_wrong_chart_and_a_row() -> None:
    assert {rule for rule, *_ in WRONG} == set(check_chart.RULES)
    rows = [rule for rule, *_ in RULES if rule]
    assert sorted(rows) == sorted(check_chart.RULES)


def test_the_starter_is_clean_at_install_and_at_an_upgrade(helm: str, empty_cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(yaml.safe_dump(VALUES), encoding="utf-8")
    assert not check_chart.check(check_chart.load(STARTER, [file], helm, RELEASE))
    chart = check_chart.load(STARTER, [file], helm, RELEASE, serving(empty_cluster))
    assert not check_chart.check(chart)
    assert [item["metadata"]["name"] for item in chart.of("Job")] == [f"{RELEASE}-pre-upgrade"]


def test_the_starter_with_a_database_of_ones_own(helm: str, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    place = {"database": {"bundled": False}, "networkPolicy": {"database": [{"ipBlock": {"cidr": "192.0.2.10/32"}}]}}
    file.write_text(yaml.safe_dump(VALUES | place), encoding="utf-8")
    objects = check_chart.rendered(STARTER, helm, ["--values", file], RELEASE)
    assert not [item for item in objects if item["kind"] == "StatefulSet"]
    chart = check_chart.Chart(STARTER, objects, objects, metadata=yaml.safe_load((STARTER / "Chart.yaml").read_bytes()))
    assert not check_chart.check(chart)
    for item in objects:
        kubernetes_validate.validate(item, VERSIONS[0], strict=True)


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_our_own_chart_is_clean(helm: str, chart: Path, environment: str, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(yaml.safe_dump(EXISTING), encoding="utf-8")
    loaded = check_chart.load(chart, [chart / f"values-{environment}.yaml", file], helm, RELEASE)
    # What was assembled is packed in charts/; the chart's own lock is Bitnami's.
    assert (ROOT / "chart" / "Chart.lock").is_file()
    assert {rule for rule, *_ in check_chart.check(loaded)} <= {"lock-missing"}


def test_our_own_chart_is_clean_at_an_upgrade(render: Render, cluster: Cluster, chart: Path) -> None:
    cluster.add(SERVING)
    objects = list(render(EXISTING, cluster=cluster))
    metadata = yaml.safe_load((chart / "Chart.yaml").read_bytes())
    found = check_chart.check(check_chart.Chart(chart, objects, objects, metadata=metadata))
    assert {rule for rule, *_ in found} <= {"lock-missing"}


def test_the_program_says_what_it_found_by_its_exit_code(helm: str, values: list[str], tmp_path: Path) -> None:
    def run(*words: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, str(PROGRAM), *map(str, words)]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    folder = spoilt(tmp_path / "server", [("Chart.yaml", 'kubeVersion: ">=1.30.0-0"\n', "")])
    given = ["--helm", helm, *values, folder]
    found = run(*given)
    assert (found.returncode, found.stdout.splitlines()[-1]) == (1, "1 findings")
    assert found.stdout.startswith("kube-version: Chart.yaml: set kubeVersion")
    allowed = run("--allow", "kube-version=any", *given)
    assert (allowed.returncode, allowed.stdout.splitlines()[-1]) == (0, "nothing found")
    nowhere = run(tmp_path)
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert "has no Chart.yaml" in nowhere.stderr
    assert "Traceback" not in run("--helm", "/nowhere/helm", folder).stderr
    assert run("--allow", "kube-version", *given).returncode == 2


def functions(file: Path) -> set[str]:
    """The names of the functions in a file of Python."""
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", RULES, ids=lambda row: str(row[0] or row[1])[:40])
def test_every_rule_names_tests_that_exist(row: tuple[str, str, str]) -> None:
    named = TEST.findall(row[2])
    assert named, row
    for name in named:
        path, _, function = name.partition("::")
        assert (ROOT / path).exists(), name
        assert not function or function in functions(ROOT / path), name


def blocks(language: str) -> list[tuple[Path, str]]:
    """The fenced blocks of a language in the skill's pages."""
    tokens = [(page, token) for page in PAGES for token in MarkdownIt().parse(page.read_text(encoding="utf-8"))]
    return [(page, token.content) for page, token in tokens if token.type == "fence" and token.info == language]


@pytest.mark.parametrize(("page", "text"), blocks("gotmpl"), ids=lambda value: getattr(value, "stem", "") or "text")
def test_every_example_is_rendered_and_valid(
    helm: str, values: list[str], tmp_path: Path, page: Path, text: str
) -> None:
    """Each stands in the starter as a template of its own."""
    folder = spoilt(tmp_path / "server", [("templates/example.yaml", "", text)])
    words = [*values, "--show-only", "templates/example.yaml"]
    objects = check_chart.rendered(folder, helm, words, RELEASE)
    assert objects
    for item in objects:
        kubernetes_validate.validate(item, VERSIONS[-1], strict=True)


def test_there_are_examples() -> None:
    assert len(blocks("gotmpl")) >= 4


@pytest.mark.parametrize(("page", "text"), blocks("yaml"), ids=lambda value: getattr(value, "stem", "") or "text")
def test_every_example_of_values_is_taken(helm: str, tmp_path: Path, page: Path, text: str) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(yaml.safe_dump(VALUES | yaml.safe_load(text)), encoding="utf-8")
    assert check_chart.rendered(STARTER, helm, ["--values", file], RELEASE)


def test_the_skill_is_one_that_assistants_find() -> None:
    _, head, body = (SKILL / "SKILL.md").read_text(encoding="utf-8").split("---\n", 2)
    front = yaml.safe_load(head)
    assert front.keys() == {"name", "description"}
    assert front["name"] == SKILL.name
    assert len(front["description"]) <= 1024
    assert len(body.splitlines()) < 120
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    for page in PAGES[1:]:
        assert f"references/{page.name}" in body


def test_a_library_serves_a_chart_and_renders_nothing(helm: str, values: list[str], tmp_path: Path) -> None:
    dependency = "\ndependencies:\n  - {name: standards, version: 1.0.0, repository: ''}\n"
    given = '(dict "own" (dict "readOnlyRootFilesystem" false))'
    template = f'{{{{- include "standards.containerSecurity" {given} | nindent 10 }}}}'
    edits = [
        ("Chart.yaml", "", dependency),
        # Helm adds a key for each dependency, which a closed schema must know.
        ("values.schema.json", GLOBAL, f'{GLOBAL}\n    "standards": {{"type": "object"}},'),
        ("templates/service.yaml", "spec:", f"  annotations:\n    made: |-\n      {template}\nspec:"),
    ]
    folder = spoilt(tmp_path / "server", edits)
    shutil.copytree(SKILL / "assets" / "library", folder / "charts" / "standards")
    objects = check_chart.rendered(folder, helm, values, RELEASE)
    [service] = [item for item in objects if item["kind"] == "Service" and "annotations" in item["metadata"]]
    made = yaml.safe_load(service["metadata"]["annotations"]["made"])
    assert made["readOnlyRootFilesystem"] is False
    assert made["capabilities"] == {"drop": ["ALL"]}
    assert len(objects) == len(check_chart.rendered(STARTER, helm, values, RELEASE))
    metadata = yaml.safe_load((folder / "Chart.yaml").read_bytes())
    assert not check_chart.check(check_chart.Chart(folder, objects, objects, metadata=metadata))
    with pytest.raises(check_chart.ChartError, match="library charts are not installable"):
        check_chart.rendered(SKILL / "assets" / "library", helm, [], RELEASE)
    for file in (SKILL / "assets" / "library").rglob("*.tpl"):
        assert ".Values" not in re.sub(r"\{\{/\*.*?\*/\}\}", "", file.read_text(), flags=re.DOTALL)


def test_our_own_templates_have_the_charts_name() -> None:
    """The subcharts have Bitnami's names; their templates have prefixes of their own, so that those cannot meet."""

    def prefixes(folder: str) -> set[str]:
        files = [file for file in (ROOT / folder / "templates").rglob("*") if file.is_file()]
        return {name.partition(".")[0] for file in files for name in check_chart._DEFINE.findall(file.read_text())}

    assert prefixes("chart") == {"ai-agent"}
    assert (prefixes("subcharts/postgresql"), prefixes("subcharts/redis")) == ({"aipg"}, {"airedis"})
