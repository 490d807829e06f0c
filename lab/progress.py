"""What a person sees while the lab works: numbered steps, what remains, one sentence when something fails."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PACE = 30.0
"""Seconds between two lines about the steps that are still at work."""


class LabError(Exception):
    """A failure that its reader can act on; the text is one sentence: what is wrong, where, what to do."""


class Estimate(Protocol):
    """What a progress asks for the time that remains (lab.estimate.Plan)."""

    def remaining(self, done: Collection[str], running: Mapping[str, float]) -> float:
        """Seconds."""

    def late(self, running: Mapping[str, float]) -> list[str]:
        """Steps that take longer than was expected."""


@dataclass
class _Running:
    """A step at work: its thread, whose programs write logs."""

    title: str
    begin: float
    thread: int


_LOGS: dict[int, Path] = {}


def writes_to(log: Path) -> None:
    """Note the log of the program that this thread has begun, for a reader who wonders what it does."""
    _LOGS[threading.get_ident()] = log


def minutes(seconds: float) -> str:
    """Elapsed time for a reader: ``7 s``, ``2 min 05 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def about(seconds: float) -> str:
    """A time to come for a reader, no more exact than it is known: ``20 s``, ``3 min``."""
    return f"{max(round(seconds / 10), 1) * 10} s" if seconds < 90 else f"{round(seconds / 60)} min"


class Progress:
    """Counts the steps of one command and prints each with its duration; use it as a context for lines in between."""

    def __init__(self, total: int, estimate: Estimate | None = None) -> None:
        self.total = total
        self.estimate = estimate
        self.began = 0
        self.started = time.monotonic()
        self.durations: dict[str, float] = {}
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._finished = threading.Event()

    def __enter__(self) -> Progress:
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finished.set()
        self._thread.join()

    @contextmanager
    def step(self, title: str, name: str = "") -> Iterator[None]:
        """One step; a line when it starts, another with its duration when it took long enough to be noticed.

        Steps may run side by side, so the second line names the step again.
        """
        name = name or title
        begin = time.monotonic()
        with self._lock:
            self.began += 1
            label = f"[{self.began}/{self.total}]"
            self._running[name] = _Running(title, begin, threading.get_ident())
            _LOGS.pop(threading.get_ident(), None)
        say(f"{label} {title}")
        try:
            yield
        finally:
            with self._lock:
                del self._running[name]
        took = time.monotonic() - begin
        with self._lock:
            self.durations[name] = took
        if took >= 2:
            say(f"{label}   {title}: done in {minutes(took)} ({self.elapsed()})")

    def elapsed(self) -> str:
        """Time since the start, and what is thought to remain."""
        told = f"{minutes(time.monotonic() - self.started)} in all"
        return f"{told}, {left}" if (left := self._left()) else told

    def _left(self) -> str:
        if not self.estimate:
            return ""
        seconds = self.estimate.remaining(set(self.durations), self._times())
        if self.estimate.late(self._times()):
            return f"at least {about(seconds)} to go" if seconds >= 5 else "longer than expected"
        return f"about {about(seconds)} to go" if seconds >= 5 else ""

    def _times(self) -> dict[str, float]:
        now = time.monotonic()
        with self._lock:
            return {name: now - step.begin for name, step in self._running.items()}

    def _beat(self) -> None:
        """Every :data:`PACE` seconds a line about the steps that have been at work for so long, with their logs."""
        while not self._finished.wait(PACE):
            now = time.monotonic()
            with self._lock:
                slow = [step for step in self._running.values() if now - step.begin >= PACE - 1]
            if slow:
                say(f"        {self.elapsed()}; at work: {', '.join(map(_describe, slow))}")


def _describe(step: _Running) -> str:
    log = _LOGS.get(step.thread)
    where = f", log {_relative(log)}" if log else ""
    return f"{step.title} ({minutes(time.monotonic() - step.begin)}{where})"


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def say(text: str) -> None:
    """Print one line at once, also when the output is a pipe; lines of steps side by side stay whole."""
    stream = sys.stderr if text.startswith("error:") else sys.stdout
    stream.write(text + "\n")
    stream.flush()
