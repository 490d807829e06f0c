"""Docker's engine: found, started, or installed where that is allowed."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from lab import needs, shell
from lab.paths import LOGS
from lab.progress import LabError, say

answers = needs.answers
"""Whether ``docker info`` reaches an engine."""


def ensure() -> None:
    """Leave with an engine that answers.

    :raises LabError: there is none and this run may not, or cannot, install or start one
    """
    if answers():
        return
    if host := os.environ.get("DOCKER_HOST"):
        raise LabError(f"Docker's engine at {host} (DOCKER_HOST) does not answer: start it, or unset DOCKER_HOST")
    needs.ensure(needs.ENGINE)
    # A package may have started it.
    if not answers():
        _start()


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
