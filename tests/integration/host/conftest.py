"""A package manager of its own for each test: apt and dpkg as they are, over a root folder and a folder of packages."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import apt, shell

HOLD = """
import fcntl, sys, time
with open(sys.argv[1], "a") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@dataclass
class Manager:
    """What a test can do with it: offer packages, look what is installed, look what apt was called for."""

    root: Path
    logs: Path

    def offer(self, name: str, preinst: str = "") -> None:
        """Put a package into the mirror."""
        tree = self.root / "build" / name
        (tree / "DEBIAN").mkdir(parents=True)
        fields = f"Package: {name}\nVersion: 1\nArchitecture: all\nDescription: {name}\n"
        (tree / "DEBIAN" / "control").write_text(f"{fields}Maintainer: a test <test@example.com>\n")
        if preinst:
            script = tree / "DEBIAN" / "preinst"
            script.write_text(f"#!/bin/sh\n{textwrap.dedent(preinst)}")
            script.chmod(0o755)
        (tree / "usr" / "bin").mkdir(parents=True)
        program = tree / "usr" / "bin" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        for folder in tree.rglob("*"):
            if folder.is_dir():
                folder.chmod(0o755)
        subprocess.run(
            ["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, self.root / "mirror"],
            check=True,
            capture_output=True,
        )
        deb = next((self.root / "mirror").glob(f"{name}_*.deb"))
        index = self.root / "mirror" / "Packages"
        with index.open("a") as stream:
            digest = hashlib.sha256(deb.read_bytes()).hexdigest()
            stream.write(f"{fields}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n\n")

    def has(self, name: str) -> bool:
        """Whether the package is installed and configured."""
        words = ["dpkg-query", f"--admindir={self.root}/dpkg", "--show", "--showformat", "${db:Status-Abbrev}", name]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() == "ii"

    def calls(self) -> list[str]:
        """The installs that apt was called for."""
        lines = (self.logs / "apt.log").read_text().splitlines()
        return [line for line in lines if line.startswith("$ apt-get") and " install " in line]

    def source(self, text: str) -> None:
        """Replace the mirror's line."""
        (self.root / "etc" / "sources.list").write_text(f"{text}\n")

    def configure(self, text: str) -> None:
        """Add to apt's configuration."""
        with (self.root / "apt.conf").open("a") as stream:
            stream.write(f"{text}\n")


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manager:
    """apt with everything under a folder of its own: locks, lists, cache, status, root."""
    root = tmp_path / "host"
    for folder in ("lists/partial", "cache/archives/partial", "etc", "dpkg/updates", "dpkg/info", "mirror", "build"):
        (root / folder).mkdir(parents=True)
    (root / "dpkg" / "status").touch()
    (root / "dpkg" / "available").touch()
    (root / "mirror" / "Packages").touch()
    settings = {
        "Dir::State": root,
        "Dir::State::lists": root / "lists",
        "Dir::State::status": root / "dpkg" / "status",
        "Dir::State::extended_states": root / "extended_states",
        "Dir::Cache": root / "cache",
        "Dir::Etc": root / "etc",
        "Dir::Log": root,
        # Nobody's own settings: hooks of the machine would act on the machine.
        "Dir::Etc::parts": "/dev/null",
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
    }
    # Scripts run on this machine, not in the root, where no shell is; they are the tests' own.
    options = [f"--admindir={root}/dpkg", f"--instdir={root}", "--force-not-root", "--force-script-chrootless"]
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    lines.append("DPkg::Options { " + " ".join(f'"{option}";' for option in options) + " };")
    (root / "apt.conf").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("APT_CONFIG", str(root / "apt.conf"))
    monkeypatch.setattr(shell, "LOGS", tmp_path)
    monkeypatch.setattr(apt, "PACE", 0.3)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    found = Manager(root, tmp_path)
    found.source(f"deb [trusted=yes] file:{root}/mirror ./")
    return found


@pytest.fixture
def held() -> Callable[[Path, float], AbstractContextManager[int]]:
    """Another program that has a lock for some seconds; gives its process number."""

    @contextmanager
    def hold(path: Path, seconds: float) -> Iterator[int]:
        program = [sys.executable, "-c", HOLD, str(path), str(seconds)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            yield other.pid
            other.kill()

    return hold
