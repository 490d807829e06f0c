"""The collector: a list of names goes in, facts about those names and about the server come out, as JSON types.

It only selects, and only from catalogues and statistics, but for the version table and for whether constraints hold.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from . import (
    address_facts,
    check_facts,
    immutable_facts,
    key_facts,
    named_facts,
    parse_facts,
    place_facts,
    row_facts,
    sequence_facts,
    shape_facts,
    usage_facts,
)
from . import live_queries as queries

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]
Attempt = t.Callable[..., "list[Row] | None"]


def _rows(connection: psycopg.Connection, query: str, **values: t.Any) -> list[Row]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values or None).fetchall()


def live_rows(connection: psycopg.Connection, table: str, schema: str | None) -> dict[str, t.Any]:
    """The rows of the version table (None: it does not exist), and whether the database has other tables.

    `characters`: how many version_num holds, None where it has no limit or there is no such table. Where
    there is one, also what decides whether Alembic can write into it.
    """
    from psycopg import sql

    name = sql.Identifier(schema, table) if schema else sql.Identifier(table)
    text = name.as_string(connection)
    with connection.cursor() as cursor:
        exists = cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (text,)).fetchone() == (True,)
        query = sql.SQL("SELECT coalesce(version_num::text, '(null)') FROM {} ORDER BY 1").format(name)
        rows = [row[0] for row in cursor.execute(query).fetchall()] if exists else None
    width = _rows(connection, queries.VERSION_WIDTH, version_table=text)
    about = _rows(connection, queries.VERSION_TABLE, version_table=text) if exists else []
    others = _rows(connection, queries.USER_TABLES, version_table=text)[0]["found"]
    found = {"rows": rows, "has_tables": others, "characters": width[0]["characters"] if width else None}
    return found | ({"table": about[0]} if about else {})


def server_itself(connection: psycopg.Connection) -> dict[str, t.Any]:
    """The server without what others do on it at the moment."""
    facts = _rows(connection, queries.SERVER)[0]
    facts["pooled"] = facts.pop("pid") != connection.info.backend_pid
    return facts


def server(connection: psycopg.Connection, advisory_key: int) -> dict[str, t.Any]:
    """The server as a whole: version, sessions, replication, connections."""
    facts = server_itself(connection)
    facts["sessions"] = _rows(connection, queries.SESSIONS)
    facts["prepared"] = _rows(connection, queries.PREPARED)
    facts["migrators"] = _rows(connection, queries.ADVISORY, key=advisory_key)
    primary = not facts["in_recovery"]
    facts["replicas"] = _rows(connection, queries.REPLICAS) if primary else []
    facts["slots"] = _rows(connection, queries.SLOTS) if primary else []
    return facts


def asker(connection: psycopg.Connection) -> tuple[Ask, Attempt]:
    """What runs a query with named values on this connection; the second answers None where a lock is in the way."""
    ask = functools.partial(_rows, connection)

    def attempt(query: str, **values: t.Any) -> list[Row] | None:
        from psycopg import Error

        try:
            with connection.transaction(force_rollback=True):
                return ask(query, **values)
        except Error as error:
            if error.sqlstate is None:
                raise
            return None

    return ask, attempt


def collect(connection: psycopg.Connection, request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Facts about the names in `request`: tables ([schema or None, name]), functions, types, extensions.

    `rows` in it: questions to rows, as row_facts.collect takes them; without it none is asked.
    """
    ask, attempt = asker(connection)

    def tried(query: str, **values: t.Any) -> list[Row]:
        # What is not known of a table, nobody is told.
        return attempt(query, **values) or []

    facts, resolved = named_facts.collect(ask, tried, request)
    rows = request.get("rows")
    indexes = [row["oid"] for row in facts["classes"] if row["kind"] in {"i", "I"}]
    return facts | {
        "places": place_facts.collect(ask, request["objects"], indexes),
        "rows": row_facts.collect(connection, ask, rows) if rows else None,
        "keys": key_facts.collect(connection, ask, request.get("keys", [])),
        "checks": check_facts.collect(connection, ask, request.get("checks", [])),
        "refusals": [{"unsure": False} | row for row in _refusals(connection, request)],
        "sequences": sequence_facts.collect(connection, ask, request.get("sequences", {})),
        "immutable": immutable_facts.collect(connection, ask, request.get("immutable", [])),
        "usage": usage_facts.collect(connection, ask, tables_of_use(request, resolved)),
    }


def _refusals(connection: psycopg.Connection, request: Row) -> list[Row]:
    """What the server refuses of each kind of question."""
    asked = (
        (parse_facts.refusals, "statements"),
        (parse_facts.grammar, "grammar"),
        (parse_facts.settings, "settings"),
        (parse_facts.bodies, "bodies"),
        (parse_facts.planned, "planned"),
        (shape_facts.refusals, "shaped"),
        (address_facts.refusals, "addresses"),
    )
    return [row for refused, name in asked for row in refused(connection, request.get(name, []))]


def tables_of_use(request: Row, resolved: list[Row]) -> list[Row]:
    """The tables whose use is asked for."""
    wanted = {tuple(name) for name in request.get("usage_tables", ())}
    return [row for row in resolved if row["oid"] and (row["schema"], row["name"]) in wanted]


__all__ = ("asker", "collect", "live_rows", "server", "server_itself", "tables_of_use")
