"""The second message, from the judge to the collector: the names about which facts are wanted, and what to parse."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.address_questions import address_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import looks
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import relations_made
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.immutable_questions import immutable_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.key_questions import check_questions, key_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.needed_rights import needed_rights
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.objects import row_types, touches
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.parse_questions import (
    body_questions,
    grammar_questions,
    parse_questions,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.plan_questions import plan_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.removals import removals
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequence_questions import sequence_question
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.shape_questions import shape_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    functions,
    qualified_name,
    relation_name,
    relations,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_MAY_REMOVE = {ast.AlterTableStmt, ast.DropStmt, ast.RenameStmt, ast.TruncateStmt, ast.AlterObjectSchemaStmt}


def facts_request(found: t.Sequence[Statement]) -> dict[str, t.Any]:
    """Names of tables and indexes ([schema or None, name]), functions, types and extensions.

    `statements`: those that the server is to parse, by number. `usage_tables`: tables of which the running version may
    lose something. `truncated_tables`, `deletion_tables`: tables of TRUNCATE … CASCADE and of DELETE, which reach
    further over foreign keys.
    """
    nodes: list[t.Any] = [statement.node for statement in found if statement.node is not None]
    tables = dict.fromkeys(name for node in nodes for name in _tables(node))
    called = {name[1] for node in nodes for name in functions(node)}
    truncated_tables: dict[Name, None] = {}
    usage_tables: dict[Name, None] = {}
    deletion_tables: dict[Name, None] = {}
    for node in nodes:
        if type(node) in _MAY_REMOVE:
            usage_tables |= dict.fromkeys(remark.table for remark in removals(node, Catalog()) if remark.table)
        if isinstance(node, ast.TruncateStmt) and node.behavior:
            truncated_tables |= dict.fromkeys(relation_name(relation) for relation in node.relations or ())
        deletions = (part for part in writes(node) if isinstance(part, ast.DeleteStmt))
        deletion_tables |= dict.fromkeys(relation_name(part.relation) for part in deletions)
    objects = _objects(found, tables)
    asked = parse_questions(found)
    called |= set(objects["functions"])
    return {
        "statements": asked,
        "planned": plan_questions(found),
        "addresses": address_questions(found),
        "shaped": shape_questions(found, {number for number, _text in asked}),
        "bodies": body_questions(found),
        "grammar": grammar_questions(found),
        "settings": list(_settings(found)),
        "immutable": immutable_questions(found),
        "keys": key_questions(found),
        "checks": check_questions(found),
        "sequences": sequence_question(found),
        "objects": objects,
        "rights": _rights(nodes),
        "tables": [list(name) for name in tables],
        "functions": sorted(called),
        "created_functions": sorted(_created_functions(found)),
        "types": sorted({name for node in nodes for name in (*_column_types(node), *_changed_domains(node))}),
        "domains": sorted({name for node in nodes for name in _changed_domains(node)}),
        "extensions": sorted(
            {node.extname for node in nodes if isinstance(node, (ast.CreateExtensionStmt, ast.AlterExtensionStmt))}
        ),
        "publishes": any(isinstance(node, (ast.CreatePublicationStmt, ast.AlterPublicationStmt)) for node in nodes),
        "usage_tables": [list(name) for name in usage_tables],
        "truncated_tables": [list(name) for name in truncated_tables],
        "deletion_tables": [list(name) for name in deletion_tables],
    }


def _tables(node: t.Any) -> t.Iterator[Name]:
    """Relations in a statement: those that it names as such, and names that may be one's."""
    yield from relations(node)
    kind: t.Any = type(node)
    for made in relations_made(node):
        yield node.relation.schemaname, made
    for need in needed_rights(node):
        if need.kind.startswith("sequence of "):
            yield need.name
    if kind in {ast.DropStmt, ast.CommentStmt}:
        for item in node.objects if kind is ast.DropStmt else (node.object,):
            yield from _prefixes(item)
    elif kind is ast.IndexStmt and node.idxname:
        yield node.relation.schemaname, node.idxname
    elif kind is ast.AlterTableStmt:
        for part in (command.def_ for command in node.cmds):
            if isinstance(part, ast.Constraint) and part.indexname:
                yield node.relation.schemaname, part.indexname


def _column_types(node: t.Any) -> t.Iterator[str]:
    """Types that ALTER TABLE gives to columns."""
    kind: t.Any = type(node)
    for part in (command.def_ for command in node.cmds) if kind is ast.AlterTableStmt else ():
        if isinstance(part, ast.ColumnDef) and part.typeName and part.typeName.names:
            yield qualified_name(part.typeName.names)[1]


def _changed_domains(node: t.Any) -> t.Iterator[str]:
    """Domains whose new constraint the server holds against all rows."""
    if isinstance(node, ast.AlterDomainStmt):
        yield qualified_name(node.typeName or ())[1]


# Settings that are not tried: those of the transaction and of the role. The server can be asked to try all others.
_NOT_TRIED = {"role", "session_authorization", "search_path", "transaction_isolation", "transaction_read_only",
              "transaction_deferrable", "default_transaction_read_only"}  # fmt: skip


