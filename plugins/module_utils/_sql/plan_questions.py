"""Which statements of an upgrade the live server can be asked to plan: what depends on no row, it computes then.

A division by zero among constants, a number that its type does not hold or a pattern that is none are refused while the
statement is planned, as they are when it runs. Source: eval_const_expressions in
src/backend/optimizer/util/clauses.c. Pure; _in_pod/parse_facts.py asks.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.computed_questions import computed, new_defaults
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ObjectType,
    RawStream,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.parse_questions import (
    MOST_CHARACTERS,
    MOST_STATEMENTS,
    changes_names,
    depends_on_text,
    names_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import functions, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_QUERIES: t.Final = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def computed_query(node: t.Any) -> t.Any:
    """The query that a statement runs at once, beside its writes; None where it runs none."""
    if isinstance(node, ast.SelectStmt):
        return node
    if isinstance(node, ast.CreateTableAsStmt) and node.into is not None and not node.into.skipData:
        return node.query if isinstance(node.query, ast.SelectStmt) else None
    return None


def plan_questions(found: t.Sequence[Statement]) -> list[dict[str, t.Any]]:
    """What the server can be asked to plan, which computes what depends on no row: 1 / 0 is refused then.

    Only what depends on nothing that the upgrade itself changes first.

    :return: `number`, `text`, `functions`: the names of those that are called, and `runs`: the text is to be run, for
        it computes values without any table (_sql/computed_questions.py)
    """
    questions: list[dict[str, t.Any]] = []
    changed: set[str | None] = set()
    for statement in found:
        node: t.Any = statement.node
        if node is None or len(questions) >= MOST_STATEMENTS:
            break
        tables = {part.relname for part in walk(node) if isinstance(part, ast.RangeVar)}
        if len(statement.sql) <= MOST_CHARACTERS:
            called = sorted({name for _schema, name in functions(node)})
            texts = _texts(node, changed=bool(tables & changed)) if called or _computes(node) else ()
            about = {"number": statement.number, "functions": called}
            questions += [about | {"text": text, "runs": False} for text in texts]
            questions += [about | {"text": text, "runs": True} for text in computed(node)]
        if changes_names(node):
            break
        if not isinstance(node, _QUERIES):
            changed |= tables | names_of(node)
    return questions


def _texts(node: t.Any, *, changed: bool) -> list[str]:
    """:param changed: an earlier statement changes a table of it"""
    if isinstance(node, ast.AlterTableStmt):
        if node.objtype != ObjectType.OBJECT_TABLE:
            return []
        return [text for command in t.cast("t.Any", node.cmds) or () for text in _computed_default(command)]
    query = node if isinstance(node, _QUERIES) else computed_query(node)
    into = isinstance(query, ast.SelectStmt) and query.intoClause is not None
    return [] if query is None or changed or into or depends_on_text(query) else [RawStream()(query)]


def _computes(node: t.Any) -> bool:
    return any(isinstance(part, (ast.A_Expr, ast.TypeCast, ast.SQLValueFunction)) for part in walk(node))


def _computed_default(command: t.Any) -> t.Iterator[str]:
    for given, value in new_defaults(command):
        if not depends_on_text(value):
            yield f"SELECT CAST(({RawStream()(value)}) AS {RawStream()(given)})"


__all__ = ("computed_query", "plan_questions")
