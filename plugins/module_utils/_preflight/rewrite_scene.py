"""What a cure knows beside its statement: the tables as they are before it, and which of them are large."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_gap import Leaving
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import rules
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import blocks_writes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import TriggerRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


@dataclasses.dataclass
class Scene:
    """The state before a statement.

    :param version: the server's major version
    :param small: whether work on a table is brief
    :param given: names that were given to what is there for a while
    :param triggers: those of each table
    :param leaving: indexes that the revision has dropped
    """

    revision: str
    catalog: Catalog
    version: int
    small: t.Callable[[Table], bool]
    given: set[str] = dataclasses.field(default_factory=set)
    triggers: t.Mapping[Name, t.Sequence[TriggerRow]] = dataclasses.field(default_factory=dict)
    leaving: Leaving = dataclasses.field(default_factory=Leaving)

    def large(self, name: Name) -> Table | None:
        """The table that is there, where work on it is not brief; a partitioned one with the rows of its partitions."""
        table = self.catalog.table(name)
        if table is None or self.catalog.is_new(name):
            return None
        full = self.catalog.with_rows(table)
        return None if self.small(full) else full

    def costly(self, node: t.Any) -> str | None:
        """What a statement does to a large table under a lock that others wait for; None where it is brief."""
        return costly(rules.read(node, copy.deepcopy(self.catalog), self.version), self)

    def partitioned(self, name: Name) -> bool:
        table = self.catalog.table(name)
        return table is not None and table.kind == "p"

    def inherited(self, name: Name) -> bool:
        """Whether plain tables inherit from it."""
        table = self.catalog.table(name)
        return table is not None and table.kind != "p" and bool(table.children)

    def beside(self, table: Name, name: str) -> Name:
        """An index of *table* as a statement has to name it: found on the search path, where the table is found first.

        The index is in the schema of its table, and another of that name may come before it on the path.
        """
        schema = self.catalog.qualified(table)[0]
        return (table[0], name) if table[0] or schema == self.catalog.schema else (schema, name)

    def taken(self, table: Name) -> set[str]:
        """Names that a new constraint or index of *table* cannot have."""
        schema = self.catalog.qualified(table)[0]
        relations = {name[1] for name in (*self.catalog.tables, *self.catalog.created) if name[0] == schema}
        return relations | self.taken_constraints(table)

    def taken_constraints(self, table: Name) -> set[str]:
        """Names of constraints beside which PostgreSQL chooses another one: an index may have the same.

        Source: ChooseConstraintName. Of tables that the upgrade does not name, it is not known.
        """
        schema = self.catalog.qualified(table)[0]
        others = (item for name, item in self.catalog.tables.items() if name[0] == schema)
        names = {constraint.name for other in others for constraint in other.constraints if constraint.outgoing}
        return names | {item.name for item in self.catalog.constraints(table)} | self.given


def costly(reading: Reading, scene: Scene) -> str | None:
    """The answer of `Scene.costly` for a statement that was read already."""
    for effect in reading.effects:
        table = effect.table_before
        if table is None or effect.created_here or table.kind in {"p", "v"} or not blocks_writes(effect.mode):
            continue
        if (effect.rewrite or effect.scan) and not scene.small(table):
            doing = "writes" if effect.rewrite else "reads"
            return f"it {doing} all of {dotted(table.name)} under {effect.mode}"
    return None


__all__ = ("Scene", "costly")
