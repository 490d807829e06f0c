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
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_bounds import empty, overlap
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_map import PartitionMap
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules


class PartitionJudge:
    """Judges each statement of the upgrade, in order. Tables by their names before the upgrade."""

    def __init__(
        self,
        catalog: Catalog,
        rules: TableRules,
        facts: DatabaseFacts,
        timezone: str,
        knows_rows: t.Callable[[int], bool] = lambda _number: False,
    ) -> None:
        """:param facts: the answer of live_facts.collect
        :param knows_rows: whether of the rows that a statement computes it is known if they are taken, by its number
        :param rules: the caller updates them after this judge has seen a statement
        """
        self._catalog, self._rules, self._timezone = catalog, rules, TimeZone(timezone)
        self._knows_rows = knows_rows
        self._map = PartitionMap(catalog, rules, facts, timezone)
        # Tables that this upgrade wrote to.
        self._written: set[Name] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        self._timezone.after(statement)
        self._map.timezone = self._timezone.value
        found = []
        for parent, child, given in self._new_partitions(statement.node):
            for words, sure in self._overlaps(parent, child, given):
                found.append(refusal("definition-refused", words, where, sure=sure and certain))
            found += self._rest(parent, child, given, where)
        for write in own_writes(statement.node):
            name = self._map.name(write.table)
            about: Where = where | {"table": dotted(name)}
            if not (certain and self._knows_rows(statement.number)):
                found += self._routed(write, name, about, certain=certain)
                found += self._direct(write, name, about, certain=certain)
            self._written.add(name)
        node: t.Any = statement.node
        if isinstance(node, ast.CreateStmt):
            self._map.created(node)
        elif isinstance(node, ast.AlterTableStmt):
            self._map.altered(node)
        elif isinstance(node, ast.RenameStmt):
            self._map.renamed(node)
        return found

    def _new_partitions(self, node: t.Any) -> t.Iterator[tuple[Name, Name, t.Any]]:
        """Parent, partition and bound of what becomes one."""
        kind: t.Any = type(node)
        if kind is ast.CreateStmt and node.partbound is not None and node.inhRelations:
            name = relation_name(node.relation)
            if not (node.if_not_exists and self._catalog.known(name)):
                yield self._map.name(relation_name(node.inhRelations[0])), self._catalog.qualified(name), node.partbound
        elif kind is ast.AlterTableStmt and node.objtype == ObjectType.OBJECT_TABLE:
            for command in node.cmds or ():
                if command.subtype == Command.AT_AttachPartition:
                    child = self._map.name(relation_name(command.def_.name))
                    yield self._map.name(relation_name(node.relation)), child, command.def_.bound

    def _overlaps(self, parent: Name, child: Name, node: t.Any) -> t.Iterator[tuple[str, bool]]:
        key = self._map.keys.get(parent)
        if key is None:
            return
        given = self._map.bound(parent, node)
        label = dotted(child)
        if given.strategy not in {key.strategy, "d"}:
            yield f"The bounds of {label} are of another strategy than the key of {dotted(parent)}", True
            return
        if empty(given):
            yield f"The bounds of {label} hold nothing: the lower one is not below the upper one", True
            return
        unsure = []
        for other, bound in self._map.partitions(parent).items():
            answer = overlap(given, bound) if bound else None
            if answer:
                what = "is the default partition as well" if given.strategy == "d" else "would overlap it"
                yield f"{dotted(other)} is a partition of {dotted(parent)} already, and {label} {what}", True
                return
            if answer is None:
                unsure.append(other)
        if unsure:
            yield f"Whether the bounds of {label} overlap those of {dotted(unsure[0])} is not known here", False
        self._map.bounds.setdefault(parent, {})[child] = given

    def _rest(self, parent: Name, child: Name, node: t.Any, where: Where) -> t.Iterator[Finding]:
        """Rows of the new partition in a default one that is so by this upgrade; of others judge_data.py speaks."""
        rest = self._map.default_of(parent) if parent in self._map.keys and not node.is_default else None
        known = next((table for table in self._catalog.tables.values() if table.name == parent), None)
        if rest is None or rest == child or (known and known.default_partition == rest):
            return
        if rest in self._catalog.created and not {parent, rest} & self._written:
            return
        words = f"Whether {dotted(rest)}, the default partition, holds rows of the new one is not known."
        yield finding("data-unknown", words, **(where | {"table": dotted(rest)}))

    def _routed(self, write: Write, name: Name, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        """Rows that are written to a partitioned table, and come into one of its partitions."""
        if name not in self._map.keys or self._map.takes_every_row(name):
            return
        label, keys = dotted(name), self._map.key_columns(name)
        if write.kind == "INSERT":
            columns = write.columns if write.columns is not None else self._map.order(name)
            answers = [self._map.taken(name, dict(zip(columns, row, strict=False))) for row in write.rows or ()]
            if False in answers and write.certain and certain:
                yield finding("data-refused", f"No partition of {label} takes a row of this: this will fail.", **where)
            elif write.rows is None or not all(answers):
                words = f"Whether {label} has a partition for each row of this is not known, and it has no default one."
                yield finding("data-unknown", words, **where)
            changed = _set_on_conflict(write)
        else:
            changed = set(write.columns or ()) if write.kind == "UPDATE" else set()
        if not changed & keys:
            return
        row = dict(zip(write.columns or (), (write.rows or ((),))[0], strict=False))
        if write.kind == "UPDATE" and self._map.taken(name, row, whole=False):
            return
        words = f"It changes the partition key of {label}, and whether a partition takes each row then is not known."
        yield finding("data-unknown", words, **where)

    def _direct(self, write: Write, name: Name, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        """Rows that are written to a partition itself, which stay in it."""
        part, parent = name, self._map.parent_of(name)
        while parent is not None and write.kind != "DELETE":
            columns = write.columns if write.columns is not None else self._map.order(name)
            words = f"{dotted(part)}, a partition of {dotted(parent)}"
            if write.kind == "INSERT":
                rows = [dict(zip(columns, row, strict=False)) for row in write.rows or ()]
                answers = [self._map.fits(parent, part, row) for row in rows]
                if False in answers and write.certain and certain:
                    yield finding("data-refused", f"A row is out of the bounds of {words}: this will fail.", **where)
                elif write.rows is None or not all(answers):
                    words = f"Whether each row of this lies within the bounds of {words}, is not known."
                    yield finding("data-unknown", words, **where)
            elif set(self._map.keys[parent].columns) & set(columns):
                row = dict(zip(columns, (write.rows or ((),))[0], strict=False))
                if not self._map.fits(parent, part, row, whole=False):
                    words = f"Whether each row then lies within the bounds of {words}, is not known."
                    yield finding("data-unknown", words, **where)
            part, parent = parent, self._map.parent_of(parent)


def _set_on_conflict(write: Write) -> set[str | None]:
    """Columns that ON CONFLICT DO UPDATE sets."""
    return {item.name for item in getattr(write.conflict, "targetList", None) or ()}


__all__ = ("PartitionJudge",)
