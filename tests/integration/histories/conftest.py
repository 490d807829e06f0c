"""One server for all histories, and a line about each of them at the end."""

from __future__ import annotations

import typing as t
import uuid

import psycopg
import pytest

from dev.postgresql import Server, running


@pytest.fixture(scope="session")
def server() -> t.Iterator[Server]:
    """The newest version."""
    # A whole history in one transaction, as many an env.py has it, locks thousands of relations.
    with running(18, max_locks_per_transaction="1000") as started:
        yield started


@pytest.fixture
def made(server: Server) -> t.Iterator[t.Callable[[], str]]:
    """A function that makes an empty database and gives its name; they are gone after the test."""
    names: list[str] = []
    with psycopg.connect(server.url(), autocommit=True) as admin:

        def make() -> str:
            names.append(f"history_{uuid.uuid4().hex[:8]}")
            admin.execute(f"CREATE DATABASE {names[-1]}")
            return names[-1]

        yield make
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def told(record_property: t.Callable[[str, object], None]) -> t.Iterator[list[str]]:
    """Lines about what was seen, which the report keeps."""
    lines: list[str] = []
    yield lines
    for line in lines:
        record_property("history", line)
        print(line)
