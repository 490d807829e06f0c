"""Cures for UPDATE and DELETE of many rows: by ranges of the primary key, each range committed."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import (
    printed,
    relation,
    template,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Batch, Step, Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import BoolExprType, ast, scan
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    conjuncts,
    dotted,
    qualified_name,
    relation_name,
    walk,
    writes,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.trigger_body import harmless

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene

ROWS: t.Final = 5000
# What SQLAlchemy's text() takes for a parameter, and where it drops a backslash (sqlalchemy.sql.compiler).
_BOUND = re.compile(r"(?<![:\w\\]):\w+(?!:)")
# BIND_PARAMS_ESC of sqlalchemy/sql/compiler.py: 2.0 takes a dollar sign for a part of the name, 2.1 does not.
_DROPPED = (re.compile(r"\\(:[\w$]*)(?![:\w$])"), re.compile(r"\\(:\w*)(?![:\w])"))
# Bits of pg_trigger.tgtype.
_EACH_ROW, _DELETE, _UPDATE = 1, 8, 16
# Idempotent functions: f(f(x)) = f(x).
_SETTLING = {
    "coalesce",
    "lower",
    "upper",
    "btrim",
    "ltrim",
    "rtrim",
    "initcap",
    "round",
    "floor",
    "ceil",
    "trunc",
    "abs",
}


def write(node: t.Any, scene: Scene) -> list[Step] | None:
    """UPDATE, DELETE or MERGE; None where it may stay as it is.

    :raises Uncurable: its rows cannot be written range by range
    """
    large = [part for part in writes(node) if scene.large(relation_name(part.relation)) is not None]
    if isinstance(node, ast.MergeStmt) and large:
        raise Uncurable("a MERGE has no rows of its own that could be taken range by range")
    if isinstance(node, ast.InsertStmt) and large and node.onConflictClause and node.onConflictClause.targetList:
        if isinstance(node.selectStmt, ast.SelectStmt) and node.selectStmt.fromClause:
            raise Uncurable("an INSERT of what a query finds has no rows of its own that could be taken range by range")
        return None
    if not large or not isinstance(node, (ast.UpdateStmt, ast.DeleteStmt)):
        return None
    return [batches(node, scene)]


def batches(node: t.Any, scene: Scene, *, fill: bool = False) -> Step:
    """A step that writes range by range.

    :param fill: it stands for what ALTER TABLE writes, for which no trigger runs
    :raises Uncurable: there is no key, or a second run would write other rows
    """
    table, whole = relation_name(node.relation), printed(node)
    key = _key(table, scene)
    _assert_repeatable(node, table, key)
    _assert_alone(node, table, scene, fill=fill)
    name = node.relation.alias.aliasname if node.relation.alias else table[1]
    columns = [(name, column) for column in key]
    count = len(key)
    begins = _compared(columns, ">=", range(1, count + 1))
    ends = _compared(columns, "<=", range(count + 1, 2 * count + 1))
    parts = [*(conjuncts(node.whereClause) if node.whereClause is not None else ()), begins, ends]
    node.whereClause = ast.BoolExpr(boolop=BoolExprType.AND_EXPR, args=tuple(parts))
    batch = Batch(
        with_binds(printed(_keys(table, key, None, 1)), count),
        with_binds(printed(_last(table, key)), count),
        with_binds(printed(_keys(table, key, ">", 1)), count, of_last=True),
        with_binds(printed(node), count),
        count,
    )
    by = f"{ROWS} rows of {dotted(table)} at a time, by its primary key, each time committed"
    accepts = (
        ("revision-not-static", by),
        ("full-table-write", f"{ROWS} rows at a time; all at once with --sql alone"),
    )
    return Step(whole, "batch", batch=batch, accepts=accepts)


def with_binds(sql: str, count: int, *, of_last: bool = False) -> str:
    """For SQLAlchemy's text(): parameters as names; every other colon that it would take for one is escaped.

    :param count: $1 to $count are the first key of a range, those after them the last one
    :param of_last: there are only those of the last one
    """
    found, end = [], 0
    for token in scan(sql):
        if token.name == "PARAM":
            number = int(sql[token.start + 1 : token.end + 1]) - 1
            name = "last" if of_last or number >= count else "start"
            found += [escaped(sql[end : token.start]), f":{name}{number % count}"]
            end = token.end + 1
    return "".join([*found, escaped(sql[end:])])


def escaped(sql: str) -> str:
    """The same SQL for SQLAlchemy's text(), in which :name is a parameter and a backslash before a colon is dropped.

    :raises Uncurable: text() has no words for it
    """
    colons = {found.start() for found in _BOUND.finditer(sql)}
    colons |= {found.start(1) for dropped in _DROPPED for found in dropped.finditer(sql)}
    text = "".join(f"\\{sign}" if place in colons else sign for place, sign in enumerate(sql))
    if _BOUND.search(text) or any(dropped.sub(r"\1", text) != sql for dropped in _DROPPED):
        raise Uncurable("it has colons that SQLAlchemy's text() cannot be told to leave alone")
    return text


def _key(table: Name, scene: Scene) -> tuple[str, ...]:
    known = scene.catalog.table(table)
    if known is None or known.kind not in {"r", "p"}:
        raise Uncurable(f"{dotted(table)} is no table with a key of its own")
    if scene.inherited(table):
        raise Uncurable(f"tables inherit from {dotted(table)}, and no key is one of them all")
    key = next((item.columns for item in scene.catalog.constraints(table) if item.kind == "p"), ())
    if not key:
        raise Uncurable(f"{dotted(table)} has no primary key, by which its rows could be taken range by range")
    return key


def _assert_repeatable(node: t.Any, table: Name, key: t.Sequence[str]) -> None:
    if len(writes(node)) > 1:
        raise Uncurable("it writes in a WITH query as well")
    others = [part for part in walk(node) if isinstance(part, ast.RangeVar) and part is not node.relation]
    if any(part.relname == table[1] for part in others):
        raise Uncurable(f"it reads {dotted(table)} itself, of which a part would be written already")
    if any(isinstance(part, ast.CurrentOfExpr) for part in walk(node)):
        raise Uncurable("it writes where a cursor stands")
    if isinstance(node, ast.DeleteStmt):
        return
    targets: list[t.Any] = [item for item in node.targetList if isinstance(item, ast.ResTarget)]
    assigned = {item.name for item in targets}
    if assigned & set(key):
        raise Uncurable("it changes the key by which its rows would be taken")
    for item in targets:
        if not _settled(item.val, item.name) and assigned & _read(item.val):
            words = f"{item.name} is computed of what is written: after an interruption, rows would be changed twice"
            raise Uncurable(words)


def _assert_alone(node: t.Any, table: Name, scene: Scene, *, fill: bool) -> None:
    """Check that a part of the write does nothing that the whole would not, and twice no more than once.

    :raises Uncurable: a trigger does, or it reads what is written under another name
    """
    known = scene.catalog.table(table)
    family = {scene.catalog.qualified(table), *(known.children if known else ())}
    if known and known.partition_of:
        family.add(known.partition_of)
    assigned = set() if isinstance(node, ast.DeleteStmt) else {item.name for item in node.targetList}
    event = _DELETE if isinstance(node, ast.DeleteStmt) else _UPDATE
    for row in (row for name in family for row in scene.triggers.get(name, ())):
        if not row["type"] & event or (row["columns"] and not assigned & set(row["columns"])):
            continue
        if fill:
            raise Uncurable(f"the trigger {row['name']} would run for each row, as it does not for ALTER TABLE")
        if not row["type"] & _EACH_ROW:
            raise Uncurable(f"the trigger {row['name']} would run once for each range of rows")
        if event == _UPDATE and not harmless(row):
            raise Uncurable(f"the trigger {row['name']} would run twice for rows after an interruption")
    parts = (part for part in walk(node) if isinstance(part, ast.RangeVar) and part is not node.relation)
    for name in map(relation_name, parts):
        other = scene.catalog.table(name)
        shown = scene.catalog.view_sources(name) or (other is not None and other.kind == "v")
        if shown or (other and ({other.name, other.partition_of} & family)):
            raise Uncurable(f"it reads {dotted(name)}, which may show what a part of it has written already")


def _read(node: t.Any) -> set[str]:
    """The columns that an expression reads."""
    refs: t.Iterable[t.Any] = (
        part.fields[-1] for part in walk(node) if isinstance(part, ast.ColumnRef) and part.fields
    )
    return {str(field.sval) for field in refs if isinstance(field, ast.String)}


def _settled(node: t.Any, column: str) -> bool:
    """Whether it changes nothing when it is applied to its own result: `coalesce(a, 'x')`, `lower(a)`."""
    if isinstance(node, ast.ColumnRef):
        return _read(node) == {column}
    # Not by isinstance: what it narrows to has every field as one that may be absent.
    kind: t.Any = type(node)
    called = kind is ast.FuncCall and qualified_name(node.funcname)[1] in _SETTLING
    if not (kind is ast.CoalesceExpr or called) or not node.args:
        return False
    first, *rest = node.args
    own = isinstance(first, ast.ColumnRef) and _read(first) == {column}
    return own and not any(_read(item) for item in rest)


def _compared(columns: t.Sequence[tuple[str | None, str]], operator: str, numbers: t.Iterable[int]) -> t.Any:
    """The key against parameters: `(a, b) >= ($1, $2)`."""
    words = ", ".join(["c"] * len(columns)), ", ".join(f"${number}" for number in numbers)
    form = "SELECT WHERE {} {} {}" if len(columns) == 1 else "SELECT WHERE ({}) {} ({})"
    condition = template(form.format(words[0], operator, words[1])).whereClause
    refs = [condition.lexpr] if len(columns) == 1 else condition.lexpr.args
    for ref, column in zip(refs, columns, strict=True):
        ref.fields = _fields(column)
    return condition


def _fields(column: tuple[str | None, str]) -> tuple[t.Any, ...]:
    return tuple(ast.String(sval=name) for name in column if name is not None)


def _keys(table: Name, key: t.Sequence[str], operator: str | None, rows: int) -> t.Any:
    """The first keys, or the first beyond one."""
    columns = ", ".join(["c"] * len(key))
    node = template(f"SELECT {columns} FROM t ORDER BY {columns} LIMIT {rows}")  # noqa: S608 - no name is in it
    node.fromClause = (relation(table),)
    for target, order, column in zip(node.targetList, node.sortClause, key, strict=True):
        target.val.fields = order.node.fields = _fields((None, column))
    if operator:
        node.whereClause = _compared([(None, column) for column in key], operator, range(1, len(key) + 1))
    return node


def _last(table: Name, key: t.Sequence[str]) -> t.Any:
    """The last of the keys of one range."""
    columns, falling = ", ".join(["c"] * len(key)), ", ".join(["c DESC"] * len(key))
    node = template(f"SELECT {columns} FROM (SELECT 1) AS batch ORDER BY {falling} LIMIT 1")  # noqa: S608
    node.fromClause[0].subquery = _keys(table, key, ">=", ROWS)
    for target, order, column in zip(node.targetList, node.sortClause, key, strict=True):
        target.val.fields = order.node.fields = _fields((None, column))
    return node


__all__ = ("ROWS", "batches", "escaped", "with_binds", "write")
