"""The queries in the body of a function in SQL, with a typed NULL in the place of each of its parameters. Pure.

PostgreSQL analyses such a body when the function is made, unless check_function_bodies is off. Sources:
fmgr_sql_validator in src/backend/catalog/pg_proc.c; a name is a column's before it is a parameter's,
sql_fn_post_column_ref in src/backend/executor/functions.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ParseError, ast, parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, walk

_QUERIES: t.Final = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt)
# FUNC_PARAM_IN, _INOUT, _VARIADIC and _DEFAULT in src/include/nodes/parsenodes.h.
_INPUTS: t.Final = {"i", "b", "v", "d"}


class Body(t.NamedTuple):
    """What a body runs.

    :param queries: in their order, the last ones missing where one cannot be read
    :param named: it uses the name of a parameter, which may be a column's as well
    """

    queries: list[t.Any]
    named: bool


def body_of(node: t.Any) -> Body | None:
    """None of a function in another language, or where its parameters have no type of their own.

    :param node: a CREATE FUNCTION or CREATE PROCEDURE
    """
    options: dict[str, t.Any] = {option.defname: option.arg for option in node.options or ()}
    language, text = options.get("language"), options.get("as")
    if node.sql_body is None and (language is None or str(language.sval).lower() != "sql"):
        return None
    given = [part for part in node.parameters or () if getattr(part.mode, "value", part.mode) in _INPUTS]
    if any(part.argType.setof or part.argType.pct_type or _is_any(part.argType) for part in given):
        return None
    if node.sql_body is not None:
        found = [item for item in _flat(node.sql_body) if item is not None]
    else:
        try:
            found = [raw.stmt for raw in parse_sql(str(t.cast("t.Any", text)[0].sval))]
        except (ParseError, TypeError, IndexError):
            return None
    parameters = _Parameters(str(node.funcname[-1].sval), given)
    queries = []
    for item in found:
        query = (
            ast.SelectStmt(targetList=(ast.ResTarget(val=item.returnval),))
            if isinstance(item, ast.ReturnStmt)
            else item
        )
        if not isinstance(query, _QUERIES) or getattr(query, "intoClause", None) is not None:
            break
        queries.append(parameters.replaced(query))
    return Body(queries, parameters.named)


def _flat(body: t.Any) -> t.Iterator[t.Any]:
    """RETURN, or the statements of BEGIN ATOMIC, which the grammar puts into a list of a list."""
    if isinstance(body, tuple):
        for item in body:
            yield from _flat(item)
    else:
        yield body


def _is_any(kind: t.Any) -> bool:
    return qualified_name(kind.names)[1].startswith("any")


class _Parameters:
    """Puts a typed NULL where a parameter stands."""

    def __init__(self, function: str, given: list[t.Any]) -> None:
        self._function = function
        self._types = [part.argType for part in given]
        self._by_name = {str(part.name): part.argType for part in given if part.name}
        self.named = False

    def replaced(self, node: t.Any) -> t.Any:
        """The same node, changed."""
        if isinstance(node, tuple):
            return tuple(self.replaced(item) for item in node)
        if not isinstance(node, ast.Node):
            return node
        kind = self._type(node)
        if kind is not None:
            return ast.TypeCast(arg=ast.A_Const(isnull=True), typeName=kind)
        for name in node:
            value = getattr(node, name)
            if isinstance(value, (tuple, ast.Node)):
                setattr(node, name, self.replaced(value))
        return node

    def _type(self, node: t.Any) -> t.Any:
        if isinstance(node, ast.ParamRef):
            number = (node.number or 0) - 1
            return self._types[number] if 0 <= number < len(self._types) else None
        if not isinstance(node, ast.ColumnRef):
            return None
        fields = [getattr(field, "sval", None) for field in node.fields or ()]
        if len(fields) == 2 and fields[0] == self._function:
            return self._by_name.get(str(fields[1]))
        if len(fields) == 1 and fields[0] in self._by_name:
            self.named = True
            return self._by_name[str(fields[0])]
        # A field of a parameter that is a row.
        self.named = self.named or fields[0] in self._by_name
        return None


def body_functions(node: t.Any) -> set[str]:
    """The names of functions that a body calls."""
    body = body_of(node) if isinstance(node, ast.CreateFunctionStmt) else None
    calls = [part for query in (body.queries if body else ()) for part in walk(query) if isinstance(part, ast.FuncCall)]
    return {qualified_name(call.funcname or ())[1] for call in calls}


__all__ = ("Body", "body_functions", "body_of")
