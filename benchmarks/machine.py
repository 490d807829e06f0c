"""How fast this machine is while something is measured: on a shared host a figure means little without it."""

from __future__ import annotations

import contextlib
import os
import statistics
import timeit
import typing as t

from lab.progress import say

STEPS, RUNS = 3_000_000, 5


def _pace() -> float:
    """Seconds of a fixed loop on one core, median of some runs. The same machine alone on its host stays the same."""
    return statistics.median(timeit.repeat(_loop, number=1, repeat=RUNS))


def _loop() -> None:
    total = 0
    for number in range(STEPS):
        total += number * number


@contextlib.contextmanager
def paced() -> t.Iterator[None]:
    """Say, after what was measured, how fast the machine was before and is now."""
    before, load = _pace(), os.getloadavg()[0]
    yield
    words = f"{os.cpu_count()} processors, load before {load:.1f}"
    say(f"the machine: {words}; a fixed loop took {before:.2f} s before and {_pace():.2f} s after")


__all__ = ("paced",)
