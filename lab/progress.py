"""What a person sees while the lab works: numbered steps, elapsed time, one sentence when something fails."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class LabError(Exception):
    """A failure that its reader can act on; the text is one sentence: what is wrong, where, what to do."""


def minutes(seconds: float) -> str:
    """Elapsed time for a reader: ``7 s``, ``2 min 05 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


class Progress:
    """Counts the steps of one command and prints each with its duration."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.started = time.monotonic()
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step; a line when it starts, another with its duration when it took long enough to be noticed.

        Steps may run side by side, so the second line names the step again.
        """
        with self._lock:
            self.done += 1
            label = f"[{self.done}/{self.total}]"
        say(f"{label} {title}")
        begin = time.monotonic()
        with heartbeat(title):
            yield
        took = time.monotonic() - begin
        if took >= 2:
            say(f"{label}   {title}: done in {minutes(took)} ({minutes(time.monotonic() - self.started)} in all)")


@contextmanager
def heartbeat(title: str, every: float = 30.0) -> Iterator[None]:
    """Say every *every* seconds that *title* is still at work, so that a quiet minute does not look like a hang."""
    finished = threading.Event()
    begin = time.monotonic()

    def beat() -> None:
        while not finished.wait(every):
            say(f"        still at it after {minutes(time.monotonic() - begin)}: {title}")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def say(text: str) -> None:
    """Print one line at once, also when the output is a pipe; lines of steps side by side stay whole."""
    stream = sys.stderr if text.startswith("error:") else sys.stdout
    stream.write(text + "\n")
    stream.flush()
