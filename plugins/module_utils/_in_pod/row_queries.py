"""The queries around the questions to rows, for PostgreSQL 14 and later."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# One process, no foreign names, and an error rather than a part of the rows.
QUESTION_SETTINGS = """
SELECT set_config('statement_timeout', %(milliseconds)s, true), set_config('search_path', 'pg_catalog', true),
       set_config('row_security', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
       set_config('jit', 'off', true)
"""
NOT_NULL = """
SELECT count(*) = cardinality(%(columns)s::text[]) AS all FROM pg_attribute a
WHERE a.attrelid = %(oid)s AND a.attname = ANY(%(columns)s) AND a.attnotnull AND NOT a.attisdropped
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n'
    AND a.attnum = ANY(k.conkey) AND NOT k.convalidated)
"""
LABELS = """
SELECT e.enumlabel AS label FROM pg_enum e WHERE e.enumtypid = to_regtype(CASE WHEN %(schema)s::text IS NULL
  THEN format('%%I', %(name)s::text) ELSE format('%%I.%%I', %(schema)s::text, %(name)s::text) END)
"""
TYPE_OF = """
SELECT coalesce(b.typname, y.typname) AS name FROM pg_type y LEFT JOIN pg_type b ON y.typtype = 'd'
  AND b.oid = y.typbasetype WHERE y.oid = pg_typeof((SELECT {value} FROM {source} LIMIT 0))
"""
WIDTH = """
SELECT a.atttypmod - 4 AS width FROM pg_attribute a
WHERE a.attrelid = %(oid)s AND a.attname = %(name)s AND a.atttypid = 'varchar'::regtype AND a.atttypmod >= 4
"""
PRIMARY = """
SELECT a.attname AS name FROM pg_constraint k, unnest(k.conkey) WITH ORDINALITY AS key (number, place), pg_attribute a
WHERE k.conrelid = %(oid)s AND k.contype = 'p' AND a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place
"""
# Types whose equality stands in pg_catalog.
COMPARABLE = """
SELECT count(*) = cardinality(%(columns)s::text[]) AS all FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
WHERE a.attrelid = %(oid)s AND a.attname = ANY(%(columns)s) AND NOT a.attisdropped
  AND (y.typnamespace = 'pg_catalog'::regnamespace OR y.typtype = 'e')
"""
# Unique indexes of a column, which a new type of the column builds again.
UNIQUE_INDEXES = """
SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey[:i.indnkeyatts - 1]) WITH ORDINALITY AS key (number, place),
    pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = key.number ORDER BY key.place) AS columns,
  i.indpred IS NOT NULL OR i.indexprs IS NOT NULL AS computed,
  coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls,
  coalesce(b.typname, y.typname)::text AS type
FROM pg_index i JOIN pg_attribute c ON c.attrelid = i.indrelid AND c.attname = %(column)s
  JOIN pg_type y ON y.oid = c.atttypid LEFT JOIN pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indislive
  AND c.attnum = ANY(i.indkey[:i.indnkeyatts - 1])
"""
COLLATION = """
SELECT n.nspname::text AS schema, k.collname::text AS name FROM pg_collation k
  JOIN pg_namespace n ON n.oid = k.collnamespace WHERE k.collname = %(name)s
  AND k.collencoding IN (-1, (SELECT b.encoding FROM pg_database b WHERE b.datname = current_database()))
  AND CASE WHEN %(schema)s::text IS NULL THEN pg_collation_is_visible(k.oid) ELSE n.nspname = %(schema)s::text END
LIMIT 1
"""
DOMAIN_CONSTRAINT = """
SELECT k.oid::bigint FROM pg_constraint k JOIN pg_type y ON y.oid = k.contypid JOIN pg_namespace n
  ON n.oid = y.typnamespace WHERE k.contype = 'c' AND y.typname = %(name)s AND k.conname = %(constraint)s
  AND CASE WHEN %(schema)s::text IS NULL THEN pg_type_is_visible(y.oid) ELSE n.nspname = %(schema)s::text END
"""
EXPRESSION = "SELECT pg_get_expr(k.conbin, 0) AS expression FROM pg_constraint k WHERE k.oid = %(oid)s"
CONSTRAINT = """
SELECT k.contype::text AS kind, k.convalidated AS validated, pg_get_expr(k.conbin, k.conrelid) AS expression,
       k.confmatchtype = 'f' AND cardinality(k.conkey) > 1 AS full, o.relname AS other, n.nspname AS other_schema,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place), pg_attribute a
         WHERE a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS key (number, place), pg_attribute a
         WHERE a.attrelid = k.confrelid AND a.attnum = key.number ORDER BY key.place) AS other_columns
FROM pg_constraint k LEFT JOIN pg_class o ON o.oid = k.confrelid LEFT JOIN pg_namespace n ON n.oid = o.relnamespace
WHERE k.conrelid = %(oid)s AND k.conname = %(name)s
"""
