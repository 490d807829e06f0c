"""What a statement computes, as queries over WITH queries that stand for its tables (_sql/shape_questions.py)."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.function_bodies import body_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    RawStream,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_nodes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_shapes import Shape, TableShapes

# A type as SQL, or a table and its column, whose type it is.
Wanted: t.TypeAlias = "str | list[str] | None"  # noqa: UP040
MOST_VALUES: t.Final = 200


@dataclasses.dataclass(frozen=True)
class Query:
    """A query that says nothing but what its statement computes.

    :param text: called when the names in `parts` are as they shall be
    :param parts: the nodes that it is printed from
    :param takes: for its columns in their order, where a statement assigns them: to what type
    :param later: the tables are those after the statement, not those before it
    :param named: a column may have been taken for a parameter of the same name
    """

    text: t.Callable[[], str]
    parts: list[t.Any]
    takes: t.Sequence[Wanted] = ()
    later: bool = False
    named: bool = False


def _select(node: t.Any, _shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    if node.intoClause is None:
        yield Query(functools.partial(_whole, node), [node])


def _query_of(node: t.Any, _shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    """CREATE VIEW, CREATE TABLE AS, CREATE MATERIALIZED VIEW."""
    if isinstance(node.query, ast.SelectStmt) and not getattr(node, "if_not_exists", False):
        yield Query(functools.partial(_whole, node.query), [node.query])


def _update(node: t.Any, _shapes: TableShapes, before: dict[str, Shape | None]) -> t.Iterator[Query]:
    table, alias = node.relation.relname, _alias(node.relation)
    unknown = _unknown(before.get(table))
    values: list[t.Callable[[], str]] = []
    takes: list[Wanted] = []
    for item in node.targetList or ():
        if isinstance(item.val, ast.MultiAssignRef):
            return
        if not item.indirection and not isinstance(item.val, ast.SetToDefault) and item.name not in unknown:
            values.append(_value(item.val, f"{_name(alias)}.{_name(item.name)}"))
            takes.append(None if _untyped(item.val) else [table, item.name])
    sources = [node.relation, *(node.fromClause or ())]
    parts = [node.targetList, *sources, node.whereClause, node.withClause]
    yield Query(functools.partial(_over, values, sources, node.whereClause, node.withClause), parts, takes)


def _delete(node: t.Any, _shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    if node.whereClause is not None:
        sources = [node.relation, *(node.usingClause or ())]
        parts = [*sources, node.whereClause, node.withClause]
        yield Query(functools.partial(_over, [], sources, node.whereClause, node.withClause), parts)


def _insert(node: t.Any, _shapes: TableShapes, before: dict[str, Shape | None]) -> t.Iterator[Query]:
    """The rows of INSERT, each value as what its column takes."""
    query, table = node.selectStmt, node.relation.relname
    shape = before.get(table)
    if query is None or shape is None or any(item.indirection for item in node.cols or ()):
        return
    columns, unknown = [item.name for item in node.cols or ()] or _columns_in_order(shape), _unknown(shape)
    if query.valuesLists:
        values: list[t.Callable[[], str]] = []
        takes: list[Wanted] = []
        for column, value in (pair for row in query.valuesLists for pair in zip(columns, row, strict=False)):
            if not isinstance(value, ast.SetToDefault) and column not in unknown and len(values) < MOST_VALUES:
                values.append(_value(value, f"(SELECT {_name(column)} FROM {_name(table)})"))  # noqa: S608 - a name
                takes.append(None if _untyped(value) else [table, column])
        parts = [query.valuesLists, node.relation, node.withClause]
        yield Query(functools.partial(_over, values, [], None, node.withClause), parts, takes)
        return
    items = query.targetList or ()
    plain = not query.op and not any(_is_star(item.val) for item in items)
    takes = [[table, name] for name in columns[: len(items)]] if plain else []
    for place, item in enumerate(items[: len(takes)]):
        if _untyped(item.val):
            takes[place] = None
    if query.withClause is None:
        query.withClause = node.withClause
    yield Query(functools.partial(_whole, query), [query, node.relation], takes)


def _index(node: t.Any, _shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    keys = [item for item in node.indexParams or () if item.expr is not None or item.collation]
    expressions = [_collated(item) for item in keys]
    if expressions or node.whereClause is not None:
        yield _condition(node.relation, node.whereClause, expressions)


def _trigger(node: t.Any, _shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    if node.whenClause is not None:
        rows = [ast.RangeVar(relname=node.relation.relname, schemaname=node.relation.schemaname, inh=True,
                             alias=ast.Alias(aliasname=name)) for name in ("old", "new")]  # fmt: skip
        yield Query(functools.partial(_over, [], rows, node.whenClause), [*rows, node.whenClause])


def _policy(node: t.Any, _shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    for condition in (node.qual, node.with_check):
        if condition is not None:
            yield _condition(node.table, condition)


def _create(node: t.Any, shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    for item in node.tableElts or ():
        if isinstance(item, ast.ColumnDef):
            yield from _column(node.relation, item, shapes)
        elif isinstance(item, ast.Constraint):
            yield from _constraint(node.relation, item, shapes)


def _alter(node: t.Any, shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    if node.objtype != ObjectType.OBJECT_TABLE:
        return
    for command in node.cmds or ():
        kind, given = Command(command.subtype), command.def_
        if kind == Command.AT_AddConstraint:
            yield from _constraint(node.relation, given, shapes)
        elif kind == Command.AT_AddColumn and not command.missing_ok:
            yield from _column(node.relation, given, shapes)
        elif kind == Command.AT_AlterColumnType:
            value = given.raw_default or ast.ColumnRef(fields=(ast.String(command.name),))
            yield from _assigned(node.relation, value, shapes.type_of(given.typeName))
        elif kind == Command.AT_ColumnDefault and given is not None and not _untyped(given):
            parts = [given, node.relation]
            value = _value(given, "")
            takes: list[Wanted] = [[node.relation.relname, command.name]]
            yield Query(functools.partial(_over, [value]), parts, takes, later=True)


def _column(relation: t.Any, column: t.Any, shapes: TableShapes) -> t.Iterator[Query]:
    kind = shapes.type_of(column.typeName)
    for item in column.constraints or ():
        if item.contype == ConstrType.CONSTR_GENERATED and kind is not None:
            value = item.raw_expr
            text = functools.partial(_over, [_value(value, "")], [relation])
            yield Query(text, [value, relation], [kind], later=True)
        elif item.contype == ConstrType.CONSTR_DEFAULT and kind is not None:
            value = item.raw_expr
            text = functools.partial(_over, [_value(value, f"CAST(NULL AS {kind})")])
            yield Query(text, [value], [None if _untyped(value) else kind], later=True)
        else:
            yield from _constraint(relation, item, shapes, column.colname)


def _constraint(relation: t.Any, item: t.Any, shapes: TableShapes, column: str = "") -> t.Iterator[Query]:
    if item.contype == ConstrType.CONSTR_CHECK and item.raw_expr is not None:
        yield _condition(relation, item.raw_expr)
    elif item.contype == ConstrType.CONSTR_FOREIGN:
        other = item.pktable
        shape = shapes.of(other)
        targets = [key.sval for key in item.pk_attrs or ()] or list(shape.keys if shape else ())
        columns = [column] if column else [key.sval for key in item.fk_attrs or ()]
        if not targets or len(targets) != len(columns):
            return
        pairs = [f"one.{_name(target)} = two.{_name(own)}" for target, own in zip(targets, columns, strict=True)]
        own, names = (
            ast.RangeVar(relname=relation.relname, schemaname=relation.schemaname, inh=True),
            [*targets, *columns],
        )
        parts = [other, own, *(ast.ColumnRef(fields=(ast.String(name),)) for name in names)]
        text = f"SELECT 1 FROM {_name(other.relname)} AS one, {_name(relation.relname)} AS two WHERE "  # noqa: S608
        yield Query(lambda: text + " AND ".join(pairs), parts, later=True)


def _assigned(relation: t.Any, value: t.Any, kind: str | None) -> t.Iterator[Query]:
    if kind is not None and not _untyped(value):
        yield Query(functools.partial(_over, [_value(value, "")], [relation]), [value, relation], [kind])


def _condition(relation: t.Any, condition: t.Any, expressions: t.Sequence[t.Any] = ()) -> Query:
    values = [_value(item, "") for item in expressions]
    return Query(
        functools.partial(_over, values, [relation], condition), [relation, condition, *expressions], later=True
    )


def _collated(element: t.Any) -> t.Any:
    value = element.expr or ast.ColumnRef(fields=(ast.String(element.name),))
    return ast.CollateClause(arg=value, collname=element.collation) if element.collation else value


def _columns_in_order(shape: Shape) -> list[str]:
    """Of a table that this upgrade made; nothing where its columns are not known from here."""
    if shape.live is not None or any(action not in {"add", "type"} for action, _name, _value in shape.changes):
        return []
    added = [name for action, name, _kind in shape.changes if action == "add"]
    return [*(name for name, _kind in shape.made or ()), *added]


def _unknown(shape: Shape | None) -> set[str]:
    return shape.unknown() if shape else set()


def _untyped(node: t.Any) -> bool:
    """A text or NULL as it stands, which gets the type that is wanted of it."""
    return isinstance(node, ast.A_Const) and (bool(node.isnull) or isinstance(node.val, ast.String))


def _value(node: t.Any, typed: str) -> t.Callable[[], str]:
    """An expression as SQL.

    :param typed: an expression of the type that a text becomes
    """
    if _untyped(node) and typed:
        return lambda: f"CASE WHEN false THEN {typed} ELSE {RawStream()(node)} END"
    return lambda: f"({RawStream()(node)})"


def _over(
    values: t.Sequence[t.Callable[[], str]],
    sources: t.Sequence[t.Any] = (),
    condition: t.Any = None,
    queries: t.Any = None,
) -> str:
    before = f"{RawStream()(queries)} " if queries is not None else ""
    origin = f" FROM {', '.join(_printed(item) for item in sources)}" if sources else ""
    where = f" WHERE {RawStream()(condition)}" if condition is not None else ""
    return f"{before}SELECT {', '.join(value() for value in values) or '1'}{origin}{where}"


def _whole(query: t.Any) -> str:
    return str(RawStream()(query))


def _printed(source: t.Any) -> str:
    return str(RawStream()(source)).removeprefix("ONLY ")


def _name(text: str) -> str:
    return str(RawStream()(ast.ColumnRef(fields=(ast.String(text),))))


def _alias(relation: t.Any) -> str:
    return str(relation.alias.aliasname if relation.alias else relation.relname)


def _is_star(node: t.Any) -> bool:
    return isinstance(node, ast.ColumnRef) and isinstance((node.fields or (None,))[-1], ast.A_Star)


def _function(node: t.Any, shapes: TableShapes, _before: dict[str, Shape | None]) -> t.Iterator[Query]:
    """The queries of a function in SQL, over the tables as they are when it is made."""
    body = body_of(node)
    for query in body.queries if body else ():
        handler = HANDLERS.get(type(query))
        targets = query.cols if isinstance(query, ast.InsertStmt) else getattr(query, "targetList", None)
        if isinstance(query, (ast.InsertStmt, ast.UpdateStmt)) and targets:
            columns = [ast.ColumnRef(fields=(ast.String(item.name),)) for item in targets if item.name]
            relation: t.Any = query.relation
            written = ast.RangeVar(relname=relation.relname, schemaname=relation.schemaname, inh=True)
            values = [functools.partial(_whole, column) for column in columns]
            yield Query(functools.partial(_over, values, [written]), [written, *columns], later=True)
        tables = {str(part.relname): shapes.of(part) for part in relation_nodes(query)}
        for item in handler(query, shapes, tables) if handler else ():
            yield dataclasses.replace(item, later=True, named=bool(body and body.named))


_Handler = t.Callable[["t.Any", "TableShapes", "dict[str, Shape | None]"], "t.Iterator[Query]"]
HANDLERS: t.Final[dict[type, _Handler]] = {
    ast.SelectStmt: _select,
    ast.ViewStmt: _query_of,
    ast.CreateTableAsStmt: _query_of,
    ast.UpdateStmt: _update,
    ast.DeleteStmt: _delete,
    ast.InsertStmt: _insert,
    ast.IndexStmt: _index,
    ast.CreateTrigStmt: _trigger,
    ast.CreatePolicyStmt: _policy,
    ast.CreateStmt: _create,
    ast.AlterTableStmt: _alter,
    ast.CreateFunctionStmt: _function,
}


__all__ = ("HANDLERS", "Query")
