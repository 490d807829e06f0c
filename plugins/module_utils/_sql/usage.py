"""Which statements of an application use a table, or one of its columns: read from their syntax alone.

Where the syntax leaves it open (`*`, a whole row, a name without a table), the statement is taken to use the column:
the answer "not used" has to be right.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ParseError, ast, parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, relation_name, walk

Use = t.Literal["no", "yes", "open"]


def use_of(sql: str, tables: t.Collection[Name], column: str | None) -> Use:
    """Whether a statement uses one of `tables`, or of them `column`; "open" where it cannot be parsed.

    :param tables: schema (None: any) and name, of the table and of what is read in its place
    """
    nodes = _statements(sql)
    if nodes is None:
        return "open"
    return "yes" if any(_uses(node, tables, column) for node in nodes) else "no"


# Each table and column of a migration is held against the same texts.
@functools.lru_cache(maxsize=1024)
def _statements(sql: str) -> tuple[t.Any, ...] | None:
    """None where what a text does cannot be read from it."""
    try:
        nodes = tuple(raw.stmt for raw in parse_sql(sql))
    except ParseError:
        return None
    return None if any(isinstance(part, ast.DoStmt) for node in nodes for part in walk(node)) else nodes


def _uses(node: t.Any, tables: t.Collection[Name], column: str | None) -> bool:
    parts = list(walk(node))
    local = {part.ctename for part in parts if isinstance(part, ast.CommonTableExpr)}
    ours, others = set(), set()
    for part in parts:
        if not isinstance(part, ast.RangeVar):
            continue
        label = part.alias.aliasname if part.alias else part.relname
        if _is_one_of(relation_name(part), tables) and (part.schemaname or part.relname not in local):
            ours.add(label)
        else:
            others.add(label)
    if not ours:
        return False
    # An alias that stands for ours in one query and for another table in the next decides nothing.
    elsewhere = others - ours
    return column is None or any(_names(part, column, ours, elsewhere) for part in parts)


def _is_one_of(name: Name, tables: t.Collection[Name]) -> bool:
    return any(name[1] == table[1] and (None in {name[0], table[0]} or name[0] == table[0]) for table in tables)


def _names(part: t.Any, column: str, ours: set[str | None], elsewhere: set[str | None]) -> bool:
    """Whether this node says `column`, or every column, of ours."""
    if isinstance(part, ast.ColumnRef):
        return _refers(part, column, ours, elsewhere)
    test = _SAYING.get(type(part))
    return bool(test and test(part, column))


def _refers(part: t.Any, column: str, ours: set[str | None], elsewhere: set[str | None]) -> bool:
    """A star, the column, or the table itself, whose value is the whole row; unless another table leads it."""
    fields = [field.sval if isinstance(field, ast.String) else None for field in part.fields or ()]
    qualifier, last = (fields[-2] if len(fields) > 1 else None), fields[-1]
    if qualifier is not None:
        return qualifier not in elsewhere and last in {None, column}
    return last in {None, column, *ours}


def _says_one_of(parts: t.Iterable[t.Any] | None, column: str) -> bool:
    return column in {getattr(item, "sval", None) for item in parts or ()}


def _inserts(part: t.Any, _column: str) -> bool:
    """Without a list of columns all are meant; those of a list are nodes of their own."""
    return part.cols is None and part.selectStmt is not None


def _copies(part: t.Any, column: str) -> bool:
    return part.relation is not None and (part.attlist is None or _says_one_of(part.attlist, column))


def _is(part: t.Any, column: str) -> bool:
    return bool(part.name == column)


def _joins(part: t.Any, column: str) -> bool:
    return bool(part.isNatural) or _says_one_of(part.usingClause, column)


def _infers(part: t.Any, _column: str) -> bool:
    """Which columns a constraint has is not in the statement."""
    return part.conname is not None


def _takes_apart(part: t.Any, column: str) -> bool:
    return any(isinstance(item, ast.A_Star) for item in part.indirection) or _says_one_of(part.indirection, column)


_SAYING: t.Final[dict[type, t.Callable[[t.Any, str], bool]]] = {
    ast.InsertStmt: _inserts,
    ast.CopyStmt: _copies,
    ast.ResTarget: _is,
    ast.IndexElem: _is,
    ast.JoinExpr: _joins,
    ast.InferClause: _infers,
    ast.A_Indirection: _takes_apart,
}


__all__ = ("Use", "use_of")
