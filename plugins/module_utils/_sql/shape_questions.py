"""Statements about tables that the same upgrade makes or changes, as queries that the server can parse before it runs.

Each table stands in such a query as a WITH query of its name, whose columns have the types that they will have then:
so operators, functions, casts and literals are looked up as they will be, and nothing is read. What the server refuses
then, it refuses now. Pure; _in_pod/shape_facts.py asks.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.function_bodies import body_functions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ObjectType,
    ParseError,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.parse_questions import (
    MOST_CHARACTERS,
    MOST_STATEMENTS,
    changes_names,
    depends_on_text,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.shape_queries import HANDLERS
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    functions,
    qualified_name,
    relation_nodes,
    walk,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_shapes import Shape, TableShapes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_SYSTEM: t.Final = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
_OF_SERVER: t.Final = {"pg_catalog", "information_schema"}
# After these, names still mean what they meant, but for those that they make or take away.
_OWN_NAMES: t.Final = (
    ast.CreateEnumStmt, ast.AlterEnumStmt, ast.CreateDomainStmt, ast.AlterDomainStmt, ast.CompositeTypeStmt,
    ast.CreateRangeStmt, ast.CreateSchemaStmt, ast.CreateSeqStmt, ast.AlterSeqStmt, ast.CreateFunctionStmt,
    ast.CreateExtensionStmt, ast.RuleStmt,
)  # fmt: skip
_DROPPED: t.Final = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW,
                     ObjectType.OBJECT_INDEX, ObjectType.OBJECT_SEQUENCE, ObjectType.OBJECT_TRIGGER,
                     ObjectType.OBJECT_POLICY, ObjectType.OBJECT_RULE, ObjectType.OBJECT_TYPE,
                     ObjectType.OBJECT_DOMAIN, ObjectType.OBJECT_FUNCTION}  # fmt: skip
# Functions that change nothing which a name means.
_HARMLESS: t.Final = {"setval", "nextval", "pg_advisory_lock", "pg_advisory_xact_lock", "pg_get_serial_sequence",
                      "count", "max", "min", "coalesce", "now"}  # fmt: skip
# Operators that no extension brings for PostgreSQL's own types.
_OPERATORS: t.Final = {"=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "||", "~~", "~~*", "!~~", "!~~*",
                       "->", "->>"}  # fmt: skip
# What does not stand in a query over a WITH query.
_UNASKED: t.Final = (ast.LockingClause, ast.RangeTableSample, ast.CurrentOfExpr, ast.ParamRef)


def shape_questions(found: t.Sequence[Statement], asked: t.Container[int]) -> list[dict[str, t.Any]]:
    """What the server can be asked of statements over tables as they will be.

    :param asked: numbers of the statements about which it is asked as they are
    :return: `number`, `text`, `takes` (a type for each column of the text, None where it may be any), `shapes` (the
        tables as Shape.form() has them), `functions`: where an extension of this upgrade may bring some, the names
        that are called, and `types`: the names of types that it has made or changed by then
    """
    questions: list[dict[str, t.Any]] = []
    shapes, made, extended = TableShapes(), set[str](), False
    for statement in found:
        node: t.Any = statement.node
        if node is None or len(questions) >= MOST_STATEMENTS or _unclear_after(node):
            break
        before = shapes.of_all(node)
        shapes.after(statement)
        if isinstance(node, (ast.CreateFunctionStmt, ast.DropStmt)):
            made |= _routines(node)
        extended = extended or isinstance(node, ast.CreateExtensionStmt)
        # Of ALTER TABLE, parts are asked as they are.
        known = statement.number in asked and not isinstance(node, ast.AlterTableStmt)
        if known or statement.looks_first or len(statement.sql) > MOST_CHARACTERS:
            continue
        called = {name for _schema, name in functions(node)} | body_functions(node)
        if called & made or depends_on_text(node) or (extended and not _operators(node) <= _OPERATORS):
            continue
        about = {"number": statement.number, "functions": sorted(called) if extended else []}
        about |= {"types": sorted(shapes.types)}
        questions += [about | form for form in _Asker(shapes, statement, before).forms()]
    return questions


def _unclear_after(node: t.Any) -> bool:
    if isinstance(node, ast.DropStmt):
        return node.removeType not in _DROPPED
    if isinstance(node, ast.SelectStmt) and node.intoClause is None:
        return any(name not in _HARMLESS for _schema, name in functions(node))
    return changes_names(node) and not isinstance(node, _OWN_NAMES)


def _routines(node: t.Any) -> set[str]:
    if isinstance(node, ast.CreateFunctionStmt):
        return {str(t.cast("t.Any", node.funcname)[-1].sval)}
    items = node.objects if node.removeType == ObjectType.OBJECT_FUNCTION else ()
    return {str(item.objname[-1].sval) for item in items}


def _operators(node: t.Any) -> set[str]:
    return {str(part.name[-1].sval) for part in walk(node) if isinstance(part, ast.A_Expr) and part.name}


class _Asker:
    """The questions about one statement."""

    def __init__(self, shapes: TableShapes, statement: Statement, before: dict[str, Shape | None]) -> None:
        """:param shapes: the tables after it
        :param before: those that it names, before it
        """
        self._shapes, self._before, self._statement = shapes, before, statement
        self._used: dict[str, Shape | None] = {}

    def forms(self) -> t.Iterator[dict[str, t.Any]]:
        """Each as shape_questions() has it, but for what is of the whole statement."""
        handler = HANDLERS.get(type(self._statement.node))
        if handler is None:
            return
        try:
            # A copy, in which names may be written otherwise.
            node: t.Any = parse_sql(self._statement.sql)[0].stmt
        except (ParseError, IndexError):
            return
        if type(node) is not type(self._statement.node):
            return
        for query in handler(node, self._shapes, self._before):
            if (used := self._tables(query.parts, later=query.later)) is not None:
                named = [shape.form(name) for name, shape in used.items()]
                form = {"text": query.text(), "takes": list(query.takes), "shapes": named}
                # With a parameter in a column's place, operators and functions may be others.
                yield form | ({"proves": ["42703"]} if query.named else {})

    def _tables(self, parts: t.Sequence[t.Any], *, later: bool) -> dict[str, Shape] | None:
        """The tables that a question names, their names without schemas; None where it cannot be asked."""
        nodes = [inner for part in parts for inner in walk(part)]
        fields = [field for part in nodes if isinstance(part, ast.ColumnRef) for field in part.fields or ()]
        columns = {field.sval for field in fields if isinstance(field, ast.String)}
        types = {qualified_name(part.names)[1] for part in nodes if isinstance(part, ast.TypeName) and part.names}
        if columns & _SYSTEM or types & self._shapes.types or any(isinstance(part, _UNASKED) for part in nodes):
            return None
        used: dict[str, Shape] = {}
        for part in relation_nodes(tuple(parts)):
            if part.schemaname in _OF_SERVER:
                continue
            name = str(part.relname)
            shape = self._shapes.of(part) if later else self._before.get(name)
            if shape is None:
                return None
            unknown = shape.unknown()
            if unknown & columns or (unknown and any(isinstance(field, ast.A_Star) for field in fields)):
                return None
            used[name], part.schemaname = shape, None
        return used


__all__ = ("shape_questions",)
