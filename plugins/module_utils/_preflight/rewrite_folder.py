"""The folder of rewritten revisions, and the files of the originals."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import tokenize
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment


class RewriteFolder:
    """Nothing in it is overwritten."""

    def __init__(self, path: str, alembic_dir: str) -> None:
        """:param alembic_dir: where `alembic` is called
        :raises FindingError: `argument-invalid`: it is no folder, or nothing can be written there
        """
        self._folder, self._alembic_dir = Path(path), Path(alembic_dir)
        if not self._folder.is_dir():
            words = f"rewrite_dir {path} is no folder; make it, or name another."
            raise FindingError("argument-invalid", words)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise FindingError("argument-invalid", f"rewrite_dir {path} cannot be written to; name another folder.")

    def original(self, segment: Segment) -> str | None:
        """The text of a revision's file; None where it cannot be read, or lies elsewhere."""
        if segment.source is None:
            return None
        try:
            # tokenize.open reads the file in the encoding that it declares, as Python does.
            with tokenize.open(self._alembic_dir / segment.source) as file:
                return file.read()
        except (OSError, ValueError, SyntaxError):
            return None

    def beside(self, segment: Segment) -> set[str]:
        """The names of the files in the folder of a revision's file."""
        if segment.source is None:
            return set()
        try:
            return {path.name for path in (self._alembic_dir / segment.source).parent.iterdir()}
        except OSError:
            return set()

    def write(self, files: t.Mapping[str, str]) -> None:
        """Write the files that are not there yet.

        :param files: texts by name
        :raises FindingError: `argument-invalid`: one is there with another text, or cannot be written
        """
        wanted = {self._folder / name: text for name, text in files.items()}
        missing = {path: text for path, text in wanted.items() if not _same(path, text)}
        if there := [path for path in missing if os.path.lexists(path)]:
            words = (
                f"{there[0]} is there already, with another text; move it away, or name an empty folder in rewrite_dir."
            )
            raise FindingError("argument-invalid", words)
        for path, text in missing.items():
            try:
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(text)
            except OSError as error:
                raise FindingError("argument-invalid", f"{path} cannot be written: {error.strerror}.") from None


def _same(path: Path, text: str) -> bool:
    try:
        return not path.is_symlink() and path.read_bytes() == text.encode()
    except OSError:
        return False


__all__ = ("RewriteFolder",)
