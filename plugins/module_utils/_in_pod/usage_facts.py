"""What pg_stat_statements has seen of some tables: texts of statements with their calls, and what it cannot have seen.

Source: PostgreSQL documentation, "pg_stat_statements"; its view pg_stat_statements_info is there from 14 on.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

# Characters of one statement; a longer one is cut, and what is cut cannot be parsed.
TEXT = 10_000
# Statements of the most calls, and functions.
MOST = 500

EXTENSION = """
SELECT quote_ident(n.nspname) AS schema
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'
"""
# Views over views lead to the table as well; refobjsubid is the column, 0 the table as a whole.
VIEWS = """
WITH RECURSIVE reached (root, attnum, oid) AS (
    SELECT d.refobjid, d.refobjsubid, r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%(oids)s)
        AND r.ev_class <> d.refobjid
    UNION SELECT v.root, v.attnum, r.ev_class FROM reached v JOIN pg_depend d ON d.refobjid = v.oid
      AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> v.oid
)
SELECT DISTINCT v.root::bigint AS oid, a.attname AS column, n.nspname AS schema, c.relname AS name
FROM reached v JOIN pg_class c ON c.oid = v.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = v.root AND a.attnum = v.attnum AND v.attnum > 0
"""
PARENTS = """
WITH RECURSIVE above (root, oid) AS (
    SELECT inhrelid, inhparent FROM pg_inherits WHERE inhrelid = ANY(%(oids)s)
    UNION SELECT a.root, i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
)
SELECT DISTINCT a.root::bigint AS oid, n.nspname AS schema, c.relname AS name
FROM above a JOIN pg_class c ON c.oid = a.oid JOIN pg_namespace n ON n.oid = c.relnamespace
"""
# Statements inside of functions are not counted one by one, and one that builds SQL may name any table.
OPAQUE_FUNCTIONS = """
SELECT n.nspname AS schema, p.proname AS name, p.prosrc ~* '\\mexecute\\M' AS builds,
       ARRAY(SELECT w FROM unnest(%(words)s::text[]) w
         WHERE strpos(lower(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)), lower(w)) > 0) AS words
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('internal', 'c') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
    AND d.deptype = 'e')
  AND (p.prosrc ~* '\\mexecute\\M' OR EXISTS (SELECT FROM unnest(%(words)s::text[]) w
    WHERE strpos(lower(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)), lower(w)) > 0))
LIMIT {most}
"""
COUNTERS = """
SELECT extract(epoch FROM now() - i.stats_reset)::float AS seconds, i.dealloc AS evicted, c.statements, c.hidden
FROM {schema}.pg_stat_statements_info i, (
    SELECT count(*) AS statements, count(*) FILTER (WHERE s.query = '<insufficient privilege>') AS hidden
    FROM {schema}.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
) c
"""
# Statements that define, not use; some of them hold a password in their text, which must not leave the server.
STATEMENTS = """
SELECT left(s.query, {text}) AS sql, sum(s.calls)::bigint AS calls
FROM {schema}.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
WHERE s.query !~* '^\\s*(create|alter|drop|comment|grant|revoke|security|set|reset|truncate|lock|vacuum|analyze)\\M'
  AND EXISTS (SELECT FROM unnest(%(words)s::text[]) w WHERE strpos(lower(s.query), lower(w)) > 0)
GROUP BY 1 ORDER BY 2 DESC LIMIT {most}
"""


def collect(connection: psycopg.Connection, ask: Ask, tables: list[Row]) -> Row:
    """What was seen of `tables`, rows with `oid`, `schema` and `name`.

    :return: `problem`: why nothing is known, None where it is; `oids` of the tables; `seconds` since the counting
        began, `statements` that are counted, `hidden` and `evicted` ones, `views` and `parents` of the tables,
        `functions` that may read them, `texts` that mention them
    """
    if not tables:
        return {"problem": "no table was named"}
    extension = ask(EXTENSION)
    if not extension:
        return {"problem": "pg_stat_statements is not installed in this database"}
    from psycopg import errors

    oids = [row["oid"] for row in tables]
    views, parents = ask(VIEWS, oids=oids), ask(PARENTS, oids=oids)
    words = sorted({row["name"] for row in (*tables, *views, *parents)})
    schema = extension[0]["schema"]
    try:
        # A statement that fails would end the transaction that all facts are read in.
        with connection.transaction():
            seen = ask(COUNTERS.format(schema=schema))[0]
            texts = ask(STATEMENTS.format(schema=schema, text=TEXT, most=MOST), words=words)
            functions = ask(OPAQUE_FUNCTIONS.format(most=MOST), words=words)
    except errors.InsufficientPrivilege:
        return {"problem": "the role may not read pg_stat_statements"}
    except (errors.LockNotAvailable, errors.QueryCanceled):
        return {"problem": "reading pg_stat_statements took too long"}
    except errors.Error:
        return {"problem": "pg_stat_statements is not in shared_preload_libraries, or of an old version"}
    return {
        "problem": None,
        "oids": oids,
        "views": views,
        "parents": parents,
        "functions": functions,
        "texts": texts,
        **seen,
    }
