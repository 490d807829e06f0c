"""Unique indexes of the tables in question, updated after each statement of an upgrade."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import UniqueRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

_KEYS: t.Final = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}


@dataclasses.dataclass(frozen=True)
class Unique:
    """A unique index.

    :param columns: of its key, None for an expression
    :param constraint: the name of the constraint that it belongs to
    :param immediate: not DEFERRABLE
    """

    name: str
    columns: tuple[str | None, ...]
    partial: bool = False
    immediate: bool = True
    valid: bool = True
    constraint: str | None = None


class UniqueKeys:
    """The unique indexes of each table, kept under the name that the table had before the upgrade."""

    def __init__(self, catalog: Catalog, rows: t.Iterable[UniqueRow], full: t.Mapping[int, Name]) -> None:
        """:param rows: `uniques` of write_facts.collect
        :param full: names of the tables by oid
        """
        self._catalog = catalog
        self._keys: dict[Name, list[Unique]] = {}
        for row in rows:
            if row["oid"] in full:
                key = Unique(
                    row["name"], tuple(row["columns"]), row["partial"], row["immediate"], row["valid"],
                    row["constraint"],
                )  # fmt: skip
                self._keys.setdefault(full[row["oid"]], []).append(key)

    def of(self, table: Table) -> list[Unique]:
        """The unique keys of a table of the server."""
        return self._keys.get(table.name, [])

    def after(self, node: t.Any) -> None:
        """Apply a statement, before the catalogue does, so that names are those that the statement uses."""
        if isinstance(node, ast.IndexStmt) and node.unique:
            items = node.indexParams or ()
            self._add(relation_name(node.relation), Unique(
                node.idxname or "", tuple(item.name or None for item in items), partial=node.whereClause is not None
            ))  # fmt: skip
        elif isinstance(node, ast.AlterTableStmt):
            for command in node.cmds or ():
                self._altered(relation_name(node.relation), command)
        elif isinstance(node, ast.DropStmt) and node.removeType == ObjectType.OBJECT_INDEX:
            for item in node.objects or ():
                index = self._catalog.table(qualified_name(item))
                if index and index.table:
                    self._drop(index.table, qualified_name(item)[1])
        elif isinstance(node, ast.RenameStmt) and node.relation is not None:
            self._renamed(node)

    def _add(self, table: Name, key: Unique) -> None:
        known = self._catalog.table(table)
        if known and not any(item.name == key.name and item.name for item in self.of(known)):
            self._keys.setdefault(known.name, []).append(key)

    def _drop(self, table: Name, name: str) -> None:
        self._keep(table, lambda key: key.name != name)

    def _keep(self, table: Name, stays: t.Callable[[Unique], bool]) -> None:
        self._keys[table] = [key for key in self._keys.get(table, ()) if stays(key)]

    def _altered(self, table: Name, command: t.Any) -> None:
        known, part = self._catalog.table(table), command.def_
        if known is None:
            return
        if command.subtype == Command.AT_AddConstraint and part.contype in _KEYS:
            self._constraint(known, table, part, tuple(key.sval for key in part.keys or ()))
        elif command.subtype == Command.AT_AddColumn:
            for item in part.constraints or ():
                if item.contype in _KEYS:
                    self._constraint(known, table, item, (part.colname,))
        elif command.subtype == Command.AT_DropConstraint:
            self._keep(known.name, lambda key: key.constraint != command.name)
        elif command.subtype == Command.AT_DropColumn:
            self._keep(known.name, lambda key: command.name not in key.columns)

    def _constraint(self, known: Table, table: Name, part: t.Any, columns: tuple[str, ...]) -> None:
        if part.indexname:
            old = next((key for key in self.of(known) if key.name == part.indexname), None)
            self._keep(known.name, lambda key: key is not old)
            columns = t.cast("tuple[str, ...]", old.columns) if old else ()
        name = part.conname or part.indexname or ""
        self._add(table, Unique(name, columns, immediate=not part.deferrable, constraint=name))

    def _renamed(self, node: t.Any) -> None:
        known, kind = self._catalog.table(relation_name(node.relation)), ObjectType(node.renameType)
        if known is None:
            return
        new = node.newname
        if kind == ObjectType.OBJECT_COLUMN:
            self._change(known.name, lambda key: dataclasses.replace(key, columns=tuple(
                new if name == node.subname else name for name in key.columns)))  # fmt: skip
        elif kind == ObjectType.OBJECT_TABCONSTRAINT:
            self._change(known.name, lambda key: dataclasses.replace(key, name=new, constraint=new)
                         if key.constraint == node.subname else key)  # fmt: skip
        elif kind == ObjectType.OBJECT_INDEX and known.table:
            self._change(known.table, lambda key: dataclasses.replace(key, name=new, constraint=new
                         if key.constraint else None) if key.name == node.relation.relname else key)  # fmt: skip

    def _change(self, table: Name, change: t.Callable[[Unique], Unique]) -> None:
        self._keys[table] = [change(key) for key in self._keys.get(table, ())]


__all__ = ("Unique", "UniqueKeys")
