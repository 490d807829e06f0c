"""Backups in an S3-compatible store, seen as a folder: what is small is fetched, what is large when it is needed.

A backup is made and proved in a folder of this machine, then stored, read back and compared. Its record is stored as
its last object, and only what has one is a backup.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import json
import re
import secrets
import shutil
import typing as t
from pathlib import Path

from . import backup_manifest
from .backup_folder import NAME, RECORD, Backup, BackupFolder, free_bytes
from .backup_store import Listed, Store, is_left
from .errors import CollectorError

# A dump's folder has no folders in it; another name is none that was stored by us, and no path is made of it.
_DATA: t.Final = re.compile(rf"{backup_manifest.DATA}/\w[\w.-]*")
# As many files at a time as a pod's memory has room for (backup_store.PART_BYTES).
_AT_ONCE: t.Final = 3
_SMALL: t.Final = (backup_manifest.NAME, RECORD)


class StoredFolder(BackupFolder):
    """A store, and a folder of this machine that is gone at the end."""

    staged = True

    def __init__(self, path: Path, store: Store) -> None:
        """:param path: the folder, which only this run uses"""
        super().__init__(path)
        self._store = store

    @property
    def where(self) -> str:
        """The store, as people read it."""
        return self._store.where

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Remove what killed runs left. Several runs at a time do not meet: each backup has a name of its own."""
        with super().locked():
            self._drop_left()
            yield

    def _drop_left(self) -> None:
        try:
            for objects in self._listed().values():
                # A record is what is removed first and stored last.
                if RECORD not in objects and all(is_left(item.changed) for item in objects.values()):
                    self._remove(objects.values())
        except CollectorError as error:
            # Whoever may not delete can store all the same; whoever may not list is told when that is needed.
            if error.id != "backup-store-access":
                raise
        self._store.drop_left_uploads()

    def named(self, now: datetime.datetime) -> str:
        """A name that no other run gives."""
        return f"{super().named(now)}-{1000 + secrets.randbelow(10**6)}"

    def _listed(self) -> dict[str, dict[str, Listed]]:
        """The objects of each backup, complete or not, by their names in it; what else is in the store is not ours."""
        found: dict[str, dict[str, Listed]] = {}
        for item in self._store.objects():
            name, _slash, rest = item.key.partition("/")
            if rest and NAME.fullmatch(name):
                found.setdefault(name, {})[rest] = item
        return found

    def backups(self) -> list[Backup]:
        """All that are complete, the newest first."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        for name, objects in self._listed().items():
            folder = self.path / name
            if RECORD in objects and not folder.exists():
                folder.mkdir(mode=0o700)
                for small in _SMALL:
                    if small in objects:
                        self._store.fetch(f"{name}/{small}", folder / small)
        return super().backups()

    def fetched(self, backup: Backup) -> None:
        """Have the files of a backup here.

        :raises CollectorError: `backup-room`
        """
        name = backup.folder.name
        found = self._listed().get(name, {})
        wanted = [item for rest, item in found.items() if _DATA.fullmatch(rest)]
        needed, free = sum(item.bytes for item in wanted), free_bytes(self.path)
        if free < needed:
            words = f"{self.path.parent} has {free >> 20} MiB free, and the backup {name} has {needed >> 20} MiB"
            raise CollectorError("backup-room", f"{words}; give it a volume in work_claim or work_path.")
        (backup.folder / backup_manifest.DATA).mkdir(mode=0o700, exist_ok=True)
        self._each(wanted, lambda item: self._store.fetch(item.key, self.path / item.key))

    def keep(self, backup: Backup) -> None:
        """Store a backup, compare what the store has then, and store its record.

        :raises CollectorError: it is not stored, and nothing of it is left there
        """
        name = backup.folder.name
        manifest = json.loads((backup.folder / backup_manifest.NAME).read_text(encoding="utf-8"))
        expected = {**manifest["files"], **backup_manifest.of_file(backup.folder, backup_manifest.NAME)}
        try:
            self._each(expected, lambda rest: self._store.put(backup.folder / rest, f"{name}/{rest}"))
            self._each(expected, lambda rest: self._compare(f"{name}/{rest}", expected[rest]))
            self.recorded(backup)
        except BaseException as error:
            # What cannot be removed now, a later run removes: without a record it is no backup.
            if not (isinstance(error, CollectorError) and error.id == "backup-store-unreachable"):
                with contextlib.suppress(CollectorError):
                    self._remove(self._listed().get(name, {}).values())
            raise

    def _compare(self, key: str, expected: t.Any) -> None:
        if self._store.checksum(key) != expected:
            words = f"The store {self.where} gives {key} back changed"
            raise CollectorError("backup-store-differs", f"{words}; see what writes to it or stands in between.")

    def recorded(self, backup: Backup) -> None:
        """Store the record of a backup, in the place of the one before."""
        self._store.put(backup.folder / RECORD, f"{backup.folder.name}/{RECORD}")

    def remove(self, name: str) -> None:
        """Remove a backup; interrupted, nothing of it is seen as one."""
        self._remove(self._listed().get(name, {}).values())
        shutil.rmtree(self.path / name, ignore_errors=True)

    def _remove(self, objects: t.Iterable[Listed]) -> None:
        # The record is the one of which the rest is a part.
        for item in sorted(objects, key=lambda item: not item.key.endswith(f"/{RECORD}")):
            self._store.remove(item.key)

    @staticmethod
    def _each(items: t.Iterable[t.Any], work: t.Callable[[t.Any], None]) -> None:
        with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
            under_way = [pool.submit(work, item) for item in items]
            try:
                for done in concurrent.futures.as_completed(under_way):
                    done.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


__all__ = ("StoredFolder",)
