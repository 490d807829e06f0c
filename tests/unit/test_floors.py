"""meta/floors.yml is where the oldest versions stand; every other mention says the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies

ROOT = Path(__file__).resolve().parents[2]
FLOORS: dict[str, str] = {
    name: str(value) for name, value in yaml.safe_load((ROOT / "meta" / "floors.yml").read_text()).items()
}
LIBRARIES = ("kubernetes", "PyYAML", "jsonpatch", "pglast", "alembic", "SQLAlchemy", "psycopg", "redis", "minio")
V = r"(\d+(?:\.\d+)*)"
# File, what it is the floor of, and the words around the number. Each must be found.
MENTIONS = [
    *(("requirements.txt", name, rf"^{name}(?:\[binary\])?>={V}$") for name in LIBRARIES),
    ("meta/runtime.yml", "ansible-core", rf'requires_ansible: ">={V}"'),
    ("galaxy.yml", "kubernetes.core", rf'kubernetes\.core: ">={V},'),
    ("collections/requirements.yml", "kubernetes.core", rf'version: ">={V},'),
    ("dev/bootstrap.sh", "python", r"sys\.version_info < \((\d+, \d+)\)"),
    ("pyproject.toml", "python", r'target-version = "py(\d+)"'),
    ("chart/Chart.yaml", "cluster", rf'kubeVersion: ">={V}\.0-0"'),
    ("chart/README.md", "cluster", rf"Kubernetes {V} or newer"),
    ("chart/README.md", "helm 4", rf"Helm {V} or newer"),
    ("chart/README.md", "helm 3", rf"or {V} and newer"),
    ("README.md", "ansible-core", rf"^\| ansible-core \| ≥ {V}"),
    ("README.md", "kubernetes.core", rf"^\| kubernetes\.core \| ≥ {V}"),
    ("README.md", "python", rf"^\| Python on the controller \| ≥ {V}"),
    ("README.md", "cluster", rf"^\| Kubernetes \| ≥ {V}"),
    ("README.md", "helm 4", rf"^\| Helm \| 4 from {V},"),
    ("README.md", "helm 3", rf"^\| Helm \| 4 from [\d.]+, or 3 from {V}"),
    ("README.md", "python", rf"Python ≥ {V}"),
    ("README.md", "helm 4", rf"helm 4 from {V},"),
    ("README.md", "helm 3", rf"helm 3 from {V}, must be"),
    ("meta/execution-environment.yml", "helm 4", rf"\({V} or later"),
    ("meta/execution-environment.yml", "helm 3", rf"or {V} or later\)"),
    ("roles/ai_agent/README.md", "ansible-core", rf"ansible-core {V},"),
    ("roles/ai_agent/README.md", "kubernetes.core", rf"kubernetes\.core {V}"),
    ("roles/ai_agent/README.md", "python", rf"Python {V} with"),
    ("roles/ai_agent/README.md", "kubernetes", rf"`kubernetes` {V}"),
    ("roles/ai_agent/README.md", "pglast", rf"`pglast` {V}"),
    ("roles/ai_agent/README.md", "helm 4", rf"Helm 4 from {V}, or"),
    ("roles/ai_agent/README.md", "helm 3", rf"Helm 3 from {V}"),
    ("roles/ai_agent/meta/argument_specs.yml", "helm 4", rf"Helm 4 from {V} on"),
    ("roles/ai_agent/meta/argument_specs.yml", "helm 3", rf"Helm 3 from {V} on"),
    ("roles/ai_agent/vars/main.yml", "ansible-core", rf"__ai_agent_ansible_floor: {V}"),
    ("roles/ai_agent/vars/main.yml", "python", rf'__ai_agent_python_floor: "{V}"'),
    ("roles/ai_agent/vars/main.yml", "kubernetes.core", rf"__ai_agent_kubernetes_core_floor: {V}"),
    ("roles/ai_agent/vars/main.yml", "kubernetes", rf"__ai_agent_kubernetes_client_floor: {V}"),
    ("roles/ai_agent/vars/main.yml", "helm 3", rf"__ai_agent_helm3_floor: {V}"),
    ("roles/ai_agent/vars/main.yml", "helm 4", rf"__ai_agent_helm4_floor: {V}"),
    ("plugins/modules/release_info.py", "python", r"sys\.version_info < \((\d+, \d+)\)"),
    ("plugins/module_utils/_common/findings_cluster.py", "cluster", rf"Use Kubernetes {V} or later"),
    ("docs/runbook.md", "cluster", rf"to {V} or later, which the chart needs"),
    ("docs/decisions.md", "cluster", rf"the chart needs {V}\."),
    ("docs/specification.md", "cluster", rf"\| Kubernetes {V} \("),
    ("docs/specification.md", "helm 3", rf"Helm {V} or"),
    ("docs/specification.md", "helm 4", rf"Helm [\d.]+ or {V}"),
]


def numbers(text: str) -> tuple[int, ...]:
    """A version, however it is written (3.12, `3, 12`, 312), without zeros at its end."""
    parts = [text[0], text[1:]] if re.fullmatch(r"3\d\d", text) else re.split(r"\D+", text)
    found = [int(part) for part in parts]
    while len(found) > 1 and not found[-1]:
        found.pop()
    return tuple(found)


@pytest.mark.parametrize(("file", "name", "pattern"), MENTIONS)
def test_a_mention_says_the_floor(file: str, name: str, pattern: str) -> None:
    found = re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert found, f"{file} names no floor of {name} any more: correct MENTIONS"
    assert {numbers(one) for one in found} == {numbers(FLOORS[name])}


def test_a_module_documents_the_floor_of_each_library_it_names() -> None:
    seen = set()
    for file in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        for name, version in re.findall(r"([\w-]+) >= (\d[\d.]*\d|\d)", file.read_text()):
            key = "python" if name == "Python" else name
            seen.add(key)
            assert numbers(version) == numbers(FLOORS[key]), f"{file.name}: {name}"
    assert seen >= {"python", "kubernetes", "pglast", "PyYAML", "psycopg"}


def test_the_preflight_asks_for_the_floors() -> None:
    for name, least in (dependencies.DIRECT | dependencies.CLUSTER).items():
        assert numbers(".".join(map(str, least))) == numbers(FLOORS[name]), name


def test_an_unusual_number_stands_nowhere_else() -> None:
    """36.0.2 and 4.2.4 are nobody's but the floors': a file that says one and is not compared is a file forgotten."""
    known = {file for file, _name, _pattern in MENTIONS} | {"meta/floors.yml", "tests/unit/test_floors.py"}
    places = ["README.md", "chart/README.md", "docs", "meta", "playbooks", "plugins", "roles", "requirements.txt"]
    words = ["git", "grep", "-lE", r"(^|[^0-9.])(36\.0\.2|4\.2\.4)([^0-9.]|\.?$)", "--", *places]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    others = {name for name in done.stdout.split() if name not in known and not name.startswith("plugins/modules/")}
    assert done.returncode == 0
    assert others <= {"plugins/module_utils/_common/dependencies.py"}
