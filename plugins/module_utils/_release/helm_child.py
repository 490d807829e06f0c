"""A program of its own: it runs one helm that changes a release, and ends it when the run's Lease is no longer kept.

`python helm_child.py FOLDER HELM ARGUMENTS...`, FOLDER being that of `lease_keeper`. It is run by its path, and imports
nothing of this collection. Its exit code and its output are helm's.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# This file is a program, not an Ansible module: it has no AnsibleModule to run commands or print.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Files of the folder, as in lease_keeper. A helm holds a shared lock on WORKING as long as it lives; the keeper holds
# ALIVE open for writing as long as it keeps the Lease, and writes into RENEWED when it last renewed it.
WORKING, ALIVE, RENEWED = "working", "alive", "renewed"
# A keeper that renewed nothing for so many seconds is stopped or hangs: the Lease, which holds for 60, is about to be
# somebody else's.
STALE_SECONDS = 45.0
# What helm has to write down that the operation failed, before it is killed. STALE + GRACE stay below the Lease's 60.
GRACE_SECONDS = 5.0
LOOK_SECONDS = 0.5
# The exit code that a shell gives for a program that SIGTERM ended.
ENDED = 128 + signal.SIGTERM


def main(folder: Path, words: t.Sequence[str]) -> int:
    """Run helm; its exit code, or ENDED with a sentence on standard error."""
    ended = []
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.append("whoever started it ended"))
    parent = os.getppid()
    _die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        return _refused("whoever started it is gone")
    try:
        working = os.open(folder / WORKING, os.O_RDONLY)
        alive = os.open(folder / ALIVE, os.O_RDONLY | os.O_NONBLOCK)
        # The keeper takes this lock for itself before it frees the Lease.
        fcntl.flock(working, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _refused("the Lease of this run is no longer kept")
    if not _is_kept(alive, folder):
        return _refused("the Lease of this run is no longer kept")
    helm = subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
        words,
        # Helm inherits the descriptor and so the lock: the keeper sees whether helm lives after this process died.
        pass_fds=[working],
        # Killed without a word, should this process be: it could not be told any more.
        preexec_fn=lambda: _die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - there are no threads here
    )
    with _end_of(helm) as end:
        while helm.poll() is None and not ended:
            select.select([*end, alive], [], [], LOOK_SECONDS)
            if helm.poll() is None and not _is_kept(alive, folder):
                ended.append("the Lease of this run is no longer kept")
    if helm.poll() is not None and not ended:
        return helm.returncode if helm.returncode >= 0 else 128 - helm.returncode
    helm.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        helm.wait(GRACE_SECONDS)
    helm.kill()
    helm.wait()
    return _refused(f"it was ended, because {ended[0]}")


def _is_kept(alive: int, folder: Path) -> bool:
    """Whether the keeper is there and did its work lately. Without a writer a pipe is at its end."""
    try:
        if not os.read(alive, 1):
            return False
    except BlockingIOError:
        pass
    try:
        # The clock is the machine's, the same in each process.
        return time.monotonic() - float((folder / RENEWED).read_text(encoding="ascii")) < STALE_SECONDS
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> t.Iterator[list[int]]:
    """What becomes readable when the process ends, where the system has such a thing."""
    if not hasattr(os, "pidfd_open"):
        yield []
        return
    number = os.pidfd_open(process.pid)
    try:
        yield [number]
    finally:
        os.close(number)


def _die_with_parent(number: int) -> None:
    """Have the kernel send this process a signal when its parent ends. Only Linux does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def _refused(why: str) -> int:
    print(f"Error: helm did not finish: {why}", file=sys.stderr)
    return ENDED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

__all__ = ("main",)
