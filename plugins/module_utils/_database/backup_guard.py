"""A program of its own: it removes what a killed backup left, and ends what that had started.

It is run by `python -c`, and imports nothing of this collection.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time

# A killed program of PostgreSQL may still be making a file.
TRIES = 20


def main() -> None:
    """Read what is to be watched, a line each, until whoever writes it is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folders: set[str] = set()
    groups: set[int] = set()
    # pylint: disable-next=ansible-bad-function
    print("ready", flush=True)
    for line in sys.stdin:
        what, value = json.loads(line)
        if what == "folder":
            folders.add(value)
        elif what == "released":
            folders.discard(value)
        elif what == "group":
            groups.add(value)
        else:
            groups.discard(value)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for _try in range(TRIES):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(os.path.lexists(folder) for folder in folders):
            break
        time.sleep(0.1)


if __name__ == "__main__":  # pragma: no cover - as a program
    main()

__all__ = ("main",)
