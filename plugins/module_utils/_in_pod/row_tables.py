"""The tables that questions to rows name: kind, size and the planner's statistics, looked up for many at once.

An upgrade of a thousand revisions asks about a thousand tables, and each query to the catalogues is planned anew.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]
Name = tuple["str | None", str]

# Names in one query, which has to end within the statement's time-out.
MOST_TOGETHER = 500
# Only of a partitioned table the tree is looked at: for a plain one the planner would read all of pg_class.
TABLES = """
SELECT asked.place::int - 1 AS place, c.oid::bigint, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       c.reltuples::bigint AS rows, coalesce(pg_stat_get_mod_since_analyze(c.oid), 0) AS modified,
       row_security_active(c.oid) AS secured,
       coalesce(CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) WHEN c.relkind = 'p' THEN
         (SELECT sum(pg_relation_size(k.oid))::bigint FROM pg_partition_tree(c.oid) p
            JOIN pg_class k ON k.oid = p.relid WHERE k.relkind = 'r') END, 0) AS bytes,
       CASE c.relkind WHEN 'f' THEN true
         WHEN 'p' THEN EXISTS (SELECT FROM pg_partition_tree(c.oid) p JOIN pg_class k ON k.oid = p.relid
                               WHERE k.relkind = 'f')
         WHEN 'r' THEN EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
         ELSE false END AS foreign,
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) AS triggers,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '') AS generated
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS asked (schema, name, place)
  JOIN pg_class c ON c.oid = to_regclass(CASE WHEN asked.schema IS NULL THEN format('%%I', asked.name)
    ELSE format('%%I.%%I', asked.schema, asked.name) END)
  JOIN pg_namespace n ON n.oid = c.relnamespace
"""
# The sample's frequencies say whether it saw a value twice; the values stay where they are.
STATISTICS = """
SELECT c.oid::bigint, s.attname AS name, s.null_frac::float AS null_frac, s.n_distinct::float AS n_distinct,
       s.most_common_freqs IS NOT NULL AS repeated, s.avg_width AS width
FROM unnest(%(oids)s::oid[]) AS asked (oid) JOIN pg_class c ON c.oid = asked.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.inherited = (c.relkind = 'p')
"""
# Columns of any length, and whether the table keeps values out of line.
WIDE = """
SELECT a.attrelid::bigint AS oid, a.attname AS name, CASE c.relkind WHEN 'p' THEN
    (SELECT coalesce(bool_or(pg_relation_size(k.reltoastrelid) > 0
        OR array_to_string(k.reloptions, ' ') LIKE '%%toast_tuple_target%%'), false)
      FROM pg_partition_tree(c.oid) p JOIN pg_class k ON k.oid = p.relid WHERE k.reltoastrelid <> 0)
    ELSE c.reltoastrelid <> 0 AND (pg_relation_size(c.reltoastrelid) > 0
      OR coalesce(array_to_string(c.reloptions, ' '), '') LIKE '%%toast_tuple_target%%') END AS out_of_line
FROM unnest(%(oids)s::oid[]) AS asked (oid) JOIN pg_class c ON c.oid = asked.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attlen = -1 AND a.attstorage IN ('x', 'e')
    AND NOT a.attisdropped
"""


def look_up(ask: Ask, names: t.Sequence[Name]) -> dict[Name, Row | None]:
    """Each table by its name (schema, None where search_path decides; name); None where there is none."""
    schemas, plain = [schema for schema, _name in names], [name for _schema, name in names]
    found: dict[Name, Row | None] = dict.fromkeys(names)
    for row in ask(TABLES, schemas=schemas, names=plain):
        found[names[row.pop("place")]] = row
    return found


class Tables:
    """What is known of tables, which a first question about one of them asks for all that are known by then."""

    def __init__(self, connection: psycopg.Connection, ask: Ask) -> None:
        self._connection, self._ask = connection, ask
        self._found: dict[Name, Row | None] = {}
        self._statistics: dict[int, list[Row]] = {}
        self._wide: dict[int, list[Row]] = {}

    def expect(self, names: t.Iterable[Name]) -> None:
        """Look these up together; where a lock or the time is in the way of one, each is looked up when it is asked."""
        missing = [name for name in dict.fromkeys(names) if name not in self._found]
        for first in range(0, len(missing), MOST_TOGETHER):
            some = missing[first : first + MOST_TOGETHER]
            self._found |= self._attempt(functools.partial(look_up, self._ask, some)) or {}

    def get(self, name: Name) -> Row | None:
        """The table. Raises psycopg.Error."""
        if name not in self._found:
            self._found |= look_up(self._ask, [name])
        return self._found[name]

    def statistics(self, table: Row, columns: t.Collection[str]) -> dict[str, Row]:
        """Of these columns, by name. Raises psycopg.Error."""
        rows = self._of(table, STATISTICS, self._statistics)
        kept = ("null_frac", "n_distinct", "repeated")
        return {row["name"]: {key: row[key] for key in kept} for row in rows if row["name"] in columns}

    def wide(self, table: Row, columns: t.Collection[str]) -> list[Row]:
        """Those of these columns that may be of any length: `name`, average `width` or None, and `out_of_line`.

        :raises psycopg.Error: a lock is in the way
        """
        widths = {row["name"]: row["width"] for row in self._of(table, STATISTICS, self._statistics)}
        rows = self._of(table, WIDE, self._wide)
        return [row | {"width": widths.get(row["name"])} for row in rows if row["name"] in columns]

    def _of(self, table: Row, query: str, known: dict[int, list[Row]]) -> list[Row]:
        oid = int(table["oid"])
        if oid not in known:
            others = [row["oid"] for row in self._found.values() if row and row["oid"] not in known]
            for first in range(0, len(others), MOST_TOGETHER):
                some = others[first : first + MOST_TOGETHER]
                self._keep(known, some, self._attempt(functools.partial(self._ask, query, oids=some)))
        if oid not in known:
            self._keep(known, [oid], self._ask(query, oids=[oid]))
        return known[oid]

    @staticmethod
    def _keep(known: dict[int, list[Row]], oids: list[int], rows: list[Row] | None) -> None:
        if rows is None:
            return
        known |= {oid: [] for oid in oids}
        for row in rows:
            known[row["oid"]].append(row)

    def _attempt(self, asked: t.Callable[[], t.Any]) -> t.Any:
        """What it says; None where the server refuses it."""
        from psycopg import Error

        try:
            with self._connection.transaction(force_rollback=True):
                return asked()
        except Error as error:
            if error.sqlstate is None:
                raise
            return None


__all__ = ("Tables", "look_up")
