# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""Writing a file that is there as a whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path


def write_whole(target: Path, text: str) -> None:
    """Put `text` in the place of what was there, with mode 0600; a link there is replaced, not followed.

    :raises OSError: the folder is missing or read-only, the disk is full, or `target` is no ordinary file
    """
    if target.exists() and not target.is_file():
        raise FileExistsError(17, "It is no ordinary file", str(target))
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, no path
            file.write(text)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink()
        raise


__all__ = ("write_whole",)
