"""Conditions of a DO block that look into catalogues for an object by its name: what they look for, in which schemas.

Read are EXISTS over pg_type, pg_enum, pg_class, pg_tables, pg_indexes, pg_constraint, pg_proc, pg_extension, pg_roles,
pg_namespace and information_schema (tables, columns, table_constraints) whose conditions compare names with constants,
to_regclass and to_regtype, and NOT, AND and OR of these. What such a look finds, `_preflight/block_conditions.py` says.
Others stay unread.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    BoolExprType,
    NullTestType,
    ParseError,
    ast,
    parse_sql,
)

# NAMEDATALEN without the zero at the end.
_NAME_BYTES: t.Final = 63
Kind = t.Literal["type", "relation", "column", "constraint", "label", "function", "extension", "role", "schema"]
# Where a name is looked for: in every schema, in one, where new objects are made, or where the search path leads.
Scope = t.Literal["all", "one", "current", "path"]


@dataclasses.dataclass(frozen=True)
class Look:
    """A look for an object.

    :param schema: of scope `one`
    :param table: to which a column, a constraint or an index belongs; None of a constraint or an index of any; of a
        label its enum type
    :param kinds: of a relation, pg_class.relkind; empty: any
    :param privileged: only what the role owns or may use is found, as information_schema has it
    """

    kind: Kind
    name: str
    scope: Scope = "all"
    schema: str | None = None
    table: str | None = None
    kinds: frozenset[str] = frozenset()
    privileged: bool = False
    # It fails, rather than finds nothing, where the type is not there.
    wanted: bool = False


@dataclasses.dataclass(frozen=True)
class Combined:
    """Conditions joined by `and` or `or`, or the one that `not` turns round."""

    operator: t.Literal["and", "or", "not"]
    parts: tuple[Condition, ...]


Condition: t.TypeAlias = "Look | Combined"  # noqa: UP040 - the sanity tests know no newer form


class _Unread(Exception):
    """A condition that is not followed here."""


def condition_of(text: str) -> Condition | None:
    """What an expression of PL/pgSQL asks; None where it is not followed."""
    try:
        parsed: t.Any = parse_sql(f"SELECT {text}")
    except ParseError:
        return None
    select = parsed[0].stmt
    if len(parsed) != 1 or select.fromClause or select.whereClause or len(select.targetList or ()) != 1:
        return None
    try:
        return _condition(select.targetList[0].val)
    except _Unread:
        return None


def looks(condition: Condition) -> t.Iterator[Look]:
    """Every look of a condition."""
    if isinstance(condition, Look):
        yield condition
    else:
        for part in condition.parts:
            yield from looks(part)


def _condition(node: t.Any) -> Condition:
    """:raises _Unread: it is not followed"""
    if isinstance(node, ast.BoolExpr):
        operators: dict[t.Any, t.Literal["and", "or", "not"]] = {
            BoolExprType.AND_EXPR: "and", BoolExprType.OR_EXPR: "or", BoolExprType.NOT_EXPR: "not",
        }  # fmt: skip
        return Combined(operators[node.boolop], tuple(map(_condition, node.args or ())))
    if isinstance(node, ast.SubLink) and t.cast("t.Any", node.subLinkType).name == "EXISTS_SUBLINK":
        return _query(node.subselect)
    if isinstance(node, ast.NullTest):
        found = _named(node.arg)
        return found if node.nulltesttype == NullTestType.IS_NOT_NULL else Combined("not", (found,))
    raise _Unread


def _named(node: t.Any) -> Look:
    """`to_regclass('a.b')` and `to_regtype('a.b')`, which are NULL where there is none."""
    name = _function(node) or ""
    kinds: dict[str, Kind] = {"to_regclass": "relation", "to_regtype": "type"}
    arguments: list[t.Any] = list(node.args or ()) if name in kinds else []
    if len(arguments) != 1:
        raise _Unread
    schema, plain = _qualified(_text(arguments[0]))
    return Look(kinds[name], plain, "path" if schema is None else "one", schema)


def _qualified(text: str) -> tuple[str | None, str]:
    """A name as SQL writes it."""
    try:
        parsed: t.Any = parse_sql(f"TABLE {text}")
    except ParseError:
        raise _Unread from None
    tables: list[t.Any] = list(parsed[0].stmt.fromClause or ()) if len(parsed) == 1 else []
    if len(tables) != 1 or not isinstance(tables[0], ast.RangeVar) or tables[0].catalogname:
        raise _Unread
    return tables[0].schemaname, str(tables[0].relname)


@dataclasses.dataclass(frozen=True)
class _Catalogue:
    """A catalogue or view of names: which columns say what, and which kinds of relation it shows."""

    kind: Kind
    name: str
    schema: str
    table: str = ""
    kinds: str = ""
    privileged: bool = False


_VIEWS = "rpvf"
_CATALOGUES: t.Final[dict[tuple[str | None, str], _Catalogue]] = {
    (None, "pg_type"): _Catalogue("type", "typname", "typnamespace"),
    (None, "pg_class"): _Catalogue("relation", "relname", "relnamespace"),
    (None, "pg_tables"): _Catalogue("relation", "tablename", "schemaname", kinds="rp"),
    (None, "pg_views"): _Catalogue("relation", "viewname", "schemaname", kinds="v"),
    (None, "pg_matviews"): _Catalogue("relation", "matviewname", "schemaname", kinds="m"),
    (None, "pg_sequences"): _Catalogue("relation", "sequencename", "schemaname", kinds="S"),
    (None, "pg_indexes"): _Catalogue("relation", "indexname", "schemaname", "tablename", "iI"),
    (None, "pg_constraint"): _Catalogue("constraint", "conname", "connamespace", "conrelid"),
    ("information_schema", "tables"): _Catalogue("relation", "table_name", "table_schema", "", _VIEWS, True),
    ("information_schema", "columns"): _Catalogue("column", "column_name", "table_schema", "table_name", "", True),
    ("information_schema", "table_constraints"): _Catalogue(
        "constraint", "constraint_name", "table_schema", "table_name", "", True
    ),
}  # fmt: skip
# Catalogues of names in which one name alone is looked for, wherever it is.
_NAMED: t.Final[dict[tuple[str | None, str], tuple[Kind, str]]] = {
    (None, "pg_proc"): ("function", "proname"), (None, "pg_extension"): ("extension", "extname"),
    (None, "pg_roles"): ("role", "rolname"), (None, "pg_authid"): ("role", "rolname"),
    (None, "pg_namespace"): ("schema", "nspname"),
}  # fmt: skip
_VISIBLE: t.Final = {"pg_type_is_visible", "pg_table_is_visible"}
_TYPES_OF_TABLES: t.Final = {"BASE TABLE": "rp", "VIEW": "v"}


def _query(select: t.Any) -> Look:
    """EXISTS (SELECT … FROM a catalogue WHERE …), with the catalogue of schemas beside it.

    :raises _Unread: it has parts that are not followed
    """
    parts = (select.groupClause, select.havingClause, select.limitOffset, select.limitCount, select.withClause,
             select.valuesLists, select.distinctClause, select.windowClause)  # fmt: skip
    if any(parts) or select.op or any(_is_aggregate(item.val) for item in select.targetList or ()):
        raise _Unread
    sources: list[tuple[str | None, str]] = []
    conditions = list(_conjuncts(select.whereClause))
    for item in select.fromClause or ():
        _flatten(item, sources, conditions)
    if (None, "pg_enum") in sources:
        return _label(sources, conditions)
    if len(sources) == 1 and sources[0] in _NAMED:
        kind, column = _NAMED[sources[0]]
        found = [_comparison(node) for node in conditions]
        if len(found) != 1 or found[0][0] != column:
            raise _Unread
        return Look(kind, _text(found[0][1]))
    own = [source for source in sources if source[1] != "pg_namespace"]
    catalogue = _CATALOGUES.get((own[0][0], own[0][1])) if len(own) == 1 else None
    if catalogue is None or len(sources) > 2:
        raise _Unread
    return _looked(catalogue, conditions, with_schemas=len(sources) == 2)


def _label(sources: list[tuple[str | None, str]], conditions: list[t.Any]) -> Look:
    """A value of an enum type, whose oid is a query over pg_type, joined, or `'mood'::regtype`."""
    rest, label, asked = [], None, None
    joined = (None, "pg_type") in sources
    for node in conditions:
        column, value = _comparison(node)
        other = _column(value)
        if column == "enumlabel" and label is None:
            label = _text(value)
        elif column == "enumtypid" and not joined and asked is None:
            asked = value
        elif {column, other} != {"enumtypid", "oid"} or not joined:
            rest.append(node)
        else:
            asked = node
    if label is None or asked is None or len(set(sources)) != len(sources):
        raise _Unread
    if joined:
        there = _looked(_CATALOGUES[None, "pg_type"], rest, with_schemas=(None, "pg_namespace") in sources)
        if len(sources) > (3 if (None, "pg_namespace") in sources else 2):
            raise _Unread
        return Look("label", label, there.scope, there.schema, there.name)
    if rest or len(sources) != 1:
        raise _Unread
    if isinstance(asked, ast.SubLink) and t.cast("t.Any", asked.subLinkType).name == "EXPR_SUBLINK":
        there = _query(asked.subselect)
        if there.kind != "type":
            raise _Unread
        return Look("label", label, there.scope, there.schema, there.name)
    schema, plain = _table(asked, by_oid=True, word="regtype")
    return Look("label", label, "path" if schema is None else "one", schema, plain, wanted=True)


def _is_aggregate(node: t.Any) -> bool:
    """An aggregate gives a row where there is none; of other functions it is not known here."""
    return isinstance(node, ast.FuncCall)


def _flatten(item: t.Any, sources: list[tuple[str | None, str]], conditions: list[t.Any]) -> None:
    join: t.Any = item
    if isinstance(item, ast.RangeVar):
        sources.append((item.schemaname if item.schemaname != "pg_catalog" else None, str(item.relname)))
    elif isinstance(item, ast.JoinExpr) and join.jointype.name == "JOIN_INNER" and join.quals:
        _flatten(join.larg, sources, conditions)
        _flatten(join.rarg, sources, conditions)
        conditions += _conjuncts(join.quals)
    else:
        raise _Unread


def _conjuncts(node: t.Any) -> t.Iterator[t.Any]:
    if isinstance(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
        for part in node.args or ():
            yield from _conjuncts(part)
    elif node is not None:
        yield node


def _looked(catalogue: _Catalogue, conditions: list[t.Any], *, with_schemas: bool) -> Look:
    given: dict[str, t.Any] = {}
    joined = not with_schemas
    visible = False
    for node in conditions:
        if _function(node) in _VISIBLE:
            visible = True
            continue
        column, value = _comparison(node)
        if isinstance(value, ast.ColumnRef):
            joined = joined or {column, _column(value)} == {"oid", catalogue.schema}
            if {column, _column(value)} != {"oid", catalogue.schema}:
                raise _Unread
        elif column in given:
            raise _Unread
        else:
            given["schema" if column == "nspname" and with_schemas else column] = value
    if not joined or catalogue.name not in given:
        raise _Unread
    name = _text(given.pop(catalogue.name))
    schemas = [given.pop(key) for key in ("schema", catalogue.schema) if key in given]
    table_schema, table = None, None
    if catalogue.table and catalogue.table in given:
        table_schema, table = _table(given.pop(catalogue.table), by_oid=catalogue.table == "conrelid")
    kinds = _kinds(catalogue, given)
    if given or (catalogue.kind == "column" and table is None):
        raise _Unread
    scope, schema = _scope(schemas, visible=visible)
    if catalogue.table == "conrelid" and table is not None:
        if schemas or visible:
            raise _Unread
        scope, schema = ("path", None) if table_schema is None else ("one", table_schema)
    return Look(catalogue.kind, name, scope, schema, table, kinds, catalogue.privileged)


def _kinds(catalogue: _Catalogue, given: dict[str, t.Any]) -> frozenset[str]:
    if catalogue.kind == "relation" and "relkind" in given:
        return frozenset(_text(given.pop("relkind")))
    if catalogue.kind == "relation" and "table_type" in given:
        found = _TYPES_OF_TABLES.get(_text(given.pop("table_type")))
        if found is None:
            raise _Unread
        return frozenset(found)
    return frozenset(catalogue.kinds)


def _scope(schemas: list[t.Any], *, visible: bool) -> tuple[Scope, str | None]:
    if len(schemas) + visible > 1:
        raise _Unread
    if visible:
        return "path", None
    if not schemas:
        return "all", None
    node = schemas[0]
    while isinstance(node, ast.TypeCast):
        node = node.arg
    word = node.op.name if isinstance(node, ast.SQLValueFunction) and node.op is not None else ""
    if _function(node) == "current_schema" or word == "SVFOP_CURRENT_SCHEMA":
        return "current", None
    return "one", _text(node)


def _table(node: t.Any, *, by_oid: bool, word: str = "regclass") -> tuple[str | None, str]:
    if not by_oid:
        return None, _text(node)
    cast: t.Any = node if isinstance(node, ast.TypeCast) else None
    if cast is None or cast.typeName.names[-1].sval != word:
        raise _Unread
    return _qualified(_text(node))


def _comparison(node: t.Any) -> tuple[str, t.Any]:
    """A column and what it is equal to."""
    plain: t.Any = node if isinstance(node, ast.A_Expr) else None
    if plain is None or plain.kind.name != "AEXPR_OP" or plain.name[-1].sval != "=":
        raise _Unread
    for one, other in ((plain.lexpr, plain.rexpr), (plain.rexpr, plain.lexpr)):
        if (column := _column(one)) is not None:
            return column, other
    raise _Unread


def _column(node: t.Any) -> str | None:
    while isinstance(node, ast.TypeCast):
        node = node.arg
    last = node.fields[-1] if isinstance(node, ast.ColumnRef) and node.fields else None
    return str(last.sval) if isinstance(last, ast.String) else None


def _function(node: t.Any) -> str | None:
    return str(node.funcname[-1].sval) if isinstance(node, ast.FuncCall) and node.funcname else None


def _text(node: t.Any) -> str:
    """A constant text.

    :raises _Unread: it is none
    """
    while isinstance(node, ast.TypeCast):
        node = node.arg
    value = node.val if isinstance(node, ast.A_Const) else None
    # A longer name is cut before it is compared.
    if not isinstance(value, ast.String) or len(str(value.sval).encode()) > _NAME_BYTES:
        raise _Unread
    return str(value.sval)


__all__ = ("Combined", "Condition", "Look", "condition_of", "looks")
