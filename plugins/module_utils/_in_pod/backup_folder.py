"""The folder with the backups: what is complete has its name, what is not is never seen as one."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import re
import shutil
import typing as t
from pathlib import Path

from . import backup_manifest
from .backup_retention import Kept
from .errors import CollectorError

# Beside the manifest: it changes when a backup is verified again.
RECORD: t.Final = "record.json"
INCOMPLETE: t.Final = ".incomplete-"
REMOVED: t.Final = ".removed-"
_LOCK: t.Final = ".lock"
NAME: t.Final = re.compile(r"\d{8}T\d{6}Z(-\d+)?")

Record = dict[str, t.Any]


class Backup(t.NamedTuple):
    """A complete one.

    :param record: what is known of it, the same as `list` shows
    """

    folder: Path
    record: Record

    @property
    def kept(self) -> Kept:
        """The backup as an input of the retention."""
        time = datetime.datetime.fromisoformat(self.record["time"])
        return Kept(self.folder.name, time, self.record.get("verified") is True)

    def is_of(self, database: str, system: str | None) -> bool:
        """Whether it is a backup of this database of this server; where either is not known, of this name.

        :param system: PostgreSQL's identifier of the server
        """
        other = self.record.get("system")
        return self.record.get("database") == database and (not system or not other or system == other)


class BackupFolder:
    """A folder that one process writes at a time."""

    # Whether backups are elsewhere, and the folder is only where they are made and read.
    staged: t.ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def where(self) -> str:
        """Where the backups are, as people read it."""
        return str(self.path)

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Be the one that writes; what a killed one left is removed first.

        :raises CollectorError: `backup-folder`: it cannot be written; `backup-running`
        """
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            with (self.path / _LOCK).open("w", encoding="utf-8") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    words = f"Another backup is being made or removed in {self.path}; wait for its end."
                    raise CollectorError("backup-running", words) from None
                for prefix in (INCOMPLETE, REMOVED):
                    for left in self.path.glob(f"{prefix}*"):
                        shutil.rmtree(left, ignore_errors=True)
                yield
        except OSError as error:
            raise self.unwritable(error) from None

    def unwritable(self, error: OSError) -> CollectorError:
        """What to say of an error of the file system."""
        words = f"The backups in {self.path} cannot be written or read ({error.strerror or error})"
        return CollectorError("backup-folder", f"{words}; correct the folder, its rights or its volume.")

    def named(self, now: datetime.datetime) -> str:
        """The name of a backup that begins now."""
        stem = name = now.strftime("%Y%m%dT%H%M%SZ")
        number = 2
        while (self.path / name).exists():
            name, number = f"{stem}-{number}", number + 1
        return name

    def begin(self, now: datetime.datetime, watch: t.Callable[[Path], None]) -> tuple[str, Path]:
        """The name of a new backup, and the empty folder in which it is made.

        :param watch: told of the folder before it is there, for whoever dies in between leaves it
        """
        name = self.named(now)
        made = self.path / f"{INCOMPLETE}{name}"
        watch(made)
        made.mkdir(mode=0o700)
        return name, made

    def publish(self, made: Path, name: str) -> Path:
        """Give a complete backup its name; what was written before is on the disk."""
        _sync(made)
        target = self.path / name
        made.rename(target)
        _sync(self.path)
        return target

    def keep(self, backup: Backup) -> None:
        """Have a verified backup where the backups are; in a folder it is there."""

    def fetched(self, backup: Backup) -> None:
        """Have the files of a backup in its folder, where they are here."""

    def recorded(self, backup: Backup) -> None:
        """Have a changed record where the backups are; in a folder it is there."""

    def remove(self, name: str) -> None:
        """Remove a backup; interrupted, nothing of it is seen as one."""
        away = self.path / f"{REMOVED}{name}"
        (self.path / name).rename(away)
        shutil.rmtree(away, ignore_errors=True)

    def backups(self) -> list[Backup]:
        """All that are complete, the newest first."""
        try:
            folders = [path for path in self.path.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self.unwritable(error) from None
        found = [Backup(path, read_record(path)) for path in folders]
        return sorted(found, key=lambda item: (item.record["time"], item.folder.name), reverse=True)

    def chosen(self, name: str | None) -> Backup:
        """The one of this name, else the newest that is verified.

        :raises CollectorError: `backup-missing`
        """
        found = self.backups()
        for item in found:
            if item.folder.name == name or (name is None and item.record.get("verified") is True):
                return item
        if name:
            there = ", ".join(item.folder.name for item in found[:5])
            words = f"There is no backup {name} in {self.where}; there are {there}"
            raise CollectorError("backup-missing", (words if found else f"There is no backup in {self.where}") + ".")
        words = f"There is no verified backup in {self.where}"
        more = f"; {len(found)} are not verified, name one in backup_name" if found else "; make one"
        raise CollectorError("backup-missing", f"{words}{more}.")

    def assert_one_database(self) -> None:
        """Check that the newest verified backup is nobody else's.

        :raises CollectorError: `backup-missing`: there are verified backups of more than one database
        """
        verified = [item for item in self.backups() if item.record.get("verified") is True]
        newest: dict[tuple[str, str], str] = {}
        for item in verified:
            whose = str(item.record.get("database")), str(item.record.get("system"))
            newest.setdefault(whose, item.folder.name)
        if len(newest) > 1:
            each = ", ".join(f"{name} of {database}" for (database, _system), name in newest.items())
            words = f"{self.where} has backups of more than one database or server ({each})"
            raise CollectorError("backup-missing", f"{words}; name one in backup_name.")

    def free(self) -> int:
        """Bytes that may still be written."""
        return free_bytes(self.path)


def free_bytes(path: Path) -> int:
    """Bytes that may still be written where *path* is, or would be."""
    while not path.exists():
        path = path.parent
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def read_record(folder: Path) -> Record:
    """What is known of a backup; one whose record is lost is not verified, and has what its manifest says."""
    stamp = datetime.datetime.strptime(folder.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)  # noqa: UP017 - Python 3.10
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found.get("time"), str):
            datetime.datetime.fromisoformat(found["time"])
            return found | {"name": folder.name}
    lost = f"{RECORD} is lost or cannot be read; state: verify writes it anew"
    found = {"name": folder.name, "time": stamp.isoformat(), "verified": False, "problem": lost}
    with contextlib.suppress(CollectorError, KeyError, TypeError, AttributeError, ValueError):
        manifest = backup_manifest.read(folder)
        database = manifest["database"]
        datetime.datetime.fromisoformat(manifest["time"])
        found |= {
            "time": manifest["time"],
            "database": database["database"],
            "system": database.get("system"),
            "revision": database["revision"],
            "image": manifest["image"],
            "bytes": sum(item["bytes"] for item in manifest["files"].values()),
            "database_bytes": database["database_bytes"],
            "tables": len(database["tables"]),
            "rows": sum(database["counts"].values()),
            "encrypted": manifest["encrypted"],
        }
    return found


def write_record(folder: Path, record: Record) -> None:
    """Write it whole, in the place of the one before."""
    made = folder / f".{RECORD}"
    with made.open("w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    made.rename(folder / RECORD)
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def bytes_of(folder: Path) -> int:
    """What the files of a backup hold."""
    return sum(item["bytes"] for item in backup_manifest.read(folder)["files"].values())


__all__ = (
    "INCOMPLETE", "NAME", "RECORD", "Backup", "BackupFolder", "Record", "bytes_of", "free_bytes", "read_record",
    "write_record",
)  # fmt: skip
