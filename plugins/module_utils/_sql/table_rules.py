"""What decides beside the columns whether a row or a definition is taken, updated after each statement."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.routines import Routines
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name, relation_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import TableFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

_ENUM: t.Final = "E"


class TableRules:
    """Unique keys, routines, triggers, rules, labels of enums and casts. Tables by their names before the upgrade.

    Not the lock rules of `rules_*.py`. `known`: the server was asked.
    """

    def __init__(self, catalog: Catalog, facts: TableFacts) -> None:
        self._catalog, self.facts, objects = catalog, facts["writes"], facts["objects"]
        self.known = catalog.complete
        names: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
        self.name_of_oid = names
        # Without a size of its file, a table that seems empty may be one that nobody could look at.
        # What was empty when a file of facts was written may have rows by now.
        sized = () if facts.get("of_file") else (row for row in facts["classes"] if "total_bytes" in row)
        self.with_size = {names[row["oid"]] for row in sized}
        self.order: dict[Name, list[str]] = {}
        for column in facts["columns"]:
            if column["oid"] in names:
                self.order.setdefault(names[column["oid"]], []).append(column["name"])
        self.routines = Routines(self.facts["signatures"])
        self.uniques = UniqueKeys(catalog, self.facts["uniques"], names)
        self._triggers: dict[Name, list[TriggerRow]] = {}
        for trigger in self.facts["triggers"]:
            if trigger["oid"] in names:
                self._triggers.setdefault(names[trigger["oid"]], []).append(trigger)
        # Tables with triggers or rules of this upgrade, which may change every row.
        self.with_new_code: set[Name] = set()
        self.with_rules = {
            names[row["oid"]] for row in objects["parts"] if row["kind"] == "rule" and row["oid"] in names
        }
        self._labels: dict[str, set[str]] = {}
        # Where several types have one name, a name without a schema means the visible one.
        visible = {row["name"] for row in objects["types"] if row["visible"]}
        enums = (row for row in objects["types"] if row["category"] == _ENUM)
        types = [row for row in enums if row["visible"] or row["name"] not in visible]
        for kind in (*self.facts["enums"], *types):
            self._labels.setdefault(kind["name"], set()).update(kind["labels"])
        self.casts = {(row["source"], row["target"]) for row in self.facts["casts"]}

    def labels(self, kind: str) -> set[str] | None:
        """The values of an enum type, None where it is none or not known."""
        return self._labels.get(kind)

    def triggers(self, table: Table) -> list[TriggerRow]:
        """The triggers of a table and of its partitions."""
        return [row for name in (table.name, *table.children) for row in self._triggers.get(name, ())]

    def after(self, node: t.Any) -> None:
        """Apply a statement, before the catalogue does, so that names are those that the statement uses."""
        self.routines.after(node)
        self.uniques.after(node)
        # Not by isinstance: what it narrows to has every field as one that may be absent.
        kind: t.Any = type(node)
        if kind in {ast.CreateTrigStmt, ast.RuleStmt}:
            if table := self._catalog.table(relation_name(node.relation)):
                self.with_new_code.add(table.name)
        elif kind is ast.CreateEnumStmt:
            self._labels[qualified_name(node.typeName)[1]] = {item.sval for item in node.vals or ()}
        elif kind is ast.AlterEnumStmt:
            labels = self._labels.get(qualified_name(node.typeName)[1])
            if labels is not None and node.newVal:
                labels.discard(node.oldVal or "")
                labels.add(node.newVal)
        elif kind is ast.RenameStmt and node.renameType == ObjectType.OBJECT_TYPE:
            # An enum type that is renamed is not followed.
            for name in (qualified_name(node.object)[1], node.newname):
                self._labels.pop(name, None)


__all__ = ("TableRules",)
