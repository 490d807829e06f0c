"""Rights on sequences that a write needs because of the defaults of columns which it leaves out. Pure.

Source: nextval_internal in src/backend/commands/sequence.c; a default is computed with the rights of who writes.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.need import EITHER, FOR_ROWS, Need
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequence_questions import sequence_calls
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name, writes

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


class DefaultRights:
    """Follows the defaults that the upgrade gives."""

    def __init__(
        self,
        catalog: Catalog,
        facts: DatabaseFacts,
        by_oid: t.Mapping[int, Name],
        order: t.Mapping[Name, list[str]],
        role: str,
    ) -> None:
        """:param order: by table its columns, as TableRules has them
        :param by_oid: the tables of `facts`
        :param role: the migrating one
        """
        self._catalog, self._order, self._role = catalog, order, role
        # By table and column, the sequence that the role may not use, in words.
        self._closed: dict[Name, dict[str, str]] = {}
        for row in facts["rights"]["defaults"]:
            label = f"{dotted((row['schema'], row['sequence']))}, which belongs to {row['owner']}"
            if row["oid"] in by_oid:
                self._closed.setdefault(by_oid[row["oid"]], {})[row["column"]] = label
        # What the upgrade itself gave: by table and column the sequence, None of another default.
        self._given: dict[Name, dict[str, Name | None]] = {}

    def of_column(self, need: Need) -> tuple[str, bool] | None:
        """Why the sequence of a column cannot be used, as a sentence without its end, and whether that is sure."""
        column = need.kind.removeprefix("sequence of ")
        label = self._closed.get(self._catalog.qualified(need.name), {}).get(column)
        return (f"The role {self._role} may not use the sequence {label}", need.right != FOR_ROWS) if label else None

    def needs(self, node: t.Any) -> t.Iterator[Need]:
        """What an INSERT needs for columns that it leaves out, and a new column for the rows that are there."""
        for change in writes(node) if isinstance(node, (ast.InsertStmt, ast.UpdateStmt, ast.SelectStmt)) else ():
            table = relation_name(change.relation)
            # An UPDATE without a row computes none.
            right = FOR_ROWS if isinstance(change, ast.UpdateStmt) else EITHER
            for column in self._computed(change, table):
                yield from self._need(table, column, right)
        if isinstance(node, ast.AlterTableStmt) and node.relation is not None:
            table = relation_name(node.relation)
            for command in () if self._catalog.is_new(table) else t.cast("t.Iterable[t.Any]", node.cmds or ()):
                if command.subtype == Command.AT_AddColumn:
                    yield from (Need("relation", FOR_ROWS, name) for name in _sequences(command.def_))

    def _need(self, table: Name, column: str, right: str) -> t.Iterator[Need]:
        given = self._given.get(self._catalog.qualified(table), {})
        if column in given:
            sequence = given[column]
            if sequence is not None:
                yield Need("relation", EITHER, sequence)
        elif self._closed.get(self._catalog.qualified(table), {}).get(column):
            yield Need(f"sequence of {column}", right, table)

    def _computed(self, change: t.Any, table: Name) -> t.Iterator[str]:
        """Columns whose default a write computes."""
        name = self._catalog.qualified(table)
        columns = {*self._closed.get(name, ()), *self._given.get(name, ())}
        targets = [str(item.name) for item in (getattr(change, "cols", None) or ())]
        if isinstance(change, ast.UpdateStmt):
            defaults: t.Any = change.targetList or ()
            yield from (str(item.name) for item in defaults if isinstance(item.val, ast.SetToDefault))
        elif isinstance(change, ast.InsertStmt):
            query: t.Any = change.selectStmt
            lists = [list(row) for row in (query.valuesLists or ())] if query is not None else []
            if not targets and query is not None:
                # Without names the values are those of the first columns.
                width = max((len(row) for row in lists), default=len(self._order.get(name, ())) if not lists else 0)
                targets = self._order.get(name, [])[:width]
            given = set(targets)
            for row in lists:
                given -= {
                    target for target, value in zip(targets, row, strict=False) if isinstance(value, ast.SetToDefault)
                }
            yield from sorted(columns - given)

    def after(self, node: t.Any) -> None:
        """Follow the defaults of tables that are made and altered."""
        if isinstance(node, ast.CreateStmt) and node.relation is not None:
            table = self._catalog.qualified(relation_name(node.relation))
            for item in t.cast("t.Iterable[t.Any]", node.tableElts or ()):
                for name in _sequences(item):
                    self._given.setdefault(table, {})[str(item.colname)] = name
        elif isinstance(node, ast.AlterTableStmt) and node.relation is not None:
            table = self._catalog.qualified(relation_name(node.relation))
            for command in t.cast("t.Iterable[t.Any]", node.cmds or ()):
                if command.subtype == Command.AT_ColumnDefault:
                    calls = [call.sequence for call in sequence_calls(command.def_) if call.sequence]
                    self._given.setdefault(table, {})[str(command.name)] = calls[0] if calls else None
                elif command.subtype == Command.AT_AddColumn:
                    for name in _sequences(command.def_):
                        self._given.setdefault(table, {})[str(command.def_.colname)] = name


def _sequences(column: t.Any) -> t.Iterator[Name]:
    """The sequences of a new column's default."""
    for item in (column.constraints or ()) if isinstance(column, ast.ColumnDef) else ():
        if item.contype == ConstrType.CONSTR_DEFAULT:
            yield from (call.sequence for call in sequence_calls(item.raw_expr) if call.sequence)


__all__ = ("DefaultRights",)
