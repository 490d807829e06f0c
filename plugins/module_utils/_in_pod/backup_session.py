"""Sessions that take a snapshot or restore: what roles and databases have set for themselves does not hinder them.

pg_dump sets the same for its own (setup_connection in src/bin/pg_dump/pg_dump.c).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

# A view of rows that policies filter would count too few; with row_security off the server refuses instead. A session
# that waits for pg_dump is idle in its transaction. Names in a catalogue's answer are compared as texts.
_SETTINGS: t.Final = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "default_transaction_read_only": "off",
    "row_security": "off",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
}
_SINCE: t.Final = {"transaction_timeout": (170000, "0")}
# The same for PostgreSQL's programs, which set the limits of time themselves but none of these.
OPTIONS: t.Final = (
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c row_security=off"
    " -c default_transaction_read_only=off"
)
# Only ACCESS EXCLUSIVE is in the way of a dump: ALTER TABLE, TRUNCATE, DROP.
_HOLDERS: t.Final = """
SELECT l.relation::regclass::text, a.pid, coalesce(a.usename::text, 'the server'), coalesce(a.application_name, ''),
       coalesce(a.state, ''), round(extract(epoch FROM clock_timestamp() - a.xact_start))::int
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND a.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation >= 16384
ORDER BY l.granted DESC, a.xact_start LIMIT 1
"""
# One statement with more names has no use.
_AT_ONCE: t.Final = 200


def unhindered(connection: psycopg.Connection) -> None:
    """Lift the limits of a session, and have it see every row or be refused.

    :param connection: in autocommit
    """
    own = dict(_SETTINGS)
    own |= {name: value for name, (since, value) in _SINCE.items() if connection.info.server_version >= since}
    calls = ", ".join("pg_catalog.set_config(%s, %s, false)" for _name in own)
    connection.execute(f"SELECT {calls}", [word for pair in own.items() for word in pair])


def waits(connection: psycopg.Connection, milliseconds: int) -> None:
    """How long a statement of this session waits for a lock; for as long as it takes with 0."""
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", (f"{milliseconds}ms",))


def hold(connection: psycopg.Connection, tables: t.Sequence[str]) -> None:
    """Hold tables, so that nobody empties or rebuilds one between the dump of it and the count of its rows.

    :param tables: full names as SQL has them
    :raises psycopg.Error: somebody else holds one
    """
    for begin in range(0, len(tables), _AT_ONCE):
        names = ", ".join(f"ONLY {name}" for name in tables[begin : begin + _AT_ONCE])
        connection.execute(t.cast("t.Any", f"LOCK TABLE {names} IN ACCESS SHARE MODE"))


@contextlib.contextmanager
def naming_holders(connection: psycopg.Connection, where: str, milliseconds: int) -> t.Iterator[None]:
    """Say who holds the lock for which this session waited in vain.

    :raises CollectorError: `backup-failed`: it did
    """
    from psycopg import errors

    try:
        yield
    except errors.LockNotAvailable:
        connection.rollback()
        words = f"waited {milliseconds} ms for a lock of a table"
        raise CollectorError("backup-failed", f"The backup of {where} {words}: {holder(connection)}.") from None


def holder(connection: psycopg.Connection) -> str:
    """Who holds or wants a table for himself alone, as the end of a sentence; nothing of what he runs."""
    found = connection.execute(_HOLDERS).fetchone()
    if not found:
        return "nobody holds one any more, so try again"
    table, pid, user, application, state, seconds = found
    own = f" ({application})" if application else ""
    since = f" for {seconds} s" if seconds is not None else ""
    words = f"the session {pid} of {user}{own} has {table} to itself{since}{f', {state}' if state else ''}"
    return f"{words}; wait for its end, which a migration may be, or end it with pg_terminate_backend({pid})"


__all__ = ("OPTIONS", "hold", "holder", "naming_holders", "unhindered", "waits")
