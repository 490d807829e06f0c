"""Which statements of an upgrade the live server can be asked to parse before they run, and as what.

Only what depends on nothing that the upgrade itself changes first: of a table that an earlier statement alters, the
server does not know yet what the statement will find.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ConstrType,
    ObjectType,
    ParseError,
    RawStream,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_expression import builtin
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

# FUNC_PARAM_IN, FUNC_PARAM_DEFAULT in src/include/nodes/parsenodes.h.
_INPUTS: t.Final = {"i", "d"}
# FUNC_PARAM_OUT and _TABLE.
_OUTPUTS: t.Final = {"o", "t"}
# Longer ones carry data; the whole request has to stay small.
MOST_CHARACTERS = 20_000
MOST_STATEMENTS = 500
# Characters of all statements that the server's grammar reads.
MOST_READ = 500_000

_QUERIES = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
# After one of these names, types or the path to them may mean something else.
_CHANGES_NAMES = (
    ast.DoStmt, ast.CallStmt, ast.CreateFunctionStmt, ast.AlterFunctionStmt, ast.CreateSchemaStmt,
    ast.CreateExtensionStmt, ast.AlterExtensionStmt, ast.CreateEnumStmt, ast.AlterEnumStmt, ast.CreateDomainStmt,
    ast.AlterDomainStmt, ast.CompositeTypeStmt, ast.CreateRangeStmt, ast.DefineStmt, ast.CreateCastStmt,
    ast.CreateOpClassStmt, ast.RuleStmt, ast.CreateEventTrigStmt, ast.ImportForeignSchemaStmt,
    ast.AlterObjectSchemaStmt, ast.CreateSeqStmt, ast.AlterSeqStmt,
)  # fmt: skip
# Settings that say how something is run, and nothing of what names, types and texts mean.
_OF_RUNNING = ("_timeout", "work_mem", "_workers", "client_min_messages", "synchronous_commit")
_TABLES = {ObjectType.OBJECT_INDEX, ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_POLICY, ObjectType.OBJECT_TABLE}
# Functions whose text argument names an object that an earlier statement may make.
_NAMING = {"nextval", "currval", "setval", "lastval", "to_regclass", "pg_get_serial_sequence"}


def parse_questions(found: t.Sequence[Statement]) -> list[tuple[int, str]]:
    """Number and text of what PREPARE can be asked for each statement; a statement may give several."""
    asked: list[tuple[int, str]] = []
    changed: set[str | None] = set()
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            break
        tables = {part.relname for part in walk(node) if isinstance(part, ast.RangeVar)}
        if not tables & changed and len(statement.sql) <= MOST_CHARACTERS:
            asked += [(statement.number, text) for text in _texts(statement)]
        if changes_names(node):
            break
        if not isinstance(node, _QUERIES):
            changed |= tables | names_of(node)
    return asked[:MOST_STATEMENTS]


def grammar_questions(found: t.Iterable[Statement]) -> list[tuple[int, str]]:
    """Number and text of statements for the server's own grammar, which may be older than the one used here."""
    asked: list[tuple[int, str]] = []
    left = MOST_READ
    for statement in found:
        length = len(statement.sql)
        if statement.node is not None and length <= min(left, MOST_CHARACTERS):
            asked.append((statement.number, statement.sql))
            left -= length
    return asked


def body_questions(found: t.Sequence[Statement]) -> list[dict[str, t.Any]]:
    """What the server can be asked about the bodies of functions in SQL, which it analyses when they are made.

    :return: `number`, `types` of the parameters, `text`, `returns`: the types of the columns that the last statement
        has to give (None where that is not asked), `row`: there is one type, whose name may be a table's, and `named`:
        the body uses a name that a parameter has as well. PREPARE takes it for a column, so that its refusal proves
        something only where a table or a schema is missing
    """
    asked: list[dict[str, t.Any]] = []
    changed: set[str | None] = set()
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            break
        if isinstance(node, ast.CreateFunctionStmt) and len(statement.sql) <= MOST_CHARACTERS:
            asked += _bodies(statement.number, node, changed)
        if changes_names(node):
            break
        if not isinstance(node, _QUERIES):
            changed |= {part.relname for part in walk(node) if isinstance(part, ast.RangeVar)} | names_of(node)
    return asked


