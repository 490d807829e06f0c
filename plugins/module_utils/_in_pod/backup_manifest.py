"""The manifest of a backup: what was dumped, and of which files it consists, and whether they are still the same."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import hashlib
import hmac
import json
import os
import typing as t
from pathlib import Path

from .errors import CollectorError

Manifest = dict[str, t.Any]
NAME: t.Final = "manifest.json"
FORM: t.Final = "ai_platform.agent/backup/1"
# Where the dump lies, beside the manifest.
DATA: t.Final = "data"
_BLOCK: t.Final = 1 << 20


def seal(manifest: Manifest, key: str | None) -> str:
    """A checksum over the manifest; with a key nobody makes another one that fits."""
    rest = {name: value for name, value in manifest.items() if name != "seal"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=True).encode()
    if key is None:
        return hashlib.sha256(text).hexdigest()
    own = hashlib.sha256(b"ai_platform.agent backup seal\0" + key.encode()).digest()
    return hmac.new(own, text, hashlib.sha256).hexdigest()


def of_files(folder: Path) -> dict[str, dict[str, t.Any]]:
    """Size and SHA-256 of each file below DATA, by its path."""
    paths = sorted(path for path in (folder / DATA).rglob("*") if path.is_file())
    # Hashing lets other threads run.
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        sums = list(pool.map(_sum, paths))
    return {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": total}
        for path, total in zip(paths, sums, strict=True)
    }


def of_file(folder: Path, name: str) -> dict[str, dict[str, t.Any]]:
    """The same of one file beside them."""
    return {name: {"bytes": (folder / name).stat().st_size, "sha256": _sum(folder / name)}}


def _sum(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def write(folder: Path, manifest: Manifest, key: str | None) -> None:
    """Write it, to the disk."""
    whole = manifest | {"seal": seal(manifest, key)}
    with (folder / NAME).open("x", encoding="utf-8") as file:
        json.dump(whole, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """The manifest as it stands there, not yet compared with its seal.

    :raises CollectorError: `backup-corrupt`
    """
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
        form = found["form"] if isinstance(found["files"], dict) and isinstance(found["database"], dict) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        words = f"The manifest of the backup {folder.name} cannot be read"
        raise CollectorError("backup-corrupt", f"{words}; use another backup.") from None
    if form != FORM:
        words = f"The backup {folder.name} has the form {str(form)[:60]}, and this version reads {FORM}"
        raise CollectorError("backup-corrupt", f"{words}; use the version of the collection that made it.")
    return t.cast("Manifest", found)


def check(folder: Path, manifest: Manifest, key: str | None) -> None:
    """Check that the manifest and every file are as they were written.

    :raises CollectorError: `backup-corrupt`, `backup-key`
    """
    if bool(manifest.get("encrypted")) != (key is not None):
        words = "is encrypted, and no key was given" if key is None else "is not encrypted, and a key was given"
        raise CollectorError("backup-key", f"The backup {folder.name} {words}; correct encryption_key.")
    if not hmac.compare_digest(seal(manifest, key), str(manifest["seal"])):
        if key is not None:
            words = f"encryption_key is not the key of the backup {folder.name}, or its manifest was changed"
            raise CollectorError("backup-key", f"{words}; give the key with which it was made.")
        words = f"The manifest of the backup {folder.name} was changed after it was written"
        raise CollectorError("backup-corrupt", f"{words}; use another backup.")
    found = of_files(folder)
    for name in sorted(found.keys() | manifest["files"].keys()):
        if found.get(name) != manifest["files"].get(name):
            what = "is missing" if name not in found else "is not part of it"
            what = "was changed after it was written" if name in found and name in manifest["files"] else what
            words = f"The file {name} of the backup {folder.name} {what}"
            raise CollectorError("backup-corrupt", f"{words}; use another backup.")


__all__ = ("DATA", "FORM", "NAME", "Manifest", "check", "of_file", "of_files", "read", "seal", "write")
