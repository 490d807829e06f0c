"""The SQL of an upgrade, as Alembic rendered it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Segment:
    """What one revision wrote.

    :param error: rendering failed there
    :param inspects: its SQL depends on the database or mode
    :param source: its file as seen from the folder where `alembic` is called, None where it lies elsewhere
    :param lines: pairs of a position in the SQL and the file's line that wrote from there on
    :param checkfirst_spans: parts of the SQL, from one position to another, that SQLAlchemy runs only where what they
        make is not there yet, or what they drop is there (`checkfirst=True`)
    """

    revision: str
    start: int
    end: int
    doc: str
    path: str
    error: str | None
    inspects: str | None
    source: str | None = None
    lines: tuple[tuple[int, int], ...] = ()
    checkfirst_spans: tuple[tuple[int, int], ...] = ()

    def line(self, position: int) -> int | None:
        """The line of the file that wrote what stands at `position`; None where that is not known."""
        before = [line for begin, line in self.lines if begin <= position]
        return before[-1] if before else None

    def looks_first(self, position: int) -> bool:
        """Whether what stands at `position` is run only where its object is missing, or, to be dropped, there."""
        return any(begin <= position < end for begin, end in self.checkfirst_spans)


@dataclasses.dataclass(frozen=True)
class FilesRead:
    """What was read to render it, as resolved paths; empty where nobody asked.

    :param places: the script folder, and the folders of revisions
    :param revisions: read by revisions, or by what they import
    :param env: read by env.py and what it imports alone
    :param folders: whose content revisions have listed
    """

    places: frozenset[Path] = frozenset()
    revisions: frozenset[Path] = frozenset()
    env: frozenset[Path] = frozenset()
    folders: frozenset[Path] = frozenset()


@dataclasses.dataclass(frozen=True)
class Rendered:
    """The whole SQL of the upgrade, and its revisions in order."""

    sql: str
    segments: list[Segment]
    read: FilesRead = FilesRead()


__all__ = ("FilesRead", "Rendered", "Segment")
