"""How fast this machine is while something is measured: on a shared host a figure means little without it."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
import typing as t

from lab.progress import say

STEPS, RUNS = 3_000_000, 5


def pace() -> float:
    """Seconds of a fixed loop on one core, median of some runs. The same machine alone on its host stays the same."""
    return statistics.median(_loop() for _ in range(RUNS))


def _loop() -> float:
    begin, total = time.perf_counter(), 0
    for number in range(STEPS):
        total += number * number
    return time.perf_counter() - begin


@contextlib.contextmanager
def paced() -> t.Iterator[None]:
    """Say, after what was measured, how fast the machine was before and is now."""
    before, load = pace(), os.getloadavg()[0]
    yield
    words = f"{os.cpu_count()} processors, load before {load:.1f}"
    say(f"the machine: {words}; a fixed loop took {before:.2f} s before and {pace():.2f} s after")


__all__ = ("pace", "paced")
