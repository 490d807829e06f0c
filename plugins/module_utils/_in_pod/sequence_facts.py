"""Where sequences stand, their bounds, and the columns that take their numbers from them.

Of a column that an index begins with, its least and its greatest number are read, which is the end of that index.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from . import row_queries as queries
from .row_facts import quoted_in_query

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

SECONDS = 3.0
MILLISECONDS = 500
MOST_ASKED = 200

_NAMED = """
SELECT to_regclass(CASE WHEN s IS NULL THEN format('%%I', n) ELSE format('%%I.%%I', s, n) END)::oid AS oid
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked (s, n)
"""
# Columns by the sequence that their identity or their default takes a number from. `begins`: an index begins with it.
COLUMNS = f"""
WITH named AS ({_NAMED}), tables AS (
    SELECT to_regclass(CASE WHEN s IS NULL THEN format('%%I', n) ELSE format('%%I.%%I', s, n) END)::oid AS oid, c
    FROM unnest(%(table_schemas)s::text[], %(tables)s::text[], %(columns)s::text[]) AS asked (s, n, c)
), filled AS (
    SELECT d.refobjid AS oid, d.refobjsubid AS number, d.objid AS sequence FROM pg_depend d
      JOIN pg_sequence q ON q.seqrelid = d.objid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
        AND (d.objid IN (SELECT oid FROM named) OR d.refobjid IN (SELECT oid FROM tables))
    UNION SELECT f.adrelid, f.adnum, d.refobjid FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
      JOIN pg_sequence q ON q.seqrelid = d.refobjid
      WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
        AND (d.refobjid IN (SELECT oid FROM named) OR f.adrelid IN (SELECT oid FROM tables))
)
SELECT n.nspname::text AS schema, r.relname::text AS table, a.attname::text AS name,
  coalesce(b.typname, y.typname)::text AS type, sn.nspname::text AS sequence_schema, q.relname::text AS sequence,
  f.sequence::bigint AS sequence_oid,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1
    AND i.indkey[0] = a.attnum AND i.indpred IS NULL) AS unique,
  has_column_privilege(a.attrelid, a.attnum, 'SELECT') AND NOT row_security_active(a.attrelid)
    AND EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
      WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indkey[0] = a.attnum AND i.indpred IS NULL
        AND m.amname = 'btree') AS begins
FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid JOIN pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
  LEFT JOIN filled f ON f.oid = a.attrelid AND f.number = a.attnum
  LEFT JOIN pg_class q ON q.oid = f.sequence LEFT JOIN pg_namespace sn ON sn.oid = q.relnamespace
WHERE r.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND (f.sequence IS NOT NULL
  OR EXISTS (SELECT FROM tables k WHERE k.oid = a.attrelid AND k.c = a.attname)) LIMIT 500
"""  # noqa: S608 - a constant of this file
SEQUENCES = f"""
WITH named AS ({_NAMED})
SELECT n.nspname::text AS schema, c.relname::text AS name, y.typname::text AS kind, s.seqmin::bigint AS least,
  s.seqmax::bigint AS most, s.seqstart::bigint AS start, s.seqincrement::bigint AS increment, s.seqcycle AS cycles,
  has_sequence_privilege(c.oid, 'SELECT') AS visible,
  EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'
    AND d.refclassid = 'pg_class'::regclass) AS identity,
  pg_get_userbyid(c.relowner)::text AS owner
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type y ON y.oid = s.seqtypid
WHERE c.oid IN (SELECT oid FROM named) OR c.oid = ANY(%(oids)s::bigint[]::oid[]) LIMIT 500
"""  # noqa: S608 - a constant of this file
# Roles beside the owner that may insert, without those to which each new sequence of this role is granted anyway.
WRITERS = """
SELECT n.nspname::text AS schema, c.relname::text AS table, o.rolname::text AS role,
  ARRAY(SELECT q.relname::text FROM pg_class q JOIN pg_namespace m ON m.oid = q.relnamespace WHERE q.relkind = 'S'
    AND q.relname = ANY(%(names)s::text[]) AND has_sequence_privilege(o.oid, q.oid, 'USAGE, UPDATE')) AS usable
