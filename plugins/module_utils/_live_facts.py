# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The collector: a list of names goes in, facts about those names and about the server come out, as JSON types.

It only selects, and only from catalogues and statistics, but for the version table.
"""

from __future__ import annotations

import typing as t

from psycopg import errors, sql
from psycopg.rows import dict_row

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]

_SERVER = """
SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS in_recovery,
       current_user AS role, current_setting('TimeZone') AS timezone, current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int AS reserved, pg_backend_pid() AS pid,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       (SELECT reset_val FROM pg_settings WHERE name = 'lock_timeout') AS lock_timeout,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all, pg_database_size(current_database()) AS database_bytes,
       has_database_privilege(current_database(), 'CREATE') AS may_create_in_database,
       current_schema() AS schema, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create
"""
_SESSIONS = """
SELECT pid, usename AS user, application_name AS application, state, datname = current_database() AS here,
       extract(epoch FROM now() - xact_start)::float AS transaction_seconds,
       extract(epoch FROM now() - state_change)::float AS state_seconds
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_PREPARED = "SELECT gid, extract(epoch FROM now() - prepared)::float AS seconds FROM pg_prepared_xacts WHERE database = current_database()"
_ADVISORY = """
SELECT l.pid, l.granted FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32) | l.objid::bigint = %(key)s
"""
_REPLICAS = """
SELECT application_name AS application, state, extract(epoch FROM replay_lag)::float AS lag_seconds,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float AS lag_bytes FROM pg_stat_replication
"""
_SLOTS = """
SELECT slot_name AS name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float AS kept_bytes
FROM pg_replication_slots
"""
_RESOLVE = """
SELECT s AS schema, n AS name, to_regclass(CASE WHEN s IS NULL THEN format('%%I', n) ELSE format('%%I.%%I', s, n) END)::oid::bigint AS oid
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked (s, n)
"""
_DESCENDANTS = """
WITH RECURSIVE descendants (root, oid) AS (
    SELECT inhparent, inhrelid FROM pg_inherits WHERE inhparent = ANY(%(oids)s)
    UNION SELECT d.root, i.inhrelid FROM descendants d JOIN pg_inherits i ON i.inhparent = d.oid
)
SELECT root::bigint, oid::bigint FROM descendants
"""
_CLASSES = """
SELECT c.oid::bigint, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.reltuples::bigint AS rows,
       c.relpages::bigint * current_setting('block_size')::bigint AS bytes, pg_get_userbyid(c.relowner) AS owner,
       pg_has_role(c.relowner, 'USAGE') AS may_alter, has_table_privilege(c.oid, 'REFERENCES') AS may_reference,
       c.relpersistence::text AS persistence, (SELECT m.amname FROM pg_am m WHERE m.oid = c.relam) AS access_method,
       (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = CASE c.reltablespace WHEN 0 THEN
         (SELECT b.dattablespace FROM pg_database b WHERE b.datname = current_database()) ELSE c.reltablespace END) AS tablespace,
       i.indrelid::bigint AS table_oid, coalesce(i.indisvalid, true) AS valid,
       (SELECT h.inhparent::bigint FROM pg_inherits h WHERE h.inhrelid = c.oid AND c.relispartition) AS partition_of,
       (SELECT nullif(p.partdefid, 0)::bigint FROM pg_partitioned_table p WHERE p.partrelid = c.oid) AS default_partition,
       coalesce(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid), 0) AS writes,
       coalesce(pg_stat_get_numscans(c.oid), 0) AS reads
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid = ANY(%(oids)s)
"""
_BUSY = "SELECT DISTINCT relation::bigint AS oid FROM pg_locks WHERE relation = ANY(%(oids)s) AND mode = 'AccessExclusiveLock'"
_SIZES = """
SELECT c.oid::bigint, pg_relation_size(c.oid) AS bytes, pg_total_relation_size(c.oid) AS total_bytes
FROM pg_class c WHERE c.oid = ANY(%(oids)s) AND c.relkind IN ('r', 'm', 't', 'i', 'S')
"""
_COLUMNS = """
SELECT a.attrelid::bigint AS oid, a.attname AS name, coalesce(b.typname, y.typname) AS type, CASE y.typtype WHEN 'd' THEN y.typtypmod ELSE a.atttypmod END AS modifier, a.attnotnull AS not_null, EXISTS (
         SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND (a.attnum = ANY(i.indkey) OR EXISTS (
           SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum))) AS indexed
FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON y.typtype = 'd' AND b.oid = y.typbasetype
WHERE a.attrelid = ANY(%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT k.oid::bigint AS constraint_oid, k.conrelid::bigint AS oid, k.conname AS name, k.contype::text AS kind, k.convalidated AS validated,
       k.confrelid::bigint AS other_oid,
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)) AS columns,
       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = ANY(k.confkey)) AS other_columns,
       CASE WHEN k.contype = 'c' AND NOT k.conrelid = ANY(%(busy)s) THEN pg_get_expr(k.conbin, k.conrelid) END AS expression
FROM pg_constraint k WHERE k.conrelid = ANY(%(oids)s) OR (k.confrelid = ANY(%(oids)s) AND k.contype = 'f')
"""
_INVALID = """
SELECT i.indrelid::bigint AS oid, c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%(oids)s) AND NOT i.indisvalid
"""
_LOCKS = """
SELECT l.relation::bigint AS oid, l.pid, l.mode, l.granted, a.state, a.application_name AS application, pg_blocking_pids(l.pid) AS blocked_by,
       extract(epoch FROM now() - a.xact_start)::float AS transaction_seconds,
       a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%%wraparound%%' AS yields
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = ANY(%(oids)s) AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_USES = """
SELECT DISTINCT r.ev_class::bigint AS oid, d.refobjid::bigint AS used
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
WHERE r.ev_class = ANY(%(oids)s) AND d.refobjid <> r.ev_class AND d.deptype = 'n'
"""
_FUNCTIONS = """
SELECT n.nspname AS schema, p.proname AS name, p.provolatile::text AS volatile
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = ANY(%(names)s)
"""
_TYPES = """
SELECT y.typname AS name, y.typtype::text AS kind,
       b.typname AS base, y.typtypmod AS modifier,
       y.typnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = y.oid) AS constrained
