# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""The rules of ALTER TABLE.

A statement takes the strongest lock that any of its commands asks for, from its start to its transaction's end:
AlterTableGetLockLevel in src/backend/commands/tablecmds.c.
"""

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils import _type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._catalog import checked_not_null
from ansible_collections.ai_platform.agent.plugins.module_utils._lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._statements import Name, dotted, functions, named
from pglast import ast
from pglast.enums.parsenodes import AlterTableType as Command
from pglast.enums.parsenodes import ConstrType, ObjectType

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._reading import Reading

_WEAK = {Command.AT_SetStatistics, Command.AT_ClusterOn, Command.AT_DropCluster, Command.AT_SetOptions,
         Command.AT_ResetOptions, Command.AT_ValidateConstraint, Command.AT_AttachPartition,
         Command.AT_DetachPartitionFinalize}  # fmt: skip
_WRITES = {Command.AT_EnableTrig, Command.AT_EnableAlwaysTrig, Command.AT_EnableReplicaTrig, Command.AT_DisableTrig,
           Command.AT_EnableTrigAll, Command.AT_DisableTrigAll, Command.AT_EnableTrigUser,
           Command.AT_DisableTrigUser}  # fmt: skip
# reloptions.c: the lock each storage parameter asks for; all others SHARE UPDATE EXCLUSIVE.
_STRONG_PARAMETERS = {"user_catalog_table", "fastupdate", "gin_pending_list_limit", "buffering", "security_barrier",
                      "security_invoker", "check_option"}  # fmt: skip
# Commands that reach partitions and inheritance children as well (ATPrepCmd and ATSimpleRecursion).
_RECURSE = {Command.AT_AddColumn, Command.AT_ColumnDefault, Command.AT_DropNotNull, Command.AT_SetNotNull,
            Command.AT_DropColumn, Command.AT_AddConstraint, Command.AT_DropConstraint, Command.AT_AlterColumnType,
            Command.AT_ValidateConstraint, Command.AT_SetStatistics, Command.AT_SetStorage}  # fmt: skip
_SERIAL = {"serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"}
# pg_proc.provolatile of functions that defaults commonly use, for a judgement without a server.
_NOT_VOLATILE = frozenset(
    [
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "timezone",
        "to_timestamp",
        "to_char",
        "concat",
        "lower",
        "upper",
        "md5",
        "array_fill",
        "jsonb_build_object",
        "json_build_object",
        "jsonb_build_array",
        "json_build_array",
        "date_trunc",
        "make_interval",
        "current_setting",
        "coalesce",
        "length",
        "trim",
        "btrim",
        "replace",
        "round",
        "abs",
        "to_jsonb",
        "to_json",
    ]
)

RULE = {
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


def volatile(expression: t.Any, catalog: Catalog) -> bool:
    """Whether an expression calls a volatile function, or one whose volatility is not known."""
    for name in functions(expression):
        known = catalog.volatility.get(name)
        if known == "v" or (known is None and name[1] not in _NOT_VOLATILE):
            return True
    return False


def alter_table(node: ast.AlterTableStmt, catalog: Catalog, version: int, reading: Reading) -> None:
    """Read one ALTER TABLE (or ALTER INDEX, VIEW, SEQUENCE … in the same clothes)."""
    table = named(node.relation)
    if node.objtype == ObjectType.OBJECT_TYPE:
        return  # a composite type: typed tables aside, no table is locked
    for command in node.cmds:
        kind = Command(command.subtype)
        mode = _mode(kind, command)
        reading.lock(table, mode, RULE.get(kind, "alter-table"))
        if handler := _HANDLERS.get(kind):
            handler(table, command, catalog, version, reading)
        _children(table, node, kind, mode, catalog, reading)


def _children(table: Name, node: t.Any, kind: Command, mode: Mode, catalog: Catalog, reading: Reading) -> None:
    known = catalog.table(table)
    if known is None or kind not in _RECURSE or not node.relation.inh:
        return
    own = next(effect for effect in reading.effects if effect.table == table)
    for child in known.children:
        reading.lock(child, mode, own.rule, rewrite=own.rewrite, scan=own.scan)


def _mode(kind: Command, command: t.Any) -> Mode:
    if kind in _WEAK:
        return Mode.SHARE_UPDATE_EXCLUSIVE
    if kind in _WRITES:
        return Mode.SHARE_ROW_EXCLUSIVE
    if kind == Command.AT_DetachPartition:
        return Mode.SHARE_UPDATE_EXCLUSIVE if command.def_.concurrent else Mode.ACCESS_EXCLUSIVE
    if kind in {Command.AT_SetRelOptions, Command.AT_ResetRelOptions}:
        strong = any(option.defname in _STRONG_PARAMETERS for option in command.def_)
        return Mode.ACCESS_EXCLUSIVE if strong else Mode.SHARE_UPDATE_EXCLUSIVE
    if kind == Command.AT_AddConstraint and command.def_.contype == ConstrType.CONSTR_FOREIGN:
        return Mode.SHARE_ROW_EXCLUSIVE
    return Mode.ACCESS_EXCLUSIVE


def _add_column(table: Name, command: t.Any, catalog: Catalog, version: int, reading: Reading) -> None:
    column = command.def_
    mode, label = Mode.ACCESS_EXCLUSIVE, f"column {dotted(table)}.{column.colname}"
    kinds = {ConstrType(item.contype): item for item in column.constraints or ()}
    default = kinds.get(ConstrType.CONSTR_DEFAULT)
    type_name = column.typeName.names[-1].sval
    rewrite = type_name in _SERIAL or ConstrType.CONSTR_IDENTITY in kinds
    if generated := kinds.get(ConstrType.CONSTR_GENERATED):
        # Without STORED a generated column is virtual, which exists since 18 and is computed when read.
        virtual = generated.generated_kind == "v"
        if virtual:
            reading.since(f"virtual generated {label}", 18, version)
        rewrite = rewrite or not virtual
    if default is not None and volatile(default.raw_expr, catalog):
        rewrite = True
    if len(column.typeName.names) == 1 and type_name not in _SERIAL | _type_changes._BUILT_IN:
        # A domain with a constraint is rewritten (before 19), an enum or an extension's type is not.
        rewrite = rewrite or type_name in catalog.constrained_domains
    reading.lock(table, mode, "add-column-rewrite" if rewrite else "add-column", rewrite=rewrite)
    is_null = default is None and not rewrite and generated is None
    needs_value = {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY} & kinds.keys()
    if needs_value and is_null:
        reading.say(
            "not-null-without-default",
            f"{label} is NOT NULL without a default: this fails as soon as the table has one row.",
            table,
        )
    if {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE} & kinds.keys() or ConstrType.CONSTR_CHECK in kinds:
        reading.lock(table, mode, "add-constraint", scan=True)
    if foreign := kinds.get(ConstrType.CONSTR_FOREIGN):
        # A new column that is null everywhere is not checked (transformAlterTableStmt: skipValidation).
        reading.lock(table, mode, "foreign-key", scan=default is not None)
        reading.lock(named(foreign.pktable), Mode.SHARE_ROW_EXCLUSIVE, "foreign-key")


def _set_not_null(table: Name, command: t.Any, catalog: Catalog, _version: int, reading: Reading) -> None:
    if not catalog.proves_not_null(table, command.name):
        reading.lock(table, Mode.ACCESS_EXCLUSIVE, "set-not-null", scan=True)


def _alter_type(table: Name, command: t.Any, catalog: Catalog, _version: int, reading: Reading) -> None:
    column = command.name
    answer = _type_changes.change(
        catalog.column(table, column),
        command.def_.typeName,
        command.def_.raw_default,
        column,
        utc=catalog.timezone_is_utc,
    )
    known = catalog.table(table)
    own = [item for item in known.constraints if column in item.columns] if known else []
    scan = any(item.kind == "c" for item in own)
    reading.lock(table, Mode.ACCESS_EXCLUSIVE, "type-change", rewrite=answer != "none", scan=scan)
    if answer == "unknown" and not catalog.is_new(table):
        reading.say(
            "type-change-unknown",
            f"whether the type change of {dotted(table)}.{column} rewrites the table is not known.",
            table,
        )
    for item in own:
        if item.kind == "f" and item.other:  # dropped and made again (ATPostAlterTypeCleanup)
            reading.lock(item.other, Mode.ACCESS_EXCLUSIVE, "type-change")


def _add_constraint(table: Name, command: t.Any, catalog: Catalog, version: int, reading: Reading) -> None:
    constraint = command.def_
    kind = ConstrType(constraint.contype)
    waits = bool(constraint.skip_validation)
    if kind == ConstrType.CONSTR_FOREIGN:
        reading.lock(table, Mode.SHARE_ROW_EXCLUSIVE, "foreign-key", scan=not waits)
        reading.lock(named(constraint.pktable), Mode.SHARE_ROW_EXCLUSIVE, "foreign-key")
    elif kind == ConstrType.CONSTR_CHECK:
        reading.lock(table, Mode.ACCESS_EXCLUSIVE, "add-constraint", scan=not waits)
        if not constraint.is_enforced:
            reading.since(f"NOT ENFORCED on a check of {dotted(table)}", 18, version)
        if constraint.conname:
            catalog.added[table, constraint.conname] = (checked_not_null(constraint.raw_expr), not waits)
    elif kind == ConstrType.CONSTR_NOTNULL:
        reading.since(f"a named NOT NULL constraint on {dotted(table)}", 18, version)
        reading.lock(table, Mode.ACCESS_EXCLUSIVE, "add-constraint", scan=not waits)
    else:
        if constraint.without_overlaps:
            reading.since(f"WITHOUT OVERLAPS on {dotted(table)}", 18, version)
        if constraint.nulls_not_distinct:
            reading.since(f"NULLS NOT DISTINCT on {dotted(table)}", 15, version)
        scan = constraint.indexname is None
        if kind == ConstrType.CONSTR_PRIMARY and not scan:
            # Its columns become NOT NULL; which they are, the index knows.
            keys = _index_columns(table, constraint.indexname, catalog)
            scan = keys is None or not all(catalog.proves_not_null(table, key) for key in keys)
        reading.lock(table, Mode.ACCESS_EXCLUSIVE, "add-constraint", scan=scan)


def _index_columns(table: Name, index: str, catalog: Catalog) -> tuple[str, ...] | None:
    known = catalog.tables.get((table[0], index))
    return tuple(known.columns) if known and known.columns else None


def _validate(table: Name, command: t.Any, catalog: Catalog, _version: int, reading: Reading) -> None:
    reading.lock(table, Mode.SHARE_UPDATE_EXCLUSIVE, "validate-constraint", scan=True)
    if (table, command.name) in catalog.added:
        catalog.added[table, command.name] = (catalog.added[table, command.name][0], True)
    for item in _constraints(table, command.name, catalog):
        if item.kind == "f" and item.other:
            reading.lock(item.other, Mode.ROW_SHARE, "validate-constraint")
        if item.not_null_of:
            catalog.added[table, command.name] = (item.not_null_of, True)


def _constraints(table: Name, name: str | None, catalog: Catalog) -> list[t.Any]:
    known = catalog.table(table)
    return [item for item in known.constraints if name is None or item.name == name] if known else []


def _drop_constraint(table: Name, command: t.Any, catalog: Catalog, _version: int, reading: Reading) -> None:
    catalog.added.pop((table, command.name), None)
    for item in _constraints(table, command.name, catalog):
        if item.kind == "f" and item.other:
            reading.lock(item.other, Mode.ACCESS_EXCLUSIVE, "drop")


def _drop_column(table: Name, command: t.Any, catalog: Catalog, _version: int, reading: Reading) -> None:
    for item in _constraints(table, None, catalog):
        if item.kind == "f" and item.other and command.name in item.columns:
            reading.lock(item.other, Mode.ACCESS_EXCLUSIVE, "drop")


def _attach(table: Name, command: t.Any, _catalog: Catalog, _version: int, reading: Reading) -> None:
    # Scanned unless a valid check constraint already implies the bound; this module does not prove that it does.
    reading.lock(named(command.def_.name), Mode.ACCESS_EXCLUSIVE, "attach-partition", scan=True)


def _detach(table: Name, command: t.Any, _catalog: Catalog, _version: int, reading: Reading) -> None:
    partition = named(command.def_.name)
    if command.def_.concurrent:
        reading.alone = "ALTER TABLE … DETACH PARTITION … CONCURRENTLY"
        # The first of its two transactions locks like this, the second takes ACCESS EXCLUSIVE on the partition alone.
        reading.lock(partition, Mode.ACCESS_EXCLUSIVE, "detach-partition")
    else:
        reading.lock(partition, Mode.ACCESS_EXCLUSIVE, "detach-partition")


def _inherit(table: Name, command: t.Any, _catalog: Catalog, _version: int, reading: Reading) -> None:
    reading.lock(named(command.def_), Mode.SHARE_UPDATE_EXCLUSIVE, "inherit-parent")


def _rewritten(table: Name, _command: t.Any, _catalog: Catalog, _version: int, reading: Reading) -> None:
    reading.lock(table, Mode.ACCESS_EXCLUSIVE, "table-rewrite", rewrite=True)


def _expression(table: Name, command: t.Any, _catalog: Catalog, version: int, reading: Reading) -> None:
    reading.since(f"SET EXPRESSION on {dotted(table)}.{command.name}", 17, version)
    _rewritten(table, command, _catalog, version, reading)


def _access_method(table: Name, command: t.Any, catalog: Catalog, version: int, reading: Reading) -> None:
    reading.since(f"SET ACCESS METHOD on {dotted(table)}", 15, version)
    _rewritten(table, command, catalog, version, reading)


_Handler = t.Callable[[Name, t.Any, "Catalog", int, "Reading"], None]
_HANDLERS: t.Final[dict[Command, _Handler]] = {
    Command.AT_AddColumn: _add_column,
    Command.AT_SetNotNull: _set_not_null,
    Command.AT_AlterColumnType: _alter_type,
    Command.AT_AddConstraint: _add_constraint,
    Command.AT_ValidateConstraint: _validate,
    Command.AT_DropConstraint: _drop_constraint,
    Command.AT_DropColumn: _drop_column,
    Command.AT_AttachPartition: _attach,
    Command.AT_DetachPartition: _detach,
    Command.AT_AddInherit: _inherit,
    Command.AT_DropInherit: _inherit,
    Command.AT_SetLogged: _rewritten,
    Command.AT_SetUnLogged: _rewritten,
    Command.AT_SetTableSpace: _rewritten,
    Command.AT_SetAccessMethod: _access_method,
    Command.AT_SetExpression: _expression,
}

__all__ = ("alter_table", "volatile")
