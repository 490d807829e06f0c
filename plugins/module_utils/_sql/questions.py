"""The second message, from the judge to the collector: the names about which facts are wanted, no more of the SQL."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    functions,
    relations,
    strings,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement


def names(found: t.Iterable[Statement]) -> dict[str, t.Any]:
    """Names of tables and indexes ([schema or None, name]), functions, types and extensions."""
    tables: dict[Name, None] = {}
    called: set[str] = set()
    types: set[str] = set()
    extensions: set[str] = set()
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            continue
        kind: t.Any = type(node)
        tables |= dict.fromkeys(relations(node))
        called |= {name[1] for name in functions(node)}
        if kind in {ast.DropStmt, ast.CommentStmt}:
            for item in node.objects if kind is ast.DropStmt else (node.object,):
                tables |= dict.fromkeys(_prefixes(item))
        elif kind is ast.IndexStmt and node.idxname:
            tables[node.relation.schemaname, node.idxname] = None
        elif kind is ast.CreateExtensionStmt:
            extensions.add(node.extname)
        elif kind is ast.AlterTableStmt:
            for command in node.cmds:
                part: t.Any = command.def_
                if isinstance(part, ast.ColumnDef) and part.typeName and part.typeName.names:
                    types.add(strings(part.typeName.names)[1])
                elif isinstance(part, ast.Constraint) and part.indexname:
                    tables[node.relation.schemaname, part.indexname] = None
    return {
        "tables": [list(name) for name in tables],
        "functions": sorted(called),
        "types": sorted(types),
        "extensions": sorted(extensions),
    }


def _prefixes(item: t.Any) -> list[Name]:
    """`a.b.c` may be a column, trigger or constraint c of the table a.b."""
    if not isinstance(item, tuple):
        return []
    return [strings(item)] + ([strings(item[:-1])] if len(item) > 1 else [])


__all__ = ("names",)
