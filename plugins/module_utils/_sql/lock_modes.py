"""PostgreSQL's table lock modes, weakest first, and which of them exclude each other.

Source: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES (table 13.2).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import enum


class Mode(enum.IntEnum):
    """Named as in LOCK TABLE; NONE is ours and stands for no lock on the table."""

    NONE = 0
    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    @classmethod
    def of_words(cls, words: str) -> Mode:
        """From a report, which has it as LOCK TABLE does: `SHARE UPDATE EXCLUSIVE`."""
        return cls[words.replace(" ", "_")]

    @classmethod
    def of_server(cls, mode: str) -> Mode:
        """From pg_locks.mode: `ShareUpdateExclusiveLock`."""
        letters = "".join(f"_{letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock"))
        return cls[letters.lstrip("_").upper()]


# For each mode the values of those that it excludes.
_CONFLICTS = {
    Mode.NONE: set(),
    Mode.ACCESS_SHARE: {8},
    Mode.ROW_SHARE: {7, 8},
    Mode.ROW_EXCLUSIVE: {5, 6, 7, 8},
    Mode.SHARE_UPDATE_EXCLUSIVE: {4, 5, 6, 7, 8},
    Mode.SHARE: {3, 4, 6, 7, 8},
    Mode.SHARE_ROW_EXCLUSIVE: {3, 4, 5, 6, 7, 8},
    Mode.EXCLUSIVE: {2, 3, 4, 5, 6, 7, 8},
    Mode.ACCESS_EXCLUSIVE: {1, 2, 3, 4, 5, 6, 7, 8},
}


def conflicts(one: Mode, other: Mode) -> bool:
    """Whether a session that asks for `one` waits for another that holds `other`."""
    return other.value in _CONFLICTS[one]


def blocks_reads(mode: Mode) -> bool:
    return conflicts(mode, Mode.ACCESS_SHARE)


def blocks_writes(mode: Mode) -> bool:
    return conflicts(mode, Mode.ROW_EXCLUSIVE)


__all__ = ("Mode", "blocks_reads", "blocks_writes", "conflicts")
