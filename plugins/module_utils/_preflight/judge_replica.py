"""Published tables without a replica identity, or that lose it: the server refuses their UPDATE and DELETE.

Source: CheckCmdReplicaIdentity in src/backend/executor/execReplication.c. Pure functions over facts.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.new_published import changes_of, unidentified
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_constraint import columns_below
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    qualified_name,
    relation_name,
    writes,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts, PublishedRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

_NOTHING, _DEFAULT, _FULL = "n", "d", "f"
# No oid of an index.
_OF_THIS_UPGRADE = -1


def lost_identities(statements: t.Sequence[Statement], facts: DatabaseFacts) -> list[Finding]:
    """One finding for each table that loses it and has none again when the transaction ends, or is written without one.

    :param facts: the answer of live_facts.collect
    """
    # What identifies the rows changes with the statements.
    tables = {row["oid"]: row.copy() for row in facts["published"]}
    published = {oid: row for oid, row in tables.items() if row["publications"]}
    new = unidentified(statements, facts)
    if not tables:
        return new
    names: dict[Name, int] = {(row["schema"], row["name"]): row["oid"] for row in facts["names"] if row["oid"]}
    full: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
    lost: dict[int, tuple[Statement, str]] = {}
    found: list[Finding] = new
    refused: set[int] = set()
    for statement in statements:
        found += _not_logged(statement, names, tables)
        for oid, words in _publishes(statement.node, names, tables):
            label = dotted(full[oid])
            at: Where = {"revision": statement.revision, "statement": statement.number, "table": label}
            found.append(finding("replica-identity-lost", f"{label} {words}", **at))
        for oid, kind in _writes_without(statement.node, names, published):
            if oid in refused or oid in lost:
                continue
            refused.add(oid)
            label, by = dotted(full[oid]), ", ".join(published[oid]["publications"])
            unfit = published[oid].get("unfit")
            why = (
                f"no replica identity that fits {unfit[0]}"
                if published[oid]["index_oid"] and unfit
                else "no replica identity"
            )
            words = f"{label} has {why}, and {by} publishes it: this {kind} will fail."
            place: Where = {"revision": statement.revision, "statement": statement.number, "table": label}
            found.append(finding("replica-identity-lost", words, **place))
        for oid, how in _changes(statement.node, names, published, facts):
            known = lost.get(oid)
            if how:
                lost.setdefault(oid, (statement, how))
            elif known and known[0].transaction is not None and known[0].transaction == statement.transaction:
                del lost[oid]
    for oid, (statement, how) in lost.items():
        label, by = dotted(full[oid]), ", ".join(published[oid]["publications"])
        words = f"{how} is the replica identity of {label}, which {by} publishes: UPDATE and DELETE of it will fail."
        where: Where = {"revision": statement.revision, "statement": statement.number, "table": label}
        found.append(finding("replica-identity-lost", words, **where))
    return found


def _writes_without(
    node: t.Any, names: t.Mapping[Name, int], published: t.Mapping[int, PublishedRow]
) -> t.Iterator[tuple[int, str]]:
    """Tables to which a statement writes though nothing identifies their rows, which no publication takes.

    Source: CheckCmdReplicaIdentity in src/backend/executor/execReplication.c.
    """
    for change in writes(node):
        oid = names.get(relation_name(change.relation))
        row = published.get(oid) if oid else None
        kinds = sorted(kind for kind in changes_of(change) if row and kind.lower() in row["kinds"])
        without = row and row["index_oid"] is None and row["identity"] in {_NOTHING, _DEFAULT}
        if oid and kinds and row and (without or row.get("unfit")):
            yield oid, kinds[0]


def _not_logged(
    statement: Statement, names: t.Mapping[Name, int], tables: t.Mapping[int, PublishedRow]
) -> t.Iterator[Finding]:
    """SET UNLOGGED of a table that a publication names. Source: ATPrepChangePersistence in commands/tablecmds.c."""
    node: t.Any = statement.node
    altered = isinstance(node, ast.AlterTableStmt) and node.relation is not None
    for command in (node.cmds or ()) if altered else ():
        row = tables.get(names.get(relation_name(node.relation)) or 0)
        if command.subtype == Command.AT_SetUnLogged and row and row["listed"]:
            label, by = dotted(relation_name(node.relation)), ", ".join(row["listed"])
            where: Where = {"revision": statement.revision, "statement": statement.number, "table": label}
            words = f"{label} cannot be made unlogged, for it is a part of {by}: this will fail."
            yield finding("definition-refused", words, severity="fail", **where)


def _publishes(
    node: t.Any, names: t.Mapping[Name, int], tables: t.Mapping[int, PublishedRow]
) -> t.Iterator[tuple[int, str]]:
    """Tables that a publication takes up, whose UPDATE and DELETE are refused from then on, and why.

    Sources: CheckCmdReplicaIdentity in executor/execReplication.c, pub_rf_contains_invalid_column and
    pub_contains_invalid_column in commands/publicationcmds.c.
    """
    kind: t.Any = type(node)
    if kind not in {ast.CreatePublicationStmt, ast.AlterPublicationStmt} or _publishes_rows_alone(node):
        return
    for item in node.pubobjects or ():
        oid = names.get(relation_name(item.pubtable.relation)) if item.pubtable is not None else None
        row = tables.get(oid) if oid else None
        if oid is None or row is None or row["identity"] == _FULL:
            continue
        identity = set(row["columns"])
        only = {part.sval for part in item.pubtable.columns or ()}
        filtered = set(columns_below(item.pubtable.whereClause)) - identity
        words = f"is published by {node.pubname} from here on"
        if row["index_oid"] is None:
            yield oid, f"{words} and has no replica identity: UPDATE and DELETE of it will fail."
        elif only and identity - only:
            yield oid, f"{words} without {min(identity - only)}, by which its rows are known: UPDATE of it will fail."
        elif filtered:
            yield oid, f"{words} by {min(filtered)}, by which its rows are not known: UPDATE of it will fail."


def _publishes_rows_alone(node: t.Any) -> bool:
    """Whether a publication sends no UPDATE and no DELETE; what one that is altered sends is not asked."""
    options = {option.defname: option.arg for option in node.options or ()}
    action = getattr(node, "action", None)
    if action is not None and action.name.endswith("DropObjects"):
        return True
    kinds = {part.strip() for part in str(getattr(options.get("publish"), "sval", "update")).split(",")}
    return not kinds & {"update", "delete"}


def _changes(
    node: t.Any, names: t.Mapping[Name, int], published: dict[int, PublishedRow], facts: DatabaseFacts
) -> t.Iterator[tuple[int, str]]:
    """Tables and what they lose, in words; empty where they get an identity."""
    if isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE and node.relation is not None:
        oid = names.get(relation_name(node.relation))
        for command in node.cmds or () if oid in published else ():
            how = _command(t.cast("t.Any", command), published[t.cast("int", oid)], facts)
            if how is not None:
                yield t.cast("int", oid), how
    elif isinstance(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_INDEX:
        for item in t.cast("t.Any", node.objects) or ():
            index = names.get(qualified_name(item))
            for oid, row in published.items():
                if index and index == row["index_oid"]:
                    yield oid, f"The index {qualified_name(item)[1]}"


def _command(command: t.Any, row: PublishedRow, facts: DatabaseFacts) -> str | None:
    kind = command.subtype
    if kind == Command.AT_ReplicaIdentity:
        row.update({"identity": command.def_.identity_type, "index_oid": None, "columns": [], "unfit": []})
        return "What REPLICA IDENTITY NOTHING takes away" if command.def_.identity_type == _NOTHING else ""
    if kind == Command.AT_AddConstraint and command.def_.contype == ConstrType.CONSTR_PRIMARY:
        if row["identity"] != _DEFAULT:
            return None
        row["index_oid"] = _OF_THIS_UPGRADE
        return ""
    own = [item for item in facts["constraints"] if row["index_oid"] and item["index_oid"] == row["index_oid"]]
    if kind == Command.AT_DropConstraint and any(item["name"] == command.name for item in own):
        return f"The constraint {command.name}"
    if kind == Command.AT_DropColumn and command.name in row["columns"]:
        return f"The column {command.name}"
    return None


__all__ = ("lost_identities",)
