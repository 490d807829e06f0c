"""What a deletion does beside: foreign keys that act, tables that inherit, triggers.

Keys and tables are refused or told before anything goes. What a trigger does nobody can read from the catalogue, so a
transaction measures it by the server's own counters of this transaction, and one that took more is rolled back.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

    from .retention_tables import Table, Tables

# pg_constraint.confdeltype, https://www.postgresql.org/docs/current/catalog-pg-constraint.html
_DELETES: t.Final = {"c": "CASCADE", "a": "NO ACTION", "r": "RESTRICT", "n": "SET NULL", "d": "SET DEFAULT"}
_KEEPS: t.Final = ("a", "r")
# A partition is deleted from through its table, and a key may lead to it directly.
_FAMILY: t.Final = """
SELECT root.oid, member.oid, member.oid::regclass::text, c.relkind::text
FROM unnest(%s::oid[]) AS root(oid)
CROSS JOIN LATERAL (SELECT root.oid UNION SELECT relid::oid FROM pg_partition_tree(root.oid::regclass)) AS member(oid)
JOIN pg_class c ON c.oid = member.oid
"""
_HEIRS: t.Final = """
SELECT i.inhparent::regclass::text, i.inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
WHERE i.inhparent = ANY(%s::oid[]) AND c.relkind <> 'p' ORDER BY 1, 2
"""
# PostgreSQL 18 has keys that nobody keeps. The key of a partitioned table comes before those of its partitions.
_KEYS: t.Final = """
SELECT c.conrelid, c.confrelid, c.conrelid::regclass::text, c.confdeltype::text,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_constraint c
WHERE c.contype = 'f' AND c.confrelid = ANY(%s::oid[]) AND coalesce((to_jsonb(c) ->> 'conenforced')::bool, true)
ORDER BY c.conparentid <> 0, 3, c.conname
"""
# 8: TRIGGER_TYPE_DELETE of catalog/pg_trigger.h. A partition has its table's triggers, and may have its own.
_TRIGGERS: t.Final = """
SELECT DISTINCT t.tgrelid::regclass::text || '.' || t.tgname FROM pg_trigger t
WHERE t.tgrelid = ANY(%s::oid[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 8 <> 0
  AND coalesce((to_jsonb(t) ->> 'tgparentid')::oid, 0) = 0
ORDER BY 1
"""
# Beside this transaction's they hold those of earlier ones that are not told yet: only their growth counts.
_COUNTERS: t.Final = """
SELECT c.oid, c.oid::regclass::text, pg_stat_get_xact_tuples_deleted(c.oid), pg_stat_get_xact_tuples_updated(c.oid),
       pg_stat_get_xact_tuples_inserted(c.oid)
FROM pg_class c
WHERE c.relkind = 'r' AND c.oid >= 16384 AND pg_stat_get_xact_tuples_deleted(c.oid)
    + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_inserted(c.oid) > 0
"""
VERBS: t.Final = ("deleted", "changed", "inserted")


class Family(t.NamedTuple):
    """The declared tables with their partitions.

    :param names: of the declared table, by the oid of it or of its partition
    """

    names: dict[int, str]

    @property
    def oids(self) -> list[int]:
        return list(self.names)


class BeyondError(Exception):
    """A transaction would have done more, or less, than delete its sessions; it says what."""


def _otherwise(words: str) -> CollectorError:
    return CollectorError("retention-declaration", f"The declaration of the tables does not fit: {words}.")


def family(connection: psycopg.Connection, found: t.Sequence[Table]) -> Family:
    """The declared tables with their partitions.

    :raises CollectorError: a table's rows are elsewhere as well, where neither its key nor a lock reaches
    """
    by_oid = {table.oid: table.name for table in found}
    names = {}
    for root, member, name, kind in connection.execute(_FAMILY, (list(by_oid),)):
        if kind == "f":
            raise _otherwise(f"{name}, a partition of {by_oid[root]}, is at another server, where no row can be held")
        names[member] = by_oid[root]
    for parent, child in connection.execute(_HEIRS, (list(names),)):
        raise _otherwise(f"{child} inherits from {parent}, whose keys say nothing of its rows; declare it by itself")
    return Family(names)


def assert_no_more_goes(
    connection: psycopg.Connection, found: t.Sequence[Table], members: Family
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Foreign keys that change rows elsewhere (SET NULL, SET DEFAULT: what their author decided on, and the row stays),
    and triggers of the database's owner, which run for each row that is deleted.

    :raises CollectorError: rows would go that belong to no session that goes, or keep others from going
    """
    changes = []
    tables = {table.name: table for table in found}
    for child, parent, told, deletes, columns, keys in connection.execute(_KEYS, (members.oids,)):
        mine, above = members.names.get(child), members.names[parent]
        if mine and _is_declared(tables[mine], above, tables[above].key, dict(zip(columns, keys, strict=True))):
            continue
        how = f"{mine or told} refers to {above} by {', '.join(columns)} (ON DELETE {_DELETES[deletes]})"
        if deletes == "c":
            raise _otherwise(_cascades(how, mine))
        if deletes not in _KEEPS:
            changes.append(f"{mine or told}.{', '.join(columns)} (ON DELETE {_DELETES[deletes]})")
        elif not mine:
            raise _otherwise(f"{how} and is not declared: its rows would keep others from going")
    triggers = tuple(name for (name,) in connection.execute(_TRIGGERS, (members.oids,)))
    if changes or triggers:
        _assert_measurable(connection, [*changes, *triggers])
    return tuple(dict.fromkeys(changes)), triggers


def _cascades(how: str, mine: str | None) -> str:
    if mine is None:
        return f"{how} and is not declared: its rows would go as well"
    return f"{how} beside the declared key: rows of other sessions would go as well; make it NO ACTION or SET NULL"


def _is_declared(table: Table, above: str, key: str, pairs: t.Mapping[str, str]) -> bool:
    """Whether a key leads where the declared one does: its rows are deleted before, and it has nothing left to act on.

    One of more columns does so too where the declared pair is among them.
    """
    return table.parent == above and pairs.get(table.column) == key


def _assert_measurable(connection: psycopg.Connection, acting: t.Sequence[str]) -> None:
    row = connection.execute("SELECT current_setting('track_counts')::bool").fetchone()
    if row and not row[0]:
        words = f"{acting[0]} does more than delete, and track_counts is off: nobody could tell what else goes"
        raise _otherwise(words)


def counters(connection: psycopg.Connection) -> dict[int, tuple[str, tuple[int, ...]]]:
    """Rows that this session deleted, changed and inserted and that it has not told the server's statistics yet."""
    # What a constraint trigger does at the end of the transaction, it does now.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return {oid: (name, tuple(numbers)) for oid, name, *numbers in connection.execute(_COUNTERS)}


def beside(
    tables: Tables,
    rows: t.Mapping[str, int],
    before: t.Mapping[int, tuple[str, tuple[int, ...]]],
    after: t.Mapping[int, tuple[str, tuple[int, ...]]],
) -> dict[str, dict[str, int]]:
    """What a transaction did beside deleting `rows`: by table, rows by verb. Pure.

    :param rows: of the declared tables that were to go
    :raises BeyondError: more rows of a declared table went
    """
    found: dict[str, list[int]] = {}
    for oid, (name, numbers) in after.items():
        grown = [now - was for now, was in zip(numbers, before.get(oid, ("", (0, 0, 0)))[1], strict=True)]
        told = found.setdefault(tables.family.names.get(oid, name), [0, 0, 0])
        for place, number in enumerate(grown):
            told[place] += number
    for table in tables.all:
        deleted = found.setdefault(table.name, [0, 0, 0])
        if deleted[0] != rows[table.name]:
            raise BeyondError(f"{deleted[0]} rows of {table.name} would have gone instead of {rows[table.name]}")
        deleted[0] = 0
    told_rows = {
        name: {verb: number for verb, number in zip(VERBS, numbers, strict=True) if number}
        for name, numbers in found.items()
    }
    return {name: numbers for name, numbers in told_rows.items() if numbers}


__all__ = ("VERBS", "BeyondError", "Family", "assert_no_more_goes", "beside", "counters", "family")
