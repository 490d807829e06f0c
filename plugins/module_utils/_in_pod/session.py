"""A read-only session of the preflight, and one sentence for each way in which it cannot be had."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import typing as t

from . import libpq_url
from .errors import CollectorError
from .probe_causes import cause_of

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

APPLICATION = "ai_platform.agent preflight"
# Seconds beyond statement_timeout. A server that is still silent then no longer enforces its own limit, so the
# connection is closed from here.
SILENT_SECONDS = 10.0
_SCHEMES = {"postgresql", "postgres"}
# By the cause of probe_causes.py: the finding, and the rest of the sentence that begins with the server.
_SENTENCES = {
    "password": ("database-auth", "refuses the user or the password"),
    "password-missing": ("database-auth", "wants a password and none was given"),
    "pg-hba": ("database-refused", "has no pg_hba.conf entry that lets this user in from here"),
    "role": ("database-auth", "does not know the user, or the user may not log in"),
    "database": ("database-missing", "does not have the database"),
    "connect-right": ("database-refused", "does not let this role connect to the database (CONNECT)"),
    "database-closed": ("database-refused", "has the database closed to connections (datallowconn)"),
    "starting": ("in-recovery", "is still starting up or recovering"),
    "disk": ("database-disk-full", "has no space left on its disk"),
    "parameter": ("database-url-invalid", "cannot be asked, because libpq does not take a parameter of the URL"),
    "standby": ("in-recovery", "is a standby"),
    "pooler": ("database-pooler", "is a pooler that cannot log in at the PostgreSQL behind it"),
    "startup-parameter": ("database-url-invalid", "is a pooler that takes no such parameter as the URL has (options)"),
    "stopping": ("database-refused", "is shutting down"),
    "connections": ("database-refused", "has no connection left"),
    "certificate": ("database-tls", "has a certificate that this client does not accept"),
    "client-certificate": ("database-tls", "wants a client certificate that it accepts (sslcert, sslkey)"),
    "client-key": ("database-tls", "cannot be asked, because the client's own key cannot be used (sslkey)"),
    "root-certificate": ("database-tls", "cannot be verified: this client has no root certificate (sslrootcert)"),
    "tls": ("database-tls", "and this client do not agree on TLS (sslmode)"),
    "refused": ("database-unreachable", "refuses TCP connections"),
    "timeout": (
        "database-unreachable",
        "does not answer in time, so a network policy or a firewall drops the packets",
    ),
}


def parameters(url: str) -> dict[str, t.Any]:
    """libpq's parameters of a URL; a driver after `+` is left out.

    :raises CollectorError: it is no URL of PostgreSQL; the URL is not quoted
    """
    scheme = url.partition("://")[0].partition("+")[0]
    if "://" not in url:
        raise CollectorError(
            "database-url-invalid", "database_url is no URL; use postgresql://user:password@host:port/database."
        )
    if scheme not in _SCHEMES:
        name = scheme if scheme.isalnum() else "something else"
        raise CollectorError(
            "database-url-kind", f"database_url is of the kind {name}; the preflight judges PostgreSQL only."
        )
    try:
        return dict(libpq_url.parameters(url))
    except ValueError as error:
        raise CollectorError("database-url-invalid", f"database_url: {error}.") from None


def place(found: dict[str, t.Any]) -> str:
    """host:port/database, the part of a URL that may be shown; several hosts with a comma between."""
    hosts = str(found.get("host") or found.get("hostaddr") or "localhost").split(",")
    ports = str(found.get("port") or 5432).split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    pairs = zip(hosts, ports, strict=False)
    return f"{','.join(f'{host}:{port or 5432}' for host, port in pairs)}/{found.get('dbname', '')}"


def _unknown_names(found: dict[str, t.Any]) -> list[str]:
    """The hosts, where none can be resolved: libpq tries one after the other, and resolves none with hostaddr."""
    hosts = str(found.get("host") or "").split(",")
    if found.get("hostaddr") or any(not host or host.startswith("/") for host in hosts):
        return []
    for host in hosts:
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, None)
            return []
    return hosts


def _ended_when_silent(connection: psycopg.Connection, seconds: float) -> threading.Event:
    """Have each wait for an answer end after `seconds`, with the connection; the event says that one did."""
    silent, wait = threading.Event(), connection.wait
    begun: list[float] = []

    def watch() -> None:
        # One thread looks at the waits, since a thread for each would cost more than most answers.
        while not connection.closed:
            time.sleep(min(1.0, seconds / 10))
            with contextlib.suppress(IndexError):
                if time.monotonic() - begun[-1] > seconds:
                    break
        else:
            return
        silent.set()
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    def limited(*arguments: t.Any, **options: t.Any) -> t.Any:
        begun.append(time.monotonic())
        try:
            return wait(*arguments, **options)
        finally:
            begun.clear()

    connection.wait = limited  # type: ignore[method-assign]
    threading.Thread(target=watch, daemon=True).start()
    return silent


class Session:
    """A connection that only reads."""

    def __init__(
        self, connection: psycopg.Connection, where: str, lock_timeout_ms: int, statement_timeout_ms: int
    ) -> None:
        self._connection, self.where = connection, where
        self._limits = (f"{lock_timeout_ms}ms", f"{statement_timeout_ms}ms")
        self._silent = _ended_when_silent(connection, statement_timeout_ms / 1000 + SILENT_SECONDS)

    @contextlib.contextmanager
    def snapshot(self) -> t.Iterator[psycopg.Connection]:
        """One read-only transaction over one state of the catalogues, rolled back at its end.

        :raises CollectorError: a query failed; the server's message, which may quote data, is dropped
        """
        import psycopg
        from psycopg import errors

        try:
            # SET LOCAL holds behind a pooler as well; startup options do not.
            self._connection.execute(
                "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)", self._limits
            )
            yield self._connection
            self._connection.rollback()
        except (errors.LockNotAvailable, errors.QueryCanceled):
            words = f"A catalogue query at {self.where} waited too long; look for a lock on system tables or for load."
            raise CollectorError("database-timeout", words) from None
        except errors.InsufficientPrivilege:
            words = f"The role may not read the version table or a schema at {self.where}; use the migrating role."
            raise CollectorError("privilege-missing", words) from None
        except errors.UndefinedColumn:
            words = f"The version table at {self.where} has no column version_num: it is not Alembic's; name another."
            raise CollectorError("state-unknown", words) from None
        except psycopg.Error as error:
            if self._silent.is_set():
                words = f"The server at {self.where}, or a pooler before it, answers no more since the login"
                raise CollectorError("database-timeout", f"{words}; look at both and at the network between.") from None
            words = f"The server at {self.where} ended the session ({error.sqlstate or 'connection lost'})"
            raise CollectorError("database-refused", f"{words}; its log says why.") from None


def database_url() -> str:
    """The database's URL in a pod's environment, empty without one.

    An image that wants it in a form of its own (`agent.urls` of the chart) has the plain form beside it.
    """
    return os.environ.get("AI_AGENT_DATABASE_URL") or os.environ.get("DATABASE_URL", "")


def connected(url: str, connect_timeout: int, application: str = APPLICATION) -> psycopg.Connection:
    """A connection.

    :param connect_timeout: in seconds
    :param application: what the server shows of it
    :raises CollectorError: there is none to be had; the driver's message, which may quote the URL, is dropped
    """
    import psycopg

    found = parameters(url)
    if names := _unknown_names(found):
        words = f"The name of the database host {', '.join(names)} cannot be resolved; correct it or DNS."
        raise CollectorError("database-host-unknown", words)
    # Without an encoding of its own a client of an SQL_ASCII database is given bytes for text.
    own = {"connect_timeout": connect_timeout, "application_name": application, "client_encoding": "UTF8"}
    try:
        return psycopg.connect(**found | own, prepare_threshold=None)
    except psycopg.Error as error:
        raise _failure(str(error), found) from None


@contextlib.contextmanager
def session(url: str, *, connect_timeout: int, lock_timeout_ms: int, statement_timeout_ms: int) -> t.Iterator[Session]:
    """A session whose transactions only read. Times in seconds and milliseconds.

    :raises CollectorError: there is none to be had
    """
    import psycopg

    connection = connected(url, connect_timeout, APPLICATION)
    found = parameters(url)
    try:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield Session(connection, place(found), lock_timeout_ms, statement_timeout_ms)
    finally:
        connection.close()


def _failure(said: str, found: dict[str, t.Any]) -> CollectorError:
    if named := _SENTENCES.get(str(cause_of(said))):
        return CollectorError(named[0], f"The server at {place(found)} {named[1]}.")
    return CollectorError(
        "database-unreachable",
        f"No session with {place(found)} can be had; check host, port and that a PostgreSQL listens there.",
    )


__all__ = ("APPLICATION", "Session", "connected", "database_url", "parameters", "place", "session")
