"""The encryption of the files of a backup: age, so that `age -d` reads them as well."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import os
import typing as t
from pathlib import Path

from .errors import CollectorError

SUFFIX: t.Final = ".age"


def _library() -> t.Any:
    try:
        import pyrage
    except ImportError:
        words = "Encryption needs the Python library pyrage; install it for the interpreter that runs this"
        raise CollectorError("library-missing", f"{words} (pip install pyrage).") from None
    return pyrage


def assert_key(key: str) -> None:
    """Check that it is an identity of age.

    :raises CollectorError: `backup-key`, `library-missing`
    """
    _identity(key)


def _identity(key: str) -> t.Any:
    library = _library()
    try:
        return library.x25519.Identity.from_str(key.strip())
    except library.IdentityError:
        words = "encryption_key is no secret key of age, as `age-keygen` prints it after # lines: AGE-SECRET-KEY-1…"
        raise CollectorError("backup-key", f"{words}.") from None


def encrypt(source: Path, target: Path, key: str) -> None:
    """Each file of a folder into another folder, under its name and SUFFIX; those there go to the disk."""
    library, identity = _library(), _identity(key)
    recipients = [identity.to_public()]

    def one(path: Path) -> None:
        made = target / f"{path.relative_to(source)}{SUFFIX}"
        with path.open("rb") as plain, made.open("xb") as file:
            library.encrypt_io(plain, file, recipients)
            file.flush()
            os.fsync(file.fileno())

    _each(source, target, one)


def decrypt(source: Path, target: Path, key: str) -> None:
    """The way back.

    :raises CollectorError: `backup-key`: a file is not one of this key, or was changed
    """
    library, identity = _library(), _identity(key)

    def one(path: Path) -> None:
        made = target / str(path.relative_to(source)).removesuffix(SUFFIX)
        try:
            with path.open("rb") as file, made.open("xb") as plain:
                library.decrypt_io(file, plain, [identity])
        except library.DecryptError:
            words = f"encryption_key does not open {path.name}"
            raise CollectorError("backup-key", f"{words}; give the key with which the backup was made.") from None

    _each(source, target, one)


def _each(source: Path, target: Path, one: t.Callable[[Path], None]) -> None:
    target.mkdir(mode=0o700, exist_ok=True)
    # pg_dump's directory has no folders in it.
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done in [pool.submit(one, path) for path in sorted(source.iterdir())]:
            done.result()


__all__ = ("SUFFIX", "assert_key", "decrypt", "encrypt")
