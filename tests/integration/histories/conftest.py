"""One server for all histories, and a line about each of them at the end."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import typing as t
import uuid

import psycopg
import pytest

from dev.postgresql import Server, binaries, running


@pytest.fixture(scope="session")
def server() -> t.Iterator[Server]:
    """The newest version."""
    # A whole history in one transaction, as many an env.py has it, locks thousands of relations.
    with running(18, max_locks_per_transaction="1000") as started:
        yield started


@dataclasses.dataclass(frozen=True)
class Database:
    """A database of its own for one test."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def dumped(self) -> str:
        """All of it as text, without what pg_dump makes up for each dump."""
        words = [str(binaries(self.server.major) / "bin" / "pg_dump"), "--dbname", self.url]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return re.sub(r"^\\(?:un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)


@pytest.fixture
def database(server: Server) -> t.Iterator[Database]:
    """Empty, and gone after the test."""
    name = f"history_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield Database(server, name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def told(record_property: t.Callable[[str, object], None]) -> t.Iterator[list[str]]:
    """Lines about what was seen, which the report keeps."""
    lines: list[str] = []
    yield lines
    for line in lines:
        record_property("history", line)
        print(line)
