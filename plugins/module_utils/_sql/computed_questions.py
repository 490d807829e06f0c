"""Which values of an upgrade the live server can be asked to compute: those that it computes whatever the rows are.

Planning computes what gives the same for ever; what gives the same within one statement (to_date, current_setting) is
computed when the statement runs. So it is computed here, by functions of PostgreSQL alone that change nothing.
Source: PostgreSQL documentation, Function Volatility Categories. Pure; _in_pod/parse_facts.py asks.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.constant_texts import constant_text
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    RawStream,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.parse_questions import depends_on_text
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import functions, qualified_name, walk

# What depends on rows, on a query, or on a condition.
_NOT_FOR_CERTAIN: t.Final = (
    ast.ColumnRef, ast.SubLink, ast.CaseExpr, ast.CoalesceExpr, ast.BoolExpr, ast.ParamRef, ast.SetToDefault
)  # fmt: skip
# Types whose length an assignment checks and a cast cuts to. PostgreSQL documentation, Character Types.
_CUT: t.Final = {"varchar", "bpchar"}
# Of the size of a length within a type's modifier: VARHDRSZ.
_HEADER: t.Final = 4


def computed(node: t.Any) -> list[str]:
    """Queries without a table, of which each is refused where the statement is.

    :param node: of a statement that runs
    """
    if isinstance(node, ast.AlterTableStmt):
        texts = [text for command in t.cast("t.Iterable[t.Any]", node.cmds or ()) for text in _default(command)]
    elif isinstance(node, ast.InsertStmt):
        texts = list(_of_query(node.selectStmt))
    elif isinstance(node, ast.CreateTableAsStmt):
        texts = [] if node.into is None or node.into.skipData else list(_of_query(node.query))
    else:
        texts = list(_of_query(node))
    return list(dict.fromkeys(texts))


def _of_query(query: t.Any) -> t.Iterator[str]:
    if not isinstance(query, ast.SelectStmt) or query.op:
        return
    limits: dict[str, t.Any] = {"LIMIT": query.limitCount, "OFFSET": query.limitOffset}
    for word, limit in limits.items():
        if _is_certain(limit) and not (isinstance(limit, ast.A_Const) and limit.isnull):
            yield f"SELECT 1 {word} ({RawStream()(limit)})"
    rows: t.Any = query.valuesLists or ()
    if not (query.fromClause or query.whereClause or query.havingClause or query.limitCount or rows):
        rows = [[item.val for item in t.cast("t.Iterable[t.Any]", query.targetList or ())]]
    yield from (f"SELECT {RawStream()(item)}" for row in rows for item in row if _calls(item))


def new_defaults(command: t.Any) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Type and default of a column that is added: computed for the rows that are there, it names no column."""
    column = command.def_
    if Command(command.subtype) != Command.AT_AddColumn or column.typeName is None:
        return
    for one in column.constraints or ():
        if ConstrType(one.contype) == ConstrType.CONSTR_DEFAULT:
            yield column.typeName, one.raw_expr


def _default(command: t.Any) -> t.Iterator[str]:
    for given, value in new_defaults(command):
        if not _is_certain(value):
            continue
        if _calls(value):
            yield f"SELECT {RawStream()(value)}"
        if length := _length(given):
            kind, most = length
            yield f"SELECT pg_catalog.{kind}(({RawStream()(value)})::{kind}, {most + _HEADER}, false)"


def _length(name: t.Any) -> tuple[str, int] | None:
    """The type and length of a text that has one, as varchar(3)."""
    kind = qualified_name(name.names)[1]
    numbers = [getattr(getattr(item, "val", None), "ival", None) for item in name.typmods or ()]
    if kind not in _CUT or name.arrayBounds or len(numbers) != 1 or numbers[0] is None:
        return None
    return kind, int(numbers[0])


def _is_certain(node: t.Any) -> bool:
    if node is None or depends_on_text(node):
        return False
    return not any(isinstance(part, _NOT_FOR_CERTAIN) or _is_own_setting(part) for part in walk(node))


def _is_own_setting(node: t.Any) -> bool:
    """A setting with a dot in its name may be one of the role that migrates."""
    if not isinstance(node, ast.FuncCall) or qualified_name(node.funcname or ())[1] != "current_setting":
        return False
    name = constant_text(node.args[0]) if node.args else None
    return name is None or "." in name


def _calls(node: t.Any) -> bool:
    """Whether it is computed for certain, and by more than a constant."""
    return _is_certain(node) and (bool(functions(node)) or any(isinstance(part, ast.TypeCast) for part in walk(node)))


__all__ = ("computed", "new_defaults")
