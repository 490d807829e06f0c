"""Running other programs: output kept in a log file, a failure told in one sentence with the end of that log."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from lab.paths import BIN, LOGS
from lab.progress import LabError, writes_to

_LIVE: dict[subprocess.Popen[bytes], bool] = {}
_LOCK = threading.Lock()
_STOPPED = threading.Event()


class ProgramError(LabError):
    """A program ended with an exit code other than 0; *output* is all that it said."""

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.output = output


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the lab's programs: this process's own, with the lab's tools first on PATH."""
    merged = {**os.environ, **(extra or {})}
    merged["PATH"] = f"{BIN}{os.pathsep}{merged.get('PATH', '')}"
    return merged


def run(
    command: Sequence[object],
    *,
    log: str,
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = 3600,
    cleanup: bool = False,
) -> None:
    """Run *command* with its output in ``.lab/logs/<log>.log``.

    :param log: name of the log file, without extension; a later command with the same name appends to it, and one
        that runs at the same time writes into ``<log>-2.log``
    :param what: what the command is for, as it completes "... failed"
    :param timeout: seconds
    :param cleanup: the command undoes something, so it runs to its end also when the steps beside it are stopped
    :raises ProgramError: the command failed
    :raises LabError: the command is missing or did not end in time
    """
    with _log(log) as stream:
        path = Path(stream.name)
        writes_to(path)
        stream.write(f"$ {' '.join(map(str, command))}\n".encode())
        stream.flush()
        begin = stream.tell()
        process = _start(command, stream, environment(env), cwd, what, cleanup)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{what} did not end within {timeout:.0f} s; its output is in {path}") from None
        finally:
            _stop(process)
            with _LOCK:
                _LIVE.pop(process, None)
    if code:
        with path.open("rb") as stream:
            stream.seek(begin)
            output = stream.read().decode(errors="replace")
        tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-12:])
        raise ProgramError(f"{what} failed (exit {code}); the whole output is in {path}, its end:\n{tail}", output)


def _log(name: str) -> IO[bytes]:
    """The log *name*, open at its end; with a number where another command writes into it.

    A failure is told with the end of the log, which must not be what another command said.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    numbers = itertools.count(2)
    path = LOGS / f"{name}.log"
    while True:
        stream = path.open("ab")
        try:
            # The command inherits the lock with the file, so the log is taken until its last child has ended.
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            path = LOGS / f"{name}-{next(numbers)}.log"
        else:
            return stream


def stop_all() -> None:
    """Stop every program that :func:`run` waits for, with its children, and begin no other but those that clean up."""
    _STOPPED.set()
    with _LOCK:
        for process, cleanup in _LIVE.items():
            if not cleanup:
                _signal(process)


def _start(  # noqa: PLR0917 - one caller
    command: Sequence[object], stream: IO[bytes], env: Mapping[str, str], cwd: Path | None, what: str, cleanup: bool
) -> subprocess.Popen[bytes]:
    """Start *command* in a process group of its own, so that its children can be stopped with it."""
    words = [str(word) for word in command]
    if not shutil.which(words[0], path=env.get("PATH")):
        raise LabError(f"{what} failed: the program {words[0]} is not installed")
    if not cleanup and shutil.which("setpriv"):
        # A lab killed outright must not leave a `kind create` behind that works against the next run.
        words = ["setpriv", "--pdeathsig", "TERM", *words]
    with _LOCK:
        if _STOPPED.is_set() and not cleanup:
            raise LabError(f"{what} was not begun: another step had failed")
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env, cwd=cwd, process_group=0
        )
        _LIVE[process] = cleanup
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _signal(process)
        process.wait()


def _signal(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def capture(
    command: Sequence[object],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run *command* and return what it printed; a missing program counts as exit 127, no answer in time as 124."""
    words = [str(word) for word in command]
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment(env),
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(words, 127, "", f"{words[0]}: not installed")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", f"{words[0]}: no answer within {timeout:.0f} s")
