"""One run over a folder of backups: making one, verifying one, saying what there is."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t
from pathlib import Path

from . import backup_manifest, backup_restoration, backup_restore, backup_take, session
from .backup_folder import Backup, BackupFolder
from .backup_retention import Retention, superfluous
from .backup_store import Store
from .backup_stored import StoredFolder
from .backup_verify import verify as verified
from .errors import CollectorError

Row = dict[str, t.Any]
CONNECT_SECONDS: t.Final = 10


class Site(backup_take.Programs, backup_take.Guard, t.Protocol):
    """Where PostgreSQL's programs run.

    :param folder: a closed one for what is in clear, gone at the end
    """

    folder: Path

    def scratch(self, settings: t.Mapping[str, str]) -> contextlib.AbstractContextManager[t.Mapping[str, str]]:
        """A throw-away server: libpq's parameters for its superuser.

        :raises CollectorError: `backup-unverified`: there is none to be had
        """


# From a major version, and the program that has to be there, to where they are.
Sites = t.Callable[[int, str], "contextlib.AbstractContextManager[Site]"]


@dataclasses.dataclass(frozen=True)
class Request:
    """What is wanted.

    :param path: the folder of the backups; with a store, one for this run alone
    :param url: of the database, for a backup
    :param key: age's secret key, None where nothing is encrypted
    :param name: of a backup, None for the newest
    :param image: of the release, as the record names it
    :param lock_timeout_ms: how long the dump may wait for a lock of a table
    :param restore_database: the new database
    :param restore_owner: the one role that gets everything in it
    :param store: with the backups, instead of the folder
    """

    path: Path
    url: str | None = dataclasses.field(default=None, repr=False)
    key: str | None = dataclasses.field(default=None, repr=False)
    name: str | None = None
    jobs: int = 2
    version_table: str = "alembic_version"
    lock_timeout_ms: int = 10000
    image: str | None = None
    retention: Retention = dataclasses.field(default_factory=Retention)
    check_mode: bool = False
    restore_database: str | None = None
    restore_owner: str | None = None
    store: Store | None = None

    @property
    def folder(self) -> BackupFolder:
        """The folder of the backups, or the store as one."""
        return StoredFolder(self.path, self.store) if self.store else BackupFolder(self.path)


def listed(request: Request) -> Row:
    """The records of all backups, the newest first."""
    found = request.folder.backups()
    return {"backups": [item.record for item in found], "summary": lines(found)}


def backup(request: Request, sites: Sites) -> Row:
    """Make one, verify it, and remove what nobody has to keep any more.

    :return: as the module, but `notes`, which are ids of findings with their words
    :raises CollectorError: there is none, or it is not verified
    """
    parameters = session.parameters(request.url or "")
    where, folder = session.place(parameters), request.folder
    with contextlib.ExitStack() as stack:
        connection = session.connected(request.url or "", CONNECT_SECONDS, backup_take.APPLICATION)
        stack.callback(connection.close)
        facts = backup_take.look(connection, request.version_table, where, request.lock_timeout_ms)
        site = stack.enter_context(sites(facts["major"], "postgres"))
        wish = backup_take.Wish(
            request.jobs, site.folder, request.key, request.version_table, request.lock_timeout_ms, request.image
        )
        _assert_room(folder, wish, facts, where)
        if request.check_mode:
            return {"changed": True, "notes": [], "summary": [f"{where} would be backed up into {folder.where}."]}
        stack.enter_context(folder.locked())
        source = backup_take.Source(connection, facts, parameters, where)
        made = backup_take.take(source, folder, wish, site, site)
        # The snapshot would hold back VACUUM for as long as the verification takes.
        connection.close()
        try:
            made = verified(made, request.key, site, request.jobs)
        except CollectorError as error:
            if folder.staged:
                raise CollectorError(error.id, f"{error.message} Nothing was stored in {folder.where}.") from None
            raise
        folder.keep(made)
        notes = _notes(made)
        removed, more = _thinned(folder, request, facts)
        notes += more
        after = backup_take.room(folder, facts["database_bytes"], facts["database"])
        # What a store has room for nobody says.
        if not folder.staged and not after.enough:
            words = f"{folder.path} has {size(after.free)} free, and the next backup may need {size(after.needed)}."
            notes.append(("backup-room-soon", words))
    return result(made, notes) | {"changed": True, "removed": removed}


def _assert_room(folder: BackupFolder, wish: backup_take.Wish, facts: Row, where: str) -> None:
    database_bytes = facts["database_bytes"]
    kept = backup_take.room(folder, database_bytes, facts["database"])
    work = backup_take.work_room(wish, database_bytes)
    each = [(kept, folder.path), (work, wish.work.parent)]
    if folder.staged:
        each = [(backup_take.Room(kept.needed + work.needed, work.free), wish.work.parent)]
    for needed, what in each:
        if not needed.enough:
            words = f"{what} has {size(needed.free)} free, and a backup of {where} may need {size(needed.needed)}"
            raise CollectorError("backup-room", f"{words}; nothing was begun.")


def _thinned(folder: BackupFolder, request: Request, facts: Row) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of the backups of this database that were removed, and what there is to note of it.

    One of which nobody knows whose it is stays.
    """
    own = [item.kept for item in folder.backups() if item.is_of(facts["database"], facts["system"])]
    gone: list[str] = []
    for name in superfluous(own, request.retention):
        try:
            folder.remove(name)
        except CollectorError as error:
            # Keys that may not delete are how some keep others from deleting.
            if error.id != "backup-store-access":
                raise
            return gone, [("backup-store-kept", f"No older backup was removed: {error.message}")]
        gone.append(name)
    return gone, []


