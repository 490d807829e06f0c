"""A database of its own for each test, and Alembic projects like the one inside an agent image."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import typing as t
import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.integration.waiting import eventually

SCHEMA = Path(__file__).resolve().parents[3] / "chart" / "files" / "schema.py"

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
CONCURRENTLY = "with op.get_context().autocommit_block():\n        op.execute({!r})"


@pytest.fixture(scope="session")
def server() -> str:
    """The URL of a PostgreSQL whose user may create databases."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    if not url:
        pytest.fail("TEST_DATABASE_URL is not set: name a PostgreSQL whose user may create databases.")
    return url


@pytest.fixture
def database(server: str) -> t.Iterator[str]:
    """The URL of an empty database."""
    name = f"schema_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield with_database(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(url: str, name: str) -> str:
    """Return ``url`` with another database."""
    head, _, tail = url.partition("://")
    login, _, rest = tail.partition("/")
    query = rest.partition("?")[2]
    return f"{head}://{login}/{name}" + (f"?{query}" if query else "")


class Revision(t.NamedTuple):
    """A revision file: its id, what comes before it, and the body of its upgrade."""

    id: str
    down: str | None
    body: str


def statement(text: str) -> str:
    """Return the body of a revision that runs one SQL statement."""
    return f"op.execute({text!r})"


def concurrently(text: str) -> str:
    """Return the body of a revision that runs one SQL statement outside a transaction."""
    return CONCURRENTLY.format(text)


TABLE = Revision("0001", None, statement("CREATE TABLE item (id int PRIMARY KEY, name text)"))
COLUMN = Revision("0002", "0001", statement("ALTER TABLE item ADD COLUMN note text"))


class Run(t.NamedTuple):
    """How a run of schema.py ended."""

    code: int
    out: str
    err: str


class Started:
    """A schema.py at work."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """Watch a process whose output goes into ``log``, and its errors beside that."""
        self.process = process
        self._log = log

    def says(self, text: str) -> None:
        """Return as soon as ``text`` was printed; fail where the process ends before that, or after 2 minutes."""
        eventually(lambda: text in self._log.read_text() or self.process.poll() is not None, 120)
        assert self.process.poll() is None, f"schema.py ended, without waiting: {self.end()}"

    def end(self, timeout: float = 60) -> Run:
        """Wait for the end; kill the process and its children where that takes longer than ``timeout`` seconds."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            pytest.fail(f"schema.py did not end within {timeout} s; it printed:\n{self._log.read_text()}")
        return Run(code, self._log.read_text(), self._log.with_suffix(".err").read_text())


class Image:
    """The working directory of an agent image, and its database."""

    def __init__(self, folder: Path, url: str) -> None:
        """Lay out an Alembic project without revisions in ``folder``."""
        self.folder = folder
        self.url = url
        (folder / "migrations" / "versions").mkdir(parents=True)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
        (folder / "migrations" / "env.py").write_text(ENV)

    def add(self, *revisions: Revision) -> None:
        """Write revision files."""
        for revision in revisions:
            text = f"from alembic import op\nrevision = {revision.id!r}\ndown_revision = {revision.down!r}\n"
            text += f"def upgrade():\n    {revision.body}\n"
            (self.folder / "migrations" / "versions" / f"{revision.id}.py").write_text(text)

    def start(self, *arguments: str, program: str = "schema.py", **environ: str) -> Started:
        """Start schema.py, or another program beside it, in the image."""
        log = self.folder.parent / f"{uuid.uuid4().hex}.out"
        # A developer's machine often has the variable; a pod need not.
        own = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        with log.open("w") as out, log.with_suffix(".err").open("w") as err:
            process = subprocess.Popen(
                [sys.executable, str(SCHEMA.with_name(program)), *arguments],
                cwd=self.folder,
                env=own | {"DATABASE_URL": self.url, **environ},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return Started(process, log)

    def run(self, *arguments: str, program: str = "schema.py", **environ: str) -> Run:
        """Run schema.py, or another program beside it, to its end."""
        return self.start(*arguments, program=program, **environ).end()

    def rows(self, query: str) -> list[tuple[t.Any, ...]]:
        """Return what ``query`` finds in the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def execute(self, text: str) -> None:
        """Run a statement in the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(text)

    def version(self) -> set[str]:
        """Return the rows of the version table."""
        return {row[0] for row in self.rows("SELECT version_num FROM alembic_version")}


@pytest.fixture
def image(tmp_path: Path, database: str) -> Image:
    """An image with two revisions, on an empty database."""
    made = Image(tmp_path / "app", database)
    made.add(TABLE, COLUMN)
    return made
