"""A dump and the counts of its own snapshot, under a name that says it is not complete; then its own name."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import shutil
import threading
import time
import typing as t
from pathlib import Path

from . import backup_encryption, backup_facts, backup_manifest, backup_session
from .backup_folder import Backup, BackupFolder, bytes_of, free_bytes, write_record
from .errors import CollectorError

# What a server was told to show of a session of ours.
APPLICATION: t.Final = "ai_platform.agent backup"
# The growth of a database between two backups that room is asked for.
GROWTH: t.Final = 1.2
_SNAPSHOT: t.Final = "SELECT pg_export_snapshot()"
# A subscription has a login at another server in it; a restored one would begin to replicate.
_DUMP: t.Final = ("--format=directory", "--no-subscriptions", "--no-password")


class Programs(t.Protocol):
    """PostgreSQL's own programs, beside which nothing of a login is seen."""

    def run(self, program: str, options: t.Sequence[str], place: t.Mapping[str, t.Any]) -> None:
        """Run one to its end.

        :param place: libpq's parameters of the connection
        :raises CollectorError: `backup-failed`: it fails; with its first complaint
        """


class Guard(t.Protocol):
    """Removes folders when whoever made them is killed."""

    def watch(self, folder: Path) -> None:
        """Remove it, should this process die."""

    def release(self, folder: Path) -> None:
        """Do not remove the folder any more."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """How a backup is made.

    :param jobs: processes that dump
    :param work: the folder for what is not encrypted yet
    :param key: age's secret key, None where nothing is encrypted
    :param version_table: Alembic's
    :param lock_timeout_ms: how long the dump may wait for a lock of a table
    :param image: of the release, as the record names it
    """

    jobs: int
    work: Path
    key: str | None = dataclasses.field(repr=False)
    version_table: str
    lock_timeout_ms: int
    image: str | None = None


class Room(t.NamedTuple):
    """Bytes that a backup may need, and those that are free."""

    needed: int
    free: int

    @property
    def enough(self) -> bool:
        """Whether it fits."""
        return self.free >= self.needed


def room(folder: BackupFolder, database_bytes: int, database: str) -> Room:
    """What the next backup may need: as the last one did of its database, else as much as the database holds."""
    needed = database_bytes
    for backup in folder.backups():
        if backup.record.get("database") != database:
            continue
        with contextlib.suppress(CollectorError, KeyError, ZeroDivisionError, TypeError):
            share = bytes_of(backup.folder) / backup_manifest.read(backup.folder)["database"]["database_bytes"]
            needed = int(database_bytes * share * GROWTH)
            break
    return Room(needed, folder.free())


def look(connection: t.Any, version_table: str, where: str, lock_timeout_ms: int) -> backup_facts.Facts:
    """The facts in a snapshot that stays until the session's end, and with it a hold of every table.

    :param lock_timeout_ms: how long it waits for one
    :raises CollectorError: the role may not read them, or somebody else holds a table
    """
    import psycopg

    with (
        backup_facts.translated(where),
        backup_session.naming_holders(connection, where, lock_timeout_ms),
    ):
        connection.autocommit = True
        backup_session.unhindered(connection)
        table = backup_facts.version_table(connection, version_table)
        backup_facts.prepare(connection)
        backup_session.waits(connection, lock_timeout_ms)
        connection.autocommit = False
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = backup_facts.facts(connection, table)
        backup_session.hold(connection, found["tables"])
        backup_session.waits(connection, 0)
    return found


class Source(t.NamedTuple):
    """A database that was looked at.

    :param connection: the one of look(), with its snapshot
    :param facts: what look() found
    :param place: libpq's parameters of the connection for pg_dump
    :param where: host, port and database
    """

    connection: t.Any
    facts: backup_facts.Facts
    place: t.Mapping[str, t.Any]
    where: str


def take(source: Source, folder: BackupFolder, wish: Wish, programs: Programs, guard: Guard) -> Backup:
    """Make a backup, complete and not verified yet.

    :raises CollectorError: there is none; nothing of it is left
    """
    began = time.monotonic()
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 - Python 3.10
    try:
        name, made = folder.begin(now, guard.watch)
        try:
            data = made / backup_manifest.DATA
            # Whoever reads the volume meanwhile must not find it in clear.
            dumped = wish.work / backup_manifest.DATA if wish.key else data
            rows = _dump(source, dumped, wish, programs)
            dump_seconds = time.monotonic() - began
            if wish.key:
                backup_encryption.encrypt(dumped, data, wish.key)
            manifest: backup_manifest.Manifest = {
                "form": backup_manifest.FORM,
                "time": now.isoformat(timespec="seconds"),
                "database": source.facts | rows,
                "encrypted": wish.key is not None,
                "image": wish.image,
                "files": backup_manifest.of_files(made),
            }
            backup_manifest.write(made, manifest, wish.key)
            record = _record(name, made, manifest)
            record["seconds"] = {"dump": round(dump_seconds, 3), "backup": round(time.monotonic() - began, 3)}
            write_record(made, record)
            return Backup(folder.publish(made, name), record)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        finally:
            guard.release(made)
    except OSError as error:
        raise folder.unwritable(error) from None


def _dump(source: Source, target: Path, wish: Wish, programs: Programs) -> dict[str, dict[str, int]]:
    """Dump the snapshot into a folder, and count its rows meanwhile.

    :return: `counts` and `matview_counts`, as `_Counting.result` has them
    :raises CollectorError: the dump or the count failed
    """
    with backup_facts.translated(source.where):
        snapshot = source.connection.execute(_SNAPSHOT).fetchone()[0]
    counted = _Counting(source.connection, source.facts, source.where)
    options = [*_DUMP, f"--file={target}", f"--jobs={wish.jobs}", f"--snapshot={snapshot}"]
    try:
        programs.run("pg_dump", [*options, f"--lock-wait-timeout={wish.lock_timeout_ms}"], source.place)
    except CollectorError as error:
        # Where counting failed, the snapshot went with its transaction, which is all that the dump knows.
        if counted.cancelled():
            raise _locked(source.connection, error) from None
        counted.result()
        raise
    except BaseException:
        counted.cancelled()
        raise
    return counted.result()


def _record(name: str, made: Path, manifest: backup_manifest.Manifest) -> dict[str, t.Any]:
    """What a list of backups shows of this one."""
    found = manifest["database"]
    return {
        "name": name,
        "time": manifest["time"],
        "database": found["database"],
        "revision": found["revision"],
        "image": manifest["image"],
        "bytes": bytes_of(made),
        "database_bytes": found["database_bytes"],
        "tables": len(found["tables"]),
        "system": found["system"],
        "rows": sum(found["counts"].values()),
        "encrypted": manifest["encrypted"],
        "verified": False,
        "problem": "it was not restored yet",
    }


def _locked(connection: t.Any, error: CollectorError) -> CollectorError:
    """The same error, with who holds the lock for which the dump waited."""
    import psycopg

    if "lock" not in error.message:
        return error
    with contextlib.suppress(psycopg.Error):
        connection.rollback()
        words = error.message.rpartition("; ")[0]
        return CollectorError(error.id, f"{words}; {backup_session.holder(connection)}.")
    return error


class _Counting:
    """The rows are counted in the snapshot while the dump runs: together they take about as long as the longer one."""

    def __init__(self, connection: t.Any, facts: backup_facts.Facts, where: str) -> None:
        self._connection, self._where = connection, where
        self._found: dict[str, dict[str, int]] = {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._count, args=(facts,), daemon=True)
        self._thread.start()

    def _count(self, facts: backup_facts.Facts) -> None:
        try:
            with backup_facts.translated(self._where):
                self._found = {
                    "counts": backup_facts.counts(self._connection, facts["tables"]),
                    "matview_counts": backup_facts.matview_counts(self._connection, facts),
                }
        except BaseException as error:
            self._error = error

    def cancelled(self) -> bool:
        """Stop counting; False where the count had failed before that."""
        self._thread.join(0.5)
        was_alive = self._thread.is_alive()
        while self._thread.is_alive():
            self._connection.cancel()
            self._thread.join(0.2)
        return was_alive or self._error is None

    def result(self) -> dict[str, dict[str, int]]:
        """`counts`, rows by table, and `matview_counts`, once the last one is counted.

        :raises CollectorError: they could not be counted
        """
        self._thread.join()
        if self._error:
            raise self._error
        return self._found


def work_room(wish: Wish, database_bytes: int) -> Room:
    """What a restored copy needs, and beside it a dump that is not encrypted yet."""
    return Room(int(database_bytes * (2 if wish.key else 1) * GROWTH), free_bytes(wish.work))


__all__ = ("APPLICATION", "Guard", "Programs", "Room", "Source", "Wish", "look", "room", "take", "work_room")