FROM pg_type y LEFT JOIN pg_type b ON b.oid = y.typbasetype WHERE y.typname = ANY(%(names)s)
"""
_EXTENSIONS = """
SELECT a.name, a.installed_version AS installed, coalesce(bool_or(v.trusted), false) AS trusted, coalesce(bool_or(v.superuser), true) AS superuser
FROM pg_available_extensions a LEFT JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
WHERE a.name = ANY(%(names)s) GROUP BY a.name, a.installed_version
"""
_USER_TABLES = """
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
    AND c.oid IS DISTINCT FROM to_regclass(%(version_table)s)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS found
"""


def _rows(connection: psycopg.Connection, query: str, **values: t.Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values or None).fetchall()  # type: ignore[arg-type]


def live_rows(connection: psycopg.Connection, table: str, schema: str | None) -> dict[str, t.Any]:
    """The rows of the version table (None: it does not exist), and whether the database has other tables."""
    name = sql.Identifier(schema, table) if schema else sql.Identifier(table)
    text = name.as_string(connection)
    with connection.cursor() as cursor:
        exists = cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (text,)).fetchone() == (True,)
        query = sql.SQL("SELECT version_num FROM {} ORDER BY 1").format(name)
        rows = [row[0] for row in cursor.execute(query).fetchall()] if exists else None
    return {"rows": rows, "has_tables": _rows(connection, _USER_TABLES, version_table=text)[0]["found"]}


def server(connection: psycopg.Connection, advisory_key: int) -> dict[str, t.Any]:
    """The server as a whole: version, sessions, replication, connections."""
    facts = _rows(connection, _SERVER)[0]
    facts["pooled"] = facts.pop("pid") != connection.info.backend_pid
    facts["sessions"] = _rows(connection, _SESSIONS)
    facts["prepared"] = _rows(connection, _PREPARED)
    facts["migrators"] = _rows(connection, _ADVISORY, key=advisory_key)
    primary = not facts["in_recovery"]
    facts["replicas"] = _rows(connection, _REPLICAS) if primary else []
    facts["slots"] = _rows(connection, _SLOTS) if primary else []
    return facts


def collect(connection: psycopg.Connection, request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Facts about the names in `request`: tables ([schema or None, name]), functions, types, extensions."""
    asked = request["tables"]
    resolved = _rows(connection, _RESOLVE, schemas=[item[0] for item in asked], names=[item[1] for item in asked])
    descendants = _rows(connection, _DESCENDANTS, oids=[row["oid"] for row in resolved if row["oid"]])
    wanted = {row["oid"] for row in resolved if row["oid"]} | {row["oid"] for row in descendants}
    classes: dict[int, Row] = {}
    constraints: dict[int, Row] = {}
    uses: list[Row] = []
    # Statements lock what foreign keys, partitions and indexes lead to as well; two steps reach all of it.
    for step in range(3):
        oids = sorted(wanted - classes.keys())
        if not oids:
            break
        found = _rows(connection, _CLASSES, oids=oids)
        classes |= {row["oid"]: row for row in found}
        wanted |= {row[key] for row in found for key in ("table_oid", "partition_of", "default_partition") if row[key]}
        if step == 0:
            busy = _busy(connection, oids)
            uses = _rows(connection, _USES, oids=oids)
            wanted |= {row["used"] for row in uses}
            constraints = {row["constraint_oid"]: row for row in _rows(connection, _CONSTRAINTS, oids=oids, busy=busy)}
            wanted |= {row[key] for row in constraints.values() for key in ("oid", "other_oid") if row[key]}
    every = sorted(classes)
    _sizes(connection, classes)
    return {
        "names": resolved,
        "classes": list(classes.values()),
        "descendants": [row for row in descendants if {row["root"], row["oid"]} <= classes.keys()],
        "columns": _rows(connection, _COLUMNS, oids=every),
        "constraints": [row for row in constraints.values() if row["oid"] in classes],
        "uses": [row for row in uses if {row["oid"], row["used"]} <= classes.keys()],
        "invalid_indexes": _rows(connection, _INVALID, oids=every),
        "locks": _rows(connection, _LOCKS, oids=every),
        "functions": _rows(connection, _FUNCTIONS, names=request["functions"]),
        "types": _rows(connection, _TYPES, names=request["types"]),
        "extensions": _rows(connection, _EXTENSIONS, names=request["extensions"]),
    }


def _busy(connection: psycopg.Connection, oids: list[int]) -> list[int]:
    return [row["oid"] for row in _rows(connection, _BUSY, oids=oids)]


def _sizes(connection: psycopg.Connection, classes: dict[int, Row]) -> None:
    """Sizes from the files; the catalogue's own, as of the last VACUUM, where that would have to wait for a lock."""
    busy = set(_busy(connection, list(classes)))
    try:
        with connection.transaction():
            for row in _rows(connection, _SIZES, oids=[oid for oid in classes if oid not in busy]):
                classes[row["oid"]] |= row
    except (errors.LockNotAvailable, errors.QueryCanceled):
        return


__all__ = ("collect", "live_rows", "server")
