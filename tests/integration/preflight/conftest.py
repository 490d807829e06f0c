"""Servers of every supported major version, started when the first test asks for one and kept until the last."""

from __future__ import annotations

import contextlib
import typing as t
import uuid

import psycopg
import pytest
from psycopg import sql

from lab.postgresql import Server, running
from tests.unit.preflight.cases import SCHEMA

Servers = t.Callable[[int], Server]
TEMPLATE = "cases"


@pytest.fixture(scope="session")
def servers() -> t.Iterator[Servers]:
    """A function from a major version to its running server."""
    started: dict[int, Server] = {}
    with contextlib.ExitStack() as stack:

        def server(major: int) -> Server:
            if major not in started:
                made = started[major] = stack.enter_context(running(major))
                with psycopg.connect(made.url(), autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {TEMPLATE}")
                with psycopg.connect(made.url(TEMPLATE), autocommit=True) as connection:
                    connection.execute(SCHEMA)
            return started[major]

        yield server


@contextlib.contextmanager
def copy_of(server: Server, template: str) -> t.Iterator[str]:
    """The URL of a database like `template`, gone afterwards."""
    name = f"copy_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        yield server.url(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
