"""Servers of every supported major version, started when the first test asks for one and kept until the last."""

from __future__ import annotations

import contextlib
import os
import typing as t
import uuid

import psycopg
import pytest
from psycopg import sql

from dev.postgresql import Server, running
from tests.unit.plugins.module_utils._sql.cases import SCHEMA, VERSIONS

# PREFLIGHT_VERSIONS=15,18 tries only these.
_WANTED = os.environ.get("PREFLIGHT_VERSIONS", "").split(",")
CHOSEN = tuple(major for major in VERSIONS if _WANTED == [""] or str(major) in _WANTED)
TEMPLATE, SHARED = "cases", "shared"


class Prepared:
    """A server with the tables of the cases in two databases: one to copy, one to share."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin = psycopg.connect(server.url(), autocommit=True)
        self.admin.execute(f"CREATE DATABASE {TEMPLATE}")
        with psycopg.connect(server.url(TEMPLATE), autocommit=True) as connection:
            connection.execute(SCHEMA)
        self.admin.execute(f"CREATE DATABASE {SHARED} TEMPLATE {TEMPLATE}")
        self._shared: psycopg.Connection | None = None

    def shared(self) -> psycopg.Connection:
        """A session for statements that are rolled back."""
        if self._shared is None or self._shared.closed:
            self._shared = psycopg.connect(self.server.url(SHARED))
        return self._shared

    def close(self) -> None:
        for connection in (self._shared, self.admin):
            if connection:
                connection.close()


Servers = t.Callable[[int], Prepared]


@pytest.fixture(scope="session")
def servers() -> t.Iterator[Servers]:
    """A function from a major version to its running server."""
    started: dict[int, Prepared] = {}
    with contextlib.ExitStack() as stack:

        def server(major: int) -> Prepared:
            if major not in started:
                started[major] = Prepared(stack.enter_context(running(major)))
                stack.callback(started[major].close)
            return started[major]

        yield server


@contextlib.contextmanager
def copy_of(prepared: Prepared, template: str = TEMPLATE) -> t.Iterator[str]:
    """The URL of a database like `template`, gone afterwards."""
    name = f"copy_{uuid.uuid4().hex[:12]}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    prepared.admin.execute(create)
    try:
        yield prepared.server.url(name)
    finally:
        prepared.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(servers: Servers) -> t.Iterator[str]:
    """The URL of an empty database on the newest server of those chosen."""
    with copy_of(servers(CHOSEN[-1]), "template1") as url:
        yield url


@pytest.fixture(params=CHOSEN, ids=str)
def session(request: pytest.FixtureRequest, servers: Servers) -> t.Iterator[psycopg.Connection]:
    """A session whose statements are rolled back, on each version in turn."""
    connection = servers(request.param).shared()
    connection.rollback()
    yield connection
    connection.rollback()
