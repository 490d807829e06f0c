"""Objects that are there and that a name without a schema does not reach, and definitions of indexes that are there."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

# Names that exist, none of them on the session's search path.
HIDDEN = """
SELECT 'function' AS kind, p.proname::text AS name FROM pg_proc p WHERE p.proname = ANY(%(functions)s)
  GROUP BY p.proname HAVING NOT bool_or(pg_function_is_visible(p.oid))
UNION ALL SELECT 'type', y.typname::text FROM pg_type y WHERE y.typname = ANY(%(types)s)
  GROUP BY y.typname HAVING NOT bool_or(pg_type_is_visible(y.oid))
UNION ALL SELECT 'collation', k.collname::text FROM pg_collation k WHERE k.collname = ANY(%(collations)s)
  GROUP BY k.collname HAVING NOT bool_or(pg_collation_is_visible(k.oid))
"""
OPERATOR_CLASSES = """
SELECT o.opcname::text AS name, n.nspname::text AS schema, m.amname::text AS method, y.typname::text AS type,
  pg_opclass_is_visible(o.oid) AS visible
FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_namespace n ON n.oid = o.opcnamespace
  JOIN pg_type y ON y.oid = o.opcintype WHERE o.opcname = ANY(%(classes)s) LIMIT 1000
"""
INDEXES = """
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_get_indexdef(c.oid) AS definition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY(%(oids)s) AND c.relkind IN ('i', 'I')
LIMIT 2000
"""
# `checks_null`: a check looks at NULL itself, which any other lets pass.
DOMAINS = """
SELECT y.typname::text AS name, bool_or(y.typnotnull) AS not_null, bool_or(y.typdefault IS NOT NULL) AS filled,
  bool_or(k.oid IS NOT NULL) AS checked, bool_or(coalesce(pg_get_constraintdef(k.oid) ~* 'null', false)) AS checks_null
FROM pg_type y LEFT JOIN pg_constraint k ON k.contypid = y.oid AND k.contype = 'c'
WHERE y.typtype = 'd' AND y.typname = ANY(%(types)s) GROUP BY y.typname
"""
# Each version calls the column of a locale otherwise.
COLLATIONS = """
SELECT n.nspname::text AS schema, k.collname::text AS name, k.collprovider::text AS provider,
  k.collisdeterministic AS deterministic,
  coalesce(to_jsonb(k) ->> 'colllocale', to_jsonb(k) ->> 'colliculocale', k.collcollate::text) AS locale
FROM pg_collation k JOIN pg_namespace n ON n.oid = k.collnamespace WHERE k.collname = ANY(%(names)s)
  AND k.collencoding IN (-1, (SELECT b.encoding FROM pg_database b WHERE b.datname = current_database()))
"""
STATISTICS = """
SELECT n.nspname::text AS schema, s.stxname::text AS name, t.nspname::text AS table_schema, c.relname::text AS table,
  ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = s.stxrelid AND a.attnum = ANY(s.stxkeys))
    AS columns,
  to_jsonb(s) ->> 'stxexprs' IS NOT NULL AS computed
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace JOIN pg_class c ON c.oid = s.stxrelid
  JOIN pg_namespace t ON t.oid = c.relnamespace WHERE s.stxname = ANY(%(names)s)
"""
# A server without ICU has no ICU collations but those of pg_collation.dat, whose oids are below 10000.
ICU = "SELECT k.collname::text AS name FROM pg_collation k WHERE k.collprovider = 'i' AND k.oid >= 10000 LIMIT 1"

# information_schema shows what the role owns or may use in one way or another.
LOOKED = """
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
  c.relkind NOT IN ('r', 'p', 'v', 'f') OR pg_has_role(c.relowner, 'USAGE')
    OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') AS shown,
  (SELECT t.relname::text FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE i.indexrelid = c.oid) AS table,
  ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attname = ANY(%(columns)s)) AS columns,
  ARRAY(SELECT k.conname::text FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = ANY(%(constraints)s))
    AS constraints
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = ANY(%(relations)s)
  OR c.oid IN (SELECT k.conrelid FROM pg_constraint k WHERE k.conname = ANY(%(constraints)s))
"""
PATH = "SELECT place AS schema FROM unnest(current_schemas(true)) WITH ORDINALITY AS p (place, number) ORDER BY number"


def collect(ask: Ask, objects: dict[str, t.Any], indexes: list[int]) -> dict[str, list[Row]]:
    """`hidden`: kinds and names of objects; `classes`: operator classes of the names asked for; `domains`; `indexes`;
    `collations` and `statistics`, as they are defined; `icu`: a collation of ICU where the server has it; `path`: the
    schemas in which a name without one is looked for, in order.

    :param objects: names by kind, as _sql/questions.py's `objects` has them
    :param indexes: oids of those that statements name
    """
    names = {kind: objects.get(kind, []) for kind in ("functions", "types", "collations")}
    classes, statistics = objects.get("classes", []), objects.get("statistics", [])
    looked = {kind: objects.get(f"looked_{kind}", []) for kind in ("relations", "columns", "constraints")}
    return {
        "looked": ask(LOOKED, **looked) if any(looked.values()) else [],
        "path": [row["schema"] for row in ask(PATH)],
        "hidden": ask(HIDDEN, **names) if any(names.values()) else [],
        "domains": ask(DOMAINS, types=names["types"]) if names["types"] else [],
        "collations": ask(COLLATIONS, names=names["collations"]) if names["collations"] else [],
        "icu": ask(ICU) if names["collations"] else [],
        "statistics": ask(STATISTICS, names=statistics) if statistics else [],
        "classes": ask(OPERATOR_CLASSES, classes=classes) if classes else [],
        "indexes": ask(INDEXES, oids=indexes) if indexes else [],
    }


__all__ = ("collect",)
