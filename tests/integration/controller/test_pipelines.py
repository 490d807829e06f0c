"""The examples for pull requests, by the schemas of GitHub, GitLab and Tekton, and by actionlint."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import jsonschema
import pytest
import yaml

from dev import environments
from lab import golang
from lab.cache import cached

from .conftest import ROOT

CHECKER = "check-jsonschema==0.33.0"
ACTIONLINT = "1.7.12"
TEKTON = "1.6.0"
FILES = ("github-actions.yml", "gitlab-ci.yml", "tekton.yml")


@pytest.fixture(scope="module")
def checker() -> Path:
    def build(folder: Path) -> None:
        environments.fill(folder / "venv", CHECKER)

    key = f"{CHECKER.partition('==')[2]}-{environments.python()}"
    return cached("check-jsonschema", key, build) / "venv/bin/check-jsonschema"


def check(checker: Path, schema: str, file: Path) -> subprocess.CompletedProcess[str]:
    words = [checker, "--builtin-schema", schema, file]
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("schema", "name"), [("vendor.github-workflows", "github-actions.yml"), ("vendor.gitlab-ci", "gitlab-ci.yml")]
)
def test_the_service_takes_it(schema: str, name: str, checker: Path, tmp_path: Path) -> None:
    file = ROOT / "docs/ci" / name
    done = check(checker, schema, file)
    assert done.returncode == 0, done.stdout + done.stderr
    # It does refuse what the service would.
    wrong = tmp_path / name
    wrong.write_text(
        file.read_text().replace("runs-on:", "runs_on:").replace("    when: always", "    when: sometimes")
    )
    assert check(checker, schema, wrong).returncode != 0


def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    """Expressions, contexts and what actions take, of which a schema knows nothing."""
    program = golang.install("actionlint", ACTIONLINT, "github.com/rhysd/actionlint/cmd/actionlint", "actionlint")

    def lint(file: Path) -> subprocess.CompletedProcess[str]:
        # Without the shellcheck that a machine may have: the scripts are read by bash below.
        words = [str(program), "-shellcheck=", "-pyflakes=", str(file)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    file = ROOT / "docs/ci/github-actions.yml"
    done = lint(file)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(file.read_text().replace("secrets.PREFLIGHT_DATABASE_URL }}", "secret.PREFLIGHT_DATABASE_URL }}"))
    assert 'undefined variable "secret"' in lint(wrong).stdout


def closed(schema: t.Any) -> t.Any:
    """A schema that refuses the keys it does not name, as Tekton's admission does."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    open_to_all = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and not open_to_all:
        made["additionalProperties"] = False
    return made


def test_tekton_takes_it() -> None:
    """By the schema that Tekton's own module installs into clusters."""
    folder = golang.module_folder("github.com/tektoncd/pipeline", f"v{TEKTON}")
    definition = yaml.safe_load((folder / "config/300-crds/300-task.yaml").read_text())
    [version] = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]
    schema = closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    task = yaml.safe_load((ROOT / "docs/ci/tekton.yml").read_text())
    assert (task["apiVersion"], task["kind"]) == ("tekton.dev/v1", "Task")
    checker = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in checker.iter_errors(task["spec"])] == []
    task["spec"]["steps"][0]["scripts"] = task["spec"]["steps"][0].pop("script")
    assert [error.message for error in checker.iter_errors(task["spec"])]


def test_bash_reads_every_script() -> None:
    documents = [yaml.safe_load((ROOT / "docs/ci" / name).read_text()) for name in FILES]
    github, gitlab, tekton = documents
    scripts = [step["run"] for job in github["jobs"].values() for step in job["steps"] if "run" in step]
    scripts += ["\n".join(job["script"]) for job in gitlab.values() if isinstance(job, dict) and "script" in job]
    scripts += [step["script"] for step in tekton["spec"]["steps"]]
    assert len(scripts) >= 3
    for script in scripts:
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
