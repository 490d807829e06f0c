"""The collector's queries about what decides whether a row may be written."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# Columns in the order of the key, NULL for an expression; without those of INCLUDE.
UNIQUES = """
SELECT i.indrelid::bigint AS oid, n.nspname AS schema, c.relname AS name, i.indpred IS NOT NULL AS partial,
  i.indimmediate AS immediate, i.indisvalid AS valid,
  (SELECT k.conname FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    AND k.conrelid = i.indrelid LIMIT 1) AS constraint,
  ARRAY(SELECT a.attname FROM unnest(i.indkey) WITH ORDINALITY AS key (number, place) LEFT JOIN pg_attribute a
    ON a.attrelid = i.indrelid AND a.attnum = key.number AND key.number <> 0
    WHERE key.place <= i.indnkeyatts ORDER BY key.place) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indrelid = ANY(%(oids)s) AND i.indisunique LIMIT 5000
"""
# Triggers that fire for a plain session. `type`: the bits of src/include/catalog/pg_trigger.h.
TRIGGERS = """
SELECT g.tgrelid::bigint AS oid, g.tgname AS name, g.tgtype::int AS type, g.tgdeferrable AS deferrable,
  g.tginitdeferred AS deferred, n.nspname AS schema, p.proname AS function, l.lanname AS language,
  CASE WHEN l.lanname = 'plpgsql' THEN left(p.prosrc, 20000) END AS source,
  ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = g.tgrelid
    AND a.attnum = ANY(g.tgattr::int2[])) AS columns
FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
WHERE g.tgrelid = ANY(%(oids)s) AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') LIMIT 1000
"""
# Casts from the types that a plain constant has.
CASTS = """
SELECT s.typname AS source, y.typname AS target FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource
  JOIN pg_type y ON y.oid = c.casttarget
WHERE c.castcontext IN ('i', 'a') AND s.oid IN ('int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'bool'::regtype)
"""
ENUMS = """
SELECT y.typname AS name, ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = y.oid LIMIT 1000) AS labels
FROM pg_type y WHERE y.typtype = 'e' AND y.oid IN (SELECT a.atttypid FROM pg_attribute a
  WHERE a.attrelid = ANY(%(oids)s)) LIMIT 1000
"""
# Signatures of functions that an upgrade makes or uses.
SIGNATURES = """
SELECT n.nspname AS schema, p.proname AS name, p.prokind::text AS kind, p.proretset AS returns_set,
  p.pronargdefaults::int AS defaults, y.typname AS returns, p.proargnames::text[] AS names,
  p.proargmodes::text[] AS modes, ARRAY(SELECT a.typname::text FROM unnest(p.proargtypes)
    WITH ORDINALITY AS i (type, place) JOIN pg_type a ON a.oid = i.type ORDER BY i.place) AS inputs,
  CASE WHEN p.proallargtypes IS NOT NULL THEN ARRAY(SELECT a.typname::text FROM unnest(p.proallargtypes)
    WITH ORDINALITY AS i (type, place) JOIN pg_type a ON a.oid = i.type ORDER BY i.place) END AS all_types
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type y ON y.oid = p.prorettype
WHERE p.proname = ANY(%(names)s) AND n.nspname <> 'pg_catalog' LIMIT 1000
"""
UNPOPULATED = """
SELECT c.oid::bigint FROM pg_class c WHERE c.oid = ANY(%(oids)s) AND c.relkind = 'm' AND NOT c.relispopulated
"""
# The operator class of each plain column of an index, and the type that it takes.
INDEX_CLASSES = """
SELECT i.indrelid::bigint AS oid, n.nspname AS schema, c.relname AS name, a.attname AS column, m.amname AS method,
  o.opcdefault AS by_itself, y.typname AS type
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_am m ON m.oid = c.relam CROSS JOIN LATERAL unnest(i.indclass) WITH ORDINALITY AS key (class, place)
  JOIN pg_opclass o ON o.oid = key.class JOIN pg_type y ON y.oid = o.opcintype
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[(key.place - 1)::int] AND a.attnum > 0
WHERE i.indrelid = ANY(%(oids)s) LIMIT 10000
"""
# A type without one has no index without naming an operator class.
DEFAULT_CLASSES = """
SELECT m.amname AS method, y.typname AS type FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
  JOIN pg_type y ON y.oid = o.opcintype WHERE o.opcdefault AND m.amname IN ('btree', 'hash', 'gin', 'gist')
"""
