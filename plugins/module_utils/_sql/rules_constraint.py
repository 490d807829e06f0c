"""The commands of ALTER TABLE that are about a constraint."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Constraint, checked_not_null
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_proofs import text_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    relation_name,
    walk,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Reading

_ALTER = Mode.ACCESS_EXCLUSIVE
_ATTRIBUTES = {ConstrType.CONSTR_ATTR_DEFERRABLE, ConstrType.CONSTR_ATTR_NOT_DEFERRABLE,
               ConstrType.CONSTR_ATTR_DEFERRED, ConstrType.CONSTR_ATTR_IMMEDIATE}  # fmt: skip


def _add(table: Name, command: t.Any, reading: Reading) -> None:
    constraint = command.def_
    kind, waits = ConstrType(constraint.contype), bool(constraint.skip_validation)
    if kind in {ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN} and not constraint.is_enforced:
        reading.needs_version(f"NOT ENFORCED on {dotted(table)}", 18)
        waits = True
    if kind == ConstrType.CONSTR_FOREIGN:
        reading.lock(table, Mode.SHARE_ROW_EXCLUSIVE, "foreign-key", scan=not waits)
        # Every row looks for its partner there, by a plan that the planner chooses.
        referenced(relation_name(constraint.pktable), "foreign-key", reading, scan=False if waits else None)
        _remember(table, constraint, "f", reading, validated=not waits)
    elif kind == ConstrType.CONSTR_CHECK:
        reading.lock(table, _ALTER, "add-constraint", scan=not waits)
        _remember(table, constraint, "c", reading, validated=not waits)
    elif kind == ConstrType.CONSTR_NOTNULL:
        reading.needs_version(f"a named NOT NULL constraint on {dotted(table)}", 18)
        proven = all(reading.catalog.proves_not_null(table, key.sval) for key in constraint.keys or ())
        reading.lock(table, _ALTER, "add-constraint", scan=not waits and not proven)
        _remember(table, constraint, "n", reading, validated=not waits)
    elif kind in {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_EXCLUSION}:
        _add_index(table, constraint, kind, reading)


def _add_index(table: Name, constraint: t.Any, kind: ConstrType, reading: Reading) -> None:
    if constraint.without_overlaps:
        reading.needs_version(f"WITHOUT OVERLAPS on {dotted(table)}", 18)
    if constraint.nulls_not_distinct:
        reading.needs_version(f"NULLS NOT DISTINCT on {dotted(table)}", 15)
    scan = constraint.indexname is None
    if kind == ConstrType.CONSTR_PRIMARY and not scan:
        # The key's columns become NOT NULL, which is checked unless it is known; the index has their names.
        index = (table[0] or reading.catalog.qualified(table)[0], constraint.indexname)
        columns = reading.catalog.index_columns(index)
        scan = columns is None or not all(reading.catalog.proves_not_null(table, key) for key in columns)
    reading.lock(table, _ALTER, "add-constraint", scan=scan)
    _remember(table, constraint, "p" if kind == ConstrType.CONSTR_PRIMARY else "u", reading, validated=True)


def referenced(other: Name, rule: str, reading: Reading, *, scan: bool | None = False) -> None:
    """The table that a new foreign key leads to. Source: addFkRecurseReferenced in commands/tablecmds.c."""
    for name in reading.catalog.with_partitions(other):
        reading.lock(name, Mode.SHARE_ROW_EXCLUSIVE, rule, scan=scan)


def foreign_key(table: Name, constraint: t.Any, columns: tuple[str, ...], reading: Reading) -> Constraint:
    """A valid foreign key as the catalogue has it; without a name PostgreSQL gives one (ChooseConstraintName)."""
    name = constraint.conname or f"{table[1]}_{'_'.join(columns)}_fkey"
    other = reading.catalog.qualified(relation_name(constraint.pktable))
    actions: dict[str, t.Any] = {
        "on_delete": constraint.fk_del_action or "a",
        "on_update": constraint.fk_upd_action or "a",
        "deferrable": bool(constraint.deferrable),
        "deferred": bool(constraint.initdeferred),
    }
    return Constraint(name, "f", columns, True, other, **actions)


def inline(key: Constraint, constraint: t.Any, constraints: t.Iterable[t.Any]) -> Constraint:
    """A column's constraint among others: there DEFERRABLE and INITIALLY DEFERRED are constraints of their own."""
    following: set[ConstrType] = set()
    mine = False
    for item in constraints:
        kind = ConstrType(item.contype)
        if item is constraint:
            mine = True
        elif kind not in _ATTRIBUTES:
            mine = False
        elif mine:
            following.add(kind)
    deferred = ConstrType.CONSTR_ATTR_DEFERRED in following
    deferrable = deferred or ConstrType.CONSTR_ATTR_DEFERRABLE in following
    return dataclasses.replace(key, deferrable=deferrable, deferred=deferred)


