"""The collector's queries about objects that are no tables, and about what depends on objects. Each is asked once."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# Triggers, policies and rules of tables, and the constraint to which an index belongs. A view's own rule is the view.
PARTS = """
SELECT tgrelid::bigint AS oid, 'trigger' AS kind, tgname AS name FROM pg_trigger
  WHERE tgrelid = ANY(%(oids)s) AND NOT tgisinternal
UNION ALL SELECT polrelid::bigint, 'policy', polname FROM pg_policy WHERE polrelid = ANY(%(oids)s)
UNION ALL SELECT ev_class::bigint, 'rule', rulename FROM pg_rewrite
  WHERE ev_class = ANY(%(oids)s) AND rulename <> '_RETURN'
UNION ALL SELECT d.objid::bigint, 'owner', k.conname FROM pg_depend d JOIN pg_constraint k ON k.oid = d.refobjid
  WHERE d.classid = 'pg_class'::regclass AND d.objid = ANY(%(oids)s::bigint[]::oid[])
    AND d.refclassid = 'pg_constraint'::regclass AND d.deptype = 'i'
"""
TYPES = """
SELECT y.oid::bigint, n.nspname AS schema, y.typname AS name, y.typcategory::text AS category,
       pg_type_is_visible(y.oid) AS visible, y.typcategory <> 'A' AND (y.typrelid = 0 OR EXISTS (
         SELECT FROM pg_class c WHERE c.oid = y.typrelid AND c.relkind = 'c')) AS own,
       ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = y.oid LIMIT 1000) AS labels
FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE y.typname = ANY(%(names)s)
"""
NAMED = """
SELECT 'role' AS kind, rolname::text AS name FROM pg_roles WHERE rolname = ANY(%(roles)s)
UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
UNION ALL SELECT 'operator class', opcname FROM pg_opclass WHERE opcname = ANY(%(classes)s)
UNION ALL SELECT 'collation', collname FROM pg_collation WHERE collname = ANY(%(collations)s)
  AND collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
UNION ALL SELECT 'language', lanname FROM pg_language WHERE lanname = ANY(%(languages)s)
UNION ALL SELECT 'tablespace', spcname FROM pg_tablespace WHERE spcname = ANY(%(tablespaces)s)
UNION ALL SELECT 'extension', extname FROM pg_extension WHERE extname = ANY(%(extensions)s)
UNION ALL SELECT 'access method', amname FROM pg_am
"""
CASTS = """
SELECT s.typname AS source, y.typname AS target FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource
  JOIN pg_type y ON y.oid = c.casttarget WHERE c.castcontext IN ('i', 'a')
"""
# `root`: what was asked about; its array type and an extension's members stand for it.
DEPENDENTS = """
WITH target (kind, root, class, oid) AS (
    SELECT 'relation', o, 'pg_class'::regclass::oid, o::oid FROM unnest(%(relations)s::bigint[]) AS o
    UNION ALL SELECT 'type', y.oid::bigint, 'pg_type'::regclass, v.oid FROM pg_type y
      CROSS JOIN LATERAL (VALUES (y.oid), (y.typarray)) AS v (oid)
      WHERE y.oid = ANY(%(types)s::bigint[]::oid[]) AND v.oid <> 0
    UNION ALL SELECT 'function', p.oid::bigint, 'pg_proc'::regclass, p.oid FROM pg_proc p
      WHERE p.proname = ANY(%(functions)s)
    UNION ALL SELECT 'schema', n.oid::bigint, 'pg_namespace'::regclass, n.oid FROM pg_namespace n
      WHERE n.nspname = ANY(%(schemas)s)
    UNION ALL SELECT 'extension', x.oid::bigint, m.classid, m.objid FROM pg_extension x JOIN pg_depend m
      ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = x.oid AND m.deptype = 'e'
      WHERE x.extname = ANY(%(extensions)s)
)
SELECT DISTINCT t.kind, t.root,
       coalesce((SELECT extname FROM pg_extension WHERE t.kind = 'extension' AND oid = t.root),
         (SELECT nspname FROM pg_namespace WHERE t.kind = 'schema' AND oid = t.root),
         (SELECT proname FROM pg_proc WHERE t.kind = 'function' AND oid = t.root)) AS root_name,
       (SELECT a.attname FROM pg_attribute a WHERE t.kind = 'relation' AND a.attrelid = d.refobjid
         AND a.attnum = d.refobjsubid AND d.refobjsubid <> 0) AS column,
       d.deptype::text AS strength, d.classid::regclass::text AS class, n.nspname AS owner_schema, o.relname AS owner,
       coalesce(k.conname, g.tgname, p.polname, c.attname) AS part,
       pg_describe_object(d.classid, d.objid, d.objsubid) AS label
FROM target t JOIN pg_depend d ON d.refclassid = t.class AND d.refobjid = t.oid AND d.deptype IN ('n', 'a')
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
LEFT JOIN pg_class o ON o.oid = coalesce(r.ev_class, k.conrelid, g.tgrelid, p.polrelid, f.adrelid,
  CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END)
LEFT JOIN pg_namespace n ON n.oid = o.relnamespace
LEFT JOIN pg_attribute c ON (c.attrelid = f.adrelid AND c.attnum = f.adnum)
  OR (d.classid = 'pg_class'::regclass AND d.objsubid <> 0 AND c.attrelid = d.objid AND c.attnum = d.objsubid)
WHERE NOT EXISTS (SELECT FROM pg_depend m WHERE t.kind = 'extension' AND m.classid = d.classid AND m.objid = d.objid
  AND m.deptype = 'e' AND m.refobjid = t.root)
LIMIT 2000
"""
