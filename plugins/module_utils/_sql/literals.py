"""Constants in a statement, and whether a column can hold them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import decimal
import json
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Column

Kind = t.Literal["null", "default", "string", "text", "integer", "number", "boolean"]

_INTEGERS: t.Final = {"int2": 16, "int4": 32, "int8": 64}
# Types that get a value from another type by a cast of pg_cast alone; strings take any text form.
_BY_CAST: t.Final = {"int2", "int4", "int8", "float4", "float8", "numeric", "bool", "uuid", "json", "jsonb", "date",
                     "time", "timestamp", "timestamptz", "interval", "bytea"}  # fmt: skip
# The type that the parser gives a constant: make_const in src/backend/parser/parse_node.c.
_TYPES: t.Final = {"number": "numeric", "boolean": "bool"}
_STRINGS: t.Final = {"varchar", "bpchar"}
_UUID: t.Final = re.compile(r"\{?[0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}\}?")
# A varchar's modifier is its length plus this many bytes (VARHDRSZ).
_HEADER: t.Final = 4


@dataclasses.dataclass(frozen=True)
class Constant:
    """A constant.

    :param kind: `string` is a literal that takes the type of its column, `text` one that was cast to a string's type
    :param value: what was written: str, int, decimal.Decimal or bool; None for NULL and DEFAULT
    """

    kind: Kind
    value: t.Any = None


def constant(node: t.Any) -> Constant | None:
    """What an expression is, None where it is no constant."""
    if isinstance(node, ast.SetToDefault):
        return Constant("default")
    if isinstance(node, ast.TypeCast):
        return _cast(node)
    if not isinstance(node, ast.A_Const):
        return None
    return Constant("null") if node.isnull else _plain(node.val)


def _plain(value: t.Any) -> Constant | None:
    if isinstance(value, ast.Float):
        return _number(str(value.fval))
    if isinstance(value, ast.String):
        return Constant("string", value.sval)
    if isinstance(value, ast.Integer):
        return Constant("integer", value.ival)
    return Constant("boolean", value.boolval) if isinstance(value, ast.Boolean) else None


def _number(text: str) -> Constant | None:
    """Whole numbers beyond 32 bits come as text as well."""
    if not re.fullmatch(r"[-+0-9.eE_]+", text):
        return None
    number = decimal.Decimal(text.replace("_", ""))
    whole = "." not in text and "e" not in text.lower() and -(2**63) <= number < 2**63
    return Constant("integer", int(number)) if whole else Constant("number", number)


def _cast(node: t.Any) -> Constant | None:
    """NULL stays NULL; a string cast to a string's type without a length keeps its characters."""
    inner, kind = constant(node.arg), qualified_name(node.typeName.names)[1]
    if inner is None or inner.kind == "null":
        return inner
    plain = not node.typeName.typmods and not node.typeName.arrayBounds
    return Constant("text", inner.value) if inner.kind == "string" and kind in {"text", "varchar"} and plain else None


def misfit(
    given: Constant,
    column: Column,
    labels: t.Collection[str] | None,
    casts: t.Container[tuple[str, str]],
    *,
    kept: bool = False,
) -> str | None:
    """Why the server refuses this constant for this column, as the rest of a sentence; None where it is not known to.

    :param labels: the values of the column's type where that is an enum
    :param casts: pairs of types between which the server casts by assignment
    :param kept: it becomes a default, of which neither length nor range is looked at before it is used
    """
    kind, own = column.type, _type(given)
    if own and own != kind and (kind in _BY_CAST or labels is not None) and (own, kind) not in casts:
        return f"is of type {kind} and takes no {given.kind} without a cast"
    if given.kind == "string" and labels is not None and given.value not in labels:
        return f"is of the enum type {kind}, which has no value {given.value[:63]!r}"
    if given.kind in {"string", "text"} and kind in _STRINGS:
        return None if kept else _length(given.value, column)
    if not kept and (wrong := _range(given, column)):
        return wrong
    return _string(given.value, kind) if given.kind == "string" else None


def _type(given: Constant) -> str | None:
    if given.kind == "integer":
        return "int4" if -(2**31) <= given.value < 2**31 else "int8"
    return _TYPES.get(given.kind)


def _length(text: str, column: Column) -> str | None:
    """Blanks beyond the length are cut off, as the standard wants it: varchar_input in utils/adt/varchar.c."""
    room = column.modifier - _HEADER
    if column.modifier < _HEADER or len(text) <= room or not text[room:].strip(" "):
        return None
    return f"holds {room} characters, and the value has {len(text)}"


def _range(given: Constant, column: Column) -> str | None:
    """Source: make_numeric_typmod and apply_typmod in utils/adt/numeric.c."""
    kind, modifier = column.type, column.modifier - _HEADER
    if given.kind == "integer" and kind in _INTEGERS:
        bits = _INTEGERS[kind]
        outside = not -(2 ** (bits - 1)) <= given.value < 2 ** (bits - 1)
        return f"is of type {kind}, for which the value is out of range" if outside else None
    try:
        number = decimal.Decimal(str(given.value).strip()) if kind == "numeric" and modifier >= 0 else None
    except decimal.InvalidOperation:
        return None
    if number is None or not number.is_finite():
        return None
    precision, scale = (modifier >> 16) & 0xFFFF, ((modifier & 0x7FF) ^ 1024) - 1024
    # Half of the last digit is rounded away from zero.
    half = decimal.Decimal(5).scaleb(-scale - 1)
    if abs(number) < decimal.Context(prec=2100).subtract(decimal.Decimal(1).scaleb(precision - scale), half):
        return None
    return f"is of type numeric({precision},{scale}), for which the value is out of range"


def _string(text: str, kind: str) -> str | None:
    if kind in _INTEGERS:
        plain = text.strip(" \t\n\r\v\f")
        # Since 16 also 0x1F and 1_000; a text that begins with a digit is left to the server.
        if not re.match(r"[-+]?[0-9]", plain):
            return f"is of type {kind}, for which the value is no number"
    elif kind == "uuid" and not _UUID.fullmatch(text):
        return "is of type uuid, and the value is none"
    elif kind in {"json", "jsonb"}:
        try:
            # Numbers of any length are JSON.
            json.loads(text, parse_int=len, parse_float=len)
        except RecursionError:
            return None
        except ValueError:
            return f"is of type {kind}, and the value is no JSON"
    elif kind == "bool" and not _is_bool(text.strip(" \t\n\r\v\f").lower()):
        return "is of type bool, and the value is neither true nor false"
    return None


def _is_bool(text: str) -> bool:
    """Source: parse_bool_with_len in src/backend/utils/adt/bool.c."""
    words = ("true", "false", "yes", "no")
    return bool(text) and (any(word.startswith(text) for word in words) or text in {"on", "of", "off", "1", "0"})


__all__ = ("Constant", "constant", "misfit")
