"""Whether rows lie within the bounds of a partition, as a condition over the row `r`: SQL of constants and columns.

Source: get_qual_from_partbound in src/backend/partitioning/partbounds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

# Types whose order no collation and no setting of the database changes.
_ORDERED = {"int2", "int4", "int8", "numeric", "float4", "float8", "date", "timestamp", "timestamptz", "uuid", "oid"}
_EQUAL = _ORDERED | {"text", "varchar", "bool"}
DEFAULT = """
SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_partitioned_table p
  JOIN pg_class c ON c.oid = p.partdefid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.partrelid = %(oid)s
"""
SIBLINGS = """
SELECT pg_get_partition_constraintdef(i.inhrelid) AS definition FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %(oid)s AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
"""


class NotKnown(Exception):
    """A key or bounds that are not asked about."""


def fits(bound: dict[str, t.Any], key: dict[str, t.Any], oid: int, siblings: t.Sequence[str | None]) -> str:
    """A condition that is true or false.

    :param bound: `strategy` (r, l, h, d); of r `lower` and `upper`, texts of SQL, or `min` or `max` in a list;
        of l `values` and `null`; of h `modulus` and `remainder`
    :param key: the parent's, as relation_facts.KEYS has it
    :param oid: the parent's
    :param siblings: conditions of its partitions but the default one
    :raises NotKnown: it cannot be said
    """
    if bound["strategy"] == "d":
        if None in siblings:
            raise NotKnown
        return f"NOT ({' OR '.join(f'coalesce(({item}), false)' for item in siblings) or 'false'})"
    if bound["strategy"] != key["strategy"] or key["expressions"] or not all(key["parts"]):
        raise NotKnown
    columns = [f'r."{name.replace(chr(34), chr(34) * 2)}"' for name in key["parts"]]
    if bound["strategy"] == "h":
        listed = ", ".join(columns)
        return f"satisfies_hash_partition({int(oid)}, {int(bound['modulus'])}, {int(bound['remainder'])}, {listed})"
    if not set(key["types"]) <= (_ORDERED if bound["strategy"] == "r" else _EQUAL):
        raise NotKnown
    if bound["strategy"] == "l":
        parts = [f"{columns[0]} IN ({', '.join(bound['values'])})"] if bound["values"] else []
        parts += [f"{columns[0]} IS NULL"] if bound["null"] else []
        return f"coalesce({' OR '.join(parts)}, false)"
    if not len(columns) == len(bound["lower"]) == len(bound["upper"]):
        raise NotKnown
    parts = [f"{column} IS NOT NULL" for column in columns]
    parts += _beyond(columns, bound["lower"], {"min": ">=", "max": ">", "": ">="})
    parts += _beyond(columns, bound["upper"], {"min": "<", "max": "<=", "": "<"})
    return f"coalesce({' AND '.join(parts)}, false)"


def _beyond(columns: list[str], limits: list[t.Any], operators: dict[str, str]) -> list[str]:
    """A row compared with a limit: behind an infinite value the further columns do not count."""
    end = next((place for place, limit in enumerate(limits) if isinstance(limit, list)), len(limits))
    operator = operators[limits[end][0] if end < len(limits) else ""]
    if end == 0:
        # Nothing is below the least, or above the greatest.
        return [] if operator in {">=", "<="} else ["false"]
    return [f"({', '.join(columns[:end])}) {operator} ({', '.join(limits[:end])})"]


__all__ = ("DEFAULT", "SIBLINGS", "NotKnown", "fits")