def _bodies(number: int, node: t.Any, changed: set[str | None]) -> t.Iterator[dict[str, t.Any]]:
    options: dict[str, t.Any] = {option.defname: option.arg for option in node.options or ()}
    language, body = options.get("language"), options.get("as")
    given = [part for part in node.parameters or () if part.mode.value in _INPUTS]
    kinds = [RawStream()(part.argType) for part in given]
    if language is None or language.sval != "sql" or not isinstance(body, tuple) or len(body) != 1:
        return
    if any("any" in kind or part.argType.setof for kind, part in zip(kinds, given, strict=True)):
        return
    try:
        statements: t.Any = parse_sql(body[0].sval)
    except ParseError:
        return
    names = {part.name for part in node.parameters or () if part.name} | {node.funcname[-1].sval}
    result = _result(node, given, changed)
    for place, raw in enumerate(statements):
        inner = raw.stmt
        tables = {part.relname for part in walk(inner) if isinstance(part, ast.RangeVar)}
        into = isinstance(inner, ast.SelectStmt) and inner.intoClause is not None
        # A parameter with the function's name before it, or before a field of it; shape_questions replaces the first.
        if any(_first_field(part) in names for part in walk(inner)):
            return
        if not isinstance(inner, _QUERIES) or into or tables & changed or depends_on_text(inner):
            return
        fields = {
            getattr(field, "sval", None)
            for part in walk(inner)
            if isinstance(part, ast.ColumnRef)
            for field in part.fields or ()
        }
        last = place == len(statements) - 1 and isinstance(inner, ast.SelectStmt)
        yield {"number": number, "types": kinds, "text": RawStream()(inner), "named": bool(names & fields),
               "returns": None, "row": False} | (result if last else {})  # fmt: skip


def _result(node: t.Any, given: t.Sequence[t.Any], changed: set[str | None]) -> dict[str, t.Any]:
    """`returns` and `row` of body_questions(); nothing where the result is not asked for."""
    outputs = [part.argType for part in node.parameters or () if part.mode.value in _OUTPUTS]
    if len(given) + len(outputs) < len(node.parameters or ()):
        return {}
    if outputs:
        known = all(builtin(kind) for kind in outputs)
        return {"returns": [RawStream()(kind) for kind in outputs], "row": False} if known else {}
    kind = node.returnType
    if kind is None or kind.pct_type or kind.arrayBounds:
        return {}
    one = [RawStream()(kind).removeprefix("SETOF ")]
    kind_name = kind.names[-1].sval
    if kind_name == "record" or kind_name in changed:
        return {}
    return {"returns": one, "row": not builtin(kind)}


def _first_field(node: t.Any) -> str | None:
    fields: t.Any = node.fields if isinstance(node, ast.ColumnRef) else None
    return getattr(fields[0], "sval", None) if fields and len(fields) > 1 else None


def changes_names(node: t.Any) -> bool:
    """Whether names, types or the path to them may mean something else after the statement."""
    kind: t.Any = type(node)
    if kind is ast.DropStmt:
        return ObjectType(node.removeType) not in _TABLES
    if kind is ast.VariableSetStmt:
        return not str(node.name).endswith(_OF_RUNNING)
    if kind is ast.SelectStmt:
        # A function that is called for what it does may do anything.
        return node.intoClause is not None or any(isinstance(part, ast.FuncCall) for part in walk(node))
    return kind in _CHANGES_NAMES


def names_of(node: t.Any) -> set[str | None]:
    """Names that a definition makes or takes away beside the tables that it names as such."""
    names: set[str | None] = {getattr(node, "newname", None), getattr(node, "idxname", None)}
    for item in getattr(node, "objects", None) or ():
        names |= {part.sval for part in (item if isinstance(item, tuple) else ()) if isinstance(part, ast.String)}
    return names


def _texts(statement: Statement) -> list[str]:
    node: t.Any = statement.node
    if isinstance(node, _QUERIES):
        whole = isinstance(node, ast.SelectStmt) and node.intoClause is not None
        return [] if whole or depends_on_text(node) else [statement.sql]
    handler = _HANDLERS.get(type(node))
    parts = list(handler(node)) if handler else []
    return [text for text, expressions in parts if not any(depends_on_text(item) for item in expressions)]


