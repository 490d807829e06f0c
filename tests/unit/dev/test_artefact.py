"""The archive that users install: what is in it, what never gets in, and that the same files give the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dev import artefact, ignores
from lab.progress import LabError

ROOT = Path(__file__).resolve().parents[3]
GALAXY = Path(sys.executable).with_name("ansible-galaxy")
# Where people keep what nobody else may see, by the names that they give it.
PLANTED = (
    *(
        ".env",
        ".env.prod",
        ".netrc",
        ".vault-password",
        "vault-password",
        "vault_pass.txt",
        "prod.kubeconfig",
        "kubeconfig",
        "tls.key",
        "ca.pem",
    ),
    *(
        "chart/.env",
        "roles/ai_agent/files/tls.key",
        "playbooks/vault.yml",
        "playbooks/deploy.retry",
        "plugins/modules/.env.local",
    ),
    *("inventories/prod/group_vars/all/vault.yml", "inventories/prod/vault-password", "ansible.log", "docs/.netrc"),
)


def plant(root: Path) -> None:
    """Put a canary into each file of PLANTED."""
    for name in PLANTED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("CANARY-of-the-artefact")


def canaries(archive: Path) -> list[str]:
    """The files of an archive that hold one."""
    with tarfile.open(archive) as packed:
        return [
            member.name
            for member in packed.getmembers()
            if (file := packed.extractfile(member) if member.isfile() else None)
            and b"CANARY-of-the-artefact" in file.read()
        ]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of the tracked files, as they are now, with one commit."""
    root = tmp_path / "checkout"
    for name in artefact.tracked():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name, follow_symlinks=False)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "all"], check=True)
    return root


def test_artefact_holds_what_a_user_calls_and_nothing_of_the_workshop(tmp_path: Path) -> None:
    archive = artefact.build(tmp_path / "work")
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    top = {name.split("/")[0] for name in names}
    assert top == {
        *("CHANGELOG.md", "CHANGELOG.rst", "CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md"),
        *("changelogs", "chart", "docs", "meta", "playbooks", "plugins", "requirements.txt", "roles", "site.yml"),
        *("examples", "extensions", "inventories", "subcharts", "tests"),
    }
    shipped = {name for name in names if name.startswith("tests/") and "." in name}
    assert shipped == {"tests/config.yml", *(f"tests/sanity/{file.name}" for file in ignores.files())}
    inventories = {Path(name).name for name in names if name.startswith("inventories/") and "." in name}
    assert inventories == {"hosts.yml", "main.yml", "vault.yml.example"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_what_git_does_not_know_is_not_shipped(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "known").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "removed").write_text("")
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    (tmp_path / "removed").unlink()
    (tmp_path / "unknown").write_text("")
    assert artefact.tracked(tmp_path) == [Path("known"), Path("link")]


def test_same_files_give_the_same_bytes(checkout: Path, tmp_path: Path) -> None:
    first = artefact.build(tmp_path / "first", checkout).read_bytes()
    for number, path in enumerate(sorted(checkout.rglob("*.yml"))):
        os.utime(path, (number, number))
    old = os.umask(0o077)
    try:
        second = artefact.build(tmp_path / "second", checkout).read_bytes()
    finally:
        os.umask(old)
    assert first == second
    (checkout / "README.md").write_text("another\n")
    assert artefact.build(tmp_path / "third", checkout).read_bytes() != first


def test_date_is_given_or_the_last_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert artefact.date(checkout) == 1700000000
    with tarfile.open(artefact.build(tmp_path / "work", checkout)) as packed:
        assert {member.mtime for member in packed.getmembers()} == {1700000000}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(LabError, match='SOURCE_DATE_EPOCH is "yesterday"'):
        artefact.date(checkout)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert artefact.date(checkout) > 1700000000


def test_planted_secrets_stay_out(checkout: Path, tmp_path: Path) -> None:
    plant(checkout)
    (checkout / "chart/notes.txt").write_text("CANARY-of-the-artefact")
    assert not canaries(artefact.build(tmp_path / "ours", checkout))
    # ansible-galaxy alone does not know what git knows, so only the names that hold secrets are kept from it.
    (checkout / "chart/notes.txt").unlink()
    done = subprocess.run(
        [GALAXY, "collection", "build", "--output-path", tmp_path, checkout],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not canaries(next(tmp_path.glob("*.tar.gz")))


def test_galaxy_installs_it_and_finds_every_checksum_right(checkout: Path, tmp_path: Path) -> None:
    archive = artefact.build(tmp_path / "work", checkout)
    where = tmp_path / "collections"
    for words in (
        ["install", "--offline", "--no-deps", "-p", where, archive],
        ["verify", "--offline", "-p", where, "ai_platform.agent"],
    ):
        done = subprocess.run(
            [GALAXY, "collection", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            # The checkout's ansible.cfg would find the checkout.
            cwd=tmp_path,
            env=os.environ | {"ANSIBLE_HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
    installed = where / "ansible_collections" / "ai_platform" / "agent"
    program = (installed / "chart/files/probe.py").read_text()
    assert program == (ROOT / "plugins/module_utils/_in_pod/probe.py").read_text()
