"""CHANGELOG.md and CHANGELOG.rst are what antsibull-changelog makes of changelogs/changelog.yaml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize("form", ["md", "rst"])
def test_the_changelog_is_generated(form: str, tmp_path: Path) -> None:
    made = tmp_path / f"CHANGELOG.{form}"
    words: list[str | Path] = [PROGRAMS / "antsibull-changelog", "generate", "--output", made, "--output-format", form]
    # It asks the ansible-doc on PATH for the plugins.
    env = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(words, cwd=ROOT, env=env, check=True, capture_output=True)
    assert (ROOT / made.name).read_text() == made.read_text(), "run `antsibull-changelog generate`"


def test_the_version_has_an_entry() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert version in yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text())["releases"]
