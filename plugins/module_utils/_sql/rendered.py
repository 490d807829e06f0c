"""The SQL of an upgrade, as Alembic rendered it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Segment:
    """What one revision wrote.

    :param error: rendering failed there
    :param inspects: its SQL depends on the database or mode
    """

    revision: str
    start: int
    end: int
    doc: str
    path: str
    error: str | None
    inspects: str | None


@dataclasses.dataclass(frozen=True)
class Rendered:
    """The whole SQL of the upgrade, and its revisions in order."""

    sql: str
    segments: list[Segment]


__all__ = ("Rendered", "Segment")
