"""A backup is restored into a throw-away server on this machine and compared: only then it counts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import (
    SUPERUSER,
    ScratchError,
    ScratchServer,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_manifest, backup_restore
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_folder import Backup, write_record
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._database.workplace import Workplace

# A name that no dump needs.
DATABASE: t.Final = "restored"
# Rows come in at once and nothing has to outlive the server.
SETTINGS: t.Final = {
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
    "maintenance_work_mem": "256MB", "shared_buffers": "256MB", "logging_collector": "off",
    "log_destination": "stderr", "log_min_messages": "fatal",
}  # fmt: skip
_WHERE: t.Final = "the throw-away server"


def verify(backup: Backup, key: str | None, workplace: Workplace, jobs: int) -> Backup:
    """Restore and compare, and write down what came of it.

    :raises CollectorError: it was not or could not be verified; the record has the reason too
    """
    began = time.monotonic()
    try:
        manifest = backup_manifest.read(backup.folder)
        backup_manifest.check(backup.folder, manifest, key)
        notes, seconds, differences = _restored(backup.folder, manifest, key, workplace, jobs)
        if differences:
            said = "; ".join(differences[:5]) + (f" and {len(differences) - 5} more" if len(differences) > 5 else "")
            raise CollectorError("backup-differs", f"The backup {backup.folder.name} is not as its snapshot: {said}.")
    except CollectorError as error:
        # What is wrong with the key or with this machine says nothing of the backup.
        if error.id in {"backup-corrupt", "backup-differs"} or not backup.record["verified"]:
            write_record(backup.folder, backup.record | {"verified": False, "problem": error.message})
        raise
    now = datetime.datetime.now(datetime.UTC)
    times = backup.record.get("seconds", {}) | {"restore": seconds, "verify": round(time.monotonic() - began, 3)}
    own = {"verified": True, "problem": None, "notes": notes, "seconds": times}
    record = backup.record | own | {"verified_at": now.isoformat(timespec="seconds")}
    write_record(backup.folder, record)
    return Backup(backup.folder, record)


def _restored(
    folder: Path, manifest: backup_manifest.Manifest, key: str | None, workplace: Workplace, jobs: int
) -> tuple[list[str], float, list[str]]:
    """Notes, the seconds of the restore alone, and the differences."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import connected

    database = manifest["database"]
    try:
        with (
            ScratchServer(workplace.programs, own=SETTINGS, place=workplace.place) as server,
            backup_restore.opened(folder, manifest, key, workplace.folder) as data,
        ):
            server.psql(";\n".join(backup_restore.roles(database)), stop=False)
            notes = []
            if server.psql(backup_restore.creation(DATABASE, database)).returncode:
                made = server.psql(backup_restore.plain_creation(DATABASE, database))
                if made.returncode:
                    lines = made.stderr.strip().splitlines() or ["psql fails"]
                    raise ScratchError(lines[0].partition("ERROR:  ")[2] or lines[0])
                notes.append(f"restored with the locale C: this machine does not know {database['collate']}")
            place = {"host": str(server.folder), "user": SUPERUSER, "dbname": DATABASE}
            began = time.monotonic()
            backup_restore.fill(workplace, place, data, jobs)
            seconds = round(time.monotonic() - began, 3)
            url = f"postgresql://{SUPERUSER}@/{DATABASE}?host={server.folder}"
            with connected(url, 10, SUPERUSER) as connection:
                connection.autocommit = True
                return notes, seconds, backup_restore.compare(connection, database, _WHERE)
    except ScratchError as error:
        words = f"The backup {folder.name} cannot be verified on this machine: {error}"
        raise CollectorError("backup-unverified", f"{words}; correct that, then run state: verify.") from None


__all__ = ("verify",)
