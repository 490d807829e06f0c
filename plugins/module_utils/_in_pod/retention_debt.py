"""What a deletion leaves in the tables: dead rows, the space that they take, and whether autovacuum will see to it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

    from .retention_tables import Tables

# Before version 15 a session tells its counts at most once in this time (PGSTAT_STAT_INTERVAL).
REPORT_SECONDS = 1.1
_FORCED_SINCE = 150000
# A partitioned table has neither size nor rows of its own, its partitions have.
_QUERY = """
WITH part AS (
    SELECT coalesce(tree.relid, %(oid)s::regclass)::oid AS oid
    FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT relid FROM pg_partition_tree(%(oid)s::regclass) WHERE isleaf)
        AS tree ON true
), option AS (
    SELECT c.oid, greatest(c.reltuples, 0) AS rows,
           (SELECT option_value::bool FROM pg_options_to_table(c.reloptions)
            WHERE option_name = 'autovacuum_enabled') AS enabled,
           coalesce((SELECT option_value::float8 FROM pg_options_to_table(c.reloptions)
            WHERE option_name = 'autovacuum_vacuum_threshold'),
            current_setting('autovacuum_vacuum_threshold')::float8) AS least,
           coalesce((SELECT option_value::float8 FROM pg_options_to_table(c.reloptions)
            WHERE option_name = 'autovacuum_vacuum_scale_factor'),
            current_setting('autovacuum_vacuum_scale_factor')::float8) AS share
    FROM part JOIN pg_class c USING (oid)
)
SELECT sum(pg_total_relation_size(option.oid))::bigint, sum(option.rows)::bigint,
       sum(pg_stat_get_live_tuples(option.oid))::bigint, sum(pg_stat_get_dead_tuples(option.oid))::bigint,
       sum(least(option.least + option.share * option.rows,
                 coalesce(nullif(current_setting('autovacuum_vacuum_max_threshold', true), '')::float8,
                          'infinity'::float8)))::bigint,
       bool_and(coalesce(option.enabled, true)) AND current_setting('autovacuum')::bool
           AND current_setting('track_counts')::bool,
       max(pg_stat_get_last_autovacuum_time(option.oid))::text
FROM option
"""


def debt_after(connection: psycopg.Connection, tables: Tables) -> dict[str, dict[str, t.Any]] | None:
    """The same once something was deleted; None where somebody locks a table: what was done is told nevertheless."""
    from psycopg import errors

    from . import retention_batches as batches

    try:
        _flush(connection)
        with connection.transaction():
            batches.begin(connection, batches.LOOK_SECONDS)
            return debt(connection, tables)
    except (errors.LockNotAvailable, errors.QueryCanceled):
        return None


def _flush(connection: psycopg.Connection) -> None:
    """Have what this session has just deleted be among the counts."""
    if connection.info.server_version >= _FORCED_SINCE:
        connection.execute("SELECT pg_stat_force_next_flush()")
    else:
        time.sleep(REPORT_SECONDS)
    # The counts are told at the end of a transaction.
    connection.execute("SELECT 1")
    connection.execute("SELECT pg_stat_clear_snapshot()")


def debt(connection: psycopg.Connection, tables: Tables) -> dict[str, dict[str, t.Any]]:
    """For each table: bytes, rows, live and dead rows, the dead rows at which autovacuum begins, whether it does."""
    found = {}
    for table in tables.all:
        row = connection.execute(_QUERY, {"oid": table.oid}).fetchone()
        size, rows, live, dead, begins, enabled, last = row or (0, 0, 0, 0, 0, True, None)
        found[table.name] = {
            "bytes": size,
            "rows": max(rows, live),
            "live_rows": live,
            "dead_rows": dead,
            "vacuum_begins_at": begins,
            "autovacuum": enabled,
            "last_autovacuum": last,
        }
    return found


__all__ = ("debt", "debt_after")
