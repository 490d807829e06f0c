"""Facts about objects that are no tables, and about what depends on those that an upgrade drops or changes."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from . import object_queries as queries

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]


def collect(ask: Ask, request: dict[str, t.Any], resolved: list[Row], relations: list[int]) -> dict[str, t.Any]:
    """Facts about the objects in a request that are no tables.

    :param ask: runs a query with named values
    :param request: as _sql/questions.py's `objects` has it
    :param resolved: the tables' names with their oid
    :param relations: the oids of all tables that are spoken of
    """
    types = ask(queries.TYPES, names=request["types"]) if request["types"] else []
    kinds = ("roles", "schemas", "classes", "collations", "extensions", "languages", "tablespaces")
    names = {kind: request[kind] for kind in kinds}
    changed = {tuple(name) for name in request["changed"]}
    dropped: dict[str, t.Any] = {
        "relations": [row["oid"] for row in resolved if row["oid"] and (row["schema"], row["name"]) in changed],
        "types": [row["oid"] for row in types if row["name"] in request["dropped_types"]],
        "functions": request["dropped_functions"],
        "schemas": request["dropped_schemas"],
        "extensions": request["dropped_extensions"],
    }
    return {
        # The names that were asked for: a name that is absent here is not known to be missing.
        "asked": {
            "type": request["types"],
            "function": request["functions"],
            "role": request["roles"],
            "schema": request["schemas"],
            "operator class": request["classes"],
            "collation": request["collations"],
            "extension": request["extensions"],
            "language": request["languages"],
            "tablespace": request["tablespaces"],
        },
        "parts": ask(queries.PARTS, oids=relations),
        "types": types,
        "named": ask(queries.NAMED, **names),
        "casts": ask(queries.CASTS) if request["casts"] else [],
        "dependents": ask(queries.DEPENDENTS, **dropped) if any(dropped.values()) else [],
    }


__all__ = ("collect",)
