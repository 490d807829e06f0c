"""Texts that an expression makes of constants alone: `format('ALTER TABLE %I …', 'users')`, `'DROP TABLE ' || 'users'`.

Source: PostgreSQL documentation, String Functions and Operators, format. A name is always put into quotes, which means
what the server's own quoting means. Pure.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

# Of a width nothing is read.
_PLACE: t.Final = re.compile(r"%(?:(%)|(?:(\d+)\$)?([sIL]))")
_TEXTS: t.Final = {"text", "varchar", "name", "bpchar"}


def constant_text(node: t.Any) -> str | None:
    """The text; None where something else than constants is in it, or where the server would refuse it."""
    if isinstance(node, ast.A_Const):
        return _value(node)
    if isinstance(node, ast.TypeCast):
        kind = _name((node.typeName and node.typeName.names) or ())[1]
        return constant_text(node.arg) if kind in _TEXTS and not getattr(node.typeName, "typmods", None) else None
    if isinstance(node, ast.A_Expr) and [part.sval for part in node.name or ()] == ["||"]:
        parts = [constant_text(node.lexpr), constant_text(node.rexpr)]
        return None if None in parts else "".join(map(str, parts))
    return _called(node) if isinstance(node, ast.FuncCall) else None


def _called(node: ast.FuncCall) -> str | None:
    schema, name = _name(node.funcname or ())
    arguments = [constant_text(item) for item in t.cast("t.Iterable[t.Any]", node.args or ())]
    known = [str(item) for item in arguments if item is not None]
    if schema not in {None, "pg_catalog"} or not known or len(known) < len(arguments) or node.func_variadic:
        return None
    if name == "format":
        return _formatted(known[0], known[1:])
    quoting = _QUOTING.get(name) if len(known) == 1 else None
    return quoting(known[0]) if quoting else "".join(known) if name == "concat" else None


def _name(parts: t.Any) -> tuple[str | None, str]:
    """As statements.qualified_name, which reads DO blocks itself."""
    names = [str(part.sval) for part in parts]
    return (names[-2] if len(names) > 1 else None), (names[-1] if names else "")


def _value(node: ast.A_Const) -> str | None:
    value = node.val
    if isinstance(value, ast.String):
        return str(value.sval)
    return str(value.ival or 0) if isinstance(value, ast.Integer) else None


def _identifier(text: str) -> str | None:
    return '"' + text.replace('"', '""') + '"' if text else None


def _literal(text: str) -> str | None:
    """With a backslash it depends on a setting."""
    return None if "\\" in text else "'" + text.replace("'", "''") + "'"


def _formatted(pattern: str, values: list[str]) -> str | None:
    found: list[str] = []
    end = 0
    following = 0
    for place in _PLACE.finditer(pattern):
        between = pattern[end : place.start()]
        percent, number, kind = place.groups()
        end = place.end()
        text: str | None = "%"
        if not percent:
            # After a place with a number the next one without has the number that follows.
            following = int(number) if number else following + 1
            value = values[following - 1] if 0 < following <= len(values) else None
            text = None if value is None else value if kind == "s" else _QUOTING[kind](value)
        if text is None or "%" in between:
            return None
        found += [between, text]
    rest = pattern[end:]
    return None if "%" in rest else "".join([*found, rest])


_QUOTING: t.Final[dict[str, t.Callable[[str], str | None]]] = {
    "I": _identifier, "quote_ident": _identifier, "L": _literal, "quote_literal": _literal,
}  # fmt: skip

__all__ = ("constant_text",)
