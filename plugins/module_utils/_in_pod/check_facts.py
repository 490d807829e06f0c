"""Whether constants that an upgrade writes violate the checks of a table, or those of the domains of its columns.

The server computes the check over the constants alone: no row is read, and a check that calls anything but PostgreSQL's
own functions is left out.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from . import row_queries as queries
from .row_facts import in_query, quoted_in_query
from .row_tables import Tables

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

SECONDS = 3.0
MILLISECONDS = 500
# pg_depend has no rows for PostgreSQL's own functions and operators, which cannot be dropped.
CHECKS = """
SELECT k.conname::text AS name, pg_get_expr(k.conbin, k.conrelid) AS expression,
  ARRAY(SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)) AS columns
FROM pg_constraint k WHERE k.conrelid = %(oid)s AND k.contype = 'c'
  AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
      AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass))
"""
# `checked`: of a domain with checks of PostgreSQL's own functions alone, also those of the domains below it.
COLUMNS = """
WITH RECURSIVE domains (root, oid) AS (
  SELECT y.oid, y.oid FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = %(oid)s
    AND y.typtype = 'd'
  UNION SELECT d.root, y.typbasetype FROM domains d JOIN pg_type y ON y.oid = d.oid AND y.typtype = 'd'
)
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
  a.atthasdef OR a.attidentity <> '' OR (y.typtype = 'd' AND y.typdefault IS NOT NULL) AS filled,
  a.attgenerated <> '' AS generated,
  EXISTS (SELECT FROM domains d JOIN pg_constraint k ON k.contypid = d.oid WHERE d.root = y.oid)
    AND NOT EXISTS (SELECT FROM domains d JOIN pg_constraint k ON k.contypid = d.oid
      JOIN pg_depend p ON p.classid = 'pg_constraint'::regclass AND p.objid = k.oid
        AND p.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) WHERE d.root = y.oid) AS checked
FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


def collect(connection: psycopg.Connection, ask: Ask, asked: t.Sequence[Row]) -> list[Row]:
    """What is violated by each write.

    :param asked: `number` of the statement, `table` (schema or None, name), `columns` (None: all in order), `rows`, of
        whose values None is no constant and the empty list NULL, and `whole`: columns left out get their default
    :return: `number`, `table`, `checks` (names of constraints) and `domains` (names of columns)
    """
    from psycopg import Error

    end = time.monotonic() + SECONDS
    tables = Tables(connection, ask)
    tables.expect((item["table"][0], item["table"][1]) for item in asked)
    found = []
    for item in asked:
        if time.monotonic() > end:
            break
        answer: Row = {"number": item["number"], "table": item["table"], "checks": [], "domains": []}
        try:
            with connection.transaction(force_rollback=True):
                table = tables.get((item["table"][0], item["table"][1]))
                # A trigger may change what is written.
                if table and table["kind"] in {"r", "p"} and not table["triggers"]:
                    _look(connection, ask, item, table | {"end": end}, answer)
        except Error as error:
            if error.sqlstate is None:
                raise
        if answer["checks"] or answer["domains"]:
            found.append(answer)
    return found


def _look(connection: psycopg.Connection, ask: Ask, item: Row, table: Row, answer: Row) -> None:
    ask(queries.QUESTION_SETTINGS, milliseconds=f"{MILLISECONDS}ms")
    columns = {row["name"]: row for row in ask(COLUMNS, oid=table["oid"])}
    names = item["columns"] or list(columns)
    rows = []
    for values in item["rows"]:
        row = {name: value for name, value in zip(names, values, strict=False) if name in columns}
        if item["whole"]:
            # Without a default a column that is left out gets NULL.
            plain = (name for name, column in columns.items() if not column["filled"] and not column["generated"])
            row = {name: [] for name in plain} | row
        rows.append({name: value for name, value in row.items() if value is not None})
    for check in ask(CHECKS, oid=table["oid"]):
        if any(_violates(connection, ask, check, row, table | {"columns": columns}) for row in rows):
            answer["checks"].append(check["name"])
    for name, column in columns.items():
        if column["checked"] and any(_refused(connection, ask, row.get(name), column["type"]) for row in rows):
            answer["domains"].append(name)


def _violates(connection: psycopg.Connection, ask: Ask, check: Row, row: Row, table: Row) -> bool:
    """Whether the check is false for this row; a value that no type takes is somebody else's to say."""
    from psycopg import Error

    if not set(check["columns"]) <= row.keys() or time.monotonic() > table["end"]:
        return False
    values = {f"v{place}": None if row[name] == [] else row[name] for place, name in enumerate(check["columns"])}
    typed = ", ".join(
        f"CAST(%(v{place})s AS {in_query(table['columns'][name]['type'])}) AS {quoted_in_query(name)}"
        for place, name in enumerate(check["columns"])
    )
    condition, source = in_query(check["expression"]), f"(SELECT {typed or '1'}) AS {quoted_in_query(table['name'])}"
    query = f"SELECT NOT ({condition}) AS violated FROM {source}"  # noqa: S608 - texts of a catalogue
    try:
        with connection.transaction(force_rollback=True):
            return ask(query, **values)[0]["violated"] is True
    except Error as error:
        if error.sqlstate is None:
            raise
        return False


def _refused(connection: psycopg.Connection, ask: Ask, value: t.Any, kind: str) -> bool:
    from psycopg import Error, errors

    if value is None:
        return False
    try:
        with connection.transaction(force_rollback=True):
            ask(f"SELECT CAST(%(value)s AS {in_query(kind)}) AS read", value=None if value == [] else value)
    except (errors.CheckViolation, errors.NotNullViolation):
        return True
    except Error as error:
        if error.sqlstate is None:
            raise
    return False


__all__ = ("collect",)
