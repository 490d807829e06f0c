"""Running other programs: output kept in a log file, a failure told in one sentence with the end of that log."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.paths import BIN, LOGS
from lab.progress import LabError


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
) -> None:
    """Run *command* with its output in ``.lab/logs/<log>.log``.

    :param log: name of the log file, without extension; a later command with the same name appends to it
    :param what: what the command is for, as it completes "... failed"
    :param timeout: seconds
    :raises LabError: the command is missing, failed or did not end in time
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("ab") as stream:
        stream.write(f"$ {' '.join(map(str, command))}\n".encode())
        stream.flush()
        begin = stream.tell()
        try:
            code = subprocess.run(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment(env),
                cwd=cwd,
                timeout=timeout,
                check=False,
            ).returncode
        except FileNotFoundError:
            raise LabError(f"{what} failed: the program {command[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise LabError(f"{what} did not end within {timeout:.0f} s; its output is in {path}") from None
    if code:
        with path.open("rb") as stream:
            stream.seek(begin)
            lines = stream.read().decode(errors="replace").strip().splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-12:])
        raise LabError(f"{what} failed (exit {code}); the whole output is in {path}, its end:\n{tail}")


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
