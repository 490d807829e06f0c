"""Which pending revisions a branch changed, by a real git; and what then counts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.only_changed import (
    Changed,
    narrowed,
    since,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"}
WHO |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}


class Repository:
    """A git work tree with a folder of revisions in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = folder / "a service"
        self.versions = self.app / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.write("0001.py")
        (self.app / "alembic.ini").write_text("[alembic]\n")
        self.commit()

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", self.folder, *words], check=True, capture_output=True, env=os.environ | WHO)

    def write(self, name: str, text: str = "revision") -> Path:
        path = self.versions / name
        path.write_text(text)
        return path.resolve()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "a repository")


def test_what_the_branch_did_and_not_what_others_did(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "mine")
    committed = repository.write("0002 é.py")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("0002_theirs.py")
    repository.commit()
    repository.git("checkout", "--quiet", "mine")
    staged = repository.write("0003.py")
    repository.git("add", "--all")
    new = repository.write("0004.py")
    edited = repository.write("0001.py", "another")
    assert since(repository.app, "main").files == {committed, staged, new, edited}


def test_ignored_files_and_those_that_are_as_they_were_do_not_count(repository: Repository) -> None:
    (repository.folder / ".gitignore").write_text("*.pyc\n")
    repository.commit()
    repository.write("0001.pyc")
    assert since(repository.app, "HEAD").files == frozenset()


def test_in_a_hook_of_another_repository(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = repository.write("0002.py")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert since(repository.app, "HEAD").files == {new}


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nosuch", "git cannot compare with nosuch"),
        ("--output=x", "write a branch, a tag or a commit"),
        ("orphan", "shares no commit"),
    ],
)
def test_a_reference_that_leads_nowhere(repository: Repository, reference: str, words: str) -> None:
    repository.git("checkout", "--quiet", "--orphan", "orphan")
    repository.write("other.py")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    with pytest.raises(FindingError, match=words) as told:
        since(repository.app, reference)
    assert told.value.id == "argument-invalid"
    assert not (repository.app / "x").exists()


def test_a_folder_that_no_git_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FindingError, match="git cannot read"):
        since(tmp_path, "main")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FindingError, match="git, which is not installed"):
        since(tmp_path, "main")


def segment(revision: str, source: str | None = None, path: str = "") -> Segment:
    return Segment(revision, 0, 0, "", path, None, None, source or f"migrations/versions/{revision}.py")


PENDING = [segment("0002"), segment("0003")]
FOUND = [
    finding("table-rewrite", "It rewrites.", revision="0002"),
    finding("rename", "It renames.", revision="0003"),
    finding("backup-old", "Somebody is at work."),
]


def left(folder: Path, *changed: str) -> list[Finding]:
    files = frozenset((folder / name).resolve() for name in changed)
    return narrowed(FOUND, PENDING, folder, "alembic.ini", Changed("since main", files))


def test_findings_of_what_is_not_changed_are_left_out_and_named(tmp_path: Path) -> None:
    found = left(tmp_path, "migrations/versions/0003.py", "app/models.py", "migrations/versions/README.md")
    assert [item.id for item in found] == ["rename", "backup-old", "revisions-not-changed"]
    assert found[-1].message == (
        "1 pending revision is not changed since main (0002); what was found there counts for no verdict here"
        " (table-rewrite)."
    )
    assert found[-1].severity == "info"


def test_without_a_changed_revision_what_concerns_all_is_left(tmp_path: Path) -> None:
    assert [item.id for item in left(tmp_path)] == ["backup-old", "revisions-not-changed"]


@pytest.mark.parametrize(
    "shared", ["alembic.ini", "migrations/env.py", "migrations/versions/helper.py", "migrations/data.sql"]
)
def test_a_file_that_every_revision_may_depend_on(tmp_path: Path, shared: str) -> None:
    assert left(tmp_path, shared) == FOUND


def test_all_changed(tmp_path: Path) -> None:
    assert left(tmp_path, "migrations/versions/0002.py", "migrations/versions/0003.py") == FOUND