def _remember(table: Name, constraint: t.Any, kind: str, reading: Reading, *, validated: bool) -> None:
    catalog, keys = reading.catalog, tuple(key.sval for key in constraint.fk_attrs or constraint.keys or ())
    if kind == "f":
        made = dataclasses.replace(foreign_key(table, constraint, keys, reading), validated=validated)
        catalog.add_constraint(table, made)
        return
    if catalog.table(table) is None:
        return
    proof = checked_not_null(constraint.raw_expr) if kind == "c" else frozenset()
    keys = columns_below(constraint.raw_expr) if kind == "c" else keys
    made = Constraint(constraint.conname or "", kind, keys, validated, None, True, proof)
    made = dataclasses.replace(
        made,
        deferrable=bool(constraint.deferrable),
        deferred=bool(constraint.initdeferred),
        condition=text_of(constraint.raw_expr) if kind == "c" else "",
    )
    catalog.add_constraint(table, made)
    if kind in {"p", "u"}:
        note_index(table, keys, reading, computed=False)


def columns_below(node: t.Any) -> tuple[str, ...]:
    """The columns that an expression names."""
    fields = (part.fields[-1] for part in walk(node) if isinstance(part, ast.ColumnRef) and part.fields)
    return tuple(dict.fromkeys(str(field.sval) for field in fields if isinstance(field, ast.String)))


def note_index(table: Name, columns: t.Iterable[str], reading: Reading, *, computed: bool) -> None:
    """An index that this upgrade builds on these columns.

    :param computed: with an expression or a predicate
    """
    if known := reading.catalog.table(table):
        for name in columns:
            if old := known.columns.get(name):
                known.columns[name] = dataclasses.replace(old, indexed=True, computed=old.computed or computed)


def _validate(table: Name, command: t.Any, reading: Reading) -> None:
    found = reading.catalog.constraints(table, command.name)
    # An already valid constraint is left alone.
    scan = not found or any(not item.validated for item in found)
    reading.lock(table, Mode.SHARE_UPDATE_EXCLUSIVE, "validate-constraint", scan=scan)
    for item in found:
        if item.kind == "f" and item.other and not item.validated:
            reading.lock(item.other, Mode.ROW_SHARE, "validate-constraint", scan=None)
    known = reading.catalog.table(table)
    if known:
        known.constraints = [
            dataclasses.replace(item, validated=True) if item.name == command.name else item
            for item in known.constraints
        ]


def _drop(table: Name, command: t.Any, reading: Reading) -> None:
    for item in reading.catalog.constraints(table, command.name):
        if item.kind == "f" and item.other:
            for name in reading.catalog.with_partitions(item.other):
                reading.lock(name, _ALTER, "drop")
    reading.catalog.drop_constraints(table, lambda item: item.name == command.name)
    if command.behavior:
        reading.say("statement-opaque", f"DROP CONSTRAINT {command.name} CASCADE drops objects that it does not name.")


def _alter(table: Name, command: t.Any, reading: Reading) -> None:
    if getattr(command.def_, "alterEnforceability", False) or getattr(command.def_, "alterInheritability", False):
        reading.needs_version(f"ALTER CONSTRAINT of this kind on {dotted(table)}", 18)
    if getattr(command.def_, "alterEnforceability", False) and command.def_.is_enforced:
        # ATExecAlterConstrEnforceability: every row is looked up, as by ADD CONSTRAINT.
        words = (
            f"Whether the rows of {dotted(table)} fulfil {command.def_.conname}, which is enforced now, was not asked."
        )
        reading.say("rows-unknown", words, table)
        reading.lock(table, _ALTER, "validate-constraint", scan=True)


HANDLERS: t.Final[dict[Command, t.Callable[[Name, t.Any, Reading], None]]] = {
    Command.AT_AddConstraint: _add,
    Command.AT_ValidateConstraint: _validate,
    Command.AT_DropConstraint: _drop,
    Command.AT_AlterConstraint: _alter,
}

__all__ = ("HANDLERS", "columns_below", "foreign_key", "inline", "note_index", "referenced")
