"""Names for what a rewrite needs for a while, and ids for its revisions."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import object_name

# Alembic's own width of version_num.
_ID_CHARACTERS: t.Final = 32


def first_free(name: t.Callable[[str], str], taken: t.Container[str]) -> str:
    """The first name that is not taken.

    :param name: makes one of a number as text, which is empty at first
    """
    found, number = name(""), 0
    while found in taken:
        number += 1
        found = name(str(number))
    return found


def passing(revision: str, table: str, column: str, taken: t.Container[str]) -> str:
    """The name of a check that is there for a while, the same each time that the same revision is rewritten."""
    digest = hashlib.sha256("\0".join([revision, table, column]).encode()).hexdigest()[:8]
    return first_free(lambda number: object_name(column, None, f"given_{digest}{number}"), taken)


def revision_ids(revision: str, count: int, taken: t.Container[str], characters: int | None) -> list[str]:
    """Ids for a chain of revisions; the last one keeps the original's, on which later revisions build.

    :param characters: how many the version table holds, None where that is not known
    """
    found: list[str] = []
    for number in range(1, count):
        ending, more = f"_{number}", 0
        while True:
            name = revision[: max(1, (characters or _ID_CHARACTERS) - len(ending))] + ending
            if name not in taken and name not in found:
                break
            more += 1
            ending = f"_{number}_{more}"
        found.append(name)
    return [*found, revision]


__all__ = ("first_free", "passing", "revision_ids")
