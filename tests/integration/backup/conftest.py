"""Servers, a database with all that a dump can lose, and a folder that the throw-away server's user can reach."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
import typing as t
import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from dev.postgresql import Server, running
from tests.integration.backup.asking import SCHEMA, Row, ask

_WANTED = os.environ.get("PREFLIGHT_VERSIONS", "15,18").split(",")
CHOSEN = tuple(int(major) for major in _WANTED)


@dataclasses.dataclass
class Place:
    """A live database, and where its backups go."""

    server: Server
    database: str
    folder: Path

    @property
    def url(self) -> str:
        """Of its superuser."""
        return self.server.url(self.database)

    @property
    def backups(self) -> Path:
        """The folder of the backups."""
        return self.folder / "backups"

    @property
    def work(self) -> Path:
        """The folder for what is in clear."""
        return self.folder / "work"

    def ask(self, **given: t.Any) -> Row:
        """The module's result for this place."""
        own = {"path": self.backups, "work_path": self.work, "postgresql": self.server.folder / "programs" / "bin"}
        return ask(**{"database_url": self.url} | own | given)

    def execute(self, statement: str, *values: t.Any) -> list[t.Any]:
        """The rows of a statement in the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(t.cast("t.Any", statement), values or None)
            return cursor.fetchall() if cursor.description else []

    def names(self) -> list[str]:
        """What is in the folder of the backups, but for its lock."""
        if not self.backups.exists():
            return []
        return sorted(path.name for path in self.backups.iterdir() if path.name != ".lock")


@pytest.fixture(scope="session", params=CHOSEN, ids=str)
def server(request: pytest.FixtureRequest) -> t.Iterator[Server]:
    with running(request.param) as started:
        yield started


@contextlib.contextmanager
def placed(server: Server, schema: str, options: str = "") -> t.Iterator[Place]:
    """A new database with a schema, gone afterwards with its folder."""
    name = f"live_{uuid.uuid4().hex[:8]}"
    folder = Path(tempfile.mkdtemp(prefix="backup-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "work").mkdir()
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(t.cast("t.Any", f"CREATE DATABASE {name} {options}"))
        try:
            with psycopg.connect(server.url(name), autocommit=True) as connection:
                connection.execute(t.cast("t.Any", schema))
            yield Place(server, name, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            for (left,) in admin.execute("SELECT datname FROM pg_database WHERE datname ~ %s", (name,)).fetchall():
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(left)))


@pytest.fixture
def place(server: Server) -> t.Iterator[Place]:
    with placed(server, SCHEMA) as made:
        yield made
