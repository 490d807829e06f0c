"""What rows of an INSERT or UPDATE put into columns: how many values, the constants, and what no column takes.

Pure functions, the same for tables of the server and for those of the upgrade.
Source: rewriteTargetListIU in src/backend/rewrite/rewriteHandler.c (generated and identity columns).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import Constant, constant, misfit

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Collection, Container

    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Column
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write

# A value by the name of its column; None where it is no constant.
Row: t.TypeAlias = "dict[str, Constant | None]"  # noqa: UP040 - the sanity tests know no newer form


def constants(write: Write, names: tuple[str, ...]) -> list[Row]:
    """Each row that the statement itself holds.

    :param names: the columns that are written, in their order
    """
    return [{name: constant(value) for name, value in zip(names, row, strict=False)} for row in write.rows or ()]


def longest(write: Write) -> int:
    """The number of values in the longest row."""
    return max((len(row) for row in write.rows or ()), default=0)


def miscounted(write: Write, names: tuple[str, ...]) -> str | None:
    """Values and columns where they do not fit, as the end of a sentence; fewer values fit where no column is named."""
    number = longest(write)
    short = write.rows is not None and write.columns is not None and number < len(names)
    return f"given {number} values for {len(names)} columns" if number > len(names) or short else None


def wrong_value(
    write: Write,
    column: Column,
    values: Collection[Constant | None],
    labels: Callable[[str], Collection[str] | None],
    casts: Container[tuple[str, str]],
) -> str | None:
    """Why the server refuses what is written to a column, but for NULL, as the rest of a sentence.

    :param values: of each row; None where it is no constant
    """
    plain = [value for value in values if value is None or value.kind != "default"]
    written = bool(plain) or write.rows is None
    if column.generated and written:
        return "is generated"
    if column.identity == "a" and written and write.overriding is None:
        return "is GENERATED ALWAYS AS IDENTITY"
    if column.identity and write.overriding == "user":
        return None
    known = labels(column.type)
    for value in plain:
        if value is not None and value.kind != "null" and (wrong := misfit(value, column, known, casts)):
            return wrong
    return None


__all__ = ("Row", "constants", "longest", "miscounted", "wrong_value")
