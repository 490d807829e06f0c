"""SQL from nodes of PostgreSQL's grammar, by pglast's printer; what comes out is read again and must be the same."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    ParseError,
    RawStream,
    SortByDir,
    SortByNulls,
    ast,
    parse_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


# Calls as they are, or as the words that SQL has for some of them.
_STREAMS: t.Final[tuple[t.Callable[[], t.Any], ...]] = (
    RawStream,
    functools.partial(RawStream, special_functions=True),
)


def template(sql: str) -> t.Any:
    """The node of one statement, whose names the caller exchanges for real ones."""
    return parse_sql(sql)[0].stmt


def printed(node: t.Any) -> str:
    """The text of a statement.

    :raises Uncurable: the printer makes something else of it
    """
    for stream in _STREAMS:
        try:
            text = _index(node, stream) if isinstance(node, ast.IndexStmt) else str(stream()(node))
            again = template(text)
            if again == node and _forms(again) == _forms(node):
                return text
        except (ParseError, NotImplementedError, RecursionError, AttributeError, LookupError, TypeError, ValueError):
            # A printer that meets what it was not written for fails in any of these ways.
            continue
    raise Uncurable("its text cannot be printed again without a change")


def _forms(node: t.Any) -> list[t.Any]:
    """Whether each call is one of words, as `x AT TIME ZONE y` is: PostgreSQL keeps that, and nodes compare without."""
    return [part.funcformat for part in walk(node) if isinstance(part, ast.FuncCall)]


def quoted(name: str) -> str:
    """An identifier, in quotes where it needs them."""
    return str(RawStream()(ast.RangeVar(relname=name, inh=True, relpersistence="p")))


def relation(name: Name) -> t.Any:
    """The node of a name."""
    return ast.RangeVar(schemaname=name[0], relname=name[1], inh=True, relpersistence="p")


def alter(table: t.Any, *commands: str) -> t.Any:
    """The node of an ALTER TABLE.

    :param table: its RangeVar
    :param commands: each with the names c and n, which the caller exchanges
    """
    node = template(f"ALTER TABLE t {', '.join(commands)}")
    node.relation = table
    return node


def _index(node: t.Any, stream: t.Callable[[], t.Any]) -> str:
    """CREATE INDEX: pglast puts NULLS NOT DISTINCT at its end, where the grammar does not take it."""
    words = ["CREATE", "UNIQUE" if node.unique else "", "INDEX", "CONCURRENTLY" if node.concurrent else ""]
    words += ["IF NOT EXISTS" if node.if_not_exists else "", quoted(node.idxname) if node.idxname else ""]
    words += ["ON", str(stream()(node.relation)), "USING", quoted(node.accessMethod)]
    words.append(_elements(node.indexParams, stream))
    if node.indexIncludingParams:
        words += ["INCLUDE", _elements(node.indexIncludingParams, stream)]
    words.append("NULLS NOT DISTINCT" if node.nulls_not_distinct else "")
    if node.options:
        words.append(f"WITH {_options(node.options)}")
    if node.tableSpace:
        words.append(f"TABLESPACE {quoted(node.tableSpace)}")
    if node.whereClause:
        words.append(f"WHERE {stream()(node.whereClause)}")
    return " ".join(word for word in words if word)


def _elements(nodes: t.Iterable[t.Any], stream: t.Callable[[], t.Any]) -> str:
    return f"({', '.join(_element(node, stream) for node in nodes)})"


def _element(node: t.Any, stream: t.Callable[[], t.Any]) -> str:
    words = [quoted(node.name) if node.name else f"({stream()(node.expr)})"]
    if node.collation:
        words.append(f"COLLATE {_dotted(node.collation)}")
    if node.opclass:
        words.append(_dotted(node.opclass) + (f" {_options(node.opclassopts)}" if node.opclassopts else ""))
    words.append({SortByDir.SORTBY_ASC: "ASC", SortByDir.SORTBY_DESC: "DESC"}.get(SortByDir(node.ordering), ""))
    nulls = {SortByNulls.SORTBY_NULLS_FIRST: "NULLS FIRST", SortByNulls.SORTBY_NULLS_LAST: "NULLS LAST"}
    words.append(nulls.get(SortByNulls(node.nulls_ordering), ""))
    return " ".join(word for word in words if word)


def _dotted(names: t.Iterable[t.Any]) -> str:
    return ".".join(quoted(name.sval) for name in names)


def _options(options: t.Iterable[t.Any]) -> str:
    return f"({', '.join(str(RawStream()(option)) for option in options)})"


__all__ = ("alter", "printed", "quoted", "relation", "template")
