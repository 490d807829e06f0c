"""What binds tables to others, to functions and to their sequences: partition keys, inheritance, row-level security."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

KEYS = """
SELECT p.partrelid::bigint AS oid, p.partexprs IS NOT NULL AS expressions, p.partstrat::text AS strategy,
  ARRAY(SELECT a.attname::text FROM unnest(p.partattrs) WITH ORDINALITY AS key (number, place) LEFT JOIN pg_attribute a
    ON a.attrelid = p.partrelid AND a.attnum = key.number AND key.number <> 0 ORDER BY key.place) AS parts,
  ARRAY(SELECT coalesce(b.typname, y.typname, '')::text FROM unnest(p.partattrs) WITH ORDINALITY AS key (number, place)
    LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = key.number AND key.number <> 0
    LEFT JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
    ORDER BY key.place) AS types,
  ARRAY(SELECT a.attname::text FROM unnest(p.partattrs) AS key (number), pg_attribute a
    WHERE a.attrelid = p.partrelid AND a.attnum = key.number) AS columns
FROM pg_partitioned_table p WHERE p.partrelid = ANY(%(oids)s)
"""
# The bounds of all partitions of these tables, also of partitions that were not asked for by name.
BOUNDS = """
SELECT i.inhparent::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name,
  pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = ANY(%(oids)s) AND c.relispartition AND c.relkind IN ('r', 'p', 'f') LIMIT 20000
"""
INHERITED = """
SELECT a.attrelid::bigint AS oid, 'column' AS kind, a.attname::text AS name FROM pg_attribute a
  WHERE a.attrelid = ANY(%(oids)s) AND a.attinhcount > 0 AND NOT a.attisdropped
UNION ALL SELECT k.conrelid::bigint, 'constraint', k.conname::text FROM pg_constraint k
  WHERE k.conrelid = ANY(%(oids)s) AND k.coninhcount > 0
UNION ALL SELECT i.inhrelid::bigint, 'index', c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhrelid = ANY(%(oids)s) AND c.relkind IN ('i', 'I')
"""
# A column keeps its place when it is dropped, and there are 1,600 of them.
ATTRIBUTE_COUNTS = """
SELECT a.attrelid::bigint AS oid, max(a.attnum)::int AS attributes FROM pg_attribute a
WHERE a.attrelid = ANY(%(oids)s) GROUP BY a.attrelid HAVING max(a.attnum) > 1000
"""
ROW_SECURITY = """
SELECT c.oid::bigint, row_security_active(c.oid) AS active FROM pg_class c
WHERE c.oid = ANY(%(oids)s) AND c.relkind IN ('r', 'p') AND c.relrowsecurity
"""
# What was computed by a function is kept as it was then.
FUNCTIONS = """
SELECT DISTINCT p.proname::text AS function, d.classid::regclass::text AS class,
  pg_describe_object(d.classid, d.objid, d.objsubid) AS label
FROM pg_proc p JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
WHERE p.proname = ANY(%(names)s) AND p.pronamespace <> 'pg_catalog'::regnamespace AND d.deptype IN ('n', 'a') LIMIT 500
"""
# Sequences of columns; `last` is None where none was taken yet, or the role may not see it.
SEQUENCES = """
SELECT a.attrelid::bigint AS oid, a.attname::text AS column, y.typname::text AS type, s.seqmax::bigint AS most,
  s.seqstart::bigint AS start, s.seqincrement::bigint AS increment, s.seqcycle AS cycles,
  c.relname::text AS sequence, has_sequence_privilege(c.oid, 'USAGE, SELECT') AS visible,
  CASE WHEN has_sequence_privilege(c.oid, 'USAGE, SELECT') THEN pg_sequence_last_value(c.oid) END AS last
FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_class c ON c.oid = d.objid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN pg_type y ON y.oid = a.atttypid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND a.attrelid = ANY(%(oids)s)
"""

# An extension's own do what its documentation says.
EVENTS = """
SELECT e.evtname::text AS name, e.evtevent::text AS event, e.evttags::text[] AS tags, p.proname::text AS function
FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid WHERE e.evtenabled IN ('O', 'A') AND NOT EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')
"""
# Publications that send UPDATE or DELETE, and which later tables they take up. What is of a schema is read from the
# dependencies: 14 has no catalogue of it.
PUBLICATIONS = """
SELECT p.pubname::text AS name, p.puballtables AS every, p.pubupdate AS updates, p.pubdelete AS deletes,
  ARRAY(SELECT n.nspname::text FROM pg_depend d JOIN pg_depend e ON e.classid = d.classid AND e.objid = d.objid
    JOIN pg_namespace n ON n.oid = e.refobjid WHERE d.classid = to_regclass('pg_catalog.pg_publication_namespace')
      AND d.refclassid = 'pg_publication'::regclass AND d.refobjid = p.oid
      AND e.refclassid = 'pg_namespace'::regclass ORDER BY 1) AS schemas
FROM pg_publication p WHERE p.pubupdate OR p.pubdelete ORDER BY 1
"""


def collect(tried: Ask, functions: list[str], relations: list[int]) -> dict[str, t.Any]:
    """Facts about tables, by the oid of each; nothing of a kind that could not be asked.

    :param tried: answers a query with named values, with no row where a lock is in the way
    :param functions: names of those that the upgrade makes
    :param relations: the oids of all tables that are spoken of
    """
    wanted: dict[str, tuple[str, dict[str, t.Any]]] = {
        "keys": (KEYS, {"oids": relations}),
        "bounds": (BOUNDS, {"oids": relations}),
        "inherited": (INHERITED, {"oids": relations}),
        "attribute_counts": (ATTRIBUTE_COUNTS, {"oids": relations}),
        "row_security": (ROW_SECURITY, {"oids": relations}),
        "functions": (FUNCTIONS, {"names": functions}),
        "sequences": (SEQUENCES, {"oids": relations}),
        "events": (EVENTS, {}),
        "publications": (PUBLICATIONS, {}),
    }
    # Without any names there is nothing to ask.
    return {name: tried(query, **values) if all(values.values()) else [] for name, (query, values) in wanted.items()}


__all__ = ("collect",)
