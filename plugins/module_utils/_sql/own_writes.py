"""What an INSERT or UPDATE of an upgrade puts into which columns, as far as its text says so."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import OverridingKind, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    qualified_name,
    relation_name,
    walk,
    writes,
)

_SCALAR: t.Final = {"now", "clock_timestamp", "gen_random_uuid", "uuid_generate_v4", "nextval", "lower", "upper", "md5",
                    "to_timestamp", "current_setting", "concat"}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Write:
    """One INSERT, UPDATE or DELETE.

    :param columns: those that are written, in order; of an INSERT None where it names none
    :param rows: the expressions of each row, in the order of the columns; None where a query gives them
    :param certain: at least one row is written, whatever the database holds
    :param overriding: user or system, as OVERRIDING … VALUE has it
    :param conflict: the ON CONFLICT clause
    """

    node: t.Any
    kind: t.Literal["INSERT", "UPDATE", "DELETE"]
    table: Name
    columns: tuple[str, ...] | None
    rows: tuple[tuple[t.Any, ...], ...] | None
    certain: bool
    overriding: t.Literal["user", "system"] | None = None
    conflict: t.Any = None


def own_writes(node: t.Any) -> list[Write]:
    """The writes of a statement and of its WITH queries. MERGE is left out: its rows decide all of it."""
    makers = {ast.InsertStmt: _insert, ast.UpdateStmt: _update, ast.DeleteStmt: _delete}
    return [makers[type(part)](part) for part in writes(node) if type(part) in makers]


def _insert(node: t.Any) -> Write:
    query = node.selectStmt
    columns = tuple(item.name for item in node.cols) if node.cols else None
    if any(item.indirection for item in node.cols or ()):
        # A part of a composite or array column.
        return Write(node, "INSERT", relation_name(node.relation), (), None, certain=False)
    rows: tuple[tuple[t.Any, ...], ...] | None = None
    certain = True
    if query is None:
        rows, columns = ((),), ()
    elif query.valuesLists:
        rows = tuple(tuple(row) for row in query.valuesLists)
        certain = not (query.limitCount or query.limitOffset)
    elif query.targetList and not query.fromClause and not query.op:
        items = [item.val for item in query.targetList]
        star = any(isinstance(item, ast.ColumnRef) for item in items)
        rows = None if star else (tuple(items),)
        certain = not (query.whereClause or query.havingClause or query.limitCount or query.limitOffset)
        certain = certain and all(_is_one(item) for item in items)
    else:
        certain = False
    overriding: dict[t.Any, t.Literal["user", "system"]] = {
        OverridingKind.OVERRIDING_USER_VALUE: "user",
        OverridingKind.OVERRIDING_SYSTEM_VALUE: "system",
    }
    return Write(
        node,
        "INSERT",
        relation_name(node.relation),
        columns,
        rows,
        certain=certain and rows is not None,
        overriding=overriding.get(node.override),
        conflict=node.onConflictClause,
    )


def _is_one(node: t.Any) -> bool:
    """Whether it is one value for certain: of other functions each may give any number of rows."""
    return not any(
        isinstance(part, ast.FuncCall) and qualified_name(part.funcname or ())[1] not in _SCALAR for part in walk(node)
    )


def _update(node: t.Any) -> Write:
    plain = [item for item in node.targetList if not item.indirection]
    values = tuple(_assigned_value(item.val) for item in plain)
    return Write(
        node, "UPDATE", relation_name(node.relation), tuple(item.name for item in plain), (values,), certain=False
    )  # fmt: skip


def _assigned_value(value: t.Any) -> t.Any:
    """The expression that belongs to this column in `(a, b) = (1, 2)`."""
    if isinstance(value, ast.MultiAssignRef):
        source: t.Any = value.source
        return source.args[value.colno - 1] if isinstance(source, ast.RowExpr) and source.args else source  # type: ignore[operator]
    return value


def _delete(node: t.Any) -> Write:
    return Write(node, "DELETE", relation_name(node.relation), (), (), certain=False)


__all__ = ("Write", "own_writes")
