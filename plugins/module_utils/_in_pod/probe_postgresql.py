"""PostgreSQL, phase by phase: url, dns, tcp, tls, auth, query, write, schema, rounds, large. Part of probe.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import ssl
import struct
import time
import typing as t
import uuid
from pathlib import Path

from . import libpq_url

if t.TYPE_CHECKING:  # pragma: no cover
    import socket

    from .probe_wire import Dependency, Facts

    Fetch = t.Callable[..., list[Facts]]

APPLICATION = "ai_platform.agent connectivity"
MOST_PORT = 65535
SSL_REQUEST = struct.pack("!II", 8, 80877103)  # PostgreSQL's protocol, message SSLRequest
SERVER = """
SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only') = 'on' AS read_only,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int AS reserved,
       (SELECT sum(numbackends)::int FROM pg_stat_database) AS connections,
       current_setting('server_encoding') AS encoding"""
POSITION = "SELECT pg_current_wal_lsn()::text AS position"
REPLAYED = "SELECT greatest(pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn()), 0)::bigint AS behind"


def libpq_parameters(url: str, wanted: Facts) -> Facts:
    """libpq's parameters of a URL, a driver after `+` left out.

    :raises ValueError: it is no URL of PostgreSQL
    """
    scheme, _separator, rest = url.partition("://")
    if scheme.partition("+")[0] not in ("postgresql", "postgres") or not rest:
        raise ValueError("it does not begin with postgresql://")
    if any(ord(character) < ord(" ") for character in url):
        raise ValueError("a line break or another control character is in it: look at its end")
    found = libpq_url.parameters(url)
    hosts, ports = found.get("host", ""), [port for port in found.get("port", "").split(",") if port]
    if not hosts.isascii() and not hosts.startswith("/"):
        raise ValueError("libpq does not translate the letters of its host: write the name as DNS has it, xn--…")
    if not all(0 < int(port) <= MOST_PORT for port in ports):
        raise ValueError(f"its port is not between 1 and {MOST_PORT}")
    given = {name: value for name, value in wanted.items() if value}
    return {**found, **given}


def _mode(parameters: Facts) -> str:
    return str(parameters.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer")


def tls(dependency: Dependency, parameters: Facts) -> t.Callable[[socket.socket, str], Facts] | None:
    """How this URL wants TLS, None where libpq may do without."""
    if _mode(parameters) not in ("require", "verify-ca", "verify-full"):
        return None

    def secure(channel: socket.socket, host: str) -> Facts:
        context = _context(parameters)
        if parameters.get("sslnegotiation") == "direct":
            context.set_alpn_protocols(["postgresql"])
        else:
            channel.sendall(SSL_REQUEST)
            answer = channel.recv(1)
            # What an error says is read by libpq, which meets it again.
            if answer == b"E":
                return {}
            _assert_accepted(answer)
        return dependency.handshake(channel, context, host)

    return secure


def _context(parameters: Facts) -> ssl.SSLContext:
    """The authorities that libpq would ask; without one it says itself, at the login, which file it misses.

    Source: https://www.postgresql.org/docs/current/libpq-ssl.html

    :raises ValueError: their file cannot be read
    """
    own = Path("~/.postgresql/root.crt").expanduser()
    authority = parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or (str(own) if own.exists() else None)
    try:
        context = ssl.create_default_context(cafile=None if authority == "system" else authority)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"the certificate authorities in {authority} cannot be read: {error}") from None
    context.check_hostname = _mode(parameters) == "verify-full" and bool(authority)
    if not authority:
        context.verify_mode = ssl.CERT_NONE
    return context


def _assert_accepted(answer: bytes) -> None:
    """Check what came back for SSLRequest. Source: the message flow of PostgreSQL's protocol, SSL session encryption.

    :raises ConnectionError: it is no consent
    """
    if not answer:
        raise ConnectionError("the connection was closed at the question for TLS")
    if answer == b"N":
        raise ConnectionError("the server has no TLS")
    if answer != b"S":
        raise ConnectionError(f"invalid response to the question for TLS: {answer!r}")


def ask(dependency: Dependency, wanted: Facts, url: str, rounds: int, position: str | None) -> str | None:
    """Record PostgreSQL; the primary's WAL position, with which a replica (`position` given) is compared."""
    with dependency.phase("driver"):
        import psycopg
        from psycopg.rows import dict_row
    with dependency.phase("url"):
        parameters = libpq_parameters(url, {name: wanted.get(name) for name in ("host", "port")})
        dependency.log.hide(url, str(parameters.get("password", "")))
        hosts = str(parameters.get("hostaddr", parameters.get("host", ""))).split(",")
        ports = [int(port or 5432) for port in str(parameters.get("port", 5432)).split(",")]
        places = list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False))
    if all(hosts) and not hosts[0].startswith("/"):
        host, address, port = dependency.wire(places, tls(dependency, parameters))
        if len(places) == 1 and "hostaddr" not in parameters:
            parameters |= {"host": host, "hostaddr": address, "port": port}
    own: Facts = {"connect_timeout": max(2, round(dependency.timeout)), "application_name": APPLICATION}
    with dependency.phase("auth") as facts:
        facts.update({"plain": True} if _mode(parameters) == "disable" else {})
        connection = psycopg.connect(
            **(parameters | own | {"client_encoding": "UTF8"}),
            autocommit=True,
            prepare_threshold=None,
            row_factory=dict_row,
        )
        facts["tls"] = bool(getattr(connection.pgconn, "ssl_in_use", False))
    watchdog = dependency.watched(connection.fileno())

    def fetch(query: t.Any, *values: object) -> list[Facts]:
        watchdog.feed()
        return t.cast("list[Facts]", connection.execute(query, values or None).fetchall())

    try:
        with dependency.phase("query") as facts:
            facts.update(fetch(SERVER)[0])
            here: str | None = None
            # Not every service lets it be asked: Amazon Aurora, or a role without the right.
            with contextlib.suppress(psycopg.errors.DatabaseError):
                here = None if facts["in_recovery"] else fetch(POSITION)[0]["position"]
            if wanted["kind"] == "replica" and position:
                facts.update(caught_up(fetch, position, dependency.timeout))
        if wanted["kind"] != "replica":
            with contextlib.suppress(dependency.stop), dependency.phase("write"), connection.transaction():
                write_and_read(fetch, connection.execute, dependency.timeout)
        if wanted.get("version_table"):
            with contextlib.suppress(dependency.stop), dependency.phase("schema") as facts:
                facts["revisions"] = revisions(fetch, str(wanted["version_table"]))
        # The large one at last: a connection on which it hangs is of no use any more.
        if dependency.rounds(rounds, lambda: fetch("SELECT 1")):
            descriptor = connection.fileno()
            dependency.large(lambda sent: fetch("SELECT %s::text AS sent", sent)[0]["sent"], descriptor)
        return here
    finally:
        watchdog.close()
        connection.close()


