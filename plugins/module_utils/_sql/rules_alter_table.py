"""The rules of ALTER TABLE: the lock that each command asks for, and how far it reaches.

A statement takes the strongest lock that any of its commands asks for, from its start to its transaction's end:
AlterTableGetLockLevel in src/backend/commands/tablecmds.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import rules_column, rules_constraint
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_proofs import condition_of, text_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading

_SHARE_UPDATE_EXCLUSIVE = {
    Command.AT_SetStatistics, Command.AT_ClusterOn, Command.AT_DropCluster, Command.AT_SetOptions,
    Command.AT_ResetOptions, Command.AT_ValidateConstraint, Command.AT_AttachPartition,
    Command.AT_DetachPartitionFinalize,
}  # fmt: skip
_SHARE_ROW_EXCLUSIVE = {
    Command.AT_EnableTrig, Command.AT_EnableAlwaysTrig, Command.AT_EnableReplicaTrig, Command.AT_DisableTrig,
    Command.AT_EnableTrigAll, Command.AT_DisableTrigAll, Command.AT_EnableTrigUser, Command.AT_DisableTrigUser,
}  # fmt: skip
# reloptions.c: the lock each storage parameter asks for; all others SHARE UPDATE EXCLUSIVE.
_STRONG_PARAMETERS = {"user_catalog_table", "fastupdate", "gin_pending_list_limit", "buffering", "security_barrier",
                      "security_invoker", "check_option"}  # fmt: skip
# Commands that reach partitions and inheritance children as well (ATPrepCmd and ATSimpleRecursion).
_RECURSE = {Command.AT_AddColumn, Command.AT_ColumnDefault, Command.AT_DropNotNull, Command.AT_SetNotNull,
            Command.AT_DropColumn, Command.AT_AddConstraint, Command.AT_DropConstraint, Command.AT_AlterColumnType,
            Command.AT_ValidateConstraint, Command.AT_SetStatistics, Command.AT_SetStorage}  # fmt: skip
_RULE = {
    Command.AT_AddColumn: "add-column",
    Command.AT_SetNotNull: "set-not-null",
    Command.AT_AlterColumnType: "type-change",
    Command.AT_AddConstraint: "add-constraint",
    Command.AT_ValidateConstraint: "validate-constraint",
    Command.AT_AttachPartition: "attach-partition",
    Command.AT_DetachPartition: "detach-partition",
    Command.AT_DetachPartitionFinalize: "detach-partition",
    Command.AT_SetRelOptions: "storage-parameters",
    Command.AT_ResetRelOptions: "storage-parameters",
}


def alter_table(node: t.Any, reading: Reading) -> None:
    """Read one ALTER TABLE, or an ALTER INDEX, VIEW or SEQUENCE, which pglast parses into the same node."""
    if node.objtype == ObjectType.OBJECT_TYPE:
        # A composite type: no table is locked, but for typed tables, which only CASCADE may change.
        if any(command.behavior for command in node.cmds):
            label = dotted(relation_name(node.relation))
            words = f"ALTER TYPE {label} … CASCADE changes the tables of that type; it names none."
            reading.say("statement-opaque", words)
        return
    table = relation_name(node.relation)
    if node.missing_ok and reading.catalog.complete and not reading.catalog.known(table):
        return
    for command in node.cmds:
        kind = Command(command.subtype)
        mode = _mode(kind, command)
        reading.lock(table, mode, _RULE.get(kind, "alter-table"))
        if handler := _HANDLERS.get(kind):
            handler(table, command, reading)
        if node.relation.inh and kind in _RECURSE:
            _children(table, mode, reading)


def _children(table: Name, mode: Mode, reading: Reading) -> None:
    known = reading.catalog.table(table)
    if known is None:
        return
    own = next(effect for effect in reading.effects if effect.table == table)
    for child in known.children:
        reading.lock(child, mode, own.rule, rewrite=own.rewrite, scan=own.scan)


def _mode(kind: Command, command: t.Any) -> Mode:
    if kind in _SHARE_UPDATE_EXCLUSIVE:
        return Mode.SHARE_UPDATE_EXCLUSIVE
    if kind in _SHARE_ROW_EXCLUSIVE:
        return Mode.SHARE_ROW_EXCLUSIVE
    if kind == Command.AT_DetachPartition:
        return Mode.SHARE_UPDATE_EXCLUSIVE if command.def_.concurrent else Mode.ACCESS_EXCLUSIVE
    if kind in {Command.AT_SetRelOptions, Command.AT_ResetRelOptions}:
        strong = any(option.defname in _STRONG_PARAMETERS for option in command.def_)
        return Mode.ACCESS_EXCLUSIVE if strong else Mode.SHARE_UPDATE_EXCLUSIVE
    if kind == Command.AT_AddConstraint and command.def_.contype == ConstrType.CONSTR_FOREIGN:
        return Mode.SHARE_ROW_EXCLUSIVE
    return Mode.ACCESS_EXCLUSIVE


def _attach(table: Name, command: t.Any, reading: Reading) -> None:
    # PostgreSQL scans it unless a valid check constraint implies the bound. Only a constraint with the bound's own
    # text is recognised here; any other counts as a scan.
    child = relation_name(command.def_.name)
    strategy, columns = reading.catalog.partition_keys.get(reading.catalog.qualified(table), ("", ()))
    condition = condition_of(command.def_.bound, strategy, columns)
    wanted = None if condition is None else text_of(condition)
    proven = any(item.validated and item.condition == wanted for item in reading.catalog.constraints(child))
    reading.lock(child, Mode.ACCESS_EXCLUSIVE, "attach-partition", scan=not proven)
    known = reading.catalog.table(table)
    if known and known.default_partition:
        reading.lock(known.default_partition, Mode.ACCESS_EXCLUSIVE, "attach-partition", scan=True)


def _detach(table: Name, command: t.Any, reading: Reading) -> None:
    partition = relation_name(command.def_.name)
    known = reading.catalog.table(table)
    if command.def_.concurrent:
        reading.standalone = "ALTER TABLE … DETACH PARTITION … CONCURRENTLY"
    elif known and known.default_partition:
        reading.lock(known.default_partition, Mode.ACCESS_EXCLUSIVE, "detach-partition")
    # CONCURRENTLY: the second of its two transactions takes it on the partition alone.
    reading.lock(partition, Mode.ACCESS_EXCLUSIVE, "detach-partition")


def _inherit(_table: Name, command: t.Any, reading: Reading) -> None:
    mode = Mode.SHARE_UPDATE_EXCLUSIVE if command.subtype == Command.AT_AddInherit else Mode.ACCESS_SHARE
    reading.lock(relation_name(command.def_), mode, "inherit-parent")


def _persistence(table: Name, command: t.Any, reading: Reading) -> None:
    wanted = "p" if command.subtype == Command.AT_SetLogged else "u"
    _rewrite_unless(table, reading, already=lambda known: known.persistence == wanted)


def _tablespace(table: Name, command: t.Any, reading: Reading) -> None:
    _rewrite_unless(table, reading, already=lambda known: known.tablespace == command.name)


def _rewrite_unless(table: Name, reading: Reading, *, already: t.Callable[[Table], bool]) -> None:
    """A rewrite, unless the table has the wanted property already."""
    known = reading.catalog.table(table)
    if known is None or not already(known):
        reading.lock(table, Mode.ACCESS_EXCLUSIVE, "table-rewrite", rewrite=True)


def _access_method(table: Name, command: t.Any, reading: Reading) -> None:
    reading.needs_version(f"SET ACCESS METHOD on {dotted(table)}", 15)
    _rewrite_unless(table, reading, already=lambda known: known.access_method == command.name)


_HANDLERS: t.Final[dict[Command, t.Callable[[Name, t.Any, Reading], None]]] = {
    **rules_column.HANDLERS,
    **rules_constraint.HANDLERS,
    Command.AT_AttachPartition: _attach,
    Command.AT_DetachPartition: _detach,
    Command.AT_AddInherit: _inherit,
    Command.AT_DropInherit: _inherit,
    Command.AT_SetLogged: _persistence,
    Command.AT_SetUnLogged: _persistence,
    Command.AT_SetTableSpace: _tablespace,
    Command.AT_SetAccessMethod: _access_method,
}

__all__ = ("alter_table",)
