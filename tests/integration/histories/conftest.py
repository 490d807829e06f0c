"""One server for all histories, and a line about each of them at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import subprocess
import typing as t
import uuid
from pathlib import Path

import psycopg
import pytest

from dev.postgresql import Server, binaries, running
from tests.integration.histories.table import PROPERTY, Line, table


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

    @property
    def programs(self) -> Path:
        """PostgreSQL's own, where the user that they run as finds them."""
        reachable = self.server.folder / "programs"
        return (reachable if reachable.exists() else binaries(self.server.major)) / "bin"

    def dumped(self, *options: str) -> str:
        """All of it as text, or what pg_dump's `options` leave of it, without what it makes up for each dump."""
        words = [str(binaries(self.server.major) / "bin" / "pg_dump"), "--dbname", self.url, *options]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return re.sub(r"^\\(?:un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)


@pytest.fixture
def databases(server: Server) -> t.Iterator[tuple[Database, Database]]:
    """Two that are empty, and gone after the test."""
    with _made(server) as one, _made(server) as other:
        yield one, other


@contextlib.contextmanager
def _made(server: Server) -> t.Iterator[Database]:
    name = f"history_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield Database(server, name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def told(record_property: t.Callable[[str, object], None]) -> t.Iterator[list[Line]]:
    """Lines of the table of what was seen, which the report keeps whatever the test says."""
    lines: list[Line] = []
    yield lines
    for line in lines:
        record_property(PROPERTY, line.text())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of all histories under the results."""
    # A test's properties are whole in the report about its end, which counts as no outcome.
    reports = [report for kept in terminalreporter.stats.values() for report in kept]
    properties = [item for report in reports for item in getattr(report, "user_properties", ())]
    texts = {str(value) for name, value in properties if name == PROPERTY}
    if texts:
        terminalreporter.section("whole histories")
        terminalreporter.write_line(table(Line.of(text) for text in texts))