def _settings(found: t.Iterable[Statement]) -> t.Iterator[tuple[int, str, str]]:
    """Number of the statement, name and value of each plain SET, and of set_config() with constants."""
    for statement in found:
        node: t.Any = statement.node
        if isinstance(node, ast.VariableSetStmt) and node.name and node.name not in _NOT_TRIED:
            values = [_word(item) for item in t.cast("t.Any", node.args) or ()]
            if values and None not in values:
                yield statement.number, str(node.name), ", ".join(map(str, values))
        for target in (getattr(node, "targetList", None) or ()) if isinstance(node, ast.SelectStmt) else ():
            call = target.val
            if isinstance(call, ast.FuncCall) and qualified_name(call.funcname or ())[1] == "set_config":
                words = [_word(item) for item in t.cast("t.Any", call.args) or ()][:2]
                if len(words) == 2 and words[0] and words[1] is not None and words[0].lower() not in _NOT_TRIED:
                    yield statement.number, words[0], words[1]


def _word(node: t.Any) -> str | None:
    value = node.val if isinstance(node, ast.A_Const) else None
    if isinstance(value, ast.String):
        return str(value.sval)
    if isinstance(value, ast.Integer):
        return str(value.ival or 0)
    return str(value.fval) if isinstance(value, ast.Float) else None


def _rights(nodes: t.Iterable[t.Any]) -> dict[str, list[str]]:
    """Names of routines, types and roles of which the upgrade needs a right, and schemas in which it grants."""
    needs = {need for node in nodes for need in needed_rights(node)}
    kinds = {
        "routines": {"routine"},
        "types": {"type"},
        "roles": {"role"},
        "schemas": {"all tables", "all sequences", "all routines"},
    }
    return {name: sorted({need.name[1] for need in needs if need.kind in kind}) for name, kind in kinds.items()}


def _created_functions(found: t.Iterable[Statement]) -> set[str]:
    nodes: t.Iterable[t.Any] = (statement.node for statement in found)
    return {qualified_name(node.funcname or ())[1] for node in nodes if isinstance(node, ast.CreateFunctionStmt)}


def _objects(found: t.Sequence[Statement], tables: dict[Name, None]) -> dict[str, t.Any]:
    """Names of objects that are no tables; of those that are dropped or changed, so that dependents are asked for.

    `tables` gets the relations that statements make.
    """
    by_kind: dict[str, set[str]] = {}
    dropped: dict[str, set[str]] = {}
    changed: dict[Name, None] = {}
    casts = False
    statistics: set[str] = set()
    before = _types_before(found)
    for statement in found:
        statistics |= _statistics(statement.node)
        by_kind.setdefault("type", set()).update(name for _schema, name in row_types(statement.node))
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
                dropped[touch.kind] |= before.get((touch.kind, touch.name[1]), set())
                if touch.kind == "relation" or touch.table is not None:
                    changed[touch.table or touch.name] = None
        if isinstance(statement.node, ast.AlterTableStmt) and statement.node.relation is not None:
            kinds = {command.subtype for command in statement.node.cmds or () if isinstance(command, ast.AlterTableCmd)}
            if Command.AT_AlterColumnType in kinds:
                casts = True
                changed[relation_name(statement.node.relation)] = None
    looked = [look for item in found if item.condition is not None for look in looks(item.condition)]
    for look in looked:
        if look.kind == "label":
            by_kind.setdefault("type", set()).add(look.table or "")
        elif look.kind in {"type", "function", "extension", "role", "schema"}:
            by_kind.setdefault(look.kind, set()).add(look.name)
    looked = [look for look in looked if look.kind in {"relation", "column", "constraint"}]
    tables |= {(look.schema, look.table): None for look in looked if look.table is not None}
    return {
        "looked_relations": sorted({look.name if look.kind == "relation" else look.table or "" for look in looked}),
        "looked_columns": sorted({look.name for look in looked if look.kind == "column"}),
        "looked_constraints": sorted({look.name for look in looked if look.kind == "constraint"}),
        "types": sorted(by_kind.get("type", ())),
        "functions": sorted(by_kind.get("function", ())),
        "roles": sorted(by_kind.get("role", ())),
        "schemas": sorted(by_kind.get("schema", ())),
        "classes": sorted(by_kind.get("operator class", ())),
        "collations": sorted(by_kind.get("collation", ())),
        "extensions": sorted(by_kind.get("extension", ())),
        "languages": sorted(by_kind.get("language", ())),
        "tablespaces": sorted(by_kind.get("tablespace", ())),
        "statistics": sorted(statistics),
        "changed": [list(name) for name in changed],
        "casts": casts,
        **{f"dropped_{kind}s": sorted(dropped.get(kind, ())) for kind in ("type", "function", "schema", "extension")},
    }


def _types_before(found: t.Sequence[Statement]) -> dict[tuple[str, str], set[str]]:
    """By kind and name: what a type was called before this upgrade renamed it."""
    before: dict[tuple[str, str], set[str]] = {}
    for node in (statement.node for statement in found):
        if isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_TYPE:
            old = qualified_name(t.cast("t.Any", node.object))[1]
            before["type", str(node.newname)] = {old, *before.get(("type", old), ())}
    return before


def _statistics(node: t.Any) -> set[str]:
    """Names of statistics objects that a statement makes, drops or renames."""
    if isinstance(node, ast.CreateStatsStmt) and node.defnames:
        return {qualified_name(node.defnames)[1]}
    if isinstance(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_STATISTIC_EXT:
        return {qualified_name(item)[1] for item in node.objects or () if isinstance(item, tuple)}
    if isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_STATISTIC_EXT:
        return {qualified_name(t.cast("t.Any", node.object))[1], str(node.newname)}
    return set()


def _prefixes(item: t.Any) -> list[Name]:
    """`a.b.c` may be a column, trigger or constraint c of the table a.b."""
    if not isinstance(item, tuple):
        return []
    return [qualified_name(item)] + ([qualified_name(item[:-1])] if len(item) > 1 else [])


__all__ = ("facts_request",)
