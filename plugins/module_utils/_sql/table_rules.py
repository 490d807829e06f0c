"""What decides beside the columns whether a row or a definition is taken, moved on by the statements of an upgrade."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import named, strings
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

Row = dict[str, t.Any]
_ENUM: t.Final = "E"


class TableRules:
    """Unique keys, triggers, rules, labels of enums and casts. Tables by their names before the upgrade.

    `known`: the server was asked.
    """

    def __init__(self, catalog: Catalog, facts: dict[str, t.Any]) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog = catalog
        writes = facts.get("writes")
        self.known = catalog.complete and writes is not None
        self.facts: dict[str, t.Any] = writes or {}
        full: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
        self.full = full
        # Without a size of its file, a table that seems empty may be one that nobody could look at.
        self.measured = {full[row["oid"]] for row in facts["classes"] if "total_bytes" in row}
        self.order: dict[Name, list[str]] = {}
        for row in facts.get("columns", ()):
            if row["oid"] in full:
                self.order.setdefault(full[row["oid"]], []).append(row["name"])
        self.uniques = UniqueKeys(catalog, self.facts.get("uniques", ()), full)
        self._triggers: dict[Name, list[Row]] = {}
        for row in self.facts.get("triggers", ()):
            if row["oid"] in full:
                self._triggers.setdefault(full[row["oid"]], []).append(row)
        # Tables with triggers or rules of this upgrade, which may change every row.
        self.changed: set[Name] = set()
        objects = facts.get("objects") or {"parts": (), "types": ()}
        parts = objects["parts"]
        self.ruled = {full[row["oid"]] for row in parts if row["kind"] == "rule" and row["oid"] in full}
        self._labels: dict[str, set[str]] = {}
        types = (row for row in objects["types"] if row["category"] == _ENUM)
        for row in (*self.facts.get("enums", ()), *types):
            self._labels.setdefault(row["name"], set()).update(row["labels"])
        self.casts = {(row["source"], row["target"]) for row in self.facts.get("casts", ())}

    def labels(self, kind: str) -> set[str] | None:
        """The values of an enum type, None where it is none or not known."""
        return self._labels.get(kind)

    def triggers(self, table: Table) -> list[Row]:
        """Those of a table and of its partitions."""
        return [row for name in (table.name, *table.children) for row in self._triggers.get(name, ())]

    def after(self, node: t.Any) -> None:
        """Move on. Called before the catalogue is, so that names are those that the statement uses."""
        self.uniques.after(node)
        # Not by isinstance: what it narrows to has every field as one that may be absent.
        kind: t.Any = type(node)
        if kind in {ast.CreateTrigStmt, ast.RuleStmt}:
            if table := self._catalog.table(named(node.relation)):
                self.changed.add(table.name)
        elif kind is ast.CreateEnumStmt:
            self._labels[strings(node.typeName)[1]] = {item.sval for item in node.vals or ()}
        elif kind is ast.AlterEnumStmt:
            # What an old name may stand for is not followed: it counts as there.
            labels = self._labels.get(strings(node.typeName)[1])
            if labels is not None and node.newVal:
                labels.add(node.newVal)
        elif kind is ast.RenameStmt and node.renameType == ObjectType.OBJECT_TYPE:
            # An enum type that is renamed is not followed.
            for name in (strings(node.object)[1], node.newname):
                self._labels.pop(name, None)


__all__ = ("TableRules",)
