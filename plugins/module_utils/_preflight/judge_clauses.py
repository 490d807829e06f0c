"""Clauses of one statement that do not go together, whatever the database holds. Pure functions over the statement.

Source: transformColumnDefinition in src/backend/parser/parse_utilcmd.c, CreateTriggerFiringOn in commands/trigger.c,
CreatePolicy in commands/policy.c, CreateStatistics in commands/statscmds.c, CheckAttributeNamesTypes in catalog/heap.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import Refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import walk

# TRIGGER_TYPE_… in src/include/catalog/pg_trigger.h, and the row that an event has none of.
_INSERT: t.Final = 4
_DELETE: t.Final = 8
_EVENTS: t.Final = (_INSERT, _DELETE, 16, 32)
_ROWLESS: t.Final = ((_DELETE, "new", "DELETE"), (_INSERT, "old", "INSERT"))


def at_odds(node: t.Any) -> t.Iterator[Refusal]:
    """What the server refuses of a statement by its clauses alone.

    :param node: a parsed statement
    """
    kind: t.Any = type(node)
    if kind in {ast.CreateStmt, ast.AlterTableStmt}:
        yield from _columns(node)
    elif kind is ast.CreateTrigStmt:
        yield from _trigger(node)
    elif kind is ast.CreatePolicyStmt:
        yield from _policy(node)
    elif kind is ast.CreateStatsStmt:
        if len(node.exprs or ()) == 1 and node.exprs[0].name:
            yield "Extended statistics are of two columns at least, or of an expression", True
    elif kind is ast.ViewStmt:
        yield from _made_by(node.query, f"The view {node.view.relname}", node.aliases)
    elif kind is ast.CreateTableAsStmt and not node.if_not_exists:
        yield from _made_by(node.query, f"The table {node.into.rel.relname}", node.into.colNames)


def _columns(node: t.Any) -> t.Iterator[Refusal]:
    for part in walk(node):
        if not isinstance(part, ast.ColumnDef):
            continue
        column: t.Any = part
        kinds = {item.contype for item in column.constraints or ()}
        if ConstrType.CONSTR_IDENTITY in kinds:
            if ConstrType.CONSTR_DEFAULT in kinds:
                yield f"The column {column.colname} is to be an identity column, and has no default beside that", True
            elif ConstrType.CONSTR_NULL in kinds:
                yield f"The column {column.colname} is to be an identity column, which is never NULL", True


def _trigger(node: t.Any) -> t.Iterator[Refusal]:
    label = f"The trigger {node.trigname}"
    if node.transitionRels and sum(bool(node.events & event) for event in _EVENTS) > 1:
        yield f"{label} has transition tables, and so one event only", True
    if node.whenClause is None or not node.row:
        return
    named = {str(getattr(part.fields[0], "sval", "")) for part in walk(node.whenClause) if _of_row(part)}
    for event, row, word in _ROWLESS:
        if node.events & event and row in named:
            yield f"The condition of {label[0].lower()}{label[1:]} reads {row.upper()}, and {word} has none", True


def _of_row(part: t.Any) -> bool:
    return isinstance(part, ast.ColumnRef) and len(t.cast("t.Any", part.fields) or ()) > 1


def _policy(node: t.Any) -> t.Iterator[Refusal]:
    if node.cmd_name == "insert" and node.qual is not None:
        yield f"The policy {node.policy_name} is for INSERT, and so has WITH CHECK and no USING", True
    elif node.cmd_name in {"select", "delete"} and node.with_check is not None:
        yield f"The policy {node.policy_name} is for {node.cmd_name.upper()}, and so has USING and no WITH CHECK", True


def _made_by(query: t.Any, label: str, named: t.Any) -> t.Iterator[Refusal]:
    """Of a UNION, the first query names the columns; a star hides names, but those that are written count.

    Source: FigureColnameInternal in src/backend/parser/parse_target.c.
    """
    while isinstance(query, ast.SelectStmt) and query.larg is not None:
        query = query.larg
    if named or not isinstance(query, ast.SelectStmt):
        return
    seen: set[str] = set()
    chosen: t.Any = query.targetList
    for item in chosen or ():
        value: t.Any = item.val
        fields = value.fields if isinstance(value, ast.ColumnRef) else None
        fields = value.funcname if isinstance(value, ast.FuncCall) else fields
        last = fields[-1] if fields else None
        name = item.name or getattr(last, "sval", None)
        if name and name in seen:
            yield f"{label} has two columns {name}", True
            return
        seen.add(name or "")


__all__ = ("at_odds",)
