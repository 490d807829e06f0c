"""What a caller writes to a program in a pod, a line at a time, for as long as there is a caller."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
import threading
import time
import typing as t


def lines(quiet_seconds: float) -> t.Iterator[str]:
    """The lines of stdin until its end; where none comes for so long, the process ends.

    A caller that was killed may leave its end open. The time in which a line is worked on counts as well.
    """
    heard = [time.monotonic()]

    def watch() -> None:
        while time.monotonic() - heard[0] < quiet_seconds:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    for line in sys.stdin:
        heard[0] = time.monotonic()
        yield line
        heard[0] = time.monotonic()


__all__ = ("lines",)
