"""The collector: a list of names goes in, facts about those names and about the server come out, as JSON types.

It only selects, and only from catalogues and statistics, but for the version table and for whether constraints hold.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from . import (
    check_facts,
    immutable_facts,
    key_facts,
    object_facts,
    parse_facts,
    relation_facts,
    row_facts,
    usage_facts,
    write_facts,
)
from . import live_queries as queries

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]


def _rows(connection: psycopg.Connection, query: str, **values: t.Any) -> list[Row]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values or None).fetchall()


def live_rows(connection: psycopg.Connection, table: str, schema: str | None) -> dict[str, t.Any]:
    """The rows of the version table (None: it does not exist), and whether the database has other tables.

    `characters`: how many version_num holds, None where it has no limit or there is no such table.
    """
    from psycopg import sql

    name = sql.Identifier(schema, table) if schema else sql.Identifier(table)
    text = name.as_string(connection)
    with connection.cursor() as cursor:
        exists = cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (text,)).fetchone() == (True,)
        query = sql.SQL("SELECT coalesce(version_num::text, '(null)') FROM {} ORDER BY 1").format(name)
        rows = [row[0] for row in cursor.execute(query).fetchall()] if exists else None
    width = _rows(connection, queries.VERSION_WIDTH, version_table=text)
    others = _rows(connection, queries.USER_TABLES, version_table=text)[0]["found"]
    return {"rows": rows, "has_tables": others, "characters": width[0]["characters"] if width else None}


def server(connection: psycopg.Connection, advisory_key: int) -> dict[str, t.Any]:
    """The server as a whole: version, sessions, replication, connections."""
    facts = _rows(connection, queries.SERVER)[0]
    facts["pooled"] = facts.pop("pid") != connection.info.backend_pid
    facts["sessions"] = _rows(connection, queries.SESSIONS)
    facts["prepared"] = _rows(connection, queries.PREPARED)
    facts["migrators"] = _rows(connection, queries.ADVISORY, key=advisory_key)
    primary = not facts["in_recovery"]
    facts["replicas"] = _rows(connection, queries.REPLICAS) if primary else []
    facts["slots"] = _rows(connection, queries.SLOTS) if primary else []
    return facts


def collect(connection: psycopg.Connection, request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Facts about the names in `request`: tables ([schema or None, name]), functions, types, extensions.

    `rows` in it: questions to rows, as row_facts.collect takes them; without it none is asked.
    """
    asked = request["tables"]
    resolved = _rows(
        connection, queries.RESOLVE, schemas=[item[0] for item in asked], names=[item[1] for item in asked]
    )
    descendants = _rows(connection, queries.DESCENDANTS, oids=[row["oid"] for row in resolved if row["oid"]])
    wanted = {row["oid"] for row in resolved if row["oid"]} | {row["oid"] for row in descendants}
    wanted |= _referrers(connection, request, resolved)
    classes, constraints, uses = _relations(connection, wanted)
    every = sorted(classes)
    ask = functools.partial(_rows, connection)
    _sizes(connection, classes)
    rows = request.get("rows")
    return {
        "rows": row_facts.collect(connection, ask, rows) if rows else None,
        "keys": key_facts.collect(connection, ask, request.get("keys", [])),
        "checks": check_facts.collect(connection, ask, request.get("checks", [])),
        "names": resolved,
        "classes": list(classes.values()),
        "descendants": [row for row in descendants if {row["root"], row["oid"]} <= classes.keys()],
        "columns": _rows(connection, queries.COLUMNS, oids=every),
        "constraints": [row for row in constraints if row["oid"] in classes],
        "uses": [row for row in uses if {row["oid"], row["used"]} <= classes.keys()],
        "invalid_indexes": _rows(connection, queries.INVALID, oids=every),
        "locks": _rows(connection, queries.LOCKS, oids=every),
        "published": [row for row in _rows(connection, queries.PUBLISHED, oids=every) if row["publications"]],
        "functions": _rows(connection, queries.FUNCTIONS, names=request["functions"]),
        "types": _rows(connection, queries.TYPES, names=request["types"]),
        "extensions": _rows(connection, queries.EXTENSIONS, names=request["extensions"]),
        "refusals": parse_facts.refusals(connection, request.get("statements", []))
        + parse_facts.settings(connection, request.get("settings", []))
        + parse_facts.bodies(connection, request.get("bodies", [])),
        "immutable": immutable_facts.collect(connection, ask, request.get("immutable", [])),
        "relations": relation_facts.collect(connection, ask, request.get("created_functions", []), every),
        "usage": usage_facts.collect(connection, ask, _tables(request, resolved)),
        "objects": object_facts.collect(ask, request["objects"], resolved, every),
        "writes": write_facts.collect(ask, request["functions"], every),
    }


