"""Whether two definitions of an index are the same: what a revision says, and what pg_get_indexdef() printed."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    BoolExprType,
    ParseError,
    SortByDir,
    SortByNulls,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import conjuncts, qualified_name

_NO_PLACE: t.Final = {"location", "rexpr_list_start", "rexpr_list_end", "list_start", "list_end"}


def parsed_index(definition: str) -> t.Any:
    """The CREATE INDEX of a definition, None where the grammar refuses it."""
    try:
        found: t.Any = parse_sql(definition)[0].stmt
    except ParseError:
        return None
    return found if isinstance(found, ast.IndexStmt) else None


def difference(wanted: t.Any, there: t.Any) -> tuple[str, bool] | None:
    """In what the index that is there differs, and whether that is certain; None where it does not.

    :param wanted: a CREATE INDEX
    :param there: another
    """
    return next(_differences(wanted, there), None)


def _differences(wanted: t.Any, there: t.Any) -> t.Iterator[tuple[str, bool]]:
    keys, others = wanted.indexParams or (), there.indexParams or ()
    if (wanted.accessMethod or "btree") != (there.accessMethod or "btree"):
        yield f"its access method is {there.accessMethod}", True
    if bool(wanted.unique) != bool(there.unique):
        yield "it is unique" if there.unique else "it is not unique", True
    if _names(keys) != _names(others):
        yield f"it is built on ({', '.join(key.name or 'an expression' for key in others)})", True
    if _names(wanted.indexIncludingParams) != _names(there.indexIncludingParams):
        yield f"it includes ({', '.join(map(str, _names(there.indexIncludingParams)))})", True
    if bool(wanted.whereClause) != bool(there.whereClause):
        yield "it has a WHERE" if there.whereClause else "it has no WHERE", True
    if bool(wanted.nulls_not_distinct) != bool(there.nulls_not_distinct):
        yield "it takes NULLs otherwise", True
    for key, other in zip(keys, others, strict=False):
        yield from _of_key(key, other)
    if shape(wanted.whereClause) != shape(there.whereClause):
        yield "its WHERE may be another", False


def _of_key(key: t.Any, other: t.Any) -> t.Iterator[tuple[str, bool]]:
    label = key.name or "an expression"
    # What was written and is what the type has by itself is not printed.
    if key.opclass and not other.opclass:
        yield f"{label} has the operator class that its type has by itself", False
    elif _last(key.opclass) != _last(other.opclass):
        yield f"{label} has the operator class {_last(other.opclass)}", True
    if _order(key) != _order(other):
        yield f"{label} is ordered otherwise", True
    if _last(key.collation) != _last(other.collation):
        yield f"{label} has another collation", False
    if shape(key.expr) != shape(other.expr):
        yield "its expression may be another", False


def _names(items: t.Any) -> list[str | None]:
    return [item.name for item in items or ()]


def _last(name: t.Any) -> str | None:
    return qualified_name(name)[1] if name else None


def _order(key: t.Any) -> tuple[bool, bool]:
    """Whether it is descending, and whether NULLs come first."""
    descending = key.ordering == SortByDir.SORTBY_DESC
    said = {SortByNulls.SORTBY_NULLS_FIRST: True, SortByNulls.SORTBY_NULLS_LAST: False}
    return descending, said.get(key.nulls_ordering, descending)


def shape(node: t.Any) -> t.Any:
    """An expression without what the server writes out: casts, schemas, and IN as it is computed."""
    while isinstance(node, (ast.TypeCast, ast.A_ArrayExpr)):
        node = node.arg if isinstance(node, ast.TypeCast) else node.elements or ()
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    if not isinstance(node, ast.Node):
        return node
    special = _SHAPES.get(type(node))
    if special:
        return special(node)
    slots: t.Iterable[str] = type(node).__dict__["__slots__"]
    return (type(node).__name__, *(shape(getattr(node, name)) for name in slots if name not in _NO_PLACE))


def _is_between(node: t.Any) -> bool:
    return isinstance(node, ast.A_Expr) and bool(node.name) and node.name[-1].sval == "BETWEEN"  # type: ignore[index]


def _between(node: t.Any) -> list[t.Any]:
    """`a BETWEEN b AND c` as the server keeps it: a >= b, a <= c."""
    value, ends = shape(node.lexpr), shape(node.rexpr)
    return [("operator", symbol, value, end) for symbol, end in zip((">=", "<="), ends, strict=True)]


def _parts(node: t.Any, joined: t.Any) -> list[t.Any]:
    """What is joined by AND, at any depth, with a BETWEEN as two; of OR and NOT the one."""
    if joined != BoolExprType.AND_EXPR:
        return [shape(node)]
    return [
        part for item in conjuncts(node) for part in (_between(item) if _is_between(item) else [shape(item)])
    ]  # fmt: skip


_SHAPES: t.Final[dict[type, t.Callable[[t.Any], t.Any]]] = {
    ast.ColumnRef: lambda node: ("column", getattr((node.fields or (None,))[-1], "sval", None)),
    ast.FuncCall: lambda node: ("call", qualified_name(node.funcname or ())[1], shape(node.args or ())),
    ast.BoolExpr: lambda node: (
        int(node.boolop),
        *(part for item in node.args or () for part in _parts(item, node.boolop)),
    ),
    ast.A_Expr: lambda node: (
        (int(BoolExprType.AND_EXPR), *_between(node))
        if _is_between(node)
        else ("operator", node.name[-1].sval, shape(node.lexpr), shape(node.rexpr))
    ),
}

__all__ = ("difference", "parsed_index", "shape")
