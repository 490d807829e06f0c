"""What the session's role may do with tables, schemas, functions, types and other roles, which owning does not say."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]

# `lacks`: held on nothing of the relation; `partly`: on some of its columns. Relations that lack nothing have no row.
# MAINTAIN is known from PostgreSQL 17 on; before, what it allows is the owner's. Where CASE ends, nothing is evaluated.
RELATIONS = """
SELECT * FROM (
  SELECT c.oid::bigint,
    ARRAY(SELECT p FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) AS p WHERE NOT has_any_column_privilege(c.oid, p)
      UNION ALL SELECT p FROM unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]) AS p WHERE NOT has_table_privilege(c.oid, p)
      UNION ALL SELECT 'MAINTAIN' WHERE NOT pg_has_role(c.relowner, 'USAGE')
        AND CASE WHEN current_setting('server_version_num')::int < 170000 THEN true
          ELSE NOT has_table_privilege(c.oid, 'MAINTAIN') END) AS lacks,
    ARRAY(SELECT p FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) AS p
      WHERE has_any_column_privilege(c.oid, p) AND NOT has_table_privilege(c.oid, p)) AS partly
  FROM pg_class c WHERE c.oid = ANY(%(oids)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL SELECT c.oid::bigint,
    ARRAY(SELECT p FROM unnest('{SELECT,"USAGE, UPDATE",UPDATE}'::text[]) AS p WHERE CASE c.relkind WHEN 'S' THEN
      NOT has_sequence_privilege(c.oid, p) END), '{}'
  FROM pg_class c WHERE c.oid = ANY(%(oids)s) AND c.relkind = 'S'
) AS r WHERE r.lacks <> '{}' OR r.partly <> '{}'
"""
# All schemas and extensions, the database, and the role itself (`self`), which may or may not make others.
PLACES = """
SELECT 'schema' AS kind, ''::text AS schema, nspname::text AS name, pg_get_userbyid(nspowner)::text AS owner,
  pg_has_role(nspowner, 'USAGE') AS may_alter, has_schema_privilege(oid, 'USAGE') AS may_use,
  has_schema_privilege(oid, 'CREATE') AS may_create
FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp_)'
UNION ALL SELECT 'extension', '', extname::text, pg_get_userbyid(extowner)::text, pg_has_role(extowner, 'USAGE'), true,
  false FROM pg_extension
UNION ALL SELECT 'database', '', datname::text, pg_get_userbyid(datdba)::text, pg_has_role(datdba, 'USAGE'), true,
  has_database_privilege(oid, 'CREATE') FROM pg_database WHERE datname = current_database()
UNION ALL SELECT 'tablespace', '', spcname::text, pg_get_userbyid(spcowner)::text, pg_has_role(spcowner, 'USAGE'),
  EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND dattablespace = s.oid),
  has_tablespace_privilege(s.oid, 'CREATE') FROM pg_tablespace s
UNION ALL SELECT 'self', '', rolname::text, rolname::text, rolsuper, true, rolcreaterole OR rolsuper
  FROM pg_roles WHERE rolname = current_user
"""
ROUTINES = """
SELECT 'routine' AS kind, n.nspname::text AS schema, p.proname::text AS name,
  pg_get_userbyid(p.proowner)::text AS owner,
  pg_has_role(p.proowner, 'USAGE') AS may_alter, has_function_privilege(p.oid, 'EXECUTE') AS may_use,
  false AS may_create
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = ANY(%(names)s) AND n.nspname <> 'pg_catalog' LIMIT 5000
"""
TYPES = """
SELECT 'type' AS kind, n.nspname::text AS schema, y.typname::text AS name, pg_get_userbyid(y.typowner)::text AS owner,
  pg_has_role(y.typowner, 'USAGE') AS may_alter, has_type_privilege(y.oid, 'USAGE') AS may_use, false AS may_create
FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace
WHERE y.typname = ANY(%(names)s) AND n.nspname <> 'pg_catalog' LIMIT 5000
"""
# may_use: SET ROLE, and giving it objects. may_alter: its attributes. may_create: in the current schema. Of a
# `membership`, may_alter: granting and revoking it, for which ADMIN OPTION is enough.
ROLES = """
SELECT 'role' AS kind, ''::text AS schema, o.rolname::text AS name, o.rolname::text AS owner,
  CASE WHEN s.rolsuper THEN true WHEN o.rolsuper OR NOT s.rolcreaterole THEN false
    WHEN current_setting('server_version_num')::int < 160000 THEN true
    ELSE pg_has_role(o.oid, 'MEMBER WITH ADMIN OPTION') END AS may_alter,
  CASE WHEN current_setting('server_version_num')::int < 160000 THEN pg_has_role(o.oid, 'MEMBER')
    ELSE pg_has_role(o.oid, 'SET') END AS may_use,
  coalesce(has_schema_privilege(o.oid, current_schema(), 'CREATE'), true) AS may_create
FROM pg_roles o JOIN pg_roles s ON s.rolname = current_user WHERE o.rolname = ANY(%(names)s)
UNION ALL SELECT 'membership', '', o.rolname::text, o.rolname::text, CASE WHEN s.rolsuper THEN true
    WHEN o.rolsuper THEN false WHEN s.rolcreaterole AND current_setting('server_version_num')::int < 160000 THEN true
    ELSE pg_has_role(o.oid, 'MEMBER WITH ADMIN OPTION') END, false, false
FROM pg_roles o JOIN pg_roles s ON s.rolname = current_user WHERE o.rolname = ANY(%(names)s) LIMIT 10000
"""
# What GRANT … ON ALL … IN SCHEMA meets and the role has no right at all on: there the server refuses it.
CLOSED = """
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, n.nspname::text AS schema,
  c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner, false AS may_alter, false AS may_use,
  false AS may_create
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(names)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT pg_has_role(c.relowner, 'USAGE') AND CASE c.relkind
    WHEN 'S' THEN NOT has_sequence_privilege(c.oid, 'SELECT, USAGE, UPDATE')
    ELSE NOT has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
      AND NOT has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER') END
UNION ALL SELECT 'routine', n.nspname::text, p.proname::text, pg_get_userbyid(p.proowner)::text, false, false, false
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY(%(names)s)
  AND NOT pg_has_role(p.proowner, 'USAGE') AND NOT has_function_privilege(p.oid, 'EXECUTE')
ORDER BY 1, 2, 3 LIMIT 5000
"""
# Columns whose default takes numbers of a sequence that the role may not use; identity columns ask nobody.
DEFAULTS = """
SELECT d.adrelid::bigint AS oid, a.attname::text AS column, n.nspname::text AS schema, s.relname::text AS sequence,
  pg_get_userbyid(s.relowner)::text AS owner
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
JOIN pg_depend y ON y.classid = 'pg_attrdef'::regclass AND y.objid = d.oid AND y.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = y.refobjid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
WHERE d.adrelid = ANY(%(oids)s) AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') END
"""


def collect(ask: Ask, request: dict[str, list[str]], relations: list[int]) -> dict[str, list[Row]]:
    """The rights of the session's role.

    :param ask: answers a query with named values
    :param request: names of routines, types, roles and schemas
    :param relations: the oids of all tables that are spoken of
    """
    about = {"routines": ROUTINES, "types": TYPES, "roles": ROLES, "schemas": CLOSED}
    named = [row for kind, query in about.items() if request.get(kind) for row in ask(query, names=request[kind])]
    return {
        "relations": ask(RELATIONS, oids=relations) if relations else [],
        "defaults": ask(DEFAULTS, oids=relations) if relations else [],
        "objects": ask(PLACES) + named,
    }


__all__ = ("collect",)
