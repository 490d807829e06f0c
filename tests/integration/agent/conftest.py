"""The agent as a process of its own, on a real PostgreSQL and Redis behind valves that can be shut."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import typing as t
import uuid
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.integration.waiting import eventually

IMAGE = Path(__file__).resolve().parents[3] / "images" / "agent"
# Everything that a URL, libpq, SQLAlchemy or a configuration file could read as its own syntax.
PASSWORD = "p%a/s@s:w#o?r d%%(x)s"


def needed(name: str, what: str) -> str:
    """Value of a variable these tests cannot do without."""
    value = os.environ.get(name, "")
    if not value:
        pytest.fail(f"{name} is not set: name {what}.", pytrace=False)
    return value


@pytest.fixture(scope="session")
def server() -> str:
    """The URL of a PostgreSQL as superuser."""
    return needed("TEST_DATABASE_URL", "a PostgreSQL whose user may create databases and roles")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The URL of a Redis."""
    return needed("TEST_REDIS_URL", "a Redis")


def at(url: str, **parts: str | int) -> str:
    """Return *url* with another `login`, `port` (of this machine) or `path`."""
    split = urlsplit(url)
    own, _, address = split.netloc.rpartition("@")
    login = parts.get("login", own)
    address = f"127.0.0.1:{parts['port']}" if "port" in parts else address
    return urlunsplit((split.scheme, f"{login}@{address}", str(parts.get("path", split.path)), split.query, ""))


