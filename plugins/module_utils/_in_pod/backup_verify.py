"""A backup is restored into a throw-away server and compared: only then it counts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import time
import typing as t

from . import backup_facts, backup_manifest, backup_restore
from .backup_folder import Backup, write_record
from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    from .backup_run import Site

# A name that no dump needs.
DATABASE: t.Final = "restored"
# Rows come in at once and nothing has to outlive the server.
SETTINGS: t.Final = {
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
    "maintenance_work_mem": "256MB", "shared_buffers": "256MB", "logging_collector": "off",
    "log_destination": "stderr", "log_min_messages": "fatal",
}  # fmt: skip
MOST_DIFFERENCES: t.Final = 5
_WHERE: t.Final = "the throw-away server"


def verify(backup: Backup, key: str | None, site: Site, jobs: int) -> Backup:
    """Restore and compare, and write down what came of it.

    :raises CollectorError: it was not or could not be verified; the record has the reason too
    """
    began = time.monotonic()
    try:
        manifest = backup_manifest.read(backup.folder)
        backup_manifest.check(backup.folder, manifest, key)
        notes, seconds, differences = _restored(backup, manifest, key, site, jobs)
        _assert_same(backup, differences)
    except CollectorError as error:
        # What is wrong with the key or with this machine says nothing of the backup.
        if error.id in {"backup-corrupt", "backup-differs"} or not backup.record["verified"]:
            write_record(backup.folder, backup.record | {"verified": False, "problem": error.message})
        raise
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 - Python 3.10
    times = backup.record.get("seconds", {}) | {"restore": seconds, "verify": round(time.monotonic() - began, 3)}
    own = {"verified": True, "problem": None, "notes": notes, "seconds": times}
    record = backup.record | own | {"verified_at": now.isoformat(timespec="seconds")}
    write_record(backup.folder, record)
    return Backup(backup.folder, record)


def _assert_same(backup: Backup, differences: t.Sequence[str]) -> None:
    if differences:
        more = len(differences) - MOST_DIFFERENCES
        said = "; ".join(differences[:MOST_DIFFERENCES]) + (f" and {more} more" if more > 0 else "")
        raise CollectorError("backup-differs", f"The backup {backup.folder.name} is not as its snapshot: {said}.")


def _restored(
    backup: Backup, manifest: backup_manifest.Manifest, key: str | None, site: Site, jobs: int
) -> tuple[list[str], float, list[str]]:
    """Notes, the seconds of the restore alone, and the differences."""
    database = manifest["database"]
    with site.scratch(SETTINGS) as server, backup_restore.opened(backup.folder, manifest, key, site.folder) as data:
        notes = _prepared(server, database)
        place = {**server, "dbname": DATABASE}
        began = time.monotonic()
        backup_restore.fill(site, place, data, jobs)
        seconds = round(time.monotonic() - began, 3)
        with backup_facts.translated(_WHERE), _session(place) as connection:
            differences, more = backup_restore.compare(connection, database, _WHERE)
            return [*notes, *more, *database.get("lost", ())], seconds, differences


def _prepared(server: t.Mapping[str, str], database: backup_facts.Facts) -> list[str]:
    """Roles and the empty database; in what it is not like the one that was dumped."""
    import psycopg

    with backup_facts.translated(_WHERE), _session(server) as admin:
        for statement in backup_restore.roles(database):
            admin.execute(statement)
        try:
            admin.execute(backup_restore.creation(DATABASE, database))
        except psycopg.Error:
            admin.execute(backup_restore.plain_creation(DATABASE, database))
            return [f"restored with the locale C: the machine that verified it does not know {database['collate']}"]
    return []


def _session(place: t.Mapping[str, str]) -> t.Any:
    import psycopg

    # What belongs to a name alone has no password.
    return psycopg.connect(**t.cast("dict[str, t.Any]", dict(place)), autocommit=True, client_encoding="UTF8")


__all__ = ("verify",)
