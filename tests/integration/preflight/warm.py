"""Runs the module, and Alembic, in forks of a process that has imported what they need: three quarters of their time.

What is judged is the same: each run has a process of its own, and so has its Alembic worker. What only a process
shows that began with nothing (what reaches its environment, what it imports, how it ends) is asked with `_in_place`.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import subprocess
import sys
import tempfile
import traceback
import typing as t
from multiprocessing import reduction
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.plugin_utils import _in_place, _module_process

ROOT = Path(__file__).resolve().parents[3]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.integration.preflight.warm_imports"])


def run(module: str, arguments: dict[str, t.Any], paths: list[str]) -> dict[str, t.Any]:
    """As _in_place.run() does it, with the environment of this process."""
    given = _in_place._encoded({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    return _ended(functools.partial(_module, module, paths), dict(os.environ), given)


def alembic(folder: Path, environment: dict[str, str], *words: str) -> dict[str, t.Any]:
    """As `python -m alembic` ends in this folder, with these words and nothing but this environment."""
    return _ended(functools.partial(_alembic, folder, words), environment)


def _ended(main: t.Callable[[], None], environment: dict[str, str], given: bytes = b"") -> dict[str, t.Any]:
    """`rc`, `stdout` and `stderr` of a fork that does *main*."""
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as complained:
        asked.write(given)
        asked.seek(0)
        process = _FORKS.Process(target=_Fork(main, environment, (asked, told, complained)))
        process.start()
        process.join()
        texts = []
        for file in (told, complained):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
        return {"rc": process.exitcode, "stdout": texts[0], "stderr": texts[1]}


class _Fork:
    """What a process of its own does, on its way there."""

    def __init__(self, main: t.Callable[[], None], environment: dict[str, str], files: t.Iterable[t.IO[bytes]]) -> None:
        self.main, self.environment, self.files = main, environment, list(files)

    def __getstate__(self) -> tuple[t.Any, ...]:
        return self.main, self.environment, [reduction.DupFd(file.fileno()) for file in self.files]

    def __setstate__(self, state: tuple[t.Any, ...]) -> None:
        self.main, self.environment, self.descriptors = state

    def __call__(self) -> None:
        os.setpgid(0, 0)
        _become([item.detach() for item in self.descriptors], self.environment, self.main)


def _module(module: str, paths: list[str]) -> None:
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import alembic_process

    alembic_process.subprocess = _Subprocess  # type: ignore[assignment, attr-defined]
    sys.argv = [str(_in_place.PROGRAM)]
    _module_process.main(os.getppid(), _in_place.PROFILE, module, paths)


def _alembic(folder: Path, words: tuple[str, ...]) -> None:
    from alembic import config

    _as_begun(folder)
    sys.path[0] = str(folder)
    sys.argv = [str(Path(config.__file__).with_name("__main__.py")), *words]
    config.main(prog="alembic")


class _Subprocess:
    """Takes the place of subprocess where a worker is started: a fork, if its interpreter is the one that runs."""

    PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL

    @staticmethod
    def Popen(words: list[str], **options: t.Any) -> subprocess.Popen[bytes] | _Worker:
        return _Worker(words, **options) if words[:2] == [sys.executable, "-c"] else subprocess.Popen(words, **options)


class _Worker:
    """A fork that executes what `python -c` would, with as much of subprocess.Popen as its caller uses."""

    def __init__(
        self, words: list[str], *, cwd: Path, env: dict[str, str], pass_fds: list[int], **_same: t.Any
    ) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            sys.argv = ["-c", *words[3:]]
            _become([read, null, null], env, lambda: _execute(words[2], cwd), pass_fds)
        os.close(read)
        self.stdin = os.fdopen(write, "wb", 0)

    def wait(self) -> int:
        """Its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _execute(text: str, folder: Path) -> None:
    """What `python -c` does with a text there."""
    _as_begun(folder)
    exec(compile(text, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a program of this collection


def _as_begun(folder: Path) -> None:
    """As an interpreter that was started in a folder, and has imported nothing of the collection."""
    os.chdir(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "ansible_collections"]:
        del sys.modules[name]
    sys.path[:] = ["", *_fresh_path()]


def _fresh_path() -> list[str]:
    """sys.path of an interpreter that just began."""
    own = str(ROOT)
    return [place for place in sys.path if (place and not place.startswith(own)) or "site-packages" in place]


def _coerced(environment: dict[str, str]) -> dict[str, str]:
    """What an interpreter makes of its environment at its start where no locale is named: PEP 538."""
    named = next((found for name in ("LC_ALL", "LC_CTYPE", "LANG") if (found := environment.get(name))), "C")
    if environment.get("LC_ALL") or named not in {"C", "POSIX"}:
        return environment
    return environment | {"LC_CTYPE": "C.UTF-8"}


def _become(
    streams: list[int], environment: dict[str, str], main: t.Callable[[], None], kept: t.Sequence[int] = ()
) -> t.NoReturn:
    """End as a process with these streams and this environment that only does `main`."""
    code = 1
    try:
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        last = 2
        for descriptor in [*sorted(kept), os.sysconf("SC_OPEN_MAX")]:
            os.closerange(last + 1, descriptor)
            last = descriptor
        os.environ.clear()
        os.environ.update(_coerced(environment))
        # Those that stood there before must not close a number that is another file's now.
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
        )
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


__all__ = ("alembic", "run")
