"""The second message, from the judge to the collector: the names about which facts are wanted, and what to parse."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.breakage import breakage
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.key_questions import key_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.objects import touches
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.parse_questions import parse_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    functions,
    named,
    relations,
    strings,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_TAKING = {ast.AlterTableStmt, ast.DropStmt, ast.RenameStmt, ast.TruncateStmt, ast.AlterObjectSchemaStmt}


def names(found: t.Sequence[Statement]) -> dict[str, t.Any]:
    """Names of tables and indexes ([schema or None, name]), functions, types and extensions.

    `parsed`: statements that the server is to parse, by number. `taken`: tables of which the running version may lose
    something. `emptied`, `deleted`: tables of TRUNCATE … CASCADE and of DELETE, which reach further over foreign keys.
    """
    tables: dict[Name, None] = {}
    called: set[str] = set()
    types: set[str] = set()
    extensions: set[str] = set()
    emptied: dict[Name, None] = {}
    taken: dict[Name, None] = {}
    deleted: dict[Name, None] = {}
    for statement in found:
        node: t.Any = statement.node
        if node is None:
            continue
        kind: t.Any = type(node)
        tables |= dict.fromkeys(relations(node))
        if kind in _TAKING:
            taken |= dict.fromkeys(remark.table for remark in breakage(node, Catalog()) if remark.table)
        if kind is ast.TruncateStmt and node.behavior:
            emptied |= dict.fromkeys(named(relation) for relation in node.relations)
        deleted |= dict.fromkeys(named(part.relation) for part in writes(node) if isinstance(part, ast.DeleteStmt))
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
    objects = _objects(found, tables)
    called |= set(objects["functions"])
    return {
        "parsed": parse_questions(found),
        "keys": key_questions(found),
        "objects": objects,
        "tables": [list(name) for name in tables],
        "functions": sorted(called),
        "types": sorted(types),
        "extensions": sorted(extensions),
        "taken": [list(name) for name in taken],
        "emptied": [list(name) for name in emptied],
        "deleted": [list(name) for name in deleted],
    }


def _objects(found: t.Iterable[Statement], tables: dict[Name, None]) -> dict[str, t.Any]:
    """Names of objects that are no tables; of those that are dropped or changed, so that dependents are asked for.

    `tables` gets the relations that statements make.
    """
    by_kind: dict[str, set[str]] = {}
    dropped: dict[str, set[str]] = {}
    changed: dict[Name, None] = {}
    casts = False
    for statement in found:
        for touch in touches(statement.node) if statement.node is not None else ():
            if touch.kind == "relation" and touch.table is not None:
                tables[touch.table[0], touch.name[1]] = None
            elif touch.kind == "relation":
                tables[touch.name] = None
            elif touch.kind == "value" and touch.table is not None:
                by_kind.setdefault("type", set()).add(touch.table[1])
            by_kind.setdefault(touch.kind, set()).add(touch.name[1])
            if touch.action == "drop" and not touch.cascade:
                dropped.setdefault(touch.kind, set()).add(touch.name[1])
                if touch.kind == "relation" or touch.table is not None:
                    changed[touch.table or touch.name] = None
        if isinstance(statement.node, ast.AlterTableStmt) and statement.node.relation is not None:
            kinds = {command.subtype for command in statement.node.cmds or () if isinstance(command, ast.AlterTableCmd)}
            if Command.AT_AlterColumnType in kinds:
                casts = True
                changed[named(statement.node.relation)] = None
    return {
        "types": sorted(by_kind.get("type", ())),
        "functions": sorted(by_kind.get("function", ())),
        "roles": sorted(by_kind.get("role", ())),
        "schemas": sorted(by_kind.get("schema", ())),
        "classes": sorted(by_kind.get("operator class", ())),
        "collations": sorted(by_kind.get("collation", ())),
        "extensions": sorted(by_kind.get("extension", ())),
        "changed": [list(name) for name in changed],
        "casts": casts,
        **{f"dropped_{kind}s": sorted(dropped.get(kind, ())) for kind in ("type", "function", "schema", "extension")},
    }


def _prefixes(item: t.Any) -> list[Name]:
    """`a.b.c` may be a column, trigger or constraint c of the table a.b."""
    if not isinstance(item, tuple):
        return []
    return [strings(item)] + ([strings(item[:-1])] if len(item) > 1 else [])


__all__ = ("names",)
