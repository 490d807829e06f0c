"""Tables of an upgrade that a publication takes up as they are made, though nothing identifies their rows. Pure.

A publication FOR ALL TABLES, or of a schema, has them at once: UPDATE and DELETE are refused without a key.
Source: CheckCmdReplicaIdentity in src/backend/executor/execReplication.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    qualified_name,
    relation_name,
    walk,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_relations import PublicationRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_PERMANENT, _NOTHING = "p", "n"


@dataclasses.dataclass
class _Table:
    made: Statement
    publications: list[PublicationRow]
    refused: bool = False


def changes_of(change: t.Any) -> set[str]:
    """What of UPDATE and DELETE a write may do."""
    if isinstance(change, ast.MergeStmt):
        kinds = {part.commandType.name.removeprefix("CMD_") for part in change.mergeWhenClauses or ()}
        return kinds & {"UPDATE", "DELETE"}
    conflict: t.Any = change.onConflictClause if isinstance(change, ast.InsertStmt) else None
    if conflict is not None and conflict.action.name == "ONCONFLICT_UPDATE":
        return {"UPDATE"}
    return {ast.UpdateStmt: {"UPDATE"}, ast.DeleteStmt: {"DELETE"}}.get(type(change), set())


def unidentified(statements: t.Sequence[Statement], facts: DatabaseFacts) -> list[Finding]:
    """One finding for each such table: at its first UPDATE or DELETE, else where it is made.

    :param facts: the answer of live_facts.collect
    """
    publications = facts["relations"]["publications"]
    found: list[Finding] = []
    if not publications:
        return []
    places = facts.get("places")
    path = places["path"] if places else []
    schema = next((place for place in path if not place.startswith("pg_")), "public")
    tables: dict[Name, _Table] = {}
    for statement in statements:
        node: t.Any = statement.node
        for change in writes(node):
            name = _full(relation_name(change.relation), schema)
            table = tables.get(name)
            kinds = changes_of(change)
            by = [row["name"] for row in (table.publications if table else ()) if _sends(row, kinds)]
            if table and by and not table.refused:
                table.refused = True
                words = f"{dotted(name)} has no replica identity, and {', '.join(by)} publishes it"
                where: Where = {"revision": statement.revision, "statement": statement.number, "table": dotted(name)}
                found.append(finding("replica-identity-lost", f"{words}: this {min(kinds)} will fail.", **where))
        _follow(statement, tables, publications, schema)
    for name, table in tables.items():
        if not table.refused:
            by = [row["name"] for row in table.publications]
            words = f"{dotted(name)} has no replica identity, and {', '.join(by)} publishes it from here on"
            at: Where = {"revision": table.made.revision, "statement": table.made.number, "table": dotted(name)}
            message = f"{words}: UPDATE and DELETE of it will fail."
            found.append(finding("replica-identity-lost", message, severity="warn", **at))
    return found


def _full(name: Name, schema: str) -> Name:
    return (name[0] or schema, name[1])


def _sends(row: PublicationRow, kinds: set[str]) -> bool:
    return (row["updates"] and "UPDATE" in kinds) or (row["deletes"] and "DELETE" in kinds)


def _follow(
    statement: Statement, tables: dict[Name, _Table], publications: t.Sequence[PublicationRow], schema: str
) -> None:
    node: t.Any = statement.node
    made = _made(node)
    if made is not None:
        name = _full(relation_name(made), schema)
        takes = [row for row in publications if row["every"] or name[0] in row["schemas"]]
        if takes:
            tables[name] = _Table(statement, takes)
    elif isinstance(node, ast.AlterTableStmt) and node.relation is not None:
        if any(_identifies(command) for command in t.cast("t.Any", node.cmds) or ()):
            tables.pop(_full(relation_name(node.relation), schema), None)
    elif isinstance(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_TABLE:
        for item in t.cast("t.Any", node.objects) or ():
            tables.pop(_full(qualified_name(item), schema), None)
    elif isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_TABLE:
        old = _full(relation_name(t.cast("t.Any", node.relation)), schema)
        if old in tables:
            tables[old[0], str(node.newname)] = tables.pop(old)


def _made(node: t.Any) -> t.Any:
    """The permanent table that a statement makes without a key; a partition has that of its parent."""
    if isinstance(node, ast.CreateTableAsStmt) and node.into is not None:
        relation: t.Any = node.into.rel
        return relation if relation.relpersistence == _PERMANENT and node.objtype == ObjectType.OBJECT_TABLE else None
    if not isinstance(node, ast.CreateStmt) or node.partbound is not None:
        return None
    relation = node.relation
    parts = list(walk(node.tableElts or ()))
    # LIKE may bring the key of another table.
    keyed = any(isinstance(part, ast.TableLikeClause) or _is_key(part) for part in parts)
    return None if keyed or relation is None or relation.relpersistence != _PERMANENT else relation


def _is_key(part: t.Any) -> bool:
    return isinstance(part, ast.Constraint) and part.contype == ConstrType.CONSTR_PRIMARY


def _identifies(command: t.Any) -> bool:
    if command.subtype == Command.AT_ReplicaIdentity:
        return bool(command.def_.identity_type != _NOTHING)
    if command.subtype == Command.AT_SetUnLogged:
        return True
    return command.subtype in {Command.AT_AddConstraint, Command.AT_AddColumn} and any(
        _is_key(part) for part in walk(command.def_)
    )


__all__ = ("changes_of", "unidentified")
