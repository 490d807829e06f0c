"""The commands of ALTER TABLE that are about a column."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_constraint import (
    foreign_key,
    inline,
    referenced,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    functions,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading

_ALTER = Mode.ACCESS_EXCLUSIVE
_INDEXED = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}


def volatile(expression: t.Any, catalog: Catalog) -> bool:
    """Whether an expression calls a volatile function, or one whose volatility is not known."""
    return any(catalog.volatility.get(name) not in {"i", "s"} for name in functions(expression))


def _add(table: Name, command: t.Any, reading: Reading) -> None:
    """ADD COLUMN rewrites for a value that differs from row to row. Source: ALTER TABLE, "Notes"."""
    column, catalog = command.def_, reading.catalog
    known = catalog.table(table)
    if command.missing_ok and known and column.colname in known.columns:
        return
    label = f"column {dotted(table)}.{column.colname}"
    kinds = {ConstrType(item.contype): item for item in column.constraints or ()}
    default = kinds.get(ConstrType.CONSTR_DEFAULT)
    has_default = default is not None and not _is_null(default.raw_expr)
    type_name = column.typeName.names[-1].sval
    # A domain with a constraint must be checked row by row, which ADD COLUMN does by rewriting; an enum need not.
    domain = catalog.domains.get(type_name)
    constrained = domain is not None and domain[2]
    rewrite = type_name in type_changes.SERIAL or ConstrType.CONSTR_IDENTITY in kinds or constrained
    # The domain's own default counts where the column has none.
    from_domain = default is None and not column.typeName.arrayBounds and type_name in catalog.domains_with_default
    rewrite = rewrite or (from_domain and catalog.domains_with_default[type_name])
    generated = kinds.get(ConstrType.CONSTR_GENERATED)
    if generated and generated.generated_kind == "v":
        reading.needs_version(f"virtual generated {label}", 18)
    elif generated:
        rewrite = True
    rewrite = rewrite or (default is not None and volatile(default.raw_expr, catalog))
    reading.lock(table, _ALTER, "add-column-rewrite" if rewrite else "add-column", rewrite=rewrite)
    not_null = bool({ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY} & kinds.keys())
    filled = (
        has_default
        or from_domain
        or generated is not None
        or type_name in type_changes.SERIAL
        or ConstrType.CONSTR_IDENTITY in kinds
    )
    if not_null:
        # What is computed when it is read, each row must be asked for.
        virtual = generated is not None and generated.generated_kind == "v"
        reading.lock(table, _ALTER, "add-column", scan=not rewrite and (not filled or virtual))
        if not filled:
            reading.say(
                "not-null-without-default",
                f"The {label} is NOT NULL without a default: this fails as soon as the table has one row.",
                table,
            )
    if _INDEXED & kinds.keys() or ConstrType.CONSTR_CHECK in kinds:
        reading.lock(table, _ALTER, "add-constraint", scan=True)
    if foreign := kinds.get(ConstrType.CONSTR_FOREIGN):
        # A new column that is null everywhere is not checked (transformFKConstraints: skip_validation).
        reading.lock(table, _ALTER, "foreign-key", scan=has_default)
        scan = None if has_default else False
        referenced(relation_name(foreign.pktable), "foreign-key", reading, scan=scan)
        key = foreign_key(table, foreign, (column.colname,), reading)
        catalog.add_constraint(table, inline(key, foreign, column.constraints))
    note_type(table, column.colname, column.typeName, catalog)
    own_value = has_default or from_domain
    if known and (added := _new_column(column.typeName, kinds, not_null=not_null, has_default=own_value)):
        known.columns[column.colname] = added


def note_type(table: Name, column: str, node: t.Any, catalog: Catalog) -> None:
    """A column of a table that others use got a type, which may be a domain that this upgrade changes later."""
    name = qualified_name(node.names)
    if name[0] != "pg_catalog" and not catalog.is_new(table):
        use = (catalog.qualified(table), column, bool(node.arrayBounds))
        catalog.domain_uses.setdefault(name, []).append(use)


def _new_column(node: t.Any, kinds: dict[ConstrType, t.Any], *, not_null: bool, has_default: bool) -> Column | None:
    """The column of a TypeName and constraints; None where its type is not followed."""
    kind, modifier, array = type_changes.type_name(node)
    if modifier is None or array:
        return None
    identity = kinds.get(ConstrType.CONSTR_IDENTITY)
    serial = node.names[-1].sval in type_changes.SERIAL
    return Column(
        kind,
        modifier,
        not_null or serial or identity is not None,
        has_default=has_default or serial,
        identity=identity.generated_when if identity else "",
        generated=ConstrType.CONSTR_GENERATED in kinds,
    )


def _is_null(expression: t.Any) -> bool:
    return isinstance(expression, ast.A_Const) and bool(expression.isnull)


def _set_not_null(table: Name, command: t.Any, reading: Reading) -> None:
    if not reading.catalog.proves_not_null(table, command.name):
        reading.lock(table, _ALTER, "set-not-null", scan=True)
    _update(table, command.name, reading, not_null=True)


def _drop_not_null(table: Name, command: t.Any, reading: Reading) -> None:
    _update(table, command.name, reading, not_null=False)


def _default(table: Name, command: t.Any, reading: Reading) -> None:
    _update(table, command.name, reading, has_default=command.def_ is not None and not _is_null(command.def_))


def _identity(table: Name, command: t.Any, reading: Reading) -> None:
    if command.subtype == Command.AT_DropIdentity:
        _update(table, command.name, reading, identity="")
    elif command.subtype == Command.AT_AddIdentity:
        _update(table, command.name, reading, identity=command.def_.generated_when)
    else:
        for option in command.def_ or ():
            if option.defname == "generated":
                _update(table, command.name, reading, identity=chr(option.arg.ival))


def _drop_expression(table: Name, command: t.Any, reading: Reading) -> None:
    _update(table, command.name, reading, generated=False)


def _update(table: Name, column: str, reading: Reading, **change: t.Any) -> None:
    known = reading.catalog.table(table)
    if known and (old := known.columns.get(column)):
        known.columns[column] = dataclasses.replace(old, **change)


def _alter_type(table: Name, command: t.Any, reading: Reading) -> None:
    """ALTER COLUMN … TYPE. Source: ATPostAlterTypeCleanup and CheckIndexCompatible, TryReuseForeignKey."""
    catalog, column, new = reading.catalog, command.name, command.def_.typeName
    old, known = catalog.column(table, column), catalog.table(table)
    answer = type_changes.file_effect(old, new, command.def_.raw_default, column, catalog)
    own = [item for item in catalog.constraints(table) if column in item.columns]
    # Another operator class or collation: indexes are built again and foreign keys are checked again.
    other_order = answer != "none" or old is None or not type_changes.same_order(old, new)
    # One with an expression or a predicate is built again in any case: CheckIndexCompatible in commands/indexcmds.c.
    index = bool(old and ((old.indexed and (other_order or command.def_.collClause)) or old.computed))
    scan = index or any(item.kind == "c" for item in own)
    reading.lock(table, _ALTER, "type-change", rewrite=answer != "none", scan=scan)
    if answer == "unknown":
        words = f"Whether the type change of {dotted(table)}.{column} rewrites the table is not known."
        reading.say("type-change-unknown", words, table)
    for item in own:
        if item.kind == "f" and item.other:
            again = other_order and item.validated
            reading.lock(table, _ALTER, "type-change", scan=again and item.outgoing)
            reading.lock(
                item.other, _ALTER, "type-change", scan=False if not again else None if item.outgoing else True
            )
    if known:
        kind, modifier, array = type_changes.type_name(new)
        known.columns.pop(column, None)
        note_type(table, column, new, catalog)
        if modifier is not None and not array:
            before = old or Column(kind)
            known.columns[column] = dataclasses.replace(before, type=kind, modifier=modifier)


def _drop(table: Name, command: t.Any, reading: Reading) -> None:
    for item in reading.catalog.constraints(table):
        if item.kind == "f" and item.other and item.outgoing and command.name in item.columns:
            for name in reading.catalog.with_partitions(item.other):
                reading.lock(name, _ALTER, "drop")
    reading.catalog.drop_constraints(table, lambda item: command.name in item.columns)
    reading.catalog.drop_indexes(table, command.name)
    if known := reading.catalog.table(table):
        known.columns.pop(command.name, None)
    if command.behavior:
        reading.say("statement-opaque", f"DROP COLUMN {command.name} CASCADE drops objects that it does not name.")


def _expression(table: Name, command: t.Any, reading: Reading) -> None:
    reading.needs_version(f"SET EXPRESSION on {dotted(table)}.{command.name}", 17)
    reading.lock(table, _ALTER, "table-rewrite", rewrite=True)


HANDLERS: t.Final[dict[Command, t.Callable[[Name, t.Any, Reading], None]]] = {
    Command.AT_AddColumn: _add,
    Command.AT_SetNotNull: _set_not_null,
    Command.AT_DropNotNull: _drop_not_null,
    Command.AT_ColumnDefault: _default,
    Command.AT_AddIdentity: _identity,
    Command.AT_SetIdentity: _identity,
    Command.AT_DropIdentity: _identity,
    Command.AT_DropExpression: _drop_expression,
    Command.AT_AlterColumnType: _alter_type,
    Command.AT_DropColumn: _drop,
    Command.AT_SetExpression: _expression,
}

__all__ = ("HANDLERS", "volatile")