FROM unnest(%(table_schemas)s::text[], %(tables)s::text[]) AS asked (s, t) JOIN pg_class c ON c.oid = to_regclass(
    CASE WHEN s IS NULL THEN format('%%I', t) ELSE format('%%I.%%I', s, t) END)
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON NOT o.rolsuper AND o.oid <> c.relowner
    AND NOT pg_has_role(o.oid, c.relowner, 'USAGE') AND has_table_privilege(o.oid, c.oid, 'INSERT')
    AND o.rolname !~ '^pg_'
WHERE NOT EXISTS (SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) g WHERE d.defaclobjtype = 'S'
  AND d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND g.privilege_type = 'USAGE'
  AND d.defaclnamespace IN (0, n.oid) AND (g.grantee = 0 OR pg_has_role(o.oid, g.grantee, 'USAGE'))) LIMIT 100
"""


def collect(connection: psycopg.Connection, ask: Ask, asked: Row) -> Row:
    """The options and current values of sequences, and the numbers that columns hold.

    :param asked: `sequences`, `tables` and `numbered` (tables that get a column with a sequence), by schema (None: on
        the search path) and name, `columns` with their name as well, and `rows`, whether tables may be read
    :return: `sequences` with `last` and `called`, None where the role may not see it, and `columns` with `seen`,
        `lowest` and `highest`: without a row both are None and `seen` is true. `writers`, of `numbered`
    """
    from psycopg import Error

    if not any(asked.get(name) for name in ("sequences", "tables", "columns", "numbered")):
        return {"sequences": [], "columns": [], "writers": []}
    end = time.monotonic() + SECONDS
    tables = [[*name, None] for name in asked["tables"]] + list(asked["columns"])
    named = {"schemas": [item[0] for item in asked["sequences"]], "names": [item[1] for item in asked["sequences"]]}
    places = {"table_schemas": [item[0] for item in tables], "tables": [item[1] for item in tables]}
    columns = ask(COLUMNS, **named, **places, columns=[item[2] for item in tables])
    oids = [row["sequence_oid"] for row in columns if row["sequence_oid"]]
    sequences = ask(SEQUENCES, **named, oids=oids)

    def tried(query: str) -> Row:
        if time.monotonic() > end:
            return {}
        try:
            with connection.transaction(force_rollback=True):
                ask(queries.QUESTION_SETTINGS, milliseconds=f"{MILLISECONDS}ms")
                return ask(query)[0]
        except Error as error:
            if error.sqlstate is None:
                raise
            return {}

    for row in sequences:
        place = f"{quoted_in_query(row['schema'])}.{quoted_in_query(row['name'])}"
        state = tried(f"SELECT last_value::bigint AS last, is_called AS called FROM {place}") if row["visible"] else {}  # noqa: S608
        row |= {"last": state.get("last"), "called": state.get("called")}
    for number, row in enumerate(columns):
        name = quoted_in_query(row["name"])
        query = f"SELECT min({name})::bigint AS lowest, max({name})::bigint AS highest FROM "  # noqa: S608
        query += f"{quoted_in_query(row['schema'])}.{quoted_in_query(row['table'])}"
        may = asked.get("rows", True) and row["begins"] and row["type"] in {"int2", "int4", "int8"}
        state = tried(query) if may and number < MOST_ASKED else {}
        row |= {"seen": bool(state), "lowest": state.get("lowest"), "highest": state.get("highest")}
    numbered = asked.get("numbered", [])
    places = {"table_schemas": [item[0] for item in numbered], "tables": [item[1] for item in numbered]}
    writers = ask(WRITERS, **places, names=named["names"]) if numbered else []
    return {"sequences": sequences, "columns": columns, "writers": writers}


__all__ = ("collect",)
