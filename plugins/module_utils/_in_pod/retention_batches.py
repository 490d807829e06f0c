"""Deletes what is old in small transactions, each of whole sessions: a row of the root and all that belongs to it.

What somebody else holds is left for the next run, and nothing waits for a lock on a row. So an interruption at any
moment leaves whole sessions, and an application meets a lock only on a session that goes, for as long as its
transaction takes.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import collections
import dataclasses
import functools
import time
import typing as t

from . import retention_effects as effects
from . import retention_statements as statements
from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

    from .retention_tables import Tables

# How long a transaction may hold its locks; the number of sessions follows from it.
TARGET_SECONDS = 0.05
# Fewer sessions make no transaction shorter: the round trips to the server dominate then.
LEAST_SESSIONS = 10
# Rows of the root that one look takes in.
WINDOW = 1000
# For a lock on a table, which only a change of the schema makes anybody wait for.
LOCK_TIMEOUT_MS = 50
# A program that stands still inside a transaction loses it.
IDLE_SECONDS = 10
# So often in a row a table was locked by others before it is given up.
MOST_WAITS = 20
# What a statement that only looks may take.
LOOK_SECONDS = 30.0
# Since PostgreSQL 17 a whole transaction may have a limit, too, which no statement of ours knows of.
_LIMITS_TRANSACTIONS = 170000
# How long a session that was named, and that somebody holds, is tried again.
NAMED_SECONDS = 5.0
# Most messages about sessions that were skipped because other rows would have been deleted with them.
MOST_TOLD = 5
# Classes of errors that the code of a trigger makes: features, data, objects that are not there, PL/pgSQL, internal.
_OF_TRIGGERS = ("0A", "21", "22", "38", "39", "42", "54", "P0")


@dataclasses.dataclass
class Progress:
    """What was done until now.

    :param rows: deleted, by table
    :param held: sessions that somebody else held
    :param refused: sessions that another table's row kept, or a trigger
    :param beyond: why some of these would have taken more, or less, than their own rows
    :param beside: what triggers and foreign keys did elsewhere: rows by verb, by table
    :param large: sessions that took longer than a statement may
    :param absent: keys that were named and are not there
    :param stopped: why it ended before its end: time, caller or lock; empty where it did not
    :param longest_seconds: for which a transaction held locks
    """

    rows: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    sessions: int = 0
    batches: int = 0
    held: int = 0
    refused: int = 0
    beyond: list[str] = dataclasses.field(default_factory=list)
    beside: dict[str, collections.Counter[str]] = dataclasses.field(default_factory=dict)
    large: int = 0
    absent: list[str] = dataclasses.field(default_factory=list)
    stopped: str = ""
    longest_seconds: float = 0.0

    def as_dict(self) -> dict[str, t.Any]:
        beside = {name: dict(numbers) for name, numbers in self.beside.items()}
        return {**dataclasses.asdict(self), "rows": dict(self.rows), "beside": beside}


@dataclasses.dataclass(frozen=True)
class Limits:
    """How it goes about it.

    :param batch: sessions of a transaction at most
    :param pause_seconds: between two of them, and never less than the last one took
    :param end: time.monotonic() from which on nothing else is begun
    :param alive: whether the caller is still there
    """

    batch: int
    pause_seconds: float
    statement_seconds: float
    end: float
    alive: t.Callable[[], bool] = lambda: True


class Deletion:
    """One run over a database."""

    def __init__(
        self,
        connection: psycopg.Connection,
        tables: Tables,
        cutoff: t.Any,
        limits: Limits,
        told: t.Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        """:param connection: in autocommit
        :param cutoff: what is older goes; None where keys are named
        :param told: called after each transaction
        """
        self._connection, self._tables, self._cutoff, self._limits = connection, tables, cutoff, limits
        self._told = told
        self._size = limits.batch
        self._waits = 0
        self.progress = Progress()

    def old(self) -> Progress:
        """Delete what is older than the cutoff, in the order of the root's key."""
        for keys in walk(self._connection, self._tables, self._cutoff):
            waiting = collections.deque(keys)
            while waiting:
                if not self._goes_on():
                    return self.progress
                self._one_batch(waiting)
            self._told(self.progress)
            if not self._goes_on():
                return self.progress
        return self.progress

    def named(self, keys: t.Sequence[str]) -> Progress:
        """Delete these, however old they are; what somebody holds is tried again for a while.

        :raises CollectorError: `argument-invalid`: one of them is no value of the key's type
        """
        there, self.progress.absent = resolved(self._connection, self._tables, keys)
        waiting = collections.deque(there)
        until = min(self._limits.end, time.monotonic() + NAMED_SECONDS)
        while waiting and self._goes_on():
            held = self.progress.held
            given = list(waiting)
            self._one_batch(waiting)
            if self.progress.held > held and time.monotonic() < until:
                left = {key for (key,) in asked(self._connection, self._tables, statements.present, {"keys": given})}
                waiting.extend(sorted(left - set(waiting)))
                self.progress.held = held
        return self.progress

    def _goes_on(self) -> bool:
        limits = self._limits
        if self._waits >= MOST_WAITS:
            self.progress.stopped = "lock"
        elif not limits.alive():
            self.progress.stopped = "caller"
        elif time.monotonic() >= limits.end:
            self.progress.stopped = "time"
        return not self.progress.stopped

    def _one_batch(self, waiting: collections.deque[str]) -> None:
        """Take keys from the front and delete them; what must be tried again is put back there."""
        from psycopg import errors

        keys = [waiting.popleft() for _number in range(min(self._size, len(waiting)))]
        began = time.monotonic()
        try:
            self._delete(keys)
            self._waits = 0
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure):
            self._waits += 1
            if self._tables.acting and len(keys) == 1 and self._waits > 1:
                # What a trigger or a key changes elsewhere, it waits for.
                self.progress.held += 1
            else:
                # A lock on a table: whoever changes the schema goes first.
                self._size = max(1, len(keys) // 2) if self._tables.acting else self._size
                waiting.extendleft(reversed(keys))
            time.sleep(LOCK_TIMEOUT_MS / 1000)
        except (errors.Error, effects.BeyondError) as error:
            if not self._is_of_the_sessions(error):
                raise
            if len(keys) > 1:
                self._size = max(1, len(keys) // 2)
                waiting.extendleft(reversed(keys))
            elif isinstance(error, errors.QueryCanceled):
                self.progress.large += 1
            else:
                self.progress.refused += 1
                if isinstance(error, effects.BeyondError) and len(self.progress.beyond) < MOST_TOLD:
                    self.progress.beyond.append(str(error))
        took = time.monotonic() - began
        self._told(self.progress)
        time.sleep(max(self._limits.pause_seconds, min(took, 1.0)))

    def _is_of_the_sessions(self, error: Exception) -> bool:
        """Whether an error says something of these sessions, and nothing of the tables or the server.

        What a trigger's own code does wrong has the class of any statement's error.
        """
        from psycopg import errors

        if isinstance(
            error, effects.BeyondError | errors.QueryCanceled | errors.IntegrityError | errors.RaiseException
        ):
            return True
        code = getattr(error, "sqlstate", None) or ""
        if code == errors.InsufficientPrivilege.sqlstate or self._connection.broken:
            return False
        return bool(self._tables.triggers) and code[:2] in _OF_TRIGGERS

    def _delete(self, keys: list[str]) -> None:
        limits = self._limits
        with self._connection.transaction():
            begin(self._connection, limits.statement_seconds, *self._tables.type_schemas)
            began = time.monotonic()
            rows, sessions, beside = self._within(keys)
        took = time.monotonic() - began
        progress = self.progress
        progress.rows.update(rows)
        for name, numbers in beside.items():
            progress.beside.setdefault(name, collections.Counter()).update(numbers)
        progress.sessions += sessions
        progress.batches += 1
        progress.longest_seconds = max(progress.longest_seconds, took)
        if took > TARGET_SECONDS:
            self._size = max(min(LEAST_SESSIONS, limits.batch), self._size // 2)
        elif len(keys) == self._size:
            self._size = min(limits.batch, self._size + max(1, self._size // 4))

    def _within(self, keys: list[str]) -> tuple[dict[str, int], int, dict[str, dict[str, int]]]:
        """Rows by table, and sessions, that were deleted in this transaction; and what that did beside.

        :raises effects.BeyondError: it would have done more, or less, than that
        """
        connection, tables, aged = self._connection, self._tables, self._cutoff is not None
        given: dict[str, t.Any] = {"keys": keys, "cutoff": self._cutoff}

        def ask(statement: t.Any) -> list[t.Any]:
            return connection.execute(statement, given).fetchall()

        locked = [key for (key,) in ask(statements.lock_roots(tables, aged=aged))]
        held = 0
        if left := sorted(set(keys) - set(locked)):
            # What another run deleted meanwhile is held by nobody.
            held = len(connection.execute(statements.present(tables), {"keys": left}).fetchall())
        given["keys"] = locked
        if aged and locked:
            # Each statement sees what was committed before it, so a message that came meanwhile counts.
            given["keys"] = [key for (key,) in ask(statements.still_old(tables))]
        for table in tables.children:
            taken = {key for (key,) in ask(statements.lock_children(tables, table))}
            held += len(taken)
            given["keys"] = [key for key in given["keys"] if key not in taken]
        if not given["keys"]:
            self.progress.held += held
            return dict.fromkeys((table.name for table in tables.all), 0), 0, {}
        before = effects.counters(connection) if tables.acting else {}
        rows = {}
        for table in reversed(tables.all):
            rows[table.name] = connection.execute(statements.delete(tables, table), given).rowcount
        beside = {}
        if tables.acting:
            beside = effects.beside(tables, rows, before, effects.counters(connection))
            for table in tables.children:
                if ask(statements.counted(tables, table)):
                    raise effects.BeyondError(f"a trigger keeps rows of {table.name}")
            if ask(statements.present(tables)):
                raise effects.BeyondError(f"a trigger keeps rows of {tables.root.name}")
        self.progress.held += held
        return rows, rows[tables.root.name], beside


def begin(connection: psycopg.Connection, statement_seconds: float, *type_schemas: str) -> None:
    """The limits of a transaction; SET LOCAL holds behind a pooler as well.

    A text has to be the same value for the server again, so what a role has set for their form does not count.

    :param type_schemas: to be found at the end of the search path, which triggers see as well
    """
    own = {
        "lock_timeout": f"{LOCK_TIMEOUT_MS}ms",
        "statement_timeout": f"{max(1, round(statement_seconds * 1000))}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "IntervalStyle": "postgres",
        "extra_float_digits": "1",
    }
    if connection.info.server_version >= _LIMITS_TRANSACTIONS:
        own["transaction_timeout"] = "0"
    calls = ", ".join("set_config(%s, %s, true)" for _name in own)
    connection.execute(f"SELECT {calls}", [word for pair in own.items() for word in pair])
    if type_schemas:
        words = """
            SELECT set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''),
                   (SELECT string_agg(quote_ident(name), ', ') FROM unnest(%s::text[]) AS name)), true)
        """
        connection.execute(words, (list(type_schemas),))


def asked(
    connection: psycopg.Connection,
    tables: Tables,
    statement: t.Callable[[Tables], t.Any],
    given: dict[str, t.Any],
) -> list[t.Any]:
    """The rows of a statement that changes nothing, in a transaction of its own.

    :raises psycopg.errors.QueryCanceled: it takes longer than LOOK_SECONDS
    """
    with connection.transaction():
        begin(connection, LOOK_SECONDS, *tables.type_schemas)
        return connection.execute(statement(tables), given).fetchall()


def resolved(connection: psycopg.Connection, tables: Tables, keys: t.Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the keys that were named: those that exist, as the server writes them, and the others, as they were given.

    :raises CollectorError: `argument-invalid`: one of them is no value of the key's type
    """
    import psycopg

    try:
        found = asked(connection, tables, statements.resolved, {"keys": list(dict.fromkeys(keys))})
    except (psycopg.DataError, psycopg.IntegrityError):
        words = "A key that was named is no value of the type of the table's key"
        raise CollectorError("argument-invalid", f"{words}: nothing was deleted.") from None
    there = dict.fromkeys(text for _key, text in found if text is not None)
    return list(there), [key for key, text in found if text is None]


def walk(connection: psycopg.Connection, tables: Tables, cutoff: t.Any) -> t.Iterator[list[str]]:
    """Keys that are old, part by part of the root in the order of its key: an index on the time is not needed."""
    after: str | None = None
    while True:
        given = {"after": after, "window": WINDOW, "cutoff": cutoff}
        rows = asked(connection, tables, functools.partial(statements.window, begins=after is None), given)
        if not rows:
            return
        after = rows[-1][0]
        yield [key for key, old in rows if old]


def count(
    connection: psycopg.Connection,
    tables: Tables,
    cutoff: t.Any,
    limits: Limits,
    told: t.Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """What would be deleted. Changes and locks nothing."""
    found = Progress()
    for keys in walk(connection, tables, cutoff):
        if keys:
            _count(connection, tables, keys, found)
        told(found)
        if not limits.alive() or time.monotonic() >= limits.end:
            found.stopped = "time" if limits.alive() else "caller"
            break
    return found


def count_named(connection: psycopg.Connection, tables: Tables, keys: t.Sequence[str]) -> Progress:
    """The same of keys that were named.

    :raises CollectorError: `argument-invalid`: one of them is no value of the key's type
    """
    there, absent = resolved(connection, tables, keys)
    found = Progress(absent=absent)
    _count(connection, tables, there, found)
    return found


def _count(connection: psycopg.Connection, tables: Tables, keys: t.Sequence[str], found: Progress) -> None:
    found.sessions += len(keys)
    found.rows[tables.root.name] += len(keys)
    for table in tables.children:
        rows = asked(connection, tables, functools.partial(statements.counted, table=table), {"keys": list(keys)})
        found.rows[table.name] += sum(number for _key, number in rows)


__all__ = ("Deletion", "Limits", "Progress", "asked", "begin", "count", "count_named", "resolved", "walk")
