"""What a table refuses of rows that an upgrade computes, as a condition over the row `r` of whose values they are made.

Its own NOT NULL, lengths, checks and bounds of partitions, whose expressions name what is not in pg_catalog in full.
Source: ExecConstraints and ExecPartitionCheck in src/backend/executor/execMain.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from . import row_casts

Row = dict[str, t.Any]

COLUMNS = """
SELECT a.attname::text AS name, a.attnotnull AND a.attidentity = '' AS not_null, a.attgenerated <> '' AS generated,
  y.typname::text AS type, a.atttypmod AS modifier, format_type(a.atttypid, a.atttypmod) AS typed,
  y.typnamespace = 'pg_catalog'::regnamespace AS own
FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
CHECKS = """
SELECT pg_get_expr(k.conbin, k.conrelid) AS expression, ARRAY(SELECT a.attname::text FROM pg_attribute a
  WHERE a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)) AS columns
FROM pg_constraint k WHERE k.conrelid = %(oid)s AND k.contype = 'c'
  AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
"""
# What a domain says of its values, under the column that is of it.
DOMAINS = """
SELECT a.attname::text AS name, y.typnotnull AS not_null, pg_get_expr(k.conbin, 0) AS expression
FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid AND y.typtype = 'd'
  LEFT JOIN pg_constraint k ON k.contypid = y.oid AND k.contype = 'c'
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
"""
# Of a partitioned table each leaf's condition, which holds those of its parents; of a partition its own.
PARTS = """
SELECT pg_get_partition_constraintdef(p.relid) AS expression,
  ARRAY(SELECT a.attname::text FROM pg_inherits i JOIN pg_partitioned_table k ON k.partrelid = i.inhparent
    JOIN pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = ANY(k.partattrs)
    WHERE i.inhrelid IN (SELECT n.relid FROM pg_partition_ancestors(p.relid) n)) AS columns,
  EXISTS (SELECT FROM pg_inherits i JOIN pg_partitioned_table k ON k.partrelid = i.inhparent
    WHERE k.partexprs IS NOT NULL AND i.inhrelid IN (SELECT n.relid FROM pg_partition_ancestors(p.relid) n)) AS computed
FROM pg_partition_tree(%(oid)s::oid) p JOIN pg_class c ON c.oid = p.relid
WHERE p.isleaf AND (c.relispartition OR c.relkind <> 'r')
"""
# Triggers that may change a row, or leave it out, before it is written.
BEFORE = """
SELECT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = %(oid)s AND NOT g.tgisinternal AND g.tgtype & 3 = 3
  AND g.tgtype & %(bit)s <> 0) AS any
"""
# pg_trigger.tgtype.
INSERTS, UPDATES = 4, 16
_NUMBERS = {"int2", "int4", "int8", "numeric"}
_LENGTHS = {"varchar", "bpchar"}
_HEADER = 4


class NotKnown(Exception):
    """Why there is no condition, in one word."""


class Rules(t.NamedTuple):
    """What the queries CHECKS, PARTS and DOMAINS say of the table."""

    checks: list[Row]
    parts: list[Row]
    domains: list[Row]


def refused(
    question: Row, columns: list[Row], rules: Rules, type_of: t.Callable[[str], str], version: int
) -> str | None:
    """The condition; None where nothing is refused.

    :param question: `columns` (None: all in their order), `values`, `updates`, `derived`
    :param columns: those of the table, as COLUMNS has them
    :param type_of: pg_type.typname of an expression over `r`
    :param version: server_version_num
    :raises NotKnown: it is not known
    """
    known = {row["name"]: row for row in columns}
    names = question["columns"] or [row["name"] for row in columns]
    given = dict(zip(names, question["values"], strict=False))
    if not given.keys() <= known.keys():
        raise NotKnown("absent")
    found = []
    for name, value in given.items():
        column = known[name]
        if column["not_null"]:
            found.append(f"({value}) IS NULL")
        if misfit := _misfit(value, column, type_of, version):
            found.append(misfit)
    for row in rules.domains:
        value = given.get(row["name"])
        if value is not None and row["not_null"]:
            found.append(f"({value}) IS NULL")
        if value is not None and row["expression"]:
            given_to = f"(SELECT {value}) AS written (value)"
            found.append(f"NOT (SELECT ({row['expression']}) FROM {given_to})")  # noqa: S608 - of row_expression.py
    made = _Made(question, given, known)
    found += [f"NOT ({text})" for row in rules.checks if (text := made.holds(row["expression"], row["columns"]))]
    if rules.parts:
        found += made.unrouted(rules.parts)
    return " OR ".join(f"coalesce({item}, false)" for item in found) or None


def _misfit(value: str, column: Row, type_of: t.Callable[[str], str], version: int) -> str | None:
    kind, modifier = column["type"], column["modifier"]
    if kind in _LENGTHS and modifier >= _HEADER:
        return f"length(rtrim(({value})::text, ' ')) > {modifier - _HEADER}"
    if kind not in _NUMBERS:
        return None
    numbers = []
    if kind == "numeric" and modifier >= _HEADER:
        numbers = [(modifier - _HEADER) >> 16 & 0xFFFF, ((modifier - _HEADER) & 0x7FF ^ 1024) - 1024]
    try:
        return row_casts.misfit(value, type_of(value), kind, numbers, written=False, version=version)
    except row_casts.NotKnown:
        return None


class _Made:
    """The row that is written, in which an expression of its table is computed."""

    def __init__(self, question: Row, given: dict[str, str], known: dict[str, Row]) -> None:
        self._question, self._given, self._known = question, given, known

    def holds(self, expression: str, columns: list[str]) -> str | None:
        """The expression over the row; None where it holds no column that is written.

        :raises NotKnown: the row is not known in all that the expression wants
        """
        if not set(columns) & self._given.keys():
            return None
        if not self._question["updates"] and not set(columns) <= self._given.keys():
            # What it leaves out has its default.
            raise NotKnown("type")
        if self._question["updates"] and self._question["derived"]:
            raise NotKnown("derived")
        if not all(self._known[name]["own"] for name in columns if name in self._given):
            raise NotKnown("type")
        row = ", ".join(
            f"CAST({self._given[name]} AS {self._known[name]['typed']}) AS {_quoted(name)}"
            for name in columns
            if name in self._given
        )
        return f"SELECT ({expression}) FROM (SELECT {row}) AS written"  # noqa: S608 - of row_expression.py

    def unrouted(self, parts: list[Row]) -> list[str]:
        """That no partition takes the row."""
        if any(row["expression"] is None for row in parts):
            return []
        if any(row["computed"] for row in parts):
            raise NotKnown("kind")
        texts = [self.holds(row["expression"], row["columns"]) for row in parts]
        taken = [f"coalesce(({text}), false)" for text in texts if text is not None]
        return [f"NOT ({' OR '.join(taken)})"] if taken and None not in texts else []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


__all__ = ("BEFORE", "CHECKS", "COLUMNS", "DOMAINS", "INSERTS", "PARTS", "UPDATES", "NotKnown", "Rules", "refused")