def verify(request: Request, sites: Sites) -> Row:
    """Verify one that is there.

    :return: as of backup()
    :raises CollectorError: it is not verified
    """
    folder = request.folder
    with folder.locked():
        found = folder.backups()
        chosen = folder.chosen(request.name or (found[0].folder.name if found else None))
        if request.check_mode:
            words = f"{chosen.folder.name} in {folder.where} would be verified."
            return {"changed": True, "notes": [], "summary": [words]}
        major = backup_manifest.read(chosen.folder)["database"]["major"]
        folder.fetched(chosen)
        with sites(major, "postgres") as site:
            try:
                made = verified(chosen, request.key, site, request.jobs)
            except CollectorError:
                # Verifying wrote the reason into the record here.
                with contextlib.suppress(CollectorError):
                    folder.recorded(chosen)
                raise
        folder.recorded(made)
    return result(made, _notes(made)) | {"changed": True}


def restore(request: Request, sites: Sites) -> Row:
    """Restore one into a new database.

    :return: as of backup()
    :raises CollectorError: there is no such database then
    """
    began = time.monotonic()
    target = backup_restoration.Target(request.url or "", request.restore_database or "", request.restore_owner)
    chosen = request.folder.chosen(request.name)
    if request.name is None:
        request.folder.assert_one_database()
    manifest = backup_manifest.read(chosen.folder)
    notes = [*backup_restoration.judged(target, manifest), *_notes(chosen)]
    request.folder.fetched(chosen)
    backup_manifest.check(chosen.folder, manifest, request.key)
    expected = chosen.record.get("seconds", {}).get("restore")
    row = result(chosen, notes) | {"changed": True, "expected_seconds": expected}
    if request.check_mode:
        about = f" in about {expected:.0f} s, as its verification took" if expected else ""
        words = f"{chosen.folder.name} in {request.folder.where} would be restored into {target.name}{about}."
        return row | {"summary": [words]}
    with (
        sites(manifest["database"]["major"], "pg_restore") as site,
        backup_restore.opened(chosen.folder, manifest, request.key, site.folder) as data,
    ):
        seconds, more = backup_restoration.restore(target, manifest, data, site, request.jobs)
    step = (
        f"Let the database's URL in the release's Secret (database-url, migration-database-url) name {target.name}"
        f" instead of {manifest['database']['database']}, change its rotationId with it, and run site.yml."
    )
    words = f"{chosen.folder.name} was restored into {target.name} at {target.server}, and its rows are those counted."
    seconds["all"] = round(time.monotonic() - began, 3)
    told = [*notes, *(("backup-note", f"{chosen.folder.name} was {note}.") for note in more)]
    return row | {
        "notes": [list(note) for note in dict.fromkeys(told)],
        "seconds": seconds,
        "next_step": step,
        "summary": [words, step],
    }


def run(state: str, request: Request, sites: Sites) -> Row:
    """What the module's `state` says.

    :raises CollectorError: it cannot be had
    """
    if state == "records":
        return listed(request)
    return {"backup": backup, "verify": verify, "restore": restore}[state](request, sites)


def _notes(made: Backup) -> list[tuple[str, str]]:
    return [("backup-note", f"{made.folder.name} was {note}.") for note in made.record.get("notes") or ()]


def result(made: Backup, notes: t.Sequence[tuple[str, str]]) -> Row:
    """What there is to say of one backup."""
    return {
        "backup": made.record,
        "notes": [list(note) for note in notes],
        "summary": [*lines([made]), *(words for _id, words in notes)],
    }


def lines(backups: t.Sequence[Backup]) -> list[str]:
    """A line for each backup."""
    return [
        f"{record['name']}: {_content(record)},"
        f" {'verified' if record.get('verified') else 'not verified: ' + str(record.get('problem'))}"
        for record in (backup.record for backup in backups)
    ]


def _content(record: Row) -> str:
    if "rows" not in record:
        return "neither its record nor its manifest can be read, so nobody knows what is in it"
    revision = ", ".join(record.get("revision") or ()) or "none"
    return f"{record['rows']} rows of {record.get('database')}, {size(record['bytes'])}, revision {revision}"


def size(number: int) -> str:
    """Bytes, as people read them."""
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"


__all__ = ("Request", "Site", "Sites", "run")
