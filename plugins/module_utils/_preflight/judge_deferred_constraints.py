"""Tables that a transaction changes while checks of their rows are put off to its commit. Pure functions over facts.

Source: CheckTableNotInUse in src/backend/commands/tablecmds.c, AfterTriggerSaveEvent in src/backend/commands/trigger.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_writes import DELETE, INSERT, UPDATE
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.own_writes import Write, own_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Constraint
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_BITS: t.Final = {"INSERT": INSERT, "UPDATE": UPDATE, "DELETE": DELETE}
_TABLES: t.Final = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE}


class DeferredConstraintJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        self._transaction: int | None = None
        # By table the constraints whose checks wait, each with whether that is certain.
        self._waiting: dict[Name, dict[str, bool]] = {}
        # What SET CONSTRAINTS said in this transaction; None stands for ALL.
        self._mode: dict[str | None, bool] = {}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the tables
        """
        if not self._rules.known:
            return []
        if statement.transaction is None or statement.transaction != self._transaction:
            self._transaction, self._waiting, self._mode = statement.transaction, {}, {}
        node, found = statement.node, []
        for name in _changed(node):
            waiting = self._waits(name)
            if waiting:
                constraint, sure = max(waiting.items(), key=lambda item: item[1])
                about: Where = where | {"table": dotted(self._key(name))}
                words = f"{dotted(self._key(name))} is changed while checks of {constraint} wait for the commit"
                if sure and certain:
                    found.append(finding("pending-trigger-events", f"{words}: this will fail.", **about))
                else:
                    words += ", if the statements before it changed a row that it checks."
                    found.append(finding("pending-trigger-events", words, severity="unknown", **about))
        if isinstance(node, ast.ConstraintsSetStmt):
            self._set(node)
        elif isinstance(node, ast.RenameStmt) and node.relation is not None and node.renameType in _TABLES:
            self._renamed(relation_name(node.relation), str(node.newname))
        for write in own_writes(node) if statement.transaction is not None else ():
            self._write(write)
        return found

    def _key(self, name: Name) -> Name:
        table = self._catalog.table(name)
        return table.name if table else self._catalog.qualified(name)

    def _waits(self, name: Name) -> dict[str, bool]:
        return {
            constraint: sure
            for part in self._catalog.with_partitions(name)
            for constraint, sure in self._waiting.get(self._key(part), {}).items()
        }

    def _renamed(self, name: Name, new: str) -> None:
        """A table of the server keeps its name here, a new one does not."""
        old = self._catalog.qualified(name)
        if self._catalog.table(name) is None and old in self._waiting:
            self._waiting[old[0], new] = self._waiting.pop(old)

    def _set(self, node: t.Any) -> None:
        names = [relation_name(item)[1] for item in node.constraints or ()]
        for name in names or (None,):
            self._mode[name] = bool(node.deferred)
        if not node.deferred:
            for waiting in self._waiting.values():
                for name in names or list(waiting):
                    waiting.pop(name, None)
        elif not names:
            self._mode = {None: True}

    def _put_off(self, name: str, *, deferrable: bool, deferred: bool) -> bool:
        return bool(deferrable and self._mode.get(name, self._mode.get(None, deferred)))

    def _wait(self, table: Name, constraint: str, *, sure: bool) -> None:
        waiting = self._waiting.setdefault(table, {})
        waiting[constraint] = sure or waiting.get(constraint, False)

    def _write(self, write: Write) -> None:
        target = self._key(write.table)
        table = self._catalog.table(write.table)
        # A trigger may leave the row out, a partition takes it, a conflict may, too.
        plain = write.certain and write.conflict is None
        plain = plain and target not in self._rules.with_new_code | self._rules.with_rules
        plain = plain and not (table and (table.kind != "r" or self._rules.triggers(table)))
        for item in self._catalog.constraints(write.table):
            if self._put_off(item.name, deferrable=item.deferrable, deferred=item.deferred) and _queues(item, write):
                self._wait(target, item.name or "a constraint", sure=plain)
        for row in self._rules.triggers(table) if table else ():
            if row["type"] & _BITS[write.kind] and self._put_off(
                row["name"], deferrable=row["deferrable"], deferred=row["deferred"]
            ):
                self._wait(target, row["name"], sure=False)


def _queues(item: Constraint, write: Write) -> bool:
    """Whether the statement can change what the constraint checks at the commit."""
    written = set(write.columns or ())
    if item.kind == "f" and item.outgoing:
        return write.kind == "INSERT" or (write.kind == "UPDATE" and bool(written & set(item.columns)))
    if item.kind == "f":
        # What acts on the other table acts at once.
        if write.kind == "DELETE":
            return item.on_delete == "a"
        return write.kind == "UPDATE" and item.on_update == "a" and bool(written & set(item.columns))
    return item.kind in {"p", "u", "x"} and write.kind == "UPDATE" and bool(written & set(item.columns))


def _changed(node: t.Any) -> list[Name]:
    """Tables that the statement refuses to change while checks of their rows wait."""
    if isinstance(node, ast.AlterTableStmt):
        return [relation_name(node.relation)] if node.objtype in _TABLES else []
    if isinstance(node, ast.IndexStmt):
        return [relation_name(node.relation)]
    if isinstance(node, ast.TruncateStmt):
        return [relation_name(relation) for relation in node.relations or ()]
    if isinstance(node, ast.DropStmt) and node.removeType in _TABLES:
        return [qualified_name(item) for item in node.objects or ()]
    return [relation_name(node.relation)] if isinstance(node, ast.ClusterStmt) and node.relation is not None else []


__all__ = ("DeferredConstraintJudge",)
