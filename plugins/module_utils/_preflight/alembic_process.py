"""The revision graph and the SQL that Alembic would run, from a process that ends in time and holds no credentials."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import redacted
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_url import PLACEHOLDER_URL
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RENDERING_WORKER, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import FilesRead, Rendered, Segment

_SECRET = re.compile(r"(?i)passw|pwd|secret|token|key|credential|dsn|url")
_LOGIN = re.compile(r"://[^:/@\s]*:(\S+)@")
# Shorter ones are in any text.
_LEAST = 4
# Nothing else of the caller's environment reaches foreign code: no PGPASSWORD, no vault, no cloud credentials.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")


@dataclasses.dataclass(frozen=True)
class Online:
    """How env.py goes when it migrates, seen without a connection: the answer of _in_pod/alembic_online.py.

    :param options: what it configures when it migrates
    :param offline: what it configures in the offline mode
    :param driver: SQLAlchemy's name of it
    :param executed: what env.py itself runs on the connection
    :param problem: why that is not known, None where it is
    :param timeouts: what env.py sets for its session, by name, as it writes them
    :param begun: where env.py has begun a transaction before Alembic could, what becomes of it: kept or lost
    """

    options: dict[str, t.Any]
    offline: dict[str, t.Any]
    driver: str | None
    executed: list[str]
    autocommit: bool
    problem: str | None
    begun: str | None = None
    timeouts: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Graph:
    """The directory's revisions. `nodes` maps a revision to its down revisions and its dependencies."""

    nodes: dict[str, dict[str, t.Any]]
    heads: list[str]
    targets: list[str]
    version_table: str
    version_table_schema: str | None
    online: Online | None = None


# Gets each part of the SQL, with its revisions, while the next one is rendered.
Each = t.Callable[[str, list[Segment]], None]


class AlembicProcess(contextlib.AbstractContextManager["AlembicProcess"]):
    """The worker of _in_pod/alembic_worker.py. Everything it does must end within `timeout` seconds altogether."""

    def __init__(
        self,
        ini: Path,
        target: str,
        timeout: float,
        environment: dict[str, str] | None = None,
        *,
        python: str | None = None,
        folder: Path | None = None,
        x: t.Sequence[str] = (),
        scheme: str = "postgresql",
        reads: Path | None = None,
    ) -> None:
        """:param folder: where `alembic` would be called, the one of `ini` where it is not told
        :param x: the values of -x
        :param scheme: that of the URL with which the migration will run
        :param reads: below which folder it is of interest what is read
        """
        folder = folder or ini.parent
        if not ini.is_file() and not (folder / "pyproject.toml").is_file():
            raise FindingError(
                "alembic-not-an-environment",
                f"{ini} does not exist; name the folder that holds the Alembic configuration in alembic_dir.",
            )
        self.ini, self.target, self.timeout, self.folder = ini, target, timeout, folder
        self.deadline = time.monotonic() + timeout
        own = {"DATABASE_URL": scheme + PLACEHOLDER_URL.removeprefix("postgresql")}
        # Also what another process of the same kind is started with.
        self.python, self.environment = python or sys.executable, own | (environment or {})
        # An application may write into an error what it was given.
        self._secrets = _secrets(environment or {})
        self.request: dict[str, t.Any] = {
            "ini": str(ini.absolute()),
            "target": target,
            "x": list(x),
            # `flask db` finds the application by this variable.
            "flask": "FLASK_APP" in self.environment,
            "elsewhere": True,
            "reads": str(reads) if reads else None,
        }
        self.process, self.read = start([self.python], RENDERING_WORKER, {}, folder, self.environment)
        self.unread = b""
        # The process begins at once, while the caller imports what it needs.
        self._send({"graph": self.request})

    def __exit__(self, *_: object) -> None:
        end(self.process, self.read)

    def _send(self, request: dict[str, t.Any]) -> None:
        requests = t.cast("t.IO[bytes]", self.process.stdin)
        with contextlib.suppress(BrokenPipeError):
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()

    def _receive(self) -> dict[str, t.Any]:
        """One answer.

        :raises FindingError: with the worker's id, or `alembic-timeout`
        """
        try:
            line, self.unread = receive(self.read, self.unread, self.deadline)
        except TimeoutError:
            words = f"Alembic did not render {self.ini} within {self.timeout:g} s"
            raise FindingError("alembic-timeout", f"{words}; find what env.py or a revision waits for.") from None
        except EOFError:
            words = f"The process that renders {self.ini} died without an answer"
            raise FindingError("alembic-env-failed", f"{words}; run `alembic upgrade head --sql` there.") from None
        try:
            answer: dict[str, t.Any] = json.loads(line)
        except (ValueError, RecursionError):
            words = f"The process that renders {self.ini} answered what nobody can read"
            raise FindingError("alembic-env-failed", f"{words}; look for what writes to foreign files there.") from None
        if error := answer.get("error"):
            raise FindingError(error["id"], redacted(f"{self.ini.parent}: {error['message']}.", self._secrets))
        for segment in answer.get("segments", ()):
            segment["error"] = redacted(segment["error"], self._secrets)
        return answer

    def graph(self) -> Graph:
        """The directory, loaded, and env.py run once with nothing to migrate."""
        return graph_of(self._receive())

    def render(self, heads: t.Sequence[str], each: Each = lambda _sql, _segments: None) -> Rendered:
        """The SQL from the live `heads` to the target."""
        self._send({"render": {"heads": list(heads)}})
        return rendered_of(iter(self._receive, None), each)


