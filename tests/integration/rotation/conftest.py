"""A release made of a real PostgreSQL, a Secret in memory, and pods that log in all the time."""

from __future__ import annotations

import base64
import contextlib
import copy
import itertools
import os
import threading
import time
import typing as t
import uuid

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import rotation
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import ANNOTATION, login_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import run
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.run import Rotation, Wanted
from psycopg import sql

from dev.postgresql import Server, by_major

VERSIONS = tuple(int(major) for major in os.environ.get("ROTATION_VERSIONS", "15,18").split(","))
Object = dict[str, t.Any]
OLD, NEW = "first:p@ss/word", "second%20 word"


class KilledError(BaseException):
    """As SIGKILL: nothing catches it, and nothing is done after it."""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


class Pod:
    """Has the Secret's URL of its start, keeps one session, and logs in anew all the time."""

    def __init__(self, release: Release) -> None:
        self.url, self.id = release.value("database-url"), release.value("rotation-id")
        self._release, self._over = release, threading.Event()
        self._session = self._login()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _login(self) -> psycopg.Connection | None:
        try:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=300)
        except psycopg.Error as error:
            self._release.refused.append(str(error))
            return None
        self._release.logins += 1
        return connection

    def _work(self) -> None:
        while not self._over.is_set():
            if connection := self._login():
                with contextlib.suppress(psycopg.Error), connection:
                    connection.execute("INSERT INTO messages DEFAULT VALUES")
            self._over.wait(0.2)

    def stop(self, *, keeps_session: bool = False) -> None:
        self._over.set()
        self._thread.join(600)
        if self._session and not keeps_session:
            self._session.close()


class Release:
    """A release, whose agent has one role that owns what it made, as before the first rotation.

    `kill_at` is the number of a change, counted from 1, at which the run is killed; before it with a minus.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.owner = f"agent_{uuid.uuid4().hex[:8]}"
        self.refused: list[str] = []
        self.logins = self.changes = 0
        self.kill_at = 0
        self.asked: list[Object] = []
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(self.owner), sql.Literal(OLD))
            )
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*[sql.Identifier(self.owner)] * 2))
        data = self.data(OLD) | {"rotation-id": encoded("first"), "postgres-password": encoded(server.password)}
        data["redis-password"] = encoded("untouched")
        self.kept: Object = {"metadata": {"name": "s", "namespace": "n", "resourceVersion": "1"}, "data": data}
        self.run("CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT now())", OLD)
        self.pods: list[Pod] = []

    def data(self, password: str) -> dict[str, str]:
        """What the role would write, with the owner for its user."""
        quoted = "".join(f"%{byte:02X}" for byte in password.encode())
        url = f"postgresql://{self.owner}:{quoted}@127.0.0.1:{self.server.port}/{self.owner}"
        plain = {"password": password, "database-url": url, "migration-database-url": url}
        return {key: encoded(value) for key, value in plain.items()}

    def run(self, statement: str, password: str, user: str = "") -> list[t.Any]:
        url = f"host=127.0.0.1 port={self.server.port} dbname={self.owner}"
        with psycopg.connect(url, user=user or self.owner, password=password, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def admin(self, statement: str) -> list[t.Any]:
        return self.run(statement, self.server.password, "postgres")

    def value(self, key: str) -> str:
        return decoded(self.kept["data"][key])

    def begin(self, number: int = 2) -> None:
        self.pods = [Pod(self) for _each in range(number)]

    def roll(self, most: int = 100, *, keeps_session: bool = False) -> None:
        """As a Deployment with maxUnavailable 0: each new pod first, then an old one goes."""
        for number, old in enumerate(list(self.pods)):
            if old.id != self.value("rotation-id") and number < most:
                self.pods[number] = Pod(self)
                old.stop(keeps_session=keeps_session)

    def end(self) -> None:
        for pod in self.pods:
            pod.stop()

    # What a rotation sees of it.

    def secret(self) -> Object:
        return copy.deepcopy(self.kept)

    def write(self, secret: Object, login: t.Any, data: t.Mapping[str, str]) -> None:
        assert secret["metadata"]["resourceVersion"] == self.kept["metadata"]["resourceVersion"]
        with self._change():
            new = self.secret()
            new["metadata"]["resourceVersion"] += "1"
            new["metadata"].setdefault("annotations", {})[ANNOTATION] = login.as_annotation()
            new["data"] |= data
            self.kept = new

    def rolled(self, rotation_id: str) -> bool:
        return all(pod.id == rotation_id for pod in self.pods)

    def ask(self, request: Object) -> Object:
        self.asked.append(request)
        if request["action"] == "look":
            return rotation.run(request)
        with self._change():
            return rotation.run(request)

    @contextlib.contextmanager
    def _change(self) -> t.Iterator[None]:
        self.changes += 1
        if -self.kill_at == self.changes:
            raise KilledError
        yield
        if self.kill_at == self.changes:
            raise KilledError

    def rotation(self, password: str, *, seconds: float = 600, begin: bool = True) -> Rotation:
        return Rotation(self, self.ask, Wanted(self.data(password), seconds, begin), sleep=lambda _s: time.sleep(0.05))

    def rotate(self, password: str, *, seconds: float = 600) -> list[str]:
        """As playbooks/rotate_credentials.yml does."""
        first = self.rotation(password, seconds=seconds)
        if first.run().kind == "roll":
            self.roll()
            second = self.rotation(password, seconds=seconds, begin=False)
            assert second.run().kind == "nothing"
            return first.done + second.done
        return first.done

    def roles(self) -> dict[str, bool]:
        """Which roles of this release there are, and which may log in."""
        rows = self.admin(f"SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE '{self.owner}%'")  # noqa: S608
        return {name.removeprefix(self.owner): login for name, login in rows}

    def assert_whole(self, login: str, password: str) -> None:
        """Nothing is half done: one role logs in, it is in the Secret, and it owns nothing itself."""
        told = login_of(self.kept)
        assert told is not None
        assert (told.owner, told.login, told.preparing, told.replaces) == (self.owner, self.owner + login, "", "")
        assert self.value("password") == password
        assert self.value("redis-password") == "untouched"
        assert [name for name, may in self.roles().items() if may] == [login]
        self.run("INSERT INTO messages DEFAULT VALUES", password, self.owner + login)
        owners = self.admin("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert owners == [(self.owner,)]
        psycopg.connect(self.value("migration-database-url")).close()


@pytest.fixture(scope="session")
def servers() -> t.Iterator[t.Callable[[int], Server]]:
    """A function from a major version to its running server."""
    with by_major() as found:
        yield found


@pytest.fixture(params=VERSIONS, ids=str)
def release(
    request: pytest.FixtureRequest, servers: t.Callable[[int], Server], monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[Release]:
    # A busy machine is no server that does not answer.
    monkeypatch.setattr(run, "CONNECT_SECONDS", 300)
    for name in ("STATEMENT_MS", "LOCK_MS"):
        monkeypatch.setattr(rotation, name, 300_000)
    made = Release(servers(request.param))
    try:
        yield made
    finally:
        made.end()


KILL_POINTS = [sign * number for number, sign in itertools.product(range(1, 6), (-1, 1))]
