"""What the server says of statements over tables as they will be: it parses queries over them, and executes none.

A table of the upgrade stands in its query as a WITH query of typed NULLs. Its columns are those of the server's table
with what the upgrade changes before.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

NAME = "ai_platform_shape"
SECONDS = 5.0
# Without the keys of a table, a query may be refused that the server takes, as by GROUP BY; and without the collations
# of its columns another one. What an operator, a function, a cast or a literal gives depends on neither.
PROVE = {"42883", "42804", "42846", "42703", "42725"}
# Data exceptions: a text that its type cannot read.
_DATA = "22"
COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a WHERE a.attrelid = to_regclass(%(name)s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
OWN = """
SELECT count(*) = 0 AS own FROM unnest(%(names)s::text[]) n
WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.proname = n AND p.pronamespace = 'pg_catalog'::regnamespace)
"""
# Whether a value of the one type can be assigned to the other; of arrays and row types that is not asked.
ASSIGNABLE = """
SELECT y.oid = g.oid OR y.typcategory = 'S' OR 'A' IN (y.typcategory, g.typcategory)
    OR 'C' IN (y.typtype, g.typtype) OR 'p' IN (y.typtype, g.typtype)
    OR EXISTS (SELECT FROM pg_cast c WHERE c.castsource = g.oid AND c.casttarget = y.oid
               AND c.castcontext IN ('i', 'a')) AS taken,
  format_type(g.oid, NULL) AS given, format_type(y.oid, NULL) AS wanted
FROM pg_type w JOIN pg_type y ON y.oid = CASE WHEN w.typtype = 'd' THEN w.typbasetype ELSE w.oid END, pg_type g
WHERE w.oid = %(wanted)s::text::regtype AND g.oid = %(given)s::oid
"""
Columns = dict[str, "str | None"]


def refusals(connection: psycopg.Connection, asked: t.Sequence[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The statements that the server will refuse.

    :param asked: as _sql/shape_questions.py makes it
    :return: as of parse_facts.refusals(), one at most for each statement
    """
    from psycopg import Error

    found: dict[int, dict[str, t.Any]] = {}
    live: dict[str, Columns | None] = {}
    end = time.monotonic() + SECONDS
    for item in asked:
        if time.monotonic() > end:
            break
        if item["number"] in found:
            continue
        try:
            with connection.transaction(force_rollback=True):
                tables = {shape["name"]: _columns(connection, shape, live, item["types"]) for shape in item["shapes"]}
                if None in tables.values():
                    continue
                refused = _refused(connection, item, t.cast("dict[str, Columns]", tables))
                if refused and (not item["functions"] or _own(connection, item["functions"])):
                    found[item["number"]] = {"number": item["number"], **refused}
        except Error as error:
            # A type that is not there yet, or a lock in the way: nothing is known.
            if error.sqlstate is None:
                raise
    return list(found.values())


def _columns(
    connection: psycopg.Connection, shape: dict[str, t.Any], live: dict[str, Columns | None], changed: list[str]
) -> Columns | None:
    """The columns and types of a table as it will be; None where it is not known.

    :param changed: types of which the server does not know yet what they will be, as of an enum with a new value
    """
    columns: Columns | None = dict(shape["made"]) if shape["made"] is not None else None
    if shape["live"]:
        there = _live(connection, shape["live"], live) or {}
        if any(_type_name(kind) in changed for kind in there.values()):
            return None
        columns = there or columns
    if columns is None:
        return None
    columns = dict(columns)
    for action, column, value in shape["changes"]:
        if action == "drop":
            columns.pop(column, None)
        elif (
            action == "add" or (action == "maybe" and column not in columns) or (action == "type" and column in columns)
        ):
            columns[column] = value
        elif action == "rename":
            columns = {(value if name == column else name): kind for name, kind in columns.items()}
    return columns


def _live(connection: psycopg.Connection, name: list[str | None], live: dict[str, Columns | None]) -> Columns | None:
    from psycopg import sql

    text = sql.Identifier(*(part for part in name if part is not None)).as_string(connection)
    if text not in live:
        rows = connection.execute(COLUMNS, {"name": text}).fetchall()
        live[text] = dict(rows) if rows else None
    return live[text]


def _type_name(kind: str | None) -> str:
    """Of what format_type() says, the name alone."""
    return (kind or "").removesuffix("[]").rpartition(".")[2].strip('"')


def _refused(
    connection: psycopg.Connection, item: dict[str, t.Any], tables: dict[str, Columns]
) -> dict[str, t.Any] | None:
    from psycopg import Error, sql

    queries = [
        sql.SQL("{} AS (SELECT {})").format(
            sql.Identifier(name),
            sql.SQL(", ").join(
                sql.SQL("CAST(NULL AS {}) AS {}").format(sql.SQL(kind), sql.Identifier(column))
                for column, kind in columns.items()
                if kind is not None
            ),
        )
        for name, columns in tables.items()
    ]
    before = f"WITH {sql.SQL(', ').join(queries).as_string(connection)} " if queries else ""
    # Printed from a parsed statement of the migration, and only ever parsed.
    text = f"SELECT * FROM ({item['text']}) AS {NAME}"  # noqa: S608 - as said
    try:
        with connection.transaction(force_rollback=True):
            # The binary form makes psycopg use the extended protocol, which takes one statement and no second.
            connection.execute(f"PREPARE {NAME} AS {before}{text}", binary=True)
            try:
                message = _unassignable(connection, item["takes"], tables)
            finally:
                connection.execute(f"DEALLOCATE {NAME}")
    except Error as error:
        state = error.sqlstate
        if state is None:
            raise
        proves = state in item.get("proves", PROVE) or (state.startswith(_DATA) and "proves" not in item)
        message = (error.diag.message_primary or "").strip()
        return {"state": state, "message": message[:300]} if proves else None
    return {"state": "42804", "message": message} if message and "proves" not in item else None


def _unassignable(connection: psycopg.Connection, takes: list[t.Any], tables: dict[str, Columns]) -> str | None:
    """Why a column of what was prepared cannot be assigned to what takes it."""
    described = connection.pgconn.describe_prepared(NAME.encode()) if takes else None
    if described is None or described.nfields < len(takes):
        return None
    for place, take in enumerate(takes):
        wanted = tables.get(take[0], {}).get(take[1]) if isinstance(take, list) else take
        if wanted is None:
            continue
        values = {"given": described.ftype(place), "wanted": wanted}
        row = connection.execute(ASSIGNABLE, values).fetchone()
        if row is not None and not row[0]:
            return f"what is of type {row[1]} cannot be assigned to {row[2]}"
    return None


def _own(connection: psycopg.Connection, names: list[str]) -> bool:
    return connection.execute(OWN, {"names": names}).fetchone() == (True,)


__all__ = ("refusals",)