def _relations(connection: psycopg.Connection, wanted: set[int]) -> tuple[dict[int, Row], list[Row], list[Row]]:
    """Relations by their oid with what a statement about them locks as well, their constraints, and what views read.

    Statements lock what foreign keys, partitions and indexes lead to; two steps reach all of it.
    """
    classes: dict[int, Row] = {}
    constraints: dict[int, Row] = {}
    uses: list[Row] = []
    for step in range(3):
        oids = sorted(wanted - classes.keys())
        if not oids:
            break
        found = _rows(connection, queries.CLASSES, oids=oids)
        classes |= {row["oid"]: row for row in found}
        wanted |= {row[key] for row in found for key in ("table_oid", "partition_of", "default_partition") if row[key]}
        if step == 0:
            busy = _busy(connection, oids)
            uses = _uses(connection, oids)
            wanted |= {row["used"] for row in uses}
            # An index may belong to a constraint of its table.
            about = oids + [row["table_oid"] for row in found if row["table_oid"]]
            constraints = {
                row["constraint_oid"]: row for row in _rows(connection, queries.CONSTRAINTS, oids=about, busy=busy)
            }
            wanted |= {row[key] for row in constraints.values() for key in ("oid", "other_oid") if row[key]}
    return classes, list(constraints.values()), uses


def _tables(request: Row, resolved: list[Row]) -> list[Row]:
    """The tables whose use is asked for."""
    wanted = {tuple(name) for name in request.get("usage_tables", ())}
    return [row for row in resolved if row["oid"] and (row["schema"], row["name"]) in wanted]


def _uses(connection: psycopg.Connection, oids: list[int]) -> list[Row]:
    """What views read, and what the views among that read."""
    found: list[Row] = []
    todo, seen = set(oids), set(oids)
    while todo:
        more = _rows(connection, queries.USES, oids=sorted(todo))
        found += more
        todo = {row["used"] for row in more} - seen
        seen |= todo
    return found


def _referrers(connection: psycopg.Connection, request: Row, resolved: list[Row]) -> set[int]:
    """Tables that statements reach over foreign keys, as far as these lead; through views, too."""
    oids = {(row["schema"], row["name"]): row["oid"] for row in resolved if row["oid"]}
    found: set[int] = set()
    for kind in ("truncated_tables", "deletion_tables"):
        named = {oids[name] for item in request.get(kind, ()) if (name := tuple(item)) in oids}
        if named:
            named |= {row["used"] for row in _uses(connection, sorted(named))}
            rows = _rows(connection, queries.REFERRERS, oids=sorted(named), every=kind == "truncated_tables")
            found |= {row["oid"] for row in rows}
    return found


def _busy(connection: psycopg.Connection, oids: list[int]) -> list[int]:
    """Oids that somebody holds or awaits in ACCESS EXCLUSIVE: reading their size would wait."""
    return [row["oid"] for row in _rows(connection, queries.BUSY, oids=oids)]


def _sizes(connection: psycopg.Connection, classes: dict[int, Row]) -> None:
    """Sizes from the files; the catalogue's own, as of the last VACUUM, where that would have to wait for a lock."""
    from psycopg import errors

    busy = set(_busy(connection, list(classes)))
    try:
        with connection.transaction():
            for row in _rows(connection, queries.SIZES, oids=[oid for oid in classes if oid not in busy]):
                classes[row["oid"]] |= row
    except (errors.LockNotAvailable, errors.QueryCanceled):
        return


__all__ = ("collect", "live_rows", "server")