def caught_up(fetch: Fetch, position: str, timeout: float) -> Facts:
    """Milliseconds until the replica has replayed what the primary had written before; None if not in time."""
    begin = time.perf_counter()
    while (behind := fetch(REPLAYED, position)[0]["behind"]) and time.perf_counter() - begin < timeout:
        time.sleep(0.02)
    waited = round((time.perf_counter() - begin) * 1000, 3)
    return {"behind_bytes": behind, "caught_up_ms": None if behind else waited}


def write_and_read(fetch: Fetch, execute: t.Callable[[t.Any], object], timeout: float) -> None:
    """Write a row and read it back, in a table that the transaction's end drops."""
    from psycopg import sql

    table = sql.Identifier(f"connectivity_{uuid.uuid4().hex[:12]}")
    fetch("SELECT set_config('statement_timeout', %s, true)", f"{timeout:g}s")
    execute(sql.SQL("CREATE TEMPORARY TABLE {} (word text) ON COMMIT DROP").format(table))
    execute(sql.SQL("INSERT INTO {} VALUES ('written')").format(table))
    if fetch(sql.SQL("SELECT word FROM {}").format(table)) != [{"word": "written"}]:
        raise RuntimeError("what was written is not what is read back")


def revisions(fetch: Fetch, table: str) -> list[str] | None:
    """Rows of Alembic's version table, None where there is no such table."""
    from psycopg import sql

    names = sql.Identifier(*table.split("."))
    if fetch("SELECT to_regclass(%s) AS name", names.as_string(None))[0]["name"] is None:
        return None
    rows = fetch(sql.SQL("SELECT version_num FROM {} ORDER BY 1").format(names))
    return [row["version_num"] for row in rows]
