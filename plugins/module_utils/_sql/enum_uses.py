"""Which texts of a statement the server may read as values of an enum type.

Whether a constant becomes an enum value depends on the other operand: a column's type, a cast. What is not known may
be one. Source: "Type Conversion" in PostgreSQL's documentation; for functions in SQL, fmgr_sql_validator in
catalog/pg_proc.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ParseError,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    qualified_name,
    relation_name,
    relations,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


def enum_uses(node: t.Any, enum: str, catalog: Catalog) -> set[str]:
    """The texts of a statement, and of a function in SQL that it makes, that may be values of the type `enum`."""
    found: set[str] = set()
    for part in (node, *_bodies(node)):
        others = {id(constant) for constant in _of_other_types(part, enum, catalog)}
        for constant in walk(part):
            value = constant.val if isinstance(constant, ast.A_Const) and id(constant) not in others else None
            if isinstance(value, ast.String):
                found |= _values(str(value.sval))
    return found


def _values(text: str) -> set[str]:
    """A text, and what it holds where it is an array, as far as that is one of plain words."""
    inside = text.strip()[1:-1].split(",") if re.fullmatch(r"\s*\{.*\}\s*", text, re.DOTALL) else []
    return {text, *(item.strip().strip('"{}') for item in inside)}


def _bodies(node: t.Any) -> t.Iterator[t.Any]:
    """The statements of a function in SQL, which the server reads when it is made; of PL/pgSQL only when it runs."""
    if not isinstance(node, ast.CreateFunctionStmt):
        return
    options: dict[str, t.Any] = {str(option.defname): option.arg for option in t.cast("t.Any", node.options) or ()}
    language, text = options.get("language"), options.get("as")
    if language is not None and str(language.sval).lower() == "sql" and text:
        try:
            yield from (raw.stmt for raw in parse_sql(str(text[0].sval)))
        except ParseError:
            return


def _of_other_types(node: t.Any, enum: str, catalog: Catalog) -> t.Iterator[t.Any]:
    """The constants that are of another type for certain."""
    for part in walk(node):
        for kind, given in _TYPED[type(part)](part, node, catalog) if type(part) in _TYPED else ():
            if kind is not None and kind.removeprefix("_") != enum:
                yield from given if isinstance(given, tuple) else (given,)


# A type, None where it is not known, and what is of it: a node or several.
_Typed = tuple["str | None", t.Any]


def _cast(part: t.Any, _statement: t.Any, _catalog: Catalog) -> t.Iterator[_Typed]:
    yield _of_cast(part), part.arg


def _compared(part: t.Any, statement: t.Any, catalog: Catalog) -> t.Iterator[_Typed]:
    yield _type_of(part.lexpr, statement, catalog), part.rexpr
    yield _type_of(part.rexpr, statement, catalog), part.lexpr


def _updated(part: t.Any, _statement: t.Any, catalog: Catalog) -> t.Iterator[_Typed]:
    for target in part.targetList or ():
        yield _of_column(relation_name(part.relation), target.name, catalog), target.val


def _added(part: t.Any, _statement: t.Any, _catalog: Catalog) -> t.Iterator[_Typed]:
    for constraint in part.constraints or () if part.typeName is not None else ():
        if constraint.contype == ConstrType.CONSTR_DEFAULT:
            yield qualified_name(part.typeName.names)[1], constraint.raw_expr


def _altered(part: t.Any, _statement: t.Any, catalog: Catalog) -> t.Iterator[_Typed]:
    for command in part.cmds or ():
        if command.subtype == Command.AT_ColumnDefault and command.def_ is not None:
            yield _of_column(relation_name(part.relation), command.name, catalog), command.def_


def _inserted(part: t.Any, _statement: t.Any, catalog: Catalog) -> t.Iterator[_Typed]:
    table = catalog.table(relation_name(part.relation))
    names = [item.name for item in part.cols or ()] or list(table.columns if table else ())
    for row in getattr(part.selectStmt, "valuesLists", None) or ():
        for name, value in zip(names, row, strict=False):
            yield _of_column(relation_name(part.relation), name, catalog), value


_TYPED: t.Final[dict[type, t.Callable[[t.Any, t.Any, Catalog], t.Iterator[_Typed]]]] = {
    ast.TypeCast: _cast,
    ast.A_Expr: _compared,
    ast.UpdateStmt: _updated,
    ast.ColumnDef: _added,
    ast.AlterTableStmt: _altered,
    ast.InsertStmt: _inserted,
}


def _type_of(node: t.Any, statement: t.Any, catalog: Catalog) -> str | None:
    """The type of a cast, or of a column where all tables of the statement that have it agree; None: not known."""
    if isinstance(node, ast.TypeCast):
        return _of_cast(node)
    if not isinstance(node, ast.ColumnRef):
        return None
    last: t.Any = t.cast("t.Any", node.fields)[-1]
    tables = relations(statement)
    if not isinstance(last, ast.String) or any(catalog.table(name) is None for name in tables):
        return None
    kinds = {kind for name in tables if (kind := _of_column(name, str(last.sval), catalog)) is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _of_cast(node: t.Any) -> str:
    return qualified_name(node.typeName.names)[1]


def _of_column(table: Name, column: str, catalog: Catalog) -> str | None:
    known = catalog.column(table, column)
    return known.type if known else None


__all__ = ("enum_uses",)
