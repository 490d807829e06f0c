"""The queries of the collector: catalogues and statistics only, for PostgreSQL 14 and later."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

SERVER = """
SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS in_recovery,
       (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only,
       current_user AS role, current_setting('TimeZone') AS timezone,
         current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved, pg_backend_pid() AS pid,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       (SELECT reset_val FROM pg_settings WHERE name = 'lock_timeout') AS lock_timeout,
       (SELECT json_object_agg(name, reset_val::int) FROM pg_settings WHERE name IN ('statement_timeout',
         'transaction_timeout', 'idle_in_transaction_session_timeout')) AS timeouts,
       (SELECT reset_val::bigint FROM pg_settings WHERE name = 'maintenance_work_mem') AS maintenance_kib,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all, pg_database_size(current_database()) AS database_bytes,
       has_database_privilege(current_database(), 'CREATE') AS may_create_in_database,
       current_schema() AS schema, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create
"""
# A role that takes turns at logging in for this one (rotation.py) acts as it from its login on, and counts as it.
SESSIONS = """
SELECT pid, CASE WHEN EXISTS (SELECT FROM pg_db_role_setting s WHERE s.setrole = usesysid
         AND 'role=' || current_user = ANY (s.setconfig)) THEN current_user ELSE usename END AS user,
       application_name AS application, state, datname = current_database() AS here,
       extract(epoch FROM now() - xact_start)::float AS transaction_seconds,
       extract(epoch FROM now() - state_change)::float AS state_seconds, backend_xmin IS NOT NULL AS snapshot
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usesysid IS NOT NULL
  AND coalesce(backend_type, 'client backend') = 'client backend'
"""
PREPARED = """
SELECT gid, extract(epoch FROM now() - prepared)::float AS seconds FROM pg_prepared_xacts
  WHERE database = current_database()
"""
ADVISORY = """
SELECT l.pid, l.granted FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32) | l.objid::bigint = %(key)s
"""
REPLICAS = """
SELECT application_name AS application, state, extract(epoch FROM replay_lag)::float AS lag_seconds,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float AS lag_bytes FROM pg_stat_replication
"""
SLOTS = """
SELECT slot_name AS name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float AS kept_bytes
FROM pg_replication_slots
"""
RESOLVE = """
SELECT s AS schema, n AS name, to_regclass(CASE WHEN s IS NULL THEN format('%%I', n) ELSE format('%%I.%%I', s,
  n) END)::oid::bigint AS oid
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked (s, n)
"""
DESCENDANTS = """
WITH RECURSIVE descendants (root, oid) AS (
    SELECT inhparent, inhrelid FROM pg_inherits WHERE inhparent = ANY(%(oids)s)
    UNION SELECT d.root, i.inhrelid FROM descendants d JOIN pg_inherits i ON i.inhparent = d.oid
)
SELECT root::bigint, oid::bigint FROM descendants
"""
# Tables that lose rows with these: those of TRUNCATE … CASCADE, or of foreign keys that act on a DELETE.
REFERRERS = """
WITH RECURSIVE reached (oid) AS (
    SELECT unnest(%(oids)s::oid[])
    UNION SELECT k.conrelid FROM reached r JOIN pg_constraint k ON k.confrelid = r.oid AND k.contype = 'f'
      AND (%(every)s OR k.confdeltype IN ('c', 'n', 'd'))
)
SELECT oid::bigint FROM reached
"""
CLASSES = """
SELECT c.oid::bigint, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.reltuples::bigint AS rows,
       c.relpages::bigint * current_setting('block_size')::bigint AS bytes, pg_get_userbyid(c.relowner) AS owner,
       pg_has_role(c.relowner, 'USAGE') AS may_alter, has_any_column_privilege(c.oid, 'REFERENCES') AS may_reference,
       c.relpersistence::text AS persistence, (SELECT m.amname FROM pg_am m WHERE m.oid = c.relam) AS access_method,
       (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = CASE c.reltablespace WHEN 0 THEN
         (SELECT b.dattablespace FROM pg_database b
           WHERE b.datname = current_database()) ELSE c.reltablespace END) AS tablespace,
       i.indrelid::bigint AS table_oid, coalesce(i.indisvalid, true) AS valid,
       coalesce(i.indisunique, false) AS unique,
       (SELECT h.inhparent::bigint FROM pg_inherits h WHERE h.inhrelid = c.oid AND c.relispartition) AS partition_of,
       (SELECT nullif(p.partdefid, 0)::bigint FROM pg_partitioned_table p
         WHERE p.partrelid = c.oid) AS default_partition,
       coalesce(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid)
         + pg_stat_get_tuples_deleted(c.oid), 0) AS writes,
       coalesce(pg_stat_get_numscans(c.oid), 0) AS reads
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid = ANY(%(oids)s)
"""
BUSY = """
SELECT DISTINCT relation::bigint AS oid FROM pg_locks WHERE relation = ANY(%(oids)s) AND mode = 'AccessExclusiveLock'
"""
SIZES = """
SELECT c.oid::bigint, pg_relation_size(c.oid) AS bytes, pg_total_relation_size(c.oid) AS total_bytes
FROM pg_class c WHERE c.oid = ANY(%(oids)s) AND c.relkind IN ('r', 'm', 't', 'i', 'S')
"""
COLUMNS = """
SELECT a.attrelid::bigint AS oid, a.attname AS name, coalesce(b.typname, y.typname) AS type,
  CASE y.typtype WHEN 'd' THEN y.typtypmod ELSE a.atttypmod END AS modifier, a.attnotnull AS not_null,
  a.atthasdef AND a.attgenerated = '' AS has_default, y.typtype = 'd' AND y.typdefault IS NOT NULL AS domain_default,
  a.attidentity::text AS identity, a.attgenerated::text AS generated, EXISTS (
         SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND (a.attnum = ANY(i.indkey) OR EXISTS (
           SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
               AND d.refobjsubid = a.attnum))) AS indexed, EXISTS (
         SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
           AND (a.attnum = ANY(i.indkey) OR EXISTS (
             SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
               AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
                 AND d.refobjsubid = a.attnum))) AS computed
FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON y.typtype = 'd'
  AND b.oid = y.typbasetype
WHERE a.attrelid = ANY(%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""
CONSTRAINTS = """
SELECT k.oid::bigint AS constraint_oid, k.conrelid::bigint AS oid, k.conname AS name, k.contype::text AS kind,
  k.convalidated AS validated, k.condeferrable AS deferrable, k.condeferred AS deferred,
  k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update,
       k.confrelid::bigint AS other_oid, k.conindid::bigint AS index_oid,
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.conrelid
         AND a.attnum = ANY(k.conkey)) AS columns,
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.confrelid
         AND a.attnum = ANY(k.confkey)) AS other_columns,
       CASE WHEN k.contype = 'c' AND NOT k.conrelid = ANY(%(busy)s) THEN pg_get_expr(k.conbin,
         k.conrelid) END AS expression
FROM pg_constraint k WHERE k.conrelid = ANY(%(oids)s) OR (k.confrelid = ANY(%(oids)s) AND k.contype = 'f')
"""
INVALID = """
SELECT i.indrelid::bigint AS oid, c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%(oids)s) AND NOT i.indisvalid
"""
# A prepared transaction has no process: its locks last until somebody ends it by its name. Without pg_read_all_stats a
# role sees neither type nor query of others' processes, but that one of a database belongs to no user: that is an
# autovacuum worker, of which the table's age tells whether it prevents wraparound. Source: pgstat_bestart in
# src/backend/utils/activity/backend_status.c, relation_needs_vacanalyze in src/backend/postmaster/autovacuum.c.
LOCKS = """
SELECT l.relation::bigint AS oid, l.pid, l.mode, l.granted, a.state, a.application_name AS application,
  coalesce(pg_blocking_pids(l.pid), '{}') AS blocked_by,
       extract(epoch FROM now() - a.xact_start)::float AS transaction_seconds,
       CASE WHEN a.backend_type IS NULL AND a.datid IS NOT NULL AND a.usesysid IS NULL THEN c.relfrozenxid <> '0'
           AND age(c.relfrozenxid) <= least(current_setting('autovacuum_freeze_max_age')::int, (SELECT
             o.option_value::int FROM pg_options_to_table(c.reloptions) o
             WHERE o.option_name = 'autovacuum_freeze_max_age'))
           AND mxid_age(c.relminmxid) <= least(current_setting('autovacuum_multixact_freeze_max_age')::int, (SELECT
             o.option_value::int FROM pg_options_to_table(c.reloptions) o
             WHERE o.option_name = 'autovacuum_multixact_freeze_max_age'))
         ELSE a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%%wraparound%%' END AS gives_way
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid LEFT JOIN pg_class c ON c.oid = l.relation
WHERE l.relation = ANY(%(oids)s) AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.database = (SELECT oid
  FROM pg_database WHERE datname = current_database())
"""
USES = """
SELECT DISTINCT r.ev_class::bigint AS oid, d.refobjid::bigint AS used
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  AND d.refclassid = 'pg_class'::regclass
WHERE r.ev_class = ANY(%(oids)s) AND d.refobjid <> r.ev_class AND d.deptype = 'n'
"""
# Tables, the publications that send their UPDATE or DELETE, and the index that identifies their rows.
# `unfit`: columns by which a publication chooses rows though they do not identify one, and columns that do and that its
# list leaves out (pub_rf_contains_invalid_column and its neighbour in commands/publicationcmds.c). 14 has neither, so
# that the fields are looked up by their names.
PUBLISHED = """
SELECT c.oid::bigint, c.relreplident::text AS identity, i.indexrelid::bigint AS index_oid,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid
         AND a.attnum = ANY(i.indkey)) AS columns,
       ARRAY(SELECT k.kind FROM (VALUES ('update'), ('delete')) AS k (kind) WHERE EXISTS (SELECT FROM pg_publication p
         WHERE CASE k.kind WHEN 'update' THEN p.pubupdate ELSE p.pubdelete END AND (p.puballtables
           OR EXISTS (SELECT FROM pg_publication_tables m WHERE m.pubname = p.pubname AND m.schemaname = n.nspname
             AND m.tablename = c.relname)))) AS kinds,
       ARRAY(SELECT p.pubname::text FROM pg_publication p WHERE (p.pubupdate OR p.pubdelete) AND (p.puballtables
         OR EXISTS (SELECT FROM pg_publication_tables m WHERE m.pubname = p.pubname AND m.schemaname = n.nspname
           AND m.tablename = c.relname)) ORDER BY 1) AS publications,
       ARRAY(SELECT p.pubname::text FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
         WHERE r.prrelid = c.oid ORDER BY 1) AS listed,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_publication_rel r
         JOIN pg_publication p ON p.oid = r.prpubid AND (p.pubupdate OR p.pubdelete)
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE r.prrelid = c.oid AND c.relreplident <> 'f' AND CASE WHEN a.attnum = ANY(i.indkey)
           THEN jsonb_typeof(to_jsonb(r) -> 'prattrs') = 'array' AND NOT to_jsonb(r) -> 'prattrs' @> to_jsonb(a.attnum)
           ELSE to_jsonb(r) ->> 'prqual' ~ (':varattno ' || a.attnum || '\\M') END ORDER BY 1) AS unfit
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indrelid = c.oid
  AND CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'd' THEN i.indisprimary ELSE false END
WHERE c.oid = ANY(%(oids)s) AND c.relkind IN ('r', 'p')
"""
FUNCTIONS = """
SELECT n.nspname AS schema, p.proname AS name, p.provolatile::text AS volatile, p.prokind::text AS kind,
  p.proretset AS returns_set
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = ANY(%(names)s)
"""
TYPES = """
SELECT y.typname AS name, y.typtype::text AS kind,
       b.typname AS base, y.typtypmod AS modifier, y.typdefault IS NOT NULL AS filled,
       EXISTS (SELECT FROM regexp_matches(y.typdefault, '([A-Za-z0-9_]+)"?\\(', 'g') AS called
         JOIN pg_proc p ON p.proname = called[1] WHERE p.provolatile = 'v') AS volatile,
       y.typnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = y.oid) AS constrained
FROM pg_type y LEFT JOIN pg_type b ON b.oid = y.typbasetype WHERE y.typname = ANY(%(names)s)
"""
# Where a domain is stored, also below domains over it. `inside`: in an array, a range or a row, where ALTER DOMAIN does
# not look: get_rels_with_domain and find_composite_type_dependencies in commands/typecmds.c and tablecmds.c.
DOMAIN_USES = """
WITH RECURSIVE reached (root, oid, inside) AS (
    SELECT y.oid, y.oid, false FROM pg_type y WHERE y.typtype = 'd' AND y.typname = ANY(%(names)s)
    UNION SELECT r.root, m.oid, r.inside OR m.contains FROM reached r JOIN LATERAL (
      SELECT y.oid, false AS contains FROM pg_type y WHERE y.typtype = 'd' AND y.typbasetype = r.oid
      UNION ALL SELECT y.oid, true FROM pg_type y WHERE y.typelem = r.oid AND y.typlen = -1
      UNION ALL SELECT g.rngtypid, true FROM pg_range g WHERE g.rngsubtype = r.oid
      UNION ALL SELECT c.reltype, true FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.atttypid = r.oid AND NOT a.attisdropped AND c.reltype <> 0
    ) AS m ON true
)
SELECT d.typname::text AS name, dn.nspname::text AS domain_schema, pg_type_is_visible(d.oid) AS visible,
  d.typnotnull AS not_null, c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS table,
  a.attname::text AS column, r.inside
FROM reached r JOIN pg_attribute a ON a.atttypid = r.oid JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type d ON d.oid = r.root
  JOIN pg_namespace dn ON dn.oid = d.typnamespace
WHERE NOT a.attisdropped AND a.attnum > 0 AND (c.relkind IN ('r', 'm') OR (r.inside AND c.relkind = 'p'))
ORDER BY d.oid, c.oid, a.attnum LIMIT 2000
"""
EXTENSIONS = """
SELECT a.name, a.installed_version AS installed, coalesce(bool_or(v.trusted), false) AS trusted,
  coalesce(bool_or(v.superuser), true) AS superuser,
  ARRAY(SELECT o.version::text FROM pg_available_extension_versions o WHERE o.name = a.name ORDER BY 1) AS versions,
  ARRAY(SELECT q.name::text FROM pg_available_extension_versions o, unnest(o.requires) AS q (name)
    WHERE o.name = a.name AND o.version = a.default_version
      AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = q.name) ORDER BY 1) AS lacks
FROM pg_available_extensions a LEFT JOIN pg_available_extension_versions v ON v.name = a.name
  AND v.version = a.default_version
WHERE a.name = ANY(%(names)s) GROUP BY a.name, a.installed_version, a.default_version
"""
VERSION_WIDTH = """
SELECT CASE WHEN coalesce(b.typname, y.typname) IN ('varchar', 'bpchar') THEN
  nullif(greatest(CASE y.typtype WHEN 'd' THEN y.typtypmod ELSE a.atttypmod END, 4), 4) - 4 END AS characters
FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON y.typtype = 'd'
  AND b.oid = y.typbasetype
WHERE a.attrelid = to_regclass(%(version_table)s) AND a.attname = 'version_num' AND NOT a.attisdropped
"""
# `lacks`: rights that Alembic needs; `needed`: columns that an INSERT of version_num alone leaves without a value.
VERSION_TABLE = """
SELECT c.relkind::text AS kind, row_security_active(c.oid) AS secured,
  ARRAY(SELECT p FROM unnest('{INSERT,UPDATE}'::text[]) AS p
    WHERE NOT has_any_column_privilege(c.oid, p)) AS lacks,
  ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attname <> 'version_num' AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '') AS needed,
  ARRAY(SELECT g.tgname::text FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
    AND g.tgenabled IN ('O', 'A')) AS triggers
FROM pg_class c WHERE c.oid = to_regclass(%(version_table)s)
"""
USER_TABLES = """
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
    AND c.oid IS DISTINCT FROM to_regclass(%(version_table)s)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND d.deptype = 'e')) AS found
"""
