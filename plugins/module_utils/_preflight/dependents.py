"""What stands in the way of a DROP or a change of type because it depends on the object. Pure functions over facts.

Source: findDependentObjects in src/backend/catalog/dependency.c, RememberAllDependentForRebuilding in
src/backend/commands/tablecmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.type_changes import type_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ConstraintRow, TableFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import DependentRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.objects import Touch
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

Problem = tuple[str, "Name | None"]
# What a change of type cannot carry along; indexes, constraints and defaults are made anew.
_RETYPE = {"pg_rewrite", "pg_trigger", "pg_policy", "pg_publication_rel", "pg_proc"}
_STRING = "S"


class Dependents:
    """Follows each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, full: t.Mapping[int, Name], facts: TableFacts) -> None:
        """:param full: names of the tables by oid"""
        self._catalog, objects = catalog, facts["objects"]
        self._of_relation: dict[Name, list[DependentRow]] = {}
        self._of_name: dict[tuple[str, str], list[DependentRow]] = {}
        types = {row["oid"]: row["name"] for row in objects["types"]}
        for row in objects["dependents"]:
            if row["kind"] == "relation":
                if row["root"] in full:
                    self._of_relation.setdefault(full[row["root"]], []).append(row)
            else:
                name = types.get(row["root"]) if row["kind"] == "type" else row["root_name"]
                self._of_name.setdefault((row["kind"], str(name)), []).append(row)
        self._index_of: dict[tuple[Name, str], int] = {}
        self._users: dict[int, list[tuple[Name, str]]] = {}
        self._constraint_of = {full[row["oid"]]: row["name"] for row in objects["parts"] if row["kind"] == "owner"}
        for constraint in facts["constraints"]:
            self._learn(constraint, full)
        self._defaults = {
            (full[column["oid"]], column["name"]): column["has_default"]
            for column in facts["columns"]
            if column["oid"] in full
        }
        self._gone_parts: set[tuple[Name, str]] = set()
        # Types, by the names that they have now, of the columns to which this upgrade gave one.
        self._given: dict[tuple[Name, str], str] = {}
        # Names that a type had before this upgrade renamed it.
        self._renamed_types: set[str] = set()
        self._casts = {(row["source"], row["target"]) for row in objects["casts"]}
        self._categories = {row["name"]: row["category"] for row in objects["types"]}

    def _learn(self, row: ConstraintRow, full: t.Mapping[int, Name]) -> None:
        index, own = row["index_oid"], full.get(row["oid"])
        if not index or own is None:
            return
        if row["kind"] == "f":
            self._users.setdefault(index, []).append((own, row["name"]))
        else:
            self._index_of[own, row["name"]] = index

    def drop_part(self, table: Name, name: str) -> None:
        """A constraint, trigger, policy or column that is gone; `table` as it was called before the upgrade."""
        self._gone_parts.add((table, name))

    def of(self, node: t.Any, done: t.Sequence[Touch]) -> list[Problem]:
        """What stands in the way of this statement, each with the table that it is about."""
        found: list[Problem] = []
        if isinstance(node, ast.CreateCastStmt):
            self._catalog.created_enums.clear()
        dropped_here = {
            table.name
            for touch in done
            if touch.action == "drop" and touch.kind == "relation" and (table := self._catalog.table(touch.name))
        }
        for touch in done:
            if touch.action == "drop" and not touch.cascade:
                found += self._dropped(touch, dropped_here)
        if isinstance(node, ast.AlterTableStmt) and node.objtype == ObjectType.OBJECT_TABLE:
            table = self._catalog.table(relation_name(node.relation))
            if table:
                found += self._altered(table, node)
        if isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_TYPE:
            self._renamed(qualified_name(t.cast("t.Any", node.object))[1], str(node.newname))
        if isinstance(node, ast.TruncateStmt) and not node.behavior:
            found += self._emptied([relation_name(item) for item in t.cast("t.Any", node.relations)])
        return found

    def _renamed(self, old: str, new: str) -> None:
        """A type: what depends on it does so under its new name."""
        self._renamed_types.add(old)
        self._of_name["type", new] = self._of_name.pop(("type", old), [])
        if (category := self._categories.pop(old, None)) is not None:
            self._categories[new] = category
        self._given = {key: new if kind == old else kind for key, kind in self._given.items()}

    def _emptied(self, names: t.Sequence[Name]) -> t.Iterator[Problem]:
        """TRUNCATE without CASCADE refuses a table to which another one's foreign key leads, empty or not.

        Source: heap_truncate_check_FKs in src/backend/catalog/heap.c.
        """
        emptied = {part for name in names for part in map(self._catalog.qualified, self._catalog.with_partitions(name))}
        for name in names:
            table = self._catalog.table(name)
            keys = table.foreign_keys() if table else ()
            left = sorted({dotted(other) for key, other in keys if not key.outgoing and other not in emptied})
            if table and left:
                words = f"A foreign key of {', '.join(left[:3])} leads to {dotted(table.name)}, so that TRUNCATE must"
                yield f"{words} empty both, or say CASCADE: this will fail.", table.name

    def _dropped(self, touch: Touch, dropped_here: set[Name]) -> t.Iterator[Problem]:
        if touch.kind == "relation":
            if table := self._catalog.table(touch.name):
                rows = self._of_relation.get(table.name, ())
                yield from self._listed(dotted(table.name), table.name, rows, dropped_here | {table.name})
                name = self._constraint_of.get(table.name)
                if name and table.table and (table.table, name) not in self._gone_parts:
                    words = f"The index {dotted(table.name)} belongs to the constraint {name}: this will fail."
                    yield words, table.table
            return
        if touch.table is None:
            rows = self._of_name.get((touch.kind, touch.name[1]), [])
            if touch.kind == "type":
                rows = [row for row in rows if not self._has_another(row, touch.name[1])]
            yield from self._listed(f"{touch.kind} {dotted(touch.name)}", None, rows, dropped_here)
            return
        table = self._catalog.table(touch.table)
        if table is None:
            return
        if touch.kind == "constraint":
            users = self._users.get(self._index_of.get((table.name, touch.name[1]), 0), ())
            left = [(owner, part) for owner, part in users if self._still_exists(owner, part, dropped_here)]
            if left:
                labels = ", ".join(f"{part} on {dotted(owner)}" for owner, part in sorted(left)[:3])
                yield f"The foreign key {labels} needs the constraint {touch.name[1]}: this will fail.", table.name
        elif touch.kind == "column":
            rows = [row for row in self._of_relation.get(table.name, ()) if row["column"] == touch.name[1]]
            yield from self._listed(f"{dotted(table.name)}.{touch.name[1]}", table.name, rows, dropped_here)

    def _has_another(self, row: DependentRow, kind: str) -> bool:
        """Whether this upgrade gave the column another type than that, so that it needs it no more."""
        owner = _owner(row)
        given = self._given.get((owner, row["part"] or "")) if owner and row["class"] == "pg_class" else None
        return given is not None and given != kind

    def _listed(
        self, label: str, table: Name | None, rows: t.Iterable[DependentRow], dropped_here: set[Name]
    ) -> t.Iterator[Problem]:
        needed = (row for row in rows if row["strength"] == "n")
        # The server lists them in no order.
        left = sorted({_label(row) for row in needed if self._still_exists(_owner(row), row["part"], dropped_here)})
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            yield f"{', '.join(left[:3])}{more} depends on {label}: this will fail without CASCADE.", table

    def _still_exists(self, owner: Name | None, part: str | None, dropped_here: set[Name]) -> bool:
        """Neither dropped before in this upgrade nor by this statement. A renamed relation is still there."""
        if owner is None:
            return True
        renamed = any(table.name == owner for table in self._catalog.tables.values())
        there = renamed or owner not in self._catalog.dropped
        return there and owner not in dropped_here and (owner, part or "") not in self._gone_parts

    def _altered(self, table: Table, node: t.Any) -> t.Iterator[Problem]:
        dropped = {
            command.name
            for command in node.cmds
            if command.subtype == Command.AT_ColumnDefault and command.def_ is None
        }
        for command in node.cmds:
            kind, key = Command(command.subtype), (table.name, command.name)
            if kind == Command.AT_AlterColumnType:
                yield from self._retyped(
                    table, command, has_default=bool(self._defaults.get(key)) and command.name not in dropped
                )
                self._given[key] = type_name(command.def_.typeName)[0]
            elif kind == Command.AT_AddColumn:
                self._given[table.name, command.def_.colname] = type_name(command.def_.typeName)[0]
            elif kind in {Command.AT_ColumnDefault, Command.AT_DropColumn}:
                # The type of a default of this upgrade is not known.
                self._defaults[key] = False

    def _retyped(self, table: Table, command: t.Any, *, has_default: bool) -> t.Iterator[Problem]:
        label = f"{dotted(table.name)}.{command.name}"
        blocking = {
            _label(row)
            for row in self._of_relation.get(table.name, ())
            if row["column"] == command.name
            and self._blocks(row, table, command.name)
            and self._still_exists(_owner(row), row["part"], set())
        }
        if blocking:
            yield f"{', '.join(sorted(blocking)[:3])} uses {label}, whose type is changed: this will fail.", table.name
        old, (new, _modifier, array) = table.columns.get(command.name), type_name(command.def_.typeName)
        # A column of a type that was renamed is still said to be of the old name.
        renamed = new in self._renamed_types and (table.name, command.name) not in self._given
        if old is None or not self._casts or self._castable(old.type, new, array=array, renamed=renamed):
            return
        if command.def_.raw_default is None:
            yield (
                f"No cast leads from {old.type} to {new} by itself, and {label} has no USING: this will fail.",
                table.name,
            )
        elif has_default:
            yield f"The default of {label} cannot become {new}: this will fail unless it is dropped first.", table.name

    def _blocks(self, row: DependentRow, table: Table, column: str) -> bool:
        if row["class"] in {"pg_attrdef", "pg_class"}:
            # A generated column: until 14 the column itself depends on the other, since then its expression does.
            return bool(_owner(row) == table.name and row["part"] not in {None, column})
        return row["class"] in _RETYPE

    def _castable(self, old: str, new: str, *, array: bool, renamed: bool) -> bool:
        """By assignment: the same type, a cast of pg_cast, or the text form where the new type is a string.

        :param renamed: the old type is another one where it has the name of the new one
        """
        if domain := self._catalog.domains.get(new):
            new = domain[0]
        category = self._categories.get(new)
        if category is None and not array and new in self._catalog.created_enums and (old != new or renamed):
            # No cast leads to it yet, and a text becomes one only where USING says so.
            return False
        if old == new or (old, new) in self._casts or category is None:
            return True
        if array or old.startswith("_") or new.startswith("_"):
            # Arrays are cast member by member; a string takes any text form.
            return (array and old.startswith("_")) or (not array and category == _STRING)
        return bool(category == _STRING)


def _owner(row: DependentRow) -> Name | None:
    return (row["owner_schema"], row["owner"]) if row["owner"] else None


def _label(row: DependentRow) -> str:
    """A view is known by its name, not by that of its rule."""
    if row["class"] == "pg_rewrite":
        return f"view {row['owner_schema']}.{row['owner']}"
    return str(row["label"])


__all__ = ("Dependents",)