class Database:
    """A database of a role whose password is hard to quote."""

    def __init__(self, server: str, role: str, template: str = "template1") -> None:
        """Create it as a copy of *template*."""
        self._server = server
        self.role = role
        self.name = f"agent_{uuid.uuid4().hex[:12]}"
        self.url = at(server, login=f"{role}:{quote(PASSWORD, safe='')}", path=f"/{self.name}")
        self.admin_url = at(server, path=f"/{self.name}")
        names = [sql.Identifier(one) for one in (self.name, role, template)]
        self._on_server(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*names))

    def _on_server(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)

    def rows(self, query: str) -> list[tuple[t.Any, ...]]:
        """What *query* finds."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def execute(self, *statements: str) -> None:
        """Run statements as superuser."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def lock(self, table: str) -> psycopg.Connection[t.Any]:
        """Lock *table* against everybody until the connection that is returned closes."""
        connection = psycopg.connect(self.admin_url)
        connection.execute(sql.SQL("LOCK {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        return connection

    def alembic(self, *words: str, folder: Path = IMAGE, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m alembic` as the migration's Job does."""
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "DATABASE_URL": self.url, **environ}
        return subprocess.run(
            [sys.executable, "-m", "alembic", *words], cwd=folder, env=env, capture_output=True, text=True, check=False
        )

    def migrate(self, revision: str = "head", folder: Path = IMAGE, **environ: str) -> None:
        """Upgrade to *revision*, which must succeed."""
        done = self.alembic("upgrade", revision, folder=folder, **environ)
        assert done.returncode == 0, done.stderr

    def drop(self) -> None:
        """Remove what was created."""
        self._on_server(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))


@pytest.fixture(scope="session")
def role(server: str) -> t.Iterator[str]:
    """A role with the difficult password."""
    name = f"agent_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        command = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(command.format(sql.Identifier(name), sql.Literal(PASSWORD)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def database(server: str, role: str) -> t.Iterator[Database]:
    """An empty database."""
    made = Database(server, role)
    yield made
    made.drop()


@pytest.fixture(scope="session")
def template(server: str, role: str) -> t.Iterator[Database]:
    """A database with the schema of version 1.0.0, to be copied: quicker than migrating in each test."""
    made = Database(server, role)
    made.migrate()
    yield made
    made.drop()


@pytest.fixture
def migrated(server: str, template: Database) -> t.Iterator[Database]:
    """A database with the schema of version 1.0.0."""
    made = Database(server, template.role, template.name)
    yield made
    made.drop()


class Valve:
    """Passes connections on to an address; `freeze` stops the bytes, `close` refuses and breaks connections."""

    def __init__(self, url: str, default_port: int) -> None:
        """Listen on a port of this machine."""
        split = urlsplit(url)
        self._to = (split.hostname or "127.0.0.1", split.port or default_port)
        self._open = threading.Event()
        self._open.set()
        self._wires: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                server = socket.create_connection(self._to)
                self._wires += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=[source, target], daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        for wire in (source, target):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """From now on nothing is passed on, and nothing is refused either: a host that vanished."""
        self._open.clear()

    def thaw(self) -> None:
        """Pass on again, what waited first."""
        self._open.set()

    def close(self) -> None:
        """Refuse new connections and break those that are."""
        for wire in (self._listener, *self._wires):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        self._wires.clear()
        self._open.set()

    def reopen(self) -> None:
        """Listen again on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()


class Agent:
    """A running `python -m agent`."""

    def __init__(self, folder: Path, log: Path, **environ: str) -> None:
        """Start it on a free port and wait until it is alive."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PORT": str(self.port), **environ}
        self._log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent"], cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT
            )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        eventually(self._alive, 30)

    def _alive(self) -> bool:
        assert self.process.poll() is None, self.log
        with suppress(httpx.TransportError):
            return self.http.get("/health").status_code == 200
        return False

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self._log.read_text(encoding="utf-8")

    def ready(self) -> tuple[int, dict[str, str]]:
        """Status code of /ready, and the message of each check that failed."""
        answer = self.http.get("/ready")
        checks = answer.json()["checks"]
        return answer.status_code, {name: one["message"] for name, one in checks.items() if one["status"] != "ok"}

    def chat(self, message: str, **more: t.Any) -> httpx.Response:
        """Ask."""
        return self.http.post("/v1/chat", json={"message": message, **more})

    def stream(self, message: str) -> tuple[int, list[tuple[str, dict[str, t.Any]]]]:
        """Ask; returns the status and all events (name, data) of the answer."""
        with self.http.stream("POST", "/v1/chat/stream", json={"message": message}) as answer:
            return answer.status_code, list(events(answer))

    def terminate(self) -> None:
        """What Kubernetes sends first."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it in any case."""
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def events(answer: httpx.Response) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Server-sent events as they come."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


class World(t.NamedTuple):
    """A migrated database and Redis behind valves, and a way to start agents on them."""

    database: Database
    database_valve: Valve
    redis_valve: Valve
    start: t.Callable[..., Agent]


@pytest.fixture
def world(migrated: Database, redis_url: str, tmp_path: Path) -> t.Iterator[World]:
    """Everything an agent needs; what was started ends with the test."""
    database_valve, redis_valve = Valve(migrated.url, 5432), Valve(redis_url, 6379)
    started: list[Agent] = []

    def start(folder: Path = IMAGE, **environ: str) -> Agent:
        urls = {
            "DATABASE_URL": at(migrated.url, port=database_valve.port),
            "REDIS_URL": at(redis_url, port=redis_valve.port),
        }
        made = Agent(folder, tmp_path / f"agent-{len(started)}.log", **{**urls, **environ})
        started.append(made)
        return made

    yield World(migrated, database_valve, redis_valve, start)
    logs = "".join(agent.log for agent in started)
    for agent in started:
        agent.stop()
    for valve in (database_valve, redis_valve):
        valve.close()
    # In every test: no password of database or cache in any log, raw or quoted.
    secrets = {PASSWORD, quote(PASSWORD, safe=""), urlsplit(redis_url).password or PASSWORD}
    assert not [secret for secret in secrets if secret in logs], logs
    assert all(line.startswith("{") for line in logs.splitlines()), logs


@pytest.fixture
def next_image(tmp_path: Path) -> Path:
    """The working directory of the image of version 1.1.0."""
    folder = tmp_path / "next"
    shutil.copytree(IMAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for revision in (folder / "migrations" / "next").glob("*.py"):
        shutil.copy(revision, folder / "migrations" / "versions")
    return folder
