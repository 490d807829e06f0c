"""What a branch has changed, by a real git: also where there is no commit, a part of the history, or two of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.git_changes import since

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"}
WHO |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}
# A submodule or a clone from a folder.
LOCAL = ("-c", "protocol.file.allow=always")


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


def test_settings_of_git_in_the_environment_are_kept(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline says so, for one, that somebody else's folder may be read."""
    (tmp_path / "ignored").write_text("*.tmp\n")
    for name, value in (("COUNT", "1"), ("KEY_0", "core.excludesFile"), ("VALUE_0", str(tmp_path / "ignored"))):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    repository.write("0002.tmp")
    assert since(repository.app, "HEAD").files == frozenset()


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nosuch", "there is no nosuch here: write a branch, a tag or a commit"),
        ("--output=x", "write a branch, a tag or a commit"),
        ("postgresql://agent:hunter2@db/agent", "only_changed is no name that git takes"),
        ("orphan", "orphan shares no commit with HEAD: name the one that it was begun from"),
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
    assert "hunter2" not in told.value.message
    assert not (repository.app / "x").exists()


def test_a_folder_that_no_git_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FindingError, match="git cannot read"):
        since(tmp_path, "main")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FindingError, match="git, which is not installed"):
        since(tmp_path, "main")


def test_the_first_commit_changes_everything(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", tmp_path], check=True)
    staged, new = tmp_path / "0001.py", tmp_path / "0002.py"
    staged.write_text("")
    subprocess.run(["git", "-C", tmp_path, "add", "0001.py"], check=True)
    new.write_text("")
    found = since(tmp_path, "HEAD")
    assert found.words == "since the beginning"
    assert found.files == {staged, new}
    with pytest.raises(FindingError, match="nothing is committed yet on this branch, so that it has not left main"):
        since(tmp_path, "main")


def cloned(repository: Repository, place: Path, *words: str) -> Path:
    git = ["git", *LOCAL, "clone", "--quiet", *words, f"file://{repository.folder}", str(place)]
    subprocess.run(git, check=True, capture_output=True)
    return place


def test_a_clone_with_a_part_of_the_history(repository: Repository, tmp_path: Path) -> None:
    """As actions/checkout makes it."""
    repository.write("0002.py")
    repository.commit()
    place = cloned(repository, tmp_path / "shallow", "--depth", "1")
    (place / "0003.py").write_text("")
    assert since(place, "HEAD").files == {place / "0003.py"}
    for reference in ("develop", "HEAD~1"):
        with pytest.raises(FindingError, match=f"this clone has no {reference}, as it was made with a part") as told:
            since(place, reference)
        assert "fetch-depth 0" in told.value.message


def test_a_clone_whose_branches_meet_where_it_was_cut(repository: Repository, tmp_path: Path) -> None:
    repository.git("checkout", "--quiet", "-b", "mine")
    repository.write("0002.py")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("0002_theirs.py")
    repository.commit()
    place = cloned(repository, tmp_path / "shallow", "--depth", "1", "--no-single-branch", "--branch", "mine")
    with pytest.raises(FindingError, match="shares no commit with HEAD here; its history is cut off") as told:
        since(place, "origin/main")
    assert "git fetch --unshallow origin main" in told.value.message


def test_a_base_branch_that_is_only_at_its_origin(repository: Repository, tmp_path: Path) -> None:
    repository.git("branch", "release")
    place = cloned(repository, tmp_path / "clone")
    with pytest.raises(FindingError, match="there is no release here, but origin/release: write that"):
        since(place, "release")
    assert since(place, "origin/release").files == frozenset()


def test_a_detached_head_and_another_work_tree(repository: Repository, tmp_path: Path) -> None:
    repository.git("checkout", "--quiet", "--detach")
    mine = repository.write("0002.py")
    repository.commit()
    assert since(repository.app, "main").files == {mine}
    repository.git("worktree", "add", "--quiet", str(tmp_path / "beside"), "main")
    other = tmp_path / "beside" / "0003.py"
    other.write_text("")
    assert since(tmp_path / "beside", "main").files == {other}


def test_a_merge_that_is_being_committed_changes_what_neither_side_has(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "mine")
    own = repository.write("0002.py")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    theirs = repository.write("0002_theirs.py")
    repository.commit()
    repository.git("checkout", "--quiet", "mine")
    subprocess.run(
        ["git", "-C", repository.folder, "merge", "--quiet", "--no-commit", "main"],
        check=True,
        capture_output=True,
        env=os.environ | WHO,
    )
    merging = repository.write("0003_both.py")
    assert since(repository.app, "HEAD").files == {merging}
    # The branch as a whole.
    assert since(repository.app, "main").files == {own, merging}
    repository.commit()
    assert since(repository.app, "main").files == {own, merging}
    assert theirs.exists()


def test_a_file_that_was_only_moved_has_both_names(repository: Repository) -> None:
    old = repository.write("0002.py", "one\ntwo\nthree\nfour\n")
    repository.commit()
    new = old.with_name("0002_named.py")
    repository.git("mv", str(old), str(new))
    found = since(repository.app, "HEAD")
    assert found.files == {old, new}
    assert found.renamed == {old: new}


def test_a_link_is_what_it_leads_to_as_well(repository: Repository) -> None:
    folder = repository.folder / "shared"
    folder.mkdir()
    link = repository.app / "sql"
    link.symlink_to(folder, target_is_directory=True)
    assert since(repository.app, "HEAD").files == {repository.app.resolve() / "sql", folder.resolve()}


@pytest.fixture
def outer(repository: Repository, tmp_path: Path) -> Repository:
    """A repository with the other one as a submodule."""
    found = Repository(tmp_path / "outer")
    found.git(*LOCAL, "submodule", "--quiet", "add", str(repository.folder), "service")
    found.commit()
    return found


def test_a_submodule_is_compared_with_the_commit_that_belonged_to_the_reference(outer: Repository) -> None:
    inner = outer.folder / "service"
    migrations = inner / "a service" / "migrations" / "versions"
    assert since(migrations, "HEAD").files == frozenset()
    new = migrations / "0002.py"
    new.write_text("")
    git = ["git", "-C", str(inner)]
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "x"], check=True, env=os.environ | WHO)
    beside = outer.folder / "settings.toml"
    beside.write_text("")
    # Committed in the submodule, and not yet in what holds it: HEAD of the submodule would differ in nothing.
    found = since(migrations, "HEAD")
    assert found.files == {new.resolve(), beside.resolve()}
    # From outside, the submodule is one file.
    assert inner.resolve() in since(outer.app, "HEAD").files
    with pytest.raises(FindingError, match="there is no nosuch here"):
        since(migrations, "nosuch")


def test_a_submodule_that_the_reference_does_not_have(outer: Repository) -> None:
    outer.git("branch", "before", "HEAD~1")
    inner = outer.folder / "service"
    assert inner.resolve() in since(inner, "before").files
