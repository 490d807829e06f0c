"""What takes the place of an index that is dropped is built before the drop: no key and no plan is lost in between.

An original drops and builds in one transaction. A build that is CONCURRENTLY has transactions of its own: were it after
the drop, doubles would come in while it runs, it would fail, and the table would have no key at all.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Step
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog

_KEYS: t.Final = frozenset({"p", "u"})
_FIRST: t.Final = frozenset({Command.AT_AddColumn, Command.AT_AlterColumnType})


# Indexes by the full name of their table, and whether they keep doubles out.
Drops = dict[Name, dict[Name, bool]]


@dataclasses.dataclass
class Leaving:
    """Indexes that the revision drops.

    :param now: by the drops directly before the statement, which a build may come before
    :param keys: by tables, those of keys that were dropped further back
    """

    now: Drops = dataclasses.field(default_factory=dict)
    keys: dict[Name, set[Name]] = dataclasses.field(default_factory=dict)

    def add(self, drops: Drops) -> None:
        """A statement that does nothing else."""
        for table, names in drops.items():
            self.now.setdefault(table, {}).update(names)

    def passed(self, drops: Drops) -> None:
        """A statement that does more stands between them and what follows."""
        for table, names in (*self.now.items(), *drops.items()):
            if found := {name for name, key in names.items() if key}:
                self.keys.setdefault(table, set()).update(found)
        self.now = {}

    def assert_none_further_back(self, table: Name) -> None:
        """Check that no key of the table was dropped before something that its successor cannot come before.

        :raises Uncurable: it was
        """
        if gone := self.keys.get(table):
            words = f"{dotted(min(gone))} is dropped before it, and until the build ends nothing would keep doubles out"
            raise Uncurable(f"{words}: build the new index in a revision before this one")


def drops_of(node: t.Any, catalog: Catalog) -> Drops:
    """The indexes that a statement drops, with or without a constraint, before it is run."""
    # Not by isinstance: what it narrows to has every field as one that may be absent.
    kind: t.Any = type(node)
    found: Drops = {}
    if kind is ast.DropStmt and node.removeType == ObjectType.OBJECT_INDEX:
        for name in map(qualified_name, node.objects):
            index = catalog.table(name)
            if index is not None and index.table is not None:
                found.setdefault(index.table, {})[catalog.qualified(name)] = index.unique
    elif kind is ast.AlterTableStmt and node.objtype == ObjectType.OBJECT_TABLE:
        table = relation_name(node.relation)
        full = catalog.qualified(table)
        for name in (item.name for item in node.cmds if item.subtype == Command.AT_DropConstraint):
            key = any(item.kind in _KEYS for item in catalog.constraints(table, name))
            found.setdefault(full, {})[full[0], name] = key
    return found


def only_drops(node: t.Any) -> bool:
    """Whether a statement with drops does nothing else."""
    kind: t.Any = type(node)
    return kind is ast.DropStmt or all(item.subtype == Command.AT_DropConstraint for item in node.cmds)


def assert_first(node: t.Any, steps: t.Iterable[Step], drops: Drops) -> None:
    """Check that what an ALTER TABLE builds can come before what the same one drops.

    :raises Uncurable: it needs a column of the same statement
    """
    kinds = {Command(item.subtype) for item in node.cmds}
    if drops and kinds & _FIRST and any(step.early for step in steps):
        words = "it drops a constraint and builds another one of a column that is new: make the column in a revision"
        raise Uncurable(f"{words} before this one")


__all__ = ("Drops", "Leaving", "assert_first", "drops_of", "only_drops")
