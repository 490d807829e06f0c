"""Whether a row of constants keeps a CHECK: comparisons with constants, IN, BETWEEN, lengths, AND, OR, NOT, IS NULL.

Pure functions. A check holds where it is true or NULL: ExecRelCheck in src/backend/executor/execMain.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import decimal
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import BoolExprType, NullTestType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.literals import Constant, constant
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name

Value: t.TypeAlias = "str | decimal.Decimal"  # noqa: UP040 - the sanity tests know no newer form
Row: t.TypeAlias = "t.Mapping[str, Constant | None]"  # noqa: UP040 - the sanity tests know no newer form
# Which of two strings is the greater is the collation's to say.
_ORDER: t.Final[dict[str, t.Callable[[t.Any, t.Any], bool]]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_LENGTHS: t.Final = {"length", "char_length", "character_length"}


class _Unknown(Exception):
    """An expression that is not followed here."""


def holds(node: t.Any, row: Row) -> bool | None:
    """Whether the server takes the row, None where only it can tell.

    :param node: the expression of a CHECK
    :param row: what is written; a column that is absent has its default, of which nothing is known
    """
    try:
        return _truth(node, row) is not False
    except _Unknown:
        return None


def _truth(node: t.Any, row: Row) -> bool | None:
    """SQL's three values, None for NULL.

    :raises _Unknown: it is not followed
    """
    if isinstance(node, ast.BoolExpr):
        return _combined(node, row)
    if isinstance(node, ast.NullTest):
        missing = _value(node.arg, row) is None
        return missing == (node.nulltesttype == NullTestType.IS_NULL)
    if isinstance(node, ast.A_Expr):
        return _compared(node, row)
    raise _Unknown


def _combined(node: t.Any, row: Row) -> bool | None:
    if node.boolop == BoolExprType.NOT_EXPR:
        inner = _truth(node.args[0], row)
        return None if inner is None else not inner
    decides = node.boolop == BoolExprType.OR_EXPR
    unsure, missing = False, False
    for part in node.args:
        try:
            found = _truth(part, row)
        except _Unknown:
            unsure = True
            continue
        if found is decides:
            return decides
        missing = missing or found is None
    if unsure:
        raise _Unknown
    return None if missing else not decides


def _compared(node: t.Any, row: Row) -> bool | None:
    kind, operator = node.kind.name, qualified_name(node.name)[1]
    left = _value(node.lexpr, row)
    if kind == "AEXPR_IN":
        others = [_value(item, row) for item in node.rexpr]
        found = _among(left, others)
        return found if operator == "=" or found is None else not found
    if kind in {"AEXPR_OP_ANY"} and operator == "=" and isinstance(node.rexpr, ast.A_ArrayExpr):
        return _among(left, [_value(item, row) for item in node.rexpr.elements or ()])
    if kind in {"AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"}:
        low, high = (_value(item, row) for item in node.rexpr)
        bounds = _ordered(">=", left, low), _ordered("<=", left, high)
        inside = False if False in bounds else None if None in bounds else True
        return inside if kind == "AEXPR_BETWEEN" or inside is None else not inside
    if kind != "AEXPR_OP":
        raise _Unknown
    right = _value(node.rexpr, row)
    if operator in {"=", "<>", "!="}:
        found = _among(left, [right])
        return found if operator == "=" or found is None else not found
    return _ordered(operator, left, right)


def _among(value: Value | None, others: t.Sequence[Value | None]) -> bool | None:
    if value is None:
        return None
    if any(other is not None and type(other) is not type(value) for other in others):
        raise _Unknown
    return True if value in others else None if None in others else False


def _ordered(operator: str, left: Value | None, right: Value | None) -> bool | None:
    if operator not in _ORDER or isinstance(left, str) or isinstance(right, str):
        raise _Unknown
    return None if left is None or right is None else _ORDER[operator](left, right)


def _value(node: t.Any, row: Row) -> Value | None:
    """:raises _Unknown: it is no constant, no column with one, and no length of such a column"""
    if isinstance(node, ast.ColumnRef):
        fields: t.Any = node.fields
        name = getattr(fields[-1], "sval", "")
        if name not in row:
            raise _Unknown
        return _plain(row[name])
    if isinstance(node, ast.FuncCall) and qualified_name(node.funcname or ())[1] in _LENGTHS:
        arguments: t.Any = node.args or ()
        text = _value(arguments[0], row) if len(arguments) == 1 else decimal.Decimal()
        if text is not None and not isinstance(text, str):
            raise _Unknown
        return None if text is None else decimal.Decimal(len(text))
    return _plain(constant(node))


def _plain(value: Constant | None) -> Value | None:
    if value is None or value.kind in {"default", "boolean"}:
        raise _Unknown
    if value.kind == "null":
        return None
    return decimal.Decimal(value.value) if value.kind in {"integer", "number"} else str(value.value)


__all__ = ("holds",)
