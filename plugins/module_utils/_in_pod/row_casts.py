"""Which values of a column do not fit its new type, as a condition in SQL that never fails itself.

Source: the assignment casts of pg_cast, and the input functions in src/backend/utils/adt.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

_TEXT = {"text", "varchar", "bpchar", "name"}
_INTS: dict[str, tuple[int, int]] = {
    bits: (-(1 << n), (1 << n) - 1) for bits, n in (("int2", 15), ("int4", 31), ("int8", 63))
}
_FLOATS = {"float4": "3.4028234663852886e38", "float8": "1.7976931348623157e308"}
_DATES = {"date", "timestamp", "timestamptz"}
# Since 16 there is pg_input_is_valid.
_ASKS_INPUT = 160000
_INPUT = {"bool", "date", "timestamp", "timestamptz", "time", "timetz", "interval", "uuid", "json", "jsonb", "inet",
          "numeric", "float4", "float8", "int2", "int4", "int8", "macaddr"}  # fmt: skip
_BOOLEAN = r"^\s*(t|tr|tru|true|y|ye|yes|on|1|f|fa|fal|fals|false|n|no|of|off|0)\s*$"
_UUID = r"^(\{[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}|[0-9a-f]{4}(-?[0-9a-f]{4}){7})$"
_INTEGER = r"^\s*[-+]?\d{1,40}\s*$"
_NUMBER = r"^\s*[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?|nan)\s*$"


class NotKnown(Exception):
    """No condition is known for this pair of types."""


def keeps_apart(old: str, new: str) -> bool:
    """Whether values that differ also do in another type, so that a unique index of them can be built again.

    :param old: pg_type.typname
    :param new: pg_type.typname
    """
    if new in {"text", "varchar"}:
        return old not in {"bpchar"}
    if old in _INTS:
        return new in _INTS or new == "numeric"
    return old == new or (old, new) in {("float4", "float8"), ("date", "timestamp"), ("timestamp", "timestamptz")}


def misfit(value: str, old: str, new: str, numbers: t.Sequence[int], *, written: bool, version: int) -> str | None:
    """The condition; None where every value fits.

    :param value: SQL of the type `old`
    :param old: pg_type.typname
    :param new: pg_type.typname
    :param numbers: in brackets after the new one
    :param written: by a cast that is written out, which cuts to a length
    :param version: server_version_num
    :raises NotKnown: which values fit is not known
    """
    if new in {"text", "varchar", "bpchar"}:
        plain = not numbers or written
        return None if plain else f"length(rtrim(({value})::text, ' ')) > {numbers[0]}"
    if old in _TEXT and new in _INPUT:
        return _input(value, new, numbers, version)
    if (old, new) == ("json", "jsonb"):
        return _input(f"({value})::text", new, numbers, version)
    same = (old in _DATES and new in _DATES) or (old == new and not numbers) or (old, new) == ("jsonb", "json")
    if same or ((old, new) == ("int4", "bool") and written):
        return None
    return _number(value, old, new, numbers)


def _number(value: str, old: str, new: str, numbers: t.Sequence[int]) -> str | None:
    if new in _INTS:
        return _integer(value, old, new)
    if (new != "numeric" and new not in _FLOATS) or not (old in _INTS or old in _FLOATS or old == "numeric"):
        raise NotKnown
    number = f"({value})::numeric"
    if new == "numeric":
        scale = numbers[1] if len(numbers) > 1 else 0
        most = f"1e{numbers[0] - scale}" if numbers else ""
        return f"{number} <> 'NaN' AND abs(round({number}, {scale})) >= {most}" if numbers else None
    wide = old == "numeric" or (old, new) == ("float8", "float4")
    return f"{number} NOT IN ('NaN', 'Infinity', '-Infinity') AND abs({number}) > {_FLOATS[new]}" if wide else None


def _integer(value: str, old: str, new: str) -> str | None:
    least, most = _INTS[new]
    if old in _INTS:
        return None if _INTS[old][1] <= most else f"({value}) NOT BETWEEN {least} AND {most}"
    if old in _FLOATS or old == "numeric":
        return f"round(({value})::numeric) NOT BETWEEN {least} AND {most}"
    if (old, new) == ("bool", "int4"):
        return None
    raise NotKnown


def _input(value: str, new: str, numbers: t.Sequence[int], version: int) -> str:
    text = f"({value})::text"
    if version >= _ASKS_INPUT:
        typed = f"{new}({', '.join(map(str, numbers))})" if numbers else new
        return f"NOT pg_input_is_valid({text}, '{typed}')"
    if numbers:
        raise NotKnown
    if new in _INTS:
        least, most = _INTS[new]
        number = f"CASE WHEN {text} ~ '{_INTEGER}' THEN btrim({text}, E' \\t\\n\\r\\f\\v')::numeric END"
        return f"{text} IS NOT NULL AND ({number} BETWEEN {least} AND {most}) IS NOT TRUE"
    patterns = {"bool": _BOOLEAN, "uuid": _UUID, "numeric": _NUMBER}
    if new not in patterns:
        raise NotKnown
    return f"{text} !~* '{patterns[new]}'"


def no_label(value: str, labels: t.Sequence[str]) -> str:
    """The condition for an enum type with these labels."""
    listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
    return f"({value})::text <> ALL (ARRAY[{listed}]::text[])"


__all__ = ("NotKnown", "keeps_apart", "misfit", "no_label")
