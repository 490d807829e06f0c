"""What a statement would make although it is there already: a half-applied migration, or one made by hand."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import TEMPORARY
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Remark
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    is_temporary,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


def existing_objects(node: t.Any, catalog: Catalog) -> list[Remark]:
    """Tables, indexes and columns that the statement makes without IF NOT EXISTS, and that exist."""
    found = []
    if isinstance(node, (ast.CreateStmt, ast.IndexStmt)) and not node.if_not_exists:
        table = relation_name(node.relation)
        if isinstance(node, ast.CreateStmt):
            name: Name = (TEMPORARY if is_temporary(node.relation) else table[0] or catalog.schema, table[1])
        else:
            name = (catalog.qualified(table)[0], node.idxname or "")
        if name in catalog.tables:
            found.append(Remark("object-exists", f"{dotted(name)} exists already: this will fail."))
        elif name in catalog.created:
            words = f"{dotted(name)} was made by this upgrade before: this will fail."
            found.append(Remark("object-exists", words))
    elif isinstance(node, ast.IndexStmt):
        found += _index_skipped(node, catalog)
    elif isinstance(node, ast.AlterTableStmt):
        found += _added_twice(node)
        for command in node.cmds or ():
            if isinstance(command, ast.AlterTableCmd) and command.subtype == Command.AT_AddConstraint:
                found += _index_taken(node, command.def_, catalog)
            elif isinstance(command, ast.AlterTableCmd) and command.subtype == Command.AT_AddColumn:
                name = relation_name(node.relation)
                column = getattr(command.def_, "colname", "")
                if not command.missing_ok and catalog.column(name, column):
                    words = f"{dotted(name)} has a column {column} already: this will fail."
                    found.append(Remark("object-exists", words, name))
    return found


def _added_twice(node: t.Any) -> t.Iterator[Remark]:
    """Two columns of one name in one statement."""
    added = [item.def_.colname for item in node.cmds or () if item.subtype == Command.AT_AddColumn and item.def_]
    for name in sorted({name for name in added if added.count(name) > 1}):
        table = relation_name(node.relation)
        yield Remark("object-exists", f"This adds the column {name} to {dotted(table)} twice: this will fail.", table)


def _index_skipped(node: t.Any, catalog: Catalog) -> t.Iterator[Remark]:
    """CREATE INDEX IF NOT EXISTS looks at the name alone: whatever is there counts as done."""
    table = relation_name(node.relation)
    index = catalog.tables.get((catalog.qualified(table)[0], node.idxname or ""))
    if index is None or catalog.is_new(table):
        return
    label = dotted(index.name)
    if index.table is None or index.table != getattr(catalog.table(table), "name", index.table):
        words = f"{label} exists and is no index of {dotted(table)}: IF NOT EXISTS skips this, and nothing is built."
    elif not index.valid:
        words = f"The index {label} exists and is invalid: IF NOT EXISTS skips this and records it as done."
    elif node.unique and not index.unique:
        words = f"The index {label} exists and is not unique: IF NOT EXISTS skips this and records it as done."
    else:
        return
    yield Remark("index-not-built", words, table)


def _index_taken(node: t.Any, constraint: t.Any, catalog: Catalog) -> t.Iterator[Remark]:
    """ADD CONSTRAINT … USING INDEX refuses an index that is invalid or not unique (transformIndexConstraint)."""
    index = catalog.table((node.relation.schemaname, constraint.indexname)) if constraint.indexname else None
    if index and not (index.valid and index.unique):
        wrong = "invalid" if not index.valid else "not unique"
        words = f"The index {dotted(index.name)} is {wrong}: no constraint can be made of it, so this will fail."
        yield Remark("index-not-built", words, relation_name(node.relation))


__all__ = ("existing_objects",)
