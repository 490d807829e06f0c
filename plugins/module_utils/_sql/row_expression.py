"""Expressions of an upgrade that may be asked of live rows: of PostgreSQL's own functions that only compute.

The upgrade is foreign code, and its expressions would run with the credentials of whoever asks. So only what is listed
here is asked; the collector looks names up in pg_catalog alone, so that nobody's own function or operator is called.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, walk

# Functions that only compute from their arguments, in little time.
_FUNCTIONS: t.Final[frozenset[str]] = frozenset({
    "abs", "array_length", "array_position", "array_to_string", "ascii", "bit_length", "btrim", "cardinality",
    "ceil", "ceiling", "char_length", "character_length", "chr", "concat", "concat_ws", "date_part", "date_trunc",
    "decode", "div", "encode", "extract", "floor", "initcap", "isfinite", "json_array_length", "json_typeof",
    "jsonb_array_length", "jsonb_typeof", "left", "length", "lower", "ltrim", "make_date", "md5", "mod",
    "num_nonnulls", "num_nulls", "octet_length", "position", "power", "regexp_match", "regexp_replace", "replace",
    "reverse", "right", "round", "rtrim", "sha256", "sign", "split_part", "sqrt", "starts_with", "strpos",
    "substr", "substring", "to_char", "to_date", "to_number", "to_timestamp", "translate", "trim", "trunc",
    "upper", "lower_inc", "upper_inc", "isempty", "now", "overlaps", "justify_interval", "age", "like_escape",
    "similar_to_escape", "timezone",
})  # fmt: skip
# Functions that never return NULL.
_NEVER_NULL: t.Final[frozenset[str]] = frozenset({
    "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "uuidv7", "uuidv4", "random", "clock_timestamp",
    "statement_timestamp", "transaction_timestamp", "now", "nextval",
})  # fmt: skip
# Functions that never return the same value twice.
_DISTINCT: t.Final[frozenset[str]] = frozenset({
    "gen_random_uuid", "uuid_generate_v4", "uuidv7", "uuidv4", "nextval",
})  # fmt: skip
# Functions that return no NULL where no argument is NULL.
_STRICT: t.Final[frozenset[str]] = frozenset({
    "lower", "upper", "md5", "concat", "btrim", "replace",
})  # fmt: skip
_TYPES: t.Final[frozenset[str]] = frozenset({
    "bool", "bpchar", "bytea", "char", "date", "float4", "float8", "inet", "int2", "int4", "int8", "interval",
    "json", "jsonb", "macaddr", "money", "name", "numeric", "text", "time", "timestamp", "timestamptz", "timetz",
    "uuid", "varchar", "smallint", "integer", "bigint", "boolean",
})  # fmt: skip


class UnsupportedExpression(Exception):
    """Why an expression is not asked of rows, as the end of a sentence."""


def _nodes() -> tuple[type, ...]:
    return (
        ast.A_Const, ast.Integer, ast.Float, ast.String, ast.Boolean, ast.BitString, ast.A_Expr, ast.BoolExpr,
        ast.NullTest, ast.BooleanTest, ast.ColumnRef, ast.TypeCast, ast.TypeName, ast.FuncCall, ast.CoalesceExpr,
        ast.MinMaxExpr, ast.CaseExpr, ast.CaseWhen, ast.A_ArrayExpr, ast.SQLValueFunction, ast.RowExpr,
        ast.CollateClause,
    )  # fmt: skip


def _check(node: t.Any) -> None:
    nodes = _nodes()
    for part in walk(node):
        if not isinstance(part, nodes):
            raise UnsupportedExpression(f"it holds {_KINDS.get(type(part).__name__, type(part).__name__)}")
        if isinstance(part, ast.FuncCall):
            schema, name = qualified_name(part.funcname or ())
            if schema not in {None, "pg_catalog"} or name not in _FUNCTIONS or part.over or part.agg_star:
                raise UnsupportedExpression(f"it calls {name}()")
        elif isinstance(part, ast.TypeName):
            if not builtin(part):
                raise UnsupportedExpression(f"it casts to {qualified_name(part.names or ())[1]}")
        elif isinstance(part, ast.CollateClause) and qualified_name(part.collname or ())[1] not in {
            "C",
            "POSIX",
            "default",
        }:
            raise UnsupportedExpression("it names a collation")


_KINDS = {"SubLink": "a query", "A_Star": "a star", "ParamRef": "a parameter", "A_Indirection": "a part of a value"}


def builtin(name: t.Any) -> bool:
    """Whether a TypeName is one of PostgreSQL's own plain types, or an array of it."""
    schema, kind = qualified_name(name.names or ())
    return schema in {None, "pg_catalog"} and kind in _TYPES and not name.pct_type and not name.setof


