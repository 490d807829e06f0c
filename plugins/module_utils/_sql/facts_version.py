"""What is known of Alembic's version table: types of the answer of live_facts.live_rows."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class VersionTableRow(t.TypedDict):
    """What decides whether Alembic can write into its version table (VERSION_TABLE).

    :param kind: pg_class.relkind
    :param secured: row-level security applies to the role
    :param lacks: rights among INSERT and UPDATE
    :param needed: columns that get no value where only version_num is given
    :param triggers: their names
    """

    kind: str
    secured: bool
    lacks: list[str]
    needed: list[str]
    triggers: list[str]


class _VersionTable(t.TypedDict):
    """The rows of the version table, and its database.

    :param rows: of the version table, None where it does not exist
    :param has_tables: there are others
    :param characters: how many version_num holds, None without a limit or a table
    """

    rows: list[str] | None
    has_tables: bool
    characters: int | None


class VersionTable(_VersionTable, total=False):
    """The answer of live_facts.live_rows.

    :param table: missing where there is none, or where a file tells of it
    """

    table: VersionTableRow
