"""Docker's engine: found, started, or installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lab import debian, shell
from lab.paths import LOGS
from lab.progress import LabError, say

MANUAL = "install Docker's engine by hand (on Debian 13 or Ubuntu: the package docker.io), then run this again"


def ensure() -> None:
    """Leave with an engine that answers.

    :raises LabError: there is none and this run may not, or cannot, install or start one
    """
    if answers():
        return
    if not shutil.which("dockerd"):
        host = os.environ.get("DOCKER_HOST")
        if host:
            raise LabError(f"Docker's engine at {host} (DOCKER_HOST) does not answer: start it, or unset DOCKER_HOST")
        _install()
    _start()


def answers() -> bool:
    """Whether ``docker info`` reaches an engine."""
    return shell.capture(["docker", "info", "--format", "{{.ServerVersion}}"], timeout=20).returncode == 0


def _install() -> None:
    wish = os.environ.get("LAB_INSTALL_DOCKER", "ask")
    release = debian.host()
    if wish == "no":
        raise LabError(f"Docker's engine is missing and LAB_INSTALL_DOCKER=no forbids to install it: {MANUAL}")
    if release is None or os.geteuid() != 0:
        raise LabError(f"Docker's engine is missing and only root on Debian or Ubuntu may have it installed: {MANUAL}")
    if wish == "ask" and sys.stdin.isatty():
        question = f"Docker's engine is missing. Install it with apt on this {release.name} machine? [y/N] "
        print(question, end="", flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise LabError(f"Docker's engine is missing and was not wanted: {MANUAL}")
    say("        installing Docker's engine with apt")
    if release.codename == "bookworm":
        # bookworm's docker.io 20.10 cannot start privileged containers where CAP_SYS_RESOURCE is out of reach.
        debian.add_suite("trixie")
        debian.install(["docker.io/trixie", "containerd/trixie", "iptables"])
    else:
        debian.install(["docker.io", "iptables"])


def _start() -> None:
    """Start the engine as this system does it, and wait until it answers."""
    if os.geteuid() != 0:
        raise LabError("Docker's engine does not answer you: start it, and add yourself to the group docker")
    say("        starting Docker's engine")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "dockerd.log"
    if Path("/run/systemd/system").is_dir():
        shell.run(["systemctl", "start", "docker"], log="dockerd", what="starting Docker's engine")
    else:
        with log.open("ab") as stream:
            subprocess.Popen(
                ["dockerd"], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True, cwd="/"
            )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if answers():
            return
        time.sleep(0.5)
    raise LabError(f"Docker's engine did not answer within 60 s of its start: see {log}")