def _secrets(environment: t.Mapping[str, str]) -> list[str]:
    """The secret values of variables: those whose names say so, and the passwords of URLs."""
    named = [value for name, value in environment.items() if _SECRET.search(name) and len(value) >= _LEAST]
    logins = [found[1] for value in environment.values() for found in _LOGIN.finditer(value)]
    return [*named, *logins, *(unquote(login) for login in logins)]


def start(
    python: t.Sequence[str], names: t.Sequence[str], request: dict[str, t.Any], folder: Path, own: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """A process that runs env.py, and the file descriptor of its answers.

    :param python: the words that start the interpreter
    :param names: of the bundle
    :param request: for its `main`, which is told `answers` as well
    :param own: variables, beside those of this process that hold no secret
    :raises FindingError: the interpreter cannot be started
    """
    # The module's own payload is not on the path: it could hide the application's packages.
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    read, write = os.pipe()
    try:
        # Requests and answers go both ways while the process runs, which run_command cannot do.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
            [*python, *command(bundle(names, request | {"answers": write}))[1:]],
            cwd=folder,
            env=passed_on | {"PYTHONDONTWRITEBYTECODE": "1"} | own,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[write],
            start_new_session=True,
        )
    except OSError as error:
        os.close(read)
        words = f"The interpreter {python[-1]} cannot be started ({error.strerror}); correct alembic_python."
        raise FindingError("argument-invalid", words) from None
    finally:
        os.close(write)
    return process, read


def receive(file: int, unread: bytes, deadline: float) -> tuple[bytes, bytes]:
    """One line of a process's answers, and what was read beyond it.

    :param unread: what was read beyond the line before
    :raises TimeoutError: it does not come before `deadline`, of time.monotonic()
    :raises EOFError: the process ended
    """
    chunks = [unread]
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        while b"\n" not in chunks[-1]:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            chunks.append(os.read(file, 1 << 16))
            if not chunks[-1]:
                raise EOFError
    line, _newline, beyond = b"".join(chunks).partition(b"\n")
    return line, beyond


def end(process: subprocess.Popen[bytes], file: int) -> None:
    """End a process, with whatever env.py has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        t.cast("t.IO[bytes]", process.stdin).close()
    os.close(file)
    process.wait()


def graph_of(answer: dict[str, t.Any]) -> Graph:
    """The worker's answer about the revisions."""
    table, online = answer["version_table"], answer.get("online")
    seen = Online(**{field.name: online[field.name] for field in dataclasses.fields(Online)}) if online else None
    return Graph(answer["nodes"], answer["heads"], answer["targets"], table["name"], table["schema"], seen)


def rendered_of(answers: t.Iterator[dict[str, t.Any]], each: Each) -> Rendered:
    """The worker's answers about the SQL, up to the last part."""
    texts: list[str] = []
    segments: list[Segment] = []
    answer: dict[str, t.Any] = {}
    for answer in answers:
        part = [
            Segment(**segment | {name: tuple(map(tuple, segment[name])) for name in ("lines", "checkfirst_spans")})
            for segment in answer["segments"]
        ]
        each(answer["sql"], part)
        texts.append(answer["sql"])
        segments += part
        if not answer.get("more", False):
            break
    read = {name: frozenset(map(Path, paths)) for name, paths in answer.get("read", {}).items()}
    return Rendered("".join(texts), segments, FilesRead(**read))


__all__ = (
    "AlembicProcess",
    "Each",
    "Graph",
    "Online",
    "Rendered",
    "Segment",
    "end",
    "graph_of",
    "receive",
    "rendered_of",
    "start",
)
