"""A program of its own: it holds a throw-away PostgreSQL, and removes it when whoever started it is no longer there.

It is run by `python -c`, and imports nothing of this collection.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# This file is a program, not an Ansible module: it has no AnsibleModule to run commands or print.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Seconds that the server has for its end.
PATIENCE = 5


def die_with_parent() -> None:
    """Have the kernel end this process at once (SIGQUIT) when its parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def main(folder: str, initdb: t.Sequence[str], server: t.Sequence[str], user: tuple[int, int] | None) -> None:
    """Make the data directory, start the server, say "started", and end both when stdin ends.

    :param folder: removed at the end, with everything in it
    :param user: user and group of the server, None for this process's own
    """
    as_whom: dict[str, t.Any] = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    running: subprocess.Popen[bytes] | None = None
    path = Path(folder) / "supervisor.log"
    try:
        with path.open("wb") as log:
            made = subprocess.run(
                initdb, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False, cwd=folder, **as_whom
            )
            if made.returncode == 0:
                running = subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
                    server, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - there are no threads here
                    **as_whom,
                )  # fmt: skip
        lines = path.read_text(errors="replace").strip().splitlines() or [""]
        print("started" if running else f"failed: {lines[-1]}", flush=True)
        sys.stdin.read()
    except OSError as error:
        print(f"failed: {error}", flush=True)
    finally:
        if running:
            running.send_signal(signal.SIGQUIT)
            try:
                running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                # One that was still starting may not hear it. Its other processes end when they miss it.
                running.kill()
                running.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":  # pragma: no cover - as a program
    import json

    main(*json.loads(sys.argv[1]))

__all__ = ("main",)
