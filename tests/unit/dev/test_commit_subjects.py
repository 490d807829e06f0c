"""Commit subjects: what is too long is named, and what this checkout has is short enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dev import commit_subjects

ROOT = Path(__file__).resolve().parents[3]


def checked(message: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "message").write_text(message)
    words: list[str | Path] = [sys.executable, "-m", "dev.commit_subjects", "--message", folder / "message"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("length", "code"), [(72, 0), (73, 1)])
def test_72_characters_at_most(length: int, code: int, tmp_path: Path) -> None:
    done = checked("x" * length + "\n\n" + "y" * 90 + "\n", tmp_path)
    assert done.returncode == code
    assert bool(done.stderr) == bool(code)


def test_history_that_is_not_there_is_told_apart_from_a_good_one(tmp_path: Path) -> None:
    assert commit_subjects.recent(tmp_path) is None
    assert commit_subjects.long(commit_subjects.recent() or []) == []


def test_hooks_and_workflow_run_what_is_here() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"], "a hook of another repository would be fetched"
    programs = {hook["entry"].split()[0] for hook in hooks[0]["hooks"]}
    assert programs == {".venv/bin/ruff", ".venv/bin/yamllint", ".venv/bin/python"}
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    assert [step["run"] for step in jobs["test"]["steps"] if "run" in step] == ["make test"]
