"""Bare Debians in containers, as far as it takes a minute; `make test-fresh` goes the whole way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.fresh import run
from dev.fresh.machine import CHECKOUT, Machine
from lab import shell
from lab.paths import ROOT

HELD = "import fcntl, time; f = open('/var/lib/apt/lists/lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(12)"
EVERYTHING = "from lab import needs; needs.ensure(*needs.ALL); needs.ensure(*needs.ALL)"


def test_an_older_debian_is_told_what_to_install(tmp_path: Path) -> None:
    with Machine("bookworm") as machine:
        machine.clone()
        code = machine.run("make up", tmp_path / "log")
        left = machine.read("git", "-C", CHECKOUT, "status", "--porcelain", "--ignored")
    errors = [line[8:] for line in (tmp_path / "log").read_text().splitlines() if "error:" in line]
    assert code == 2
    assert errors == [
        "error: no Python 3.12 or newer with venv was found on PATH, under pyenv or uv: Debian GNU/Linux 12 (bookworm)"
        " brings none, so install one with pyenv (pyenv install 3.13) or uv (uv python install 3.13),"
        " or name one: make PYTHON=/path/to/python3"
    ]
    assert left == ""


def test_a_bare_debian_gets_everything_in_one_call_though_its_apt_is_locked(tmp_path: Path) -> None:
    with Machine("trixie") as machine:
        newcomer = run.Newcomer(machine)
        machine.background("/dev/null", "python3", "-c", HELD)
        assert machine.run(f'python3 -c "{EVERYTHING}"', tmp_path / "log") == 0
        for program in ("dockerd", "docker", "containerd", "iptables", "mmdebstrap", "chromium-headless-shell"):
            assert machine.read("sh", "-c", f"PATH=$PATH:/usr/sbin; command -v {program}")
        assert newcomer.packages_beyond_the_list() == []
        assert {"docker.io", "mmdebstrap"} <= set(machine.read("apt-mark", "showmanual").split())
        log = machine.read("cat", f"{CHECKOUT}/.lab/logs/apt.log")
        executed = newcomer.executed()
    said = (tmp_path / "log").read_text()
    assert said.count("apt is in use by python3 (process ") >= 1
    assert log.count("$ apt-get") == 2
    # What it executes is seen, programs of containers and of the checkout left out.
    assert {"apt", "dpkg", "coreutils"} <= executed


def test_a_machine_is_gone_when_its_owner_is_killed() -> None:
    code = (
        "import sys, time\nfrom dev.fresh.machine import Machine\n"
        "with Machine('bookworm') as m:\n    print(m.name, flush=True)\n    time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().strip()
        volumes = _volumes(name)
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while shell.capture(["docker", "inspect", name]).returncode == 0:
        assert time.monotonic() < deadline, f"{name} outlived its owner"
        time.sleep(0.5)
    assert len(volumes) == 2
    assert not set(volumes) & set(shell.capture(["docker", "volume", "ls", "--quiet"]).stdout.split())


def _volumes(name: str) -> list[str]:
    form = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return shell.capture(["docker", "inspect", "--format", form, name]).stdout.split()


@pytest.mark.parametrize("command", ["make up", "make test"])
def test_the_commands_are_those_of_the_readme(command: str) -> None:
    assert command in run.commands((ROOT / "README.md").read_text())
