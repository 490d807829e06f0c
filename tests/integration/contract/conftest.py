"""A place in which servers are processes of this machine, on a real PostgreSQL, and the desk is a process as well."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
import typing as t
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import Ended, Started
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.trial import End
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import CONTRACT, bundle, command
from psycopg import sql

from dev.postgresql import Server, free_port, running

SERVER = Path(__file__).with_name("server.py")
# A busy machine takes seconds for what else takes none; what hears no signal takes them all.
GRACE = 20.0
START_SECONDS, MIGRATION_SECONDS = 600.0, 1800.0


@dataclasses.dataclass(frozen=True)
class Process:
    """What is started.

    :param env: all of its environment
    :param folder: in which it starts
    """

    words: list[str]
    env: t.Mapping[str, str]
    folder: Path


class Desk:
    """The program of the desk, packed as for a pod."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command()[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock, self._over = threading.Lock(), threading.Event()
        self._send(bundle(CONTRACT, {}))
        self._signs = threading.Thread(target=self._live, daemon=True)
        self._signs.start()

    def _live(self) -> None:
        while not self._over.wait(5):
            with contextlib.suppress(OSError):
                self._send("")

    def _send(self, line: str) -> None:
        assert self.process.stdin
        with self._lock:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def close(self) -> None:
        """End it."""
        self._over.set()
        self.process.kill()
        self.process.wait()

    def ask(self, request: dict[str, t.Any]) -> dict[str, t.Any]:
        """What it answers."""
        assert self.process.stdout
        self._send(json.dumps(request))
        return t.cast("dict[str, t.Any]", json.loads(self.process.stdout.readline()))


class Cache(socketserver.ThreadingTCPServer):
    """Answers each line with PONG."""

    daemon_threads = True

    class Line(socketserver.StreamRequestHandler):
        """A connection."""

        def handle(self) -> None:
            """Answer."""
            while self.rfile.readline():
                self.wfile.write(b"+PONG\r\n")


