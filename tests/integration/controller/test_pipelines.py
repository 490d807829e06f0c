"""The examples for pull requests, by the schemas of GitHub and GitLab as check-jsonschema brings them along."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dev import environments
from lab.cache import cached

from .conftest import ROOT

CHECKER = "check-jsonschema==0.33.0"


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
