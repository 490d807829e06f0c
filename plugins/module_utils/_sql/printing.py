"""Types of columns as SQL."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import RawStream, ast

# By what a TypeName consists of: an upgrade of a thousand statements has a handful of types.
_PRINTED: dict[t.Any, str] = {}
_MOST_PRINTED = 1000


def printed_type(node: t.Any) -> str:
    """A TypeName as SQL, as pglast prints it."""
    parts = _parts(node)
    if parts is None:
        return str(RawStream()(node))
    if parts not in _PRINTED:
        if len(_PRINTED) >= _MOST_PRINTED:
            _PRINTED.clear()
        _PRINTED[parts] = str(RawStream()(node))
    return _PRINTED[parts]


def _parts(node: t.Any) -> t.Any:
    """What decides how it is printed; None where that is more than names and numbers."""
    numbers: list[t.Any] = [item.val for item in node.typmods or () if isinstance(item, ast.A_Const)]
    bounds: tuple[t.Any, ...] = node.arrayBounds or ()
    if len(numbers) != len(node.typmods or ()) or not all(
        isinstance(item, ast.Integer) for item in (*numbers, *bounds)
    ):
        return None
    names = tuple(part.sval for part in node.names or ())
    values = tuple(tuple(item.ival for item in items) for items in (numbers, bounds))
    return names, values, node.setof, node.pct_type, node.typemod


__all__ = ("printed_type",)
