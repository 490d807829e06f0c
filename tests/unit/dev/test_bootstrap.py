"""dev/bootstrap.sh on machines that lack something: one line, and no half-made environment."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ("sh", "dirname", "uname", "cksum", "tr", "git", "rm", "touch", "flock", "find", "xargs", "grep", "sleep")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "checkout" / "dev").mkdir(parents=True)
    shutil.copy2(ROOT / "dev" / "bootstrap.sh", tmp_path / "checkout" / "dev")
    (tmp_path / "checkout" / "requirements-dev.txt").write_text("nothing-of-this-name==0\n")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path / "checkout"


def bootstrap(checkout: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent), **more}
    return subprocess.run(
        ["sh", "dev/bootstrap.sh"], cwd=checkout, env=env, capture_output=True, text=True, check=False
    )


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_a_python_one_line_says_so(checkout: Path) -> None:
    done = bootstrap(checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Python 3.12 or newer")
    assert done.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_a_python_that_refuses_or_is_old_is_passed_over(checkout: Path) -> None:
    program(checkout.parent / "bin" / "python3", "exit 127")
    program(checkout.parent / "bin" / "python3.13", "exit 1")
    assert bootstrap(checkout).stderr.startswith("error: no Python 3.12 or newer")


def test_pyenv_versions_are_looked_at(checkout: Path) -> None:
    found = checkout.parent / ".pyenv" / "versions" / "3.13.9" / "bin" / "python3"
    # Answers the check, then reports how it was called for the rest.
    program(found, 'case "$1" in -c) exit 0;; --version) echo Python 3.13.9;; *) echo "called: $*" >&2; exit 3;; esac')
    done = bootstrap(checkout)
    assert "making .venv with Python 3.13.9" in done.stdout
    assert "called: -m venv .venv" in done.stderr


def test_uvs_versions_are_looked_at(checkout: Path) -> None:
    found = checkout.parent / ".local/share/uv/python/cpython-3.13.9-linux-x86_64-gnu/bin/python3"
    program(found, 'case "$1" in -c) exit 0;; --version) echo Python 3.13.9;; *) exit 3;; esac')
    assert "making .venv with Python 3.13.9" in bootstrap(checkout).stdout


@pytest.mark.parametrize(
    ("release", "remedy"),
    [
        ('ID=debian\nVERSION_ID="13"\n', "run as root apt-get install python3-venv"),
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "run as root apt-get install python3-venv"),
        (
            'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "Debian GNU/Linux 12 (bookworm) brings none, so install one with pyenv (pyenv install 3.13)"
            " or uv (uv python install 3.13)",
        ),
        ('ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04"\n', "Ubuntu 22.04 brings none, so install"),
        ("", "this distribution brings none, so install one with pyenv"),
    ],
)
def test_the_remedy_is_one_that_the_distribution_has(checkout: Path, release: str, remedy: str) -> None:
    (checkout.parent / "os-release").write_text(release)
    done = bootstrap(checkout, OS_RELEASE=str(checkout.parent / "os-release"))
    assert remedy in done.stderr
    assert done.stderr.endswith("or name one: make PYTHON=/path/to/python3\n")
    assert done.stderr.count("\n") == 1


def test_without_git_one_line_says_so(checkout: Path) -> None:
    (checkout.parent / "bin" / "git").unlink()
    done = bootstrap(checkout)
    assert (done.returncode, done.stderr) == (1, "error: git is missing: install it, then run this again\n")


# A Python that takes its time to make an environment, and tells when two of them are at it.
SLOW = """case "$*" in
-c*) exit 0;;
--version) echo Python 3.13.9;;
"-m venv .venv")
    mkdir .venv.being-made || { echo "two at once" >&2; exit 4; }
    sleep 1; mkdir -p .venv/bin; echo '#!/bin/sh' >.venv/bin/python
    chmod +x .venv/bin/python; cp .venv/bin/python .venv/bin/uv
    rmdir .venv.being-made; echo made >>made;;
esac"""


def test_two_at_once_make_one(checkout: Path) -> None:
    for tool in ("mkdir", "chmod", "cp", "rmdir"):
        (checkout.parent / "bin" / tool).symlink_to(str(shutil.which(tool)))
    (checkout / "requirements-dev.txt").write_text("uv==0\n")
    program(checkout.parent / "bin" / "python3.13", SLOW)
    env = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent)}
    both = [subprocess.Popen(["sh", "dev/bootstrap.sh"], cwd=checkout, env=env, stdout=-1, stderr=-1) for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert (checkout / "made").read_text() == "made\n"
    assert sum(b"another make is making .venv: waiting for it" in out for out, _err in said) == 1


def test_an_environment_that_was_removed_is_made_again(checkout: Path) -> None:
    for tool in ("mkdir", "chmod", "cp", "rmdir"):
        (checkout.parent / "bin" / tool).symlink_to(str(shutil.which(tool)))
    (checkout / "requirements-dev.txt").write_text("uv==0\n")
    program(checkout.parent / "bin" / "python3.13", SLOW)
    assert bootstrap(checkout).returncode == 0
    assert bootstrap(checkout).stdout == ""
    (checkout / ".venv/bin/python").unlink()
    assert bootstrap(checkout).returncode == 0
    assert (checkout / "made").read_text() == "made\nmade\n"
