"""Facts about the tables to whose rows an upgrade writes: unique keys, triggers, the labels of enum columns."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from . import write_queries as queries

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]


def collect(ask: Ask, functions: list[str], relations: list[int]) -> dict[str, list[Row]]:
    """Facts about tables.

    :param ask: runs a query with named values
    :param functions: names of those that the upgrade makes or uses
    :param relations: the oids of all tables that are spoken of
    """
    return {
        "uniques": ask(queries.UNIQUES, oids=relations),
        "triggers": ask(queries.TRIGGERS, oids=relations),
        "casts": ask(queries.CASTS),
        "default_classes": ask(queries.DEFAULT_CLASSES),
        "index_classes": ask(queries.INDEX_CLASSES, oids=relations),
        "signatures": ask(queries.SIGNATURES, names=functions) if functions else [],
        "unpopulated": ask(queries.UNPOPULATED, oids=relations),
        "enums": ask(queries.ENUMS, oids=relations),
    }


__all__ = ("collect",)