def depends_on_text(node: t.Any) -> bool:
    """Whether a text in it names an object, which the server would look up."""
    for part in walk(node):
        if isinstance(part, ast.FuncCall) and part.funcname and part.funcname[-1].sval in _NAMING:
            return True
        if isinstance(part, ast.TypeName) and part.names and str(part.names[-1].sval).startswith("reg"):
            return True
    return False


Derived = t.Iterator[tuple[str, t.Sequence[t.Any]]]


def _view(node: t.Any) -> Derived:
    # A recursive view names itself.
    if isinstance(node.query, ast.SelectStmt) and node.query.withClause is None:
        yield RawStream()(node.query), [node.query]


def _table_as(node: t.Any) -> Derived:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW: the query alone."""
    if isinstance(node.query, ast.SelectStmt) and not node.if_not_exists:
        yield RawStream()(node.query), [node.query]


def _index(node: t.Any) -> Derived:
    expressions = [item.expr for item in node.indexParams or () if item.expr is not None]
    if expressions or node.whereClause is not None:
        parts = [*expressions, node.whereClause or expressions[0]]
        yield _select_over(node.relation, expressions, node.whereClause), parts


def _policy(node: t.Any) -> Derived:
    for condition in (node.qual, node.with_check):
        if condition is not None:
            yield _select_over(node.table, [], condition), [condition]


def _alter_table(node: t.Any) -> Derived:
    if ObjectType(node.objtype) != ObjectType.OBJECT_TABLE or len(node.cmds) != 1:
        # A command may depend on the one before it.
        return
    command = node.cmds[0]
    kind, given = Command(command.subtype), command.def_
    if kind == Command.AT_AddConstraint and ConstrType(given.contype) == ConstrType.CONSTR_CHECK and given.raw_expr:
        yield _select_over(node.relation, [], given.raw_expr), [given.raw_expr]
    elif kind == Command.AT_AlterColumnType and given.raw_default is not None:
        yield _select_over(node.relation, [given.raw_default], None), [given.raw_default]
    elif kind == Command.AT_ColumnDefault and given is not None:
        column = RawStream()(ast.ColumnRef(fields=(ast.String(command.name),)))
        table, value = RawStream()(node.relation), RawStream()(given)
        # Printed from a parsed statement of the migration, and only ever parsed.
        yield f"INSERT INTO {_without_only(table)} ({column}) VALUES ({value})", [given]  # noqa: S608 - as said
    elif kind == Command.AT_AddColumn:
        yield from _literal_default(given)
        yield from _generated(node.relation, given)


def _literal_default(column: t.Any) -> Derived:
    """A text as the default of a new column, which its type must be able to read."""
    given = [one for one in column.constraints or () if ConstrType(one.contype) == ConstrType.CONSTR_DEFAULT]
    for value in (one.raw_expr for one in given if isinstance(one.raw_expr, ast.A_Const)):
        if isinstance(value.val, ast.String):
            yield f"SELECT CAST({RawStream()(value)} AS {RawStream()(column.typeName)})", [column.typeName]


def _generated(relation: t.Any, column: t.Any) -> Derived:
    for one in column.constraints or ():
        if ConstrType(one.contype) == ConstrType.CONSTR_GENERATED:
            value = ast.TypeCast(arg=one.raw_expr, typeName=column.typeName)
            yield _select_over(relation, [value], None), [value]


def _select_over(relation: t.Any, expressions: t.Sequence[t.Any], condition: t.Any) -> str:
    """A SELECT that makes the server parse these expressions over the relation."""
    wanted = ", ".join(f"({RawStream()(item)})" for item in expressions) or "1"
    where = f" WHERE {RawStream()(condition)}" if condition is not None else ""
    name = _without_only(RawStream()(relation))
    return f"SELECT {wanted} FROM {name}{where}"  # noqa: S608 - printed from what was parsed


def _without_only(relation: str) -> str:
    """Without the ONLY of ALTER TABLE ONLY, which INSERT does not take."""
    return relation.removeprefix("ONLY ")


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any], Derived]]] = {
    ast.ViewStmt: _view,
    ast.CreateTableAsStmt: _table_as,
    ast.IndexStmt: _index,
    ast.CreatePolicyStmt: _policy,
    ast.AlterTableStmt: _alter_table,
}


__all__ = (
    "MOST_CHARACTERS",
    "MOST_STATEMENTS",
    "body_questions",
    "changes_names",
    "depends_on_text",
    "grammar_questions",
    "names_of",
    "parse_questions",
)
