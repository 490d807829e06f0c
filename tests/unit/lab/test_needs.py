from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dev import suite
from lab import apt, debian, needs
from lab.debian import Host
from lab.paths import ROOT
from lab.progress import LabError

TRIXIE = Host("debian", "trixie", "Debian 13")
BOOKWORM = Host("debian", "bookworm", "Debian 12")
UBUNTU = Host("ubuntu", "noble", "Ubuntu 24.04")


class Machine:
    """A machine on which only `there` is installed; what apt is asked for is noted, and there afterwards."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.calls: list[list[str]] = []
        self.suites: list[str] = []

    def find(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.there else None

    def install(self, names: list[str]) -> None:
        self.calls.append(names)
        self.there |= {brought for need in needs.ALL for package in need.packages for brought in package.brings}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(needs, "find", found.find)
    monkeypatch.setattr(needs, "answers", lambda: False)
    monkeypatch.setattr(apt, "install", found.install)
    monkeypatch.setattr(debian, "add_suite", found.suites.append)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    for name in ("DOCKER_HOST", "LAB_INSTALL_DOCKER", "LAB_BROWSER"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Host | None], None]:
    return lambda host: monkeypatch.setattr(debian, "host", lambda: host)


def test_all_that_is_missing_is_asked_for_in_one_call(machine: Machine, on: Callable[[Host], None]) -> None:
    on(TRIXIE)
    needs.ensure(*needs.ALL)
    engine = ["docker.io", "containerd", "docker-cli", "iptables"]
    roots = ["mmdebstrap", "debian-archive-keyring"]
    assert machine.calls == [[*engine, *roots, "chromium-headless-shell", "fonts-dejavu-core"]]
    needs.ensure(*needs.ALL)
    assert len(machine.calls) == 1


def test_only_what_is_missing_is_asked_for(machine: Machine, on: Callable[[Host], None]) -> None:
    on(TRIXIE)
    machine.there = {"dockerd", "containerd", "iptables", "chromium", "mmdebstrap"}
    needs.ensure(*needs.ALL)
    assert machine.calls == [["docker-cli", "debian-archive-keyring"]]


def test_bookworm_takes_its_engine_from_trixie(machine: Machine, on: Callable[[Host], None]) -> None:
    on(BOOKWORM)
    needs.ensure(needs.ENGINE, needs.ROOTS)
    engine = ["docker.io/trixie", "containerd/trixie", "docker-cli/trixie", "iptables"]
    assert machine.calls == [[*engine, "mmdebstrap", "debian-archive-keyring"]]
    assert machine.suites == ["trixie"]


def test_ubuntu_has_the_docker_command_in_docker_io(machine: Machine, on: Callable[[Host], None]) -> None:
    on(UBUNTU)
    needs.ensure(needs.ENGINE)
    assert machine.calls == [["docker.io", "containerd", "iptables"]]


def test_an_engine_that_answers_needs_no_package(
    machine: Machine, on: Callable[[Host], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on(TRIXIE)
    monkeypatch.setattr(needs, "answers", lambda: True)
    needs.ensure(needs.ENGINE)
    assert machine.calls == []


def test_an_engine_elsewhere_is_not_replaced_by_one_here(
    machine: Machine, on: Callable[[Host], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on(TRIXIE)
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    needs.ensure(needs.ENGINE)
    assert machine.calls == []


def test_who_is_not_root_reads_the_whole_command(
    machine: Machine, on: Callable[[Host], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on(TRIXIE)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    command = "apt-get install mmdebstrap debian-archive-keyring chromium-headless-shell fonts-dejavu-core"
    with pytest.raises(
        LabError, match=f"mmdebstrap .* and Chromium is missing.*run as root {command}, then this again"
    ):
        needs.ensure(needs.ROOTS, needs.BROWSER)


@pytest.mark.parametrize("host", [None, UBUNTU])
def test_what_a_distribution_does_not_have_is_named_with_a_way_out(
    machine: Machine, on: Callable[[Host | None], None], host: Host | None
) -> None:
    on(host)
    with pytest.raises(LabError, match=r"Chromium is missing.*install Chromium by hand, or name one in LAB_BROWSER"):
        needs.ensure(needs.BROWSER)


def test_a_package_that_does_not_bring_what_it_should_is_named(
    machine: Machine, on: Callable[[Host], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on(TRIXIE)
    monkeypatch.setattr(apt, "install", lambda _names: None)
    with pytest.raises(LabError, match="mmdebstrap with Debian's keys is still missing after apt installed"):
        needs.ensure(needs.ROOTS)


def test_no_other_place_asks_the_package_manager() -> None:
    """One list: whoever needs another package adds it there."""
    asking = re.compile(r'"apt-get"|\bapt-get (?:-\S+ )*install|"apt", "install"|apt\.install\(')
    files = [path for room in ("lab", "dev") for path in (ROOT / room).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in files if asking.search(path.read_text())}
    assert found == {"lab/apt.py", "lab/needs.py"}


def test_make_test_asks_for_all_its_stages_at_once(machine: Machine, on: Callable[[Host], None]) -> None:
    on(TRIXIE)
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "dev.suite lint unit" in line)
    stages = line.partition("dev.suite ")[2].split()
    suite.require(stages)
    assert len(machine.calls) == 1
    assert {"docker.io", "mmdebstrap", "chromium-headless-shell"} <= set(machine.calls[0])


def test_a_file_and_an_administrators_program_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.find(str(tmp_path)) == str(tmp_path)
    assert needs.find(str(tmp_path / "none")) is None
    assert needs.find("ldconfig") in {"/usr/sbin/ldconfig", "/sbin/ldconfig"}
