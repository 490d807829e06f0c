"""The cure of an ALTER TABLE: each of its commands by itself, in the order in which PostgreSQL would run them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import (
    rewrite_column,
    rewrite_constraint,
    rewrite_gap,
    rewrite_partition,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import alter, printed
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Step, Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene

# ATPrepCmd: what is dropped goes first, then types, then columns, then constraints.
_PASSES: t.Final = {
    Command.AT_DropColumn: 0, Command.AT_DropConstraint: 0, Command.AT_DropNotNull: 0, Command.AT_DropExpression: 0,
    Command.AT_DropIdentity: 0, Command.AT_AlterColumnType: 1, Command.AT_AddColumn: 2, Command.AT_SetExpression: 3,
    Command.AT_ColumnDefault: 4, Command.AT_SetNotNull: 5, Command.AT_AddIdentity: 5, Command.AT_SetIdentity: 5,
    Command.AT_AddConstraint: 7,
}  # fmt: skip
_REST = 8


def cure(node: t.Any, scene: Scene) -> list[Step] | None:
    """ALTER TABLE; None where it may stay as it is.

    :raises Uncurable: one of its commands has no other form
    """
    if node.objtype != ObjectType.OBJECT_TABLE:
        return None
    if [command.subtype for command in node.cmds] == [Command.AT_AttachPartition]:
        return rewrite_partition.attach(node, scene)
    if scene.large(relation_name(node.relation)) is None:
        return None
    # What it drops goes first.
    drops = rewrite_gap.drops_of(node, scene.catalog)
    before = copy.deepcopy(scene.leaving.now)
    scene.leaving.add(drops)
    cured = [(command, _command(node.relation, command, scene)) for command in node.cmds]
    scene.leaving.now = before
    if all(steps is None for _command_, steps in cured):
        return None
    rewrite_gap.assert_first(node, [step for _one, steps in cured for step in steps or ()], drops)
    found: list[Step] = []
    for command, steps in sorted(cured, key=lambda item: _pass(item[0])):
        kept = alter(node.relation, "VALIDATE CONSTRAINT c")
        kept.cmds, kept.missing_ok = (command,), node.missing_ok
        found += [Step(printed(kept), locks=True)] if steps is None else steps
    return found


def _pass(command: t.Any) -> float:
    kind = Command(command.subtype)
    indexed = kind == Command.AT_AddConstraint and command.def_.contype in {
        ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_EXCLUSION,
    }  # fmt: skip
    return 6 if indexed else _PASSES.get(kind, _REST)


def _command(table: t.Any, command: t.Any, scene: Scene) -> list[Step] | None:
    kind, name = Command(command.subtype), relation_name(table)
    if kind == Command.AT_AddColumn:
        return rewrite_column.add(table, command, scene)
    if kind == Command.AT_AddConstraint:
        return rewrite_constraint.add(table, command.def_, scene)
    if kind == Command.AT_SetNotNull and not scene.catalog.proves_not_null(name, command.name):
        return rewrite_constraint.set_not_null(table, command.name, scene)
    if kind == Command.AT_ValidateConstraint:
        return [rewrite_constraint.validate(table, command.name, late=True)]
    if kind == Command.AT_AlterColumnType and _rewrites(table, command, scene):
        raise Uncurable(
            "another type with the same name in one release keeps all out while the table is written: add a new column,"
            " fill it in batches, let the application use it, and drop the old one in a later release"
        )
    return None


def _rewrites(table: t.Any, command: t.Any, scene: Scene) -> bool:
    """Whether the table is written or read as a whole, tried on a copy of the catalogue."""
    node = alter(table, "VALIDATE CONSTRAINT c")
    node.cmds = (command,)
    return bool(scene.costly(node))


__all__ = ("cure",)
