"""The hook that other repositories take from this one, in a repository of its own, by the real pre-commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from lab.paths import ROOT
from tests.integration.preflight.asking import BOTH_MODES, ask, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

# What pip reads of this repository; pre-commit would clone all of it.
PACKED = ("pyproject.toml", "LICENSE", ".pre-commit-hooks.yaml", "plugins")
WHO = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
SECRET = "hunter2"


def git(folder: Path, *words: str, home: Mapping[str, str] | None = None, fails: bool = False) -> str:
    done = subprocess.run(
        ["git", *WHO, "-C", folder, *words],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | dict(home or {}),
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def committed(folder: Path) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def hooks(tmp_path: Path) -> tuple[Path, str]:
    """This repository as pre-commit finds it, with what is not committed yet; and its revision."""
    folder = tmp_path / "hooks"
    for name in PACKED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder)
    return folder, committed(folder)


def test_a_commit_is_judged_by_what_it_adds(hooks: tuple[Path, str], database: str, tmp_path: Path) -> None:
    prepare(database, "CREATE TABLE ledger (id int PRIMARY KEY, a int, b int)", revision="0001")
    project = Project(tmp_path / "repository", BOTH_MODES).add("0001", None)
    facts = tmp_path / "facts.json"
    ask(project.folder, database, facts_path=str(facts))
    # Merged before, by somebody else.
    project.add("0002", "0001", "ALTER TABLE ledger RENAME COLUMN a TO a_old")
    arguments = ["--facts", str(facts), "--alembic-python", sys.executable, "--fail-on", "fail"]
    hook = {"id": "migration-preflight", "args": arguments}
    config = {"repos": [{"repo": str(hooks[0]), "rev": hooks[1], "hooks": [hook]}]}
    (project.folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    committed(project.folder)
    home = {
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "VIRTUALENV_OVERRIDE_APP_DATA": str(tmp_path / "virtualenv"),
        "DATABASE_URL": f"postgresql://agent:{SECRET}@127.0.0.1:1/agent",
    }
    words = [
        sys.executable,
        "-m",
        "uv",
        "tool",
        "run",
        "--quiet",
        "--python",
        sys.executable,
        "pre-commit",
        "install",
        "--install-hooks",
    ]
    made = subprocess.run(words, cwd=project.folder, env=os.environ | home, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr

    project.add("0003", "0002", "ALTER TABLE ledger ADD COLUMN c int")
    git(project.folder, "add", "--all")
    said = git(project.folder, "commit", "--message", "a column", home=home)
    assert "Passed" in said

    project.add("0004", "0003", "ALTER TABLE ledger RENAME COLUMN b TO b_old")
    git(project.folder, "add", "--all")
    said = git(project.folder, "commit", "--message", "another name", fails=True, home=home)
    assert "exit code: 1" in said
    assert "UNSAFE" in said
    assert "rename" in said
    assert "2 pending revisions are not changed since HEAD (0002, 0003)" in said
    assert "facts" in said
    assert SECRET not in said
    assert "Traceback" not in said
    # Without the file of facts there is no verdict, and no commit.
    facts.unlink()
    said = git(project.folder, "commit", "--message", "another name", fails=True, home=home)
    assert "exit code: 2" in said
    assert "no verdict" in said


def test_its_version_and_what_it_needs_are_those_of_the_collection() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    needs = set((ROOT / "requirements.txt").read_text().splitlines())
    assert set(project["dependencies"]) - {"ansible-core>=2.19"} <= needs
