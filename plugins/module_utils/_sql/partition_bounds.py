"""Bounds of partitions: whether two of them overlap, and whether a row of constants lies within one.

Source: check_new_partition_bound and get_partition_for_tuple in src/backend/partitioning/partbounds.c and
executor/execPartition.c. Answers are True, False, or None where the values cannot be compared here.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import decimal
import itertools
import math
import typing as t
import uuid
import zoneinfo

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ParseError, ast, parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import constant

_NUMBERS: t.Final = {"int2", "int4", "int8", "numeric", "float4", "float8", "oid"}
_TIMES: t.Final = {"date", "timestamp", "timestamptz"}
# Their values are only found equal here: in which order they come depends on a collation or a type's own labels.
_EQUAL_ONLY: t.Final = {"text", "varchar", "bool", "name"}
_TRUE: t.Final = {"true": "true", "t": "true", "false": "false", "f": "false"}


@dataclasses.dataclass(frozen=True)
class Point:
    """One value of a bound.

    :param infinite: -1 of MINVALUE, 1 of MAXVALUE
    :param value: None where it is not known
    :param ordered: values of its type can be compared for more than equality
    :param null: NULL
    """

    infinite: int = 0
    value: t.Any = None
    ordered: bool = True
    null: bool = False


@dataclasses.dataclass(frozen=True)
class Bound:
    """What a partition takes.

    :param strategy: r, l or h; d is the default partition
    :param lower: of a range, for each column of the key
    :param upper: likewise
    :param values: of a list
    :param modulus: of a hash
    :param remainder: of a hash
    """

    strategy: str
    lower: tuple[Point, ...] = ()
    upper: tuple[Point, ...] = ()
    values: tuple[Point, ...] = ()
    modulus: int = 0
    remainder: int = 0


def bound_of(node: t.Any, types: t.Sequence[str], timezone: str) -> Bound:
    """A PartitionBoundSpec.

    :param types: of the key's columns, by their internal names
    :param timezone: that of the session, for times without one
    """
    if node.is_default:
        return Bound("d")
    if node.strategy == "h":
        return Bound("h", modulus=node.modulus, remainder=node.remainder)
    if node.strategy == "l":
        kind = types[0] if types else ""
        return Bound("l", values=tuple(point(item, kind, timezone) for item in node.listdatums or ()))
    pairs = [
        tuple(point(item, kind, timezone) for item, kind in itertools.zip_longest(items or (), types, fillvalue=""))
        for items in (node.lowerdatums, node.upperdatums)
    ]
    return Bound("r", pairs[0], pairs[1])


def bound_of_text(text: str, types: t.Sequence[str], timezone: str) -> Bound | None:
    """The bound in a text of pg_get_expr(relpartbound); None where the grammar refuses it."""
    try:
        node: t.Any = parse_sql(f"CREATE TABLE a PARTITION OF b {text}")[0].stmt
    except ParseError:
        return None
    return bound_of(node.partbound, types, timezone)


def point(node: t.Any, kind: str, timezone: str) -> Point:
    """A value that is written in a bound or a row, as one of this type."""
    if isinstance(node, ast.ColumnRef):
        word = str(getattr((node.fields or (None,))[-1], "sval", ""))
        return Point({"minvalue": -1, "maxvalue": 1}.get(word, 0))
    while isinstance(node, ast.TypeCast):
        node = node.arg
    given = constant(node)
    if given is None or given.kind == "default":
        return Point()
    if given.kind == "null":
        return Point(null=True)
    return Point(value=_value(str(given.value), kind, timezone), ordered=kind not in _EQUAL_ONLY)


def _value(text: str, kind: str, timezone: str) -> t.Any:
    if kind in _NUMBERS:
        return _number(text)
    if kind in _TIMES:
        return _time(text, kind, timezone)
    if kind == "bool":
        return _TRUE.get(text.lower())
    if kind == "uuid":
        with contextlib.suppress(ValueError):
            return uuid.UUID(text)
    return text if kind in _EQUAL_ONLY else None


def _number(text: str) -> decimal.Decimal | None:
    try:
        number = decimal.Decimal(text.strip().replace("_", ""))
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() else None


def _time(text: str, kind: str, timezone: str) -> datetime.datetime | None:
    """In ISO 8601, as servers print it; others are left alone."""
    words = text.strip()
    # `+00` is an offset for PostgreSQL, and `+00:00` for Python 3.10.
    words = f"{words}:00" if len(words) > 10 and words[-3] in "+-" else words
    try:
        found = datetime.datetime.fromisoformat(words)
    except ValueError:
        return None
    if kind != "timestamptz":
        found = found.replace(tzinfo=None)
        return found.replace(hour=0, minute=0, second=0, microsecond=0) if kind == "date" else found
    if found.tzinfo is None:
        try:
            found = found.replace(tzinfo=zoneinfo.ZoneInfo(timezone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return None
    return found


def _less(one: t.Sequence[Point], other: t.Sequence[Point]) -> bool | None:
    """Whether one comes before the other, column by column."""
    for left, right in zip(one, other, strict=False):
        if left.infinite or right.infinite:
            # After an infinite value the further columns do not count.
            return left.infinite < right.infinite
        if left.value is None or right.value is None:
            return None
        if left.value == right.value:
            continue
        return left.value < right.value if left.ordered and right.ordered else None
    return False


def empty(bound: Bound) -> bool:
    """Whether a range holds nothing for certain, which the server refuses."""
    return bound.strategy == "r" and _less(bound.lower, bound.upper) is False


def overlap(one: Bound, other: Bound) -> bool | None:
    """Whether the server refuses both beside each other."""
    if "d" in {one.strategy, other.strategy}:
        return one.strategy == other.strategy
    if one.strategy != other.strategy:
        return None
    if one.strategy == "h":
        small, large = sorted((one.modulus, other.modulus))
        shared = math.gcd(one.modulus, other.modulus)
        return not small or large % small != 0 or one.remainder % shared == other.remainder % shared
    if one.strategy == "l":
        return _either(_same(left, right) for left in one.values for right in other.values)
    return _both(_less(one.lower, other.upper), _less(other.lower, one.upper))


def takes(bound: Bound, row: t.Sequence[Point]) -> bool | None:
    """Whether a partition, which is not the default one, takes a row with this key."""
    if bound.strategy == "l":
        return _either(_same(value, row[0]) for value in bound.values)
    if bound.strategy == "r":
        if any(value.null for value in row):
            return False
        below = _less(row, bound.lower)
        return _both(None if below is None else not below, _less(row, bound.upper))
    return None


def _same(one: Point, other: Point) -> bool | None:
    if one.null or other.null:
        return one.null and other.null
    return None if one.value is None or other.value is None else bool(one.value == other.value)


def _either(answers: t.Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else None if None in found else False


def _both(*answers: bool | None) -> bool | None:
    return False if False in answers else None if None in answers else True


__all__ = ("Bound", "Point", "bound_of", "bound_of_text", "empty", "overlap", "point", "takes")