def text_of(node: t.Any, column: t.Callable[[str], str], tables: t.Container[str]) -> str:
    """The expression as SQL.

    :param column: what stands for a column of it
    :param tables: names that may stand before one
    :raises UnsupportedExpression: it cannot be asked, also where `column` says so
    """
    _check(node)
    # pglast's printers take as long to load as the grammar, and most upgrades need none.
    from pglast.stream import RawStream

    class Printer(RawStream):  # type: ignore[misc,unused-ignore]
        """Prints as pglast does, but for columns."""

        def print_node(self, node: t.Any, *arguments: t.Any, **options: t.Any) -> None:
            if isinstance(node, ast.ColumnRef):
                self.write(column(column_of(node, tables)))
            else:
                super().print_node(node, *arguments, **options)

    return str(Printer()(node))


def column_of(node: t.Any, tables: t.Container[str]) -> str:
    """The name in a ColumnRef.

    :raises UnsupportedExpression: it is none of one of `tables`
    """
    fields = [getattr(field, "sval", None) for field in node.fields or ()]
    if None in fields or len(fields) > 2 or (len(fields) == 2 and fields[0] not in tables):
        raise UnsupportedExpression("it holds a column of another table")
    return str(fields[-1])


def quoted(name: str) -> str:
    """A name as an identifier of SQL. _in_pod/row_facts.py has the same, for a pod has no other room than _in_pod."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string constant, whatever standard_conforming_strings says."""
    plain = "'" + text.replace("'", "''") + "'"
    return " E" + plain.replace("\\", "\\\\") if "\\" in text else plain


def never_null(node: t.Any, of_row: t.Callable[[t.Any], bool] = lambda _node: False) -> bool:
    """Whether it is not NULL for certain.

    :param of_row: asked of what is not known here, such as columns; without it no row is known
    """
    if isinstance(node, ast.A_Const):
        return not node.isnull
    if isinstance(node, (ast.TypeCast, ast.CollateClause)):
        return never_null(node.arg, of_row)
    if isinstance(node, ast.CoalesceExpr):
        return any(never_null(part, of_row) for part in node.args or ())
    if isinstance(node, ast.FuncCall):
        name = qualified_name(node.funcname or ())[1]
        return name in _NEVER_NULL or (name in _STRICT and all(never_null(part, of_row) for part in node.args or ()))
    if isinstance(node, ast.A_Expr) and node.name and node.name[-1].sval in {"||", "+", "-", "*"}:
        return node.lexpr is not None and never_null(node.lexpr, of_row) and never_null(node.rexpr, of_row)
    return isinstance(node, (ast.SQLValueFunction, ast.A_ArrayExpr)) or of_row(node)


def distinct(node: t.Any) -> bool:
    """Whether each row gets a value that no other has."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return isinstance(node, ast.FuncCall) and qualified_name(node.funcname or ())[1] in _DISTINCT


__all__ = ("UnsupportedExpression", "builtin", "column_of", "distinct", "literal", "never_null", "quoted", "text_of")