class ProcessPlace:
    """What a Place of the trial is, with processes."""

    def __init__(
        self,
        folder: Path,
        database: str,
        cache: tuple[str, int] | None,
        serve: list[str],
        migrate: list[str],
        **env: str,
    ) -> None:
        """Stand before database and cache.

        :param env: with `{url}`, `{cache}` and `{port}`
        """
        self._folder, self._url = folder, database
        self.path, self.grace, self.start_seconds = "", GRACE, START_SECONDS
        # The name and port of its Service, by which its callers know it, and what it answers to that; None unasked.
        self.service, self.named_path = "", "/"
        self.by_name: int | None = None
        # What was done, in its order, and the seconds that it took.
        self.took: list[tuple[str, float]] = []
        self._desk = Desk()
        self._known = {"port": str(free_port())}
        self._process: subprocess.Popen[bytes] | None = None
        split = urlsplit(database)
        there = {"database": (split.hostname or "127.0.0.1", split.port or 5432)} | ({"cache": cache} if cache else {})
        self.ports: dict[str, int] = {}
        for name, (host, port) in there.items():
            asked = {"do": "relay", "name": name, "port": 0, "host": host, "to_port": port}
            self.ports[name] = self._desk.ask(asked)["port"]
        url = database.replace(f":{split.port}/", f":{self.ports['database']}/")
        known = {"url": url, "cache": f"127.0.0.1:{self.ports.get('cache')}"} | self._known
        told = os.environ | {name: value.format(**known) for name, value in env.items()}
        self.runs(Process(serve, told, folder), Process(migrate, told, folder), int(self._known["port"]))

    def runs(self, serve: Process, migrate: Process, port: int) -> None:
        """What is run: the server, and the migration; and where the server listens."""
        self._serve, self._migrate, self.port = serve, migrate, port

    def _log(self) -> t.Any:
        return (self._folder / f"{uuid.uuid4().hex}.log").open("w+b")

    def _begin(self, process: Process, log: t.Any) -> subprocess.Popen[bytes]:
        # A group of its own: what it has started ends with it.
        words, env, folder = process.words, process.env, process.folder
        return subprocess.Popen(words, stdout=log, stderr=log, env=env, cwd=folder, start_new_session=True)

    def migrate(self, copies: int) -> list[Ended]:
        """Run it."""
        began = time.monotonic()
        logs = [self._log() for _ in range(copies)]
        started = [self._begin(self._migrate, log) for log in logs]
        ends = []
        for process, log in zip(started, logs, strict=True):
            try:
                code: int | None = process.wait(max(0.0, began + MIGRATION_SECONDS - time.monotonic()))
            except subprocess.TimeoutExpired:
                code = None
                _kill(process)
            log.seek(0)
            ends.append(Ended(code, log.read().decode()))
        self.took.append(("migration", time.monotonic() - began))
        return ends

    def start(self, *, writable: bool = False, own_user: bool = False, kept: bool = False) -> Started:  # noqa: ARG002 - a process has neither
        """Start it."""
        log = self._log()
        began = time.monotonic()
        self._process = self._begin(self._serve, log)
        while (seconds := time.monotonic() - began) < self.start_seconds:
            if self._process.poll() is not None:
                break
            for path in [self.path] if self.path else ["/ready", "/healthz", "/health"]:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}"):
                    self.took.append(("start", seconds))
                    self._ask_by_name()
                    return Started(seconds, uid=os.getuid() or 1000, gid=os.getgid() or 1000)
            time.sleep(0.1)
        log.seek(0)
        return Started(None, log.read().decode())

    def _ask_by_name(self) -> None:
        """What a caller gets who knows it by its Service: many a framework refuses names that it was not told."""
        if not self.service:
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", self.named_path, headers={"Host": self.service})
            self.by_name = connection.getresponse().status

    def address(self) -> str:
        """Of this machine."""
        return "127.0.0.1"

    def restarts(self) -> int:
        """A process does not come back."""
        return int(self._process is None or self._process.poll() is not None)

    def stop(self) -> End:
        """As Kubernetes does."""
        assert self._process
        began = time.time()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(self.grace)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self.took.append(("end", time.time() - began))
        # Also what is left of its group, as a container's end does.
        self.remove()
        return End(code if code >= 0 else 128 - code, began, time.time() - began, self.grace)

    def remove(self) -> None:
        """End it with all that it started."""
        if self._process:
            _kill(self._process)

    def desk(self, request: dict[str, t.Any]) -> dict[str, t.Any]:
        """What it answers."""
        return self._desk.ask(request)

    def servers(self) -> t.Collection[str]:
        """Both."""
        return self.ports

    def url(self) -> str:
        """Of the database itself."""
        return self._url

    def close(self) -> None:
        """End all."""
        self.remove()
        self._desk.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="session")
def server() -> t.Iterator[Server]:
    """A PostgreSQL."""
    with running(int(os.environ.get("CONTRACT_VERSION", "18"))) as made:
        yield made


@pytest.fixture
def database(server: Server) -> t.Iterator[str]:
    """An empty one."""
    name = f"c_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.url(name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def cache() -> t.Iterator[tuple[str, int]]:
    """What a server may take for its cache."""
    with Cache(("127.0.0.1", 0), Cache.Line) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield "127.0.0.1", made.server_address[1]
        made.shutdown()


@pytest.fixture
def place(tmp_path: Path, database: str, cache: tuple[str, int]) -> t.Iterator[t.Callable[..., ProcessPlace]]:
    """Makes the place of a server that breaks a part of the contract, or none."""
    made: list[ProcessPlace] = []

    def make(breaks: str = "", migration: str = "migrate") -> ProcessPlace:
        words = [sys.executable, str(SERVER)]
        env = {"DATABASE_URL": "{url}", "CACHE": "{cache}", "PORT": "{port}", "BREAKS": breaks}
        made.append(ProcessPlace(tmp_path, database, cache, words, [*words, migration], **env))
        return made[-1]

    yield make
    for each in made:
        each.close()
