"""Runs Alembic as a process of its own for schema.py, which must end with it and may not outlive its time.

The kubelet counts the pull of an image against a Job's deadline; the time of the migration itself is counted here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import NoReturn

TAIL_LINES = 40
POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
# As timeout(1) of coreutils; the Job's podFailurePolicy knows it.
TIME_IS_OVER = 124


class SchemaError(Exception):
    """What stops this program; its text is one sentence: what is wrong, where, what to do."""


class Runner:
    """Runs one program at a time, passes SIGTERM on to it, and ends both when the time is over."""

    def __init__(self, limit: float | None = None) -> None:
        """Install the handler: without one, process 1 of a container ignores SIGTERM.

        :param limit: seconds from now on
        """
        self._process: subprocess.Popen[str] | None = None
        self._limit = limit
        signal.signal(signal.SIGTERM, self._terminate)
        if limit:
            signal.signal(signal.SIGALRM, self._late)
            signal.setitimer(signal.ITIMER_REAL, limit)

    def _terminate(self, number: int, _frame: FrameType | None) -> None:
        self._end("Ended by SIGTERM.", 128 + number)

    def _late(self, _number: int, _frame: FrameType | None) -> None:
        words = f"The migration was not done within {self._limit:g} s and was stopped; what was committed stays"
        advice = "raise migration.timeout, and helm's --timeout above it, or migrate in batches"
        self._end(f"{words}: {advice}.", TIME_IS_OVER)

    def _end(self, words: str, code: int) -> NoReturn:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=20)
        print(words, file=sys.stderr, flush=True)
        os._exit(code)

    def run(
        self, command: list[str], environ: Mapping[str, str], say: Callable[[str], None], held: Callable[[], bool]
    ) -> tuple[int, list[str]]:
        """Run `command`, pass its output on to `say`, return exit code and last lines; stop it when `held` says no."""
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        # Python keeps what it prints into a pipe until it ends; a migration that hangs would have said nothing then.
        environ = {"PYTHONUNBUFFERED": "1", **environ}
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self._process = process

        def echo() -> None:
            for line in process.stdout or ():
                tail.append(line.rstrip())
                say(line.rstrip())

        reader = threading.Thread(target=echo, daemon=True)
        reader.start()
        beat = time.monotonic()
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=POLL_SECONDS)
            if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                beat = time.monotonic()
                if not held():
                    process.terminate()
                    process.wait()
                    raise SchemaError("The connection with the lock broke, so the migration was stopped: run it again.")
        reader.join(timeout=10)
        return process.returncode, list(tail)
