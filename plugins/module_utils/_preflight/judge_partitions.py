"""Bounds of partitions: what a new one would overlap, and rows that none takes. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import TimeZone
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_bounds import (
    Bound,
    Point,
    bound_of,
    bound_of_text,
    empty,
    overlap,
    point,
    takes,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules


class _Key(t.NamedTuple):
    """A partition key: names and types of its columns; an expression has neither."""

    strategy: str
    columns: tuple[str | None, ...]
    types: tuple[str, ...]


class PartitionJudge:
    """Followed from statement to statement. Tables by their names before the upgrade."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts, timezone: str) -> None:
        """:param facts: the answer of live_facts.collect
        :param rules: the caller moves them on after this judge has seen a statement
        """
        self._catalog, self._rules, self._timezone = catalog, rules, TimeZone(timezone)
        relations, names = facts["relations"], rules.name_of_oid
        self._keys = {
            names[row["oid"]]: _Key(row["strategy"], tuple(row["parts"]), tuple(row["types"]))
            for row in relations["keys"]
            if row["oid"] in names
        }
        self._bounds: dict[Name, dict[Name, Bound | None]] = {}
        for part in relations["bounds"]:
            if (parent := names.get(part["oid"])) in self._keys:
                bound = bound_of_text(part["bound"], self._keys[parent].types, timezone)
                self._bounds.setdefault(parent, {})[part["schema"], part["name"]] = bound

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: nothing before it may have changed the tables unseen
        """
        if not self._rules.known:
            return []
        self._timezone.after(statement)
        found = []
        for parent, child, given in self._new_partitions(statement.node):
            for words, sure in self._overlaps(parent, child, given):
                found.append(refusal("definition-refused", words, where, sure=sure and certain))
        for write in own_writes(statement.node):
            table = self._catalog.table(write.table)
            if table and table.kind == "p" and table.name in self._keys and write.kind == "INSERT":
                found += self._inserted(write, table, where | {"table": dotted(table.name)}, certain=certain)
        return found

    def _new_partitions(self, node: t.Any) -> t.Iterator[tuple[Table, Name, t.Any]]:
        """Parent, partition and bound of what becomes one; what ceases to be one is forgotten."""
        kind: t.Any = type(node)
        if kind is ast.CreateStmt and node.partbound is not None and node.inhRelations:
            parent, name = self._catalog.table(relation_name(node.inhRelations[0])), relation_name(node.relation)
            if parent and not (node.if_not_exists and self._catalog.known(name)):
                yield parent, self._catalog.qualified(name), node.partbound
        elif kind is ast.AlterTableStmt and node.objtype == ObjectType.OBJECT_TABLE:
            parent = self._catalog.table(relation_name(node.relation))
            for command in node.cmds or () if parent else ():
                child = self._name(relation_name(command.def_.name)) if hasattr(command.def_, "bound") else None
                if parent and child and command.subtype == Command.AT_AttachPartition:
                    yield parent, child, command.def_.bound
                elif parent and child and command.subtype == Command.AT_DetachPartition:
                    self._bounds.get(parent.name, {}).pop(child, None)

    def _name(self, name: Name) -> Name:
        table = self._catalog.table(name)
        return table.name if table else self._catalog.qualified(name)

    def _partitions_now(self, parent: Name) -> dict[Name, Bound | None]:
        """Of the partitions that are still tables; a table of the server keeps its name here."""
        names = {table.name for table in self._catalog.tables.values()} | self._catalog.created
        known = set(self._rules.name_of_oid.values())
        bounds = self._bounds.get(parent, {})
        return {child: bound for child, bound in bounds.items() if child in names or child not in known}

    def _overlaps(self, parent: Table, child: Name, node: t.Any) -> t.Iterator[tuple[str, bool]]:
        key = self._keys.get(parent.name)
        if key is None:
            return
        given = bound_of(node, key.types, self._timezone.value)
        label = dotted(child)
        if given.strategy not in {key.strategy, "d"}:
            yield f"The bounds of {label} are of another strategy than the key of {dotted(parent.name)}", True
            return
        if empty(given):
            yield f"The bounds of {label} hold nothing: the lower one is not below the upper one", True
            return
        unsure = []
        for other, bound in self._partitions_now(parent.name).items():
            answer = overlap(given, bound) if bound else None
            if answer:
                what = "is the default partition as well" if given.strategy == "d" else "would overlap it"
                yield f"{dotted(other)} is a partition of {dotted(parent.name)} already, and {label} {what}", True
                return
            if answer is None:
                unsure.append(other)
        if unsure:
            yield f"Whether the bounds of {label} overlap those of {dotted(unsure[0])} is not known here", False
        self._bounds.setdefault(parent.name, {})[child] = given

    def _inserted(self, write: Write, table: Table, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        if self._takes_every_row(table.name):
            return
        label = dotted(table.name)
        columns = write.columns if write.columns is not None else tuple(self._rules.order.get(table.name, ()))
        answers = [self._taken(table.name, dict(zip(columns, row, strict=False))) for row in write.rows or ()]
        if False in answers and write.certain and certain:
            yield finding("data-refused", f"No partition of {label} takes a row of this: this will fail.", **where)
        elif write.rows is None or not all(answers):
            words = f"Whether {label} has a partition for each row of this is not known, and it has no default one."
            yield finding("data-unknown", words, **where)

    def _takes_every_row(self, name: Name) -> bool:
        """Whether there is a partition for every row: a default one, or all remainders."""
        bounds = list(self._partitions_now(name).values())
        return any(bound and bound.strategy in {"d", "h"} for bound in bounds)

    def _taken(self, name: Name, row: dict[str, t.Any]) -> bool | None:
        """Whether a partition takes this row, at any depth; None where it is not known."""
        key, table = self._keys[name], self._catalog.table(name)
        values = []
        for column, kind in zip(key.columns, key.types, strict=True):
            known = table.columns.get(column) if table and column else None
            if column is None or known is None:
                values.append(Point())
            elif column in row:
                values.append(point(row[column], kind, self._timezone.value))
            else:
                values.append(Point() if known.has_default or known.identity else Point(null=True))
        answers: set[bool | None] = set()
        for child, bound in self._partitions_now(name).items():
            answer = takes(bound, values) if bound else None
            if answer and child in self._keys and not self._takes_every_row(child):
                answer = self._taken(child, row)
            answers.add(answer)
        return True if True in answers else None if None in answers else False


__all__ = ("PartitionJudge",)
