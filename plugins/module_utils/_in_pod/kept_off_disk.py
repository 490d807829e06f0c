"""What env.py and the revisions write while they are only asked for their SQL: nothing that stays."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import tempfile
import typing as t
from pathlib import Path


@contextlib.contextmanager
def kept_off_disk() -> t.Iterator[None]:
    """Send files that env.py or a revision opens for writing to os.devnull: a preflight changes nothing.

    In temporary folders of its own it writes what it wants to find there again, as an application does that copies
    files when it is imported. They are gone afterwards.
    """
    original, make = builtins.open, tempfile.mkdtemp
    folders: list[Path] = []

    def made(*arguments: t.Any, **more: t.Any) -> t.Any:
        folder = make(*arguments, **more)
        folders.append(Path(os.fsdecode(folder)).resolve())
        return folder

    def own(file: t.Any) -> bool:
        return bool(folders) and not set(folders).isdisjoint(Path(os.fsdecode(file)).resolve().parents)

    def nowhere(file: t.Any, mode: str = "r", *arguments: t.Any, **more: t.Any) -> t.Any:
        if set(mode) & set("wax+") and not isinstance(file, int) and not own(file):
            return original(os.devnull, mode.replace("x", "w"), *arguments, **more)
        return original(file, mode, *arguments, **more)

    builtins.open = io.open = nowhere
    tempfile.mkdtemp = t.cast("t.Any", made)
    try:
        yield
    finally:
        builtins.open = io.open = original
        tempfile.mkdtemp = make
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


__all__ = ("kept_off_disk",)
