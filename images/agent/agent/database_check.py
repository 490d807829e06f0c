"""A look at database and schema on a connection of its own, that ends in time whatever the server does.

The workers' pool is not used: that it is busy is no reason to take the pod out of service.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg import errors

PATIENCE = 2
"""Seconds for the connection, and again for the queries."""


@dataclass(frozen=True)
class Seen:
    """What the database said; *problem* is a sentence's end where the schema could not be read."""

    server: str
    revisions: frozenset[str] = frozenset()
    problem: str = ""


def look(url: str) -> Seen:
    """Connect, ask for the server's version and for the rows of Alembic's version table.

    :param url: what libpq understands, so `postgresql://`
    :raises psycopg.Error: the database does not answer, or refuses this login
    """
    with (
        psycopg.connect(
            url, autocommit=True, connect_timeout=PATIENCE, application_name="ai-agent probe"
        ) as connection,
        _cut_off_after(PATIENCE, connection),
    ):
        server = str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        except errors.UndefinedTable:
            return Seen(server)
        except errors.InsufficientPrivilege:
            return Seen(server, problem="this user may not read the table alembic_version: grant it SELECT")
        return Seen(server, frozenset(str(row[0]) for row in rows))


@contextmanager
def _cut_off_after(seconds: float, connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[None]:
    """A server that froze, or a table that is locked, holds this thread no longer than *seconds*."""

    def cut_off() -> None:
        # libpq itself has no time limit for an answer; a socket that is shut down gives it one.
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
