"""Whether ALTER COLUMN … TYPE rewrites the table.

PostgreSQL rewrites unless the cast does nothing: the types are binary-coercible (pg_cast.castmethod 'b'), or only the
modifier changes and the type's support function finds that every old value still fits (varchar_support,
numeric_support, varbit_support, timestamp's TemporalSimplify). Source: ALTER TABLE, "Notes", and
ATColumnChangeRequiresRewrite in src/backend/commands/tablecmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column

# pg_cast rows with castmethod 'b' between types that occur as columns. From `SELECT castsource::regtype,
# casttarget::regtype FROM pg_cast WHERE castmethod = 'b'`.
BINARY = {
    ("varchar", "text"), ("text", "varchar"), ("text", "bpchar"), ("varchar", "bpchar"), ("cidr", "inet"),
    ("xml", "text"), ("xml", "varchar"), ("xml", "bpchar"), ("int4", "oid"), ("oid", "int4"), ("bit", "varbit"),
    ("varbit", "bit"), ("oid", "regclass"), ("regclass", "oid"), ("int4", "regclass"), ("regclass", "int4"),
}  # fmt: skip
# What CREATE TABLE makes of a word that is no type (transformColumnDefinition in src/backend/parser/parse_utilcmd.c).
SERIAL: t.Final = {"serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8", "smallserial": "int2",
                   "serial2": "int2"}  # fmt: skip
# Pairs of types that share a default B-tree operator class.
_ONE_ORDER = ({"text", "varchar"}, {"cidr", "inet"})
_HEADER = 4  # VARHDRSZ: pg_attribute.atttypmod of varchar(n) is n + 4
_SECONDS = {"timestamp", "timestamptz", "time", "timetz"}
_MAX_PRECISION = 6
# Types of which every change is known to write the table anew or not to; that of another type is not known.
_BUILT_IN = frozenset(
    [
        "bit",
        "bool",
        "bpchar",
        "bytea",
        "cidr",
        "date",
        "float4",
        "float8",
        "inet",
        "int2",
        "int4",
        "int8",
        "interval",
        "json",
        "jsonb",
        "macaddr",
        "money",
        "name",
        "numeric",
        "oid",
        "text",
        "time",
        "timestamp",
        "timestamptz",
        "timetz",
        "tsvector",
        "uuid",
        "varbit",
        "varchar",
        "xml",
    ]
)

Answer = t.Literal["none", "rewrite", "unknown"]


def modifier(kind: str, numbers: t.Sequence[int]) -> int | None:
    """pg_attribute.atttypmod of a type with these numbers in brackets; None where this module cannot tell."""
    if not numbers:
        return -1
    if kind in {"varchar", "bpchar"}:
        return numbers[0] + _HEADER
    if kind == "numeric":
        scale = numbers[1] if len(numbers) > 1 else 0
        return ((numbers[0] << 16) | (scale & 0x7FF)) + _HEADER
    if kind in {"bit", "varbit"}:
        return numbers[0]
    if kind in _SECONDS:
        return min(numbers[0], _MAX_PRECISION)
    return None


def fits(kind: str, old: int, new: int) -> bool:
    """Whether every value of the old modifier is valid, unchanged, under the new one."""
    if new in (-1, old):
        return True
    if kind == "varchar":
        return -1 < old <= new
    if kind == "numeric":
        old_scale, new_scale = (old - _HEADER) & 0x7FF, (new - _HEADER) & 0x7FF
        return old >= _HEADER and old_scale == new_scale and (old - _HEADER) >> 16 <= (new - _HEADER) >> 16
    if kind == "varbit":
        return 0 < old <= new
    if kind in _SECONDS:
        return new >= _MAX_PRECISION or -1 < old <= new
    return False


def type_name(node: t.Any) -> tuple[str, int | None, bool]:
    """Internal name, modifier (None: unknown) and whether it is an array, of a TypeName node."""
    kind = node.names[-1].sval
    numbers = [
        int(item.val.ival or 0)
        for item in node.typmods or ()
        if isinstance(item, ast.A_Const) and isinstance(item.val, ast.Integer)
    ]
    known = len(numbers) == len(node.typmods or ())
    return kind, modifier(kind, numbers) if known else None, bool(node.arrayBounds)


def _plain(using: t.Any, column: str, new: tuple[str, int | None, bool]) -> bool:
    """Whether USING is what the implicit cast does anyway: the column itself, or the column cast to the new type."""
    if using is None:
        return True
    if isinstance(using, ast.TypeCast):
        if type_name(using.typeName) != new:
            return False
        using = using.arg
    return isinstance(using, ast.ColumnRef) and [getattr(part, "sval", None) for part in using.fields or ()] == [column]


def same_order(old: Column, node: t.Any) -> bool:
    """Whether the new type's indexes are those of the old one: the same default operator class."""
    kind = type_name(node)[0]
    return old.type == kind or any({old.type, kind} <= family for family in _ONE_ORDER)


def file_effect(old: Column | None, node: t.Any, using: t.Any, column: str, catalog: Catalog) -> Answer:
    """What changing a column from `old` to the TypeName `node` does to the table's file.

    timestamp and timestamptz have the same bytes where the migrator's time zone is UTC (since PostgreSQL 12).
    """
    kind, wanted, array = new = type_name(node)
    if not _plain(using, column, new):
        return "rewrite"
    if old is None:
        return "unknown"
    if domain := catalog.domains.get(kind):
        kind, wanted, constrained = domain
        if constrained:
            return "rewrite"
    if wanted is None or array or kind not in _BUILT_IN:
        return "unknown" if old.type in {kind, "_" + kind} or kind not in _BUILT_IN else "rewrite"
    if old.type == kind:
        keeps_file = fits(kind, old.modifier, wanted)
    elif {old.type, kind} == {"timestamp", "timestamptz"}:
        keeps_file = catalog.timezone_is_utc and wanted == old.modifier == -1
    else:
        # A cast to a type with a length calls that length's function, which changes values of other types.
        keeps_file = (old.type, kind) in BINARY and wanted == -1
    return "none" if keeps_file else "rewrite"


__all__ = ("BINARY", "SERIAL", "Answer", "file_effect", "fits", "modifier", "same_order", "type_name")
