"""What a statement breaks for the version that still serves, beside tables and columns that are gone or renamed.

Proven by tests/integration/preflight/serving.py; docs/old-version-effects.md is its table.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import Remark
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.unique_keys import UniqueKeys

_CONSTRAINTS = {
    ConstrType.CONSTR_CHECK: "a check constraint", ConstrType.CONSTR_FOREIGN: "a foreign key",
    ConstrType.CONSTR_UNIQUE: "a unique constraint", ConstrType.CONSTR_PRIMARY: "a primary key",
    ConstrType.CONSTR_EXCLUSION: "an exclusion constraint", ConstrType.CONSTR_NOTNULL: "a NOT NULL constraint",
}  # fmt: skip
_UNIQUE = {"p", "u", "x"}
_SECURED = {Command.AT_EnableRowSecurity, Command.AT_ForceRowSecurity}
# What makes a sequence give numbers that it gave before, or none any more.
_NUMBERS = {"restart", "increment", "minvalue", "maxvalue", "cycle", "start"}
_CHANGES_COLUMNS = {Command.AT_AddColumn, Command.AT_DropColumn, Command.AT_AlterColumnType}


def incompatibilities(node: t.Any, catalog: Catalog, left: UniqueKeys | None = None) -> list[Remark]:
    """Remarks about tables that are there; nobody uses those of this upgrade yet.

    :param left: the unique keys that are there after the statement, where the server was asked
    """
    handler = _HANDLERS.get(type(node))
    found = handler(node, catalog, left) if handler else ()
    return [remark for remark in found if remark.table and catalog.table(remark.table) is not None]


def _alter_table(node: t.Any, catalog: Catalog, left: UniqueKeys | None) -> t.Iterator[Remark]:
    if node.objtype != ObjectType.OBJECT_TABLE:
        return
    table = relation_name(node.relation)
    if {command.subtype for command in node.cmds or ()} & _CHANGES_COLUMNS:
        yield _columns_change(table)
    for command in node.cmds or ():
        if command.subtype == Command.AT_AddConstraint:
            yield from _constraint(table, command.def_)
        elif command.subtype == Command.AT_DropConstraint:
            gone = (item for item in catalog.constraints(table, command.name) if item.kind in _UNIQUE and item.outgoing)
            for item in gone:
                other = _other_arbiter(table, item.columns, catalog, left)
                yield _arbiter_renamed(table, command.name, other) if other else _arbiter_dropped(table, command.name)
        elif command.subtype in _SECURED:
            words = (
                f"Row-level security of {dotted(table)} is switched on: whoever does not own the table sees and writes"
                " only what a policy lets through."
            )
            yield Remark("contract-phase", words, table)


def _policy(node: t.Any, _catalog: Catalog, _left: UniqueKeys | None) -> t.Iterator[Remark]:
    """A permissive policy lets more through, but for the tables on which there is none."""
    table = relation_name(node.table)
    if isinstance(node, ast.AlterPolicyStmt):
        words = f"The policy {node.policy_name} of {dotted(table)} lets other rows through than before."
        yield Remark("contract-phase", words, table)
    elif not node.permissive:
        words = f"{dotted(table)} gets the restrictive policy {node.policy_name}, which refuses rows at once."
        yield Remark("write-rejected", words, table)


def _rewrite_rule(node: t.Any, _catalog: Catalog, _left: UniqueKeys | None) -> t.Iterator[Remark]:
    table = relation_name(node.relation)
    words = f"The rule {node.rulename} rewrites every matching statement on {dotted(table)}."
    yield Remark("trigger-created", words, table)


def _sequence(node: t.Any, _catalog: Catalog, _left: UniqueKeys | None) -> t.Iterator[Remark]:
    if _NUMBERS & {option.defname for option in node.options or ()}:
        table = relation_name(node.sequence)
        words = f"{dotted(table)} gives other numbers from here on: INSERTs may meet keys that are there."
        yield Remark("contract-phase", words, table)


def _view(node: t.Any, _catalog: Catalog, _left: UniqueKeys | None) -> t.Iterator[Remark]:
    if node.replace:
        table = relation_name(node.view)
        yield Remark(
            "contract-phase", f"What the running version reads through the view {dotted(table)} changes.", table
        )


def _columns_change(table: Name) -> Remark:
    words = (
        f"What a prepared SELECT * of {dotted(table)} returns changes: in a session that has prepared one (psycopg 3"
        " does after five runs) it fails with `cached plan must not change result type`."
    )
    return Remark("cached-plan", words, table)


def _constraint(table: Name, constraint: t.Any) -> t.Iterator[Remark]:
    kind = ConstrType(constraint.contype)
    # An index that is unique already refuses what the constraint would refuse.
    if kind not in _CONSTRAINTS or constraint.indexname:
        return
    if kind == ConstrType.CONSTR_CHECK and not constraint.is_enforced:
        return
    words = f"{dotted(table)} gets {_CONSTRAINTS[kind]}, which refuses new rows at once, NOT VALID or not."
    yield Remark("write-rejected", words, table)


def _arbiter_dropped(table: Name, name: str) -> Remark:
    words = (
        f"{name} of {dotted(table)} goes: every INSERT … ON CONFLICT of its columns fails, prepared or not; its scan"
        " count stays 0, so that is no evidence that it is not used."
    )
    return Remark("conflict-target-dropped", words, table)


def _arbiter_renamed(table: Name, name: str, other: str) -> Remark:
    words = (
        f"{name} of {dotted(table)} goes: INSERT … ON CONFLICT ON CONSTRAINT {name} fails where nothing has that name"
        f" again; ON CONFLICT of its columns finds {other} instead."
    )
    return Remark("conflict-target-dropped", words, table)


def _other_arbiter(table: Name, columns: tuple[str, ...], catalog: Catalog, left: UniqueKeys | None) -> str | None:
    """Another unique index that ON CONFLICT of these columns finds. Source: infer_arbiter_indexes in util/plancat.c."""
    known = catalog.table(table)
    fit = (
        key.name or "a new one"
        for key in (left.of(known) if left and known else ())
        if set(key.columns) == set(columns) and columns and key.immediate and key.valid and not key.partial
    )
    return next(fit, None)


def _already_unique(table: Name, columns: tuple[str, ...], catalog: Catalog, left: UniqueKeys | None) -> bool:
    """Whether rows that are alike in these columns are refused anyway: by what is beside the new index itself."""
    known = catalog.table(table)
    keys = left.of(known) if left and known else ()
    fit = [key for key in keys if {*key.columns} <= {*columns} and key.immediate and key.valid and not key.partial]
    return len(fit) > 1 or any({*key.columns} < {*columns} for key in fit)


def _index(node: t.Any, catalog: Catalog, left: UniqueKeys | None) -> t.Iterator[Remark]:
    table = relation_name(node.relation)
    there = catalog.tables.get((catalog.qualified(table)[0], node.idxname or ""))
    columns = tuple(item.name or "" for item in node.indexParams or ())
    if node.unique and not (node.if_not_exists and there) and not _already_unique(table, columns, catalog, left):
        words = f"{dotted(table)} gets a unique index, which refuses new rows at once."
        yield Remark("write-rejected", words, table)


def _drop(node: t.Any, catalog: Catalog, left: UniqueKeys | None) -> t.Iterator[Remark]:
    if node.removeType == ObjectType.OBJECT_POLICY:
        for item in node.objects:
            table = qualified_name(item[:-1])
            words = f"Drops the policy {item[-1].sval} of {dotted(table)}: what it let through is hidden and refused."
            yield Remark("contract-phase", words, table)
    if node.removeType != ObjectType.OBJECT_INDEX:
        return
    for item in node.objects:
        index = catalog.table(qualified_name(item))
        if index and index.unique and index.valid and index.table:
            # Nobody names an index that belongs to no constraint: another one of the same columns does as well.
            other = _other_arbiter(index.table, tuple(index.columns), catalog, left)
            yield from () if other else (_arbiter_dropped(index.table, dotted(index.name)),)


def _rename(node: t.Any, catalog: Catalog, _left: UniqueKeys | None) -> t.Iterator[Remark]:
    if node.relation is None:
        return
    table = relation_name(node.relation)
    if node.renameType == ObjectType.OBJECT_COLUMN:
        yield _columns_change(table)
    elif node.renameType == ObjectType.OBJECT_TABCONSTRAINT:
        yield from _key_renamed(table, node.subname, catalog)
    elif node.renameType == ObjectType.OBJECT_INDEX and (index := catalog.table(table)) and index.table:
        # A constraint and its index have one name.
        yield from _key_renamed(index.table, table[1], catalog)


def _key_renamed(table: Name, name: str, catalog: Catalog) -> t.Iterator[Remark]:
    if any(item.kind in _UNIQUE and item.outgoing for item in catalog.constraints(table, name)):
        words = f"{name} of {dotted(table)} gets another name: INSERT … ON CONFLICT ON CONSTRAINT {name} fails."
        yield Remark("conflict-target-dropped", words, table)


_HANDLERS: t.Final[dict[type, t.Callable[[t.Any, Catalog, UniqueKeys | None], t.Iterable[Remark]]]] = {
    ast.AlterTableStmt: _alter_table,
    ast.IndexStmt: _index,
    ast.DropStmt: _drop,
    ast.RenameStmt: _rename,
    **dict.fromkeys((ast.CreatePolicyStmt, ast.AlterPolicyStmt), _policy),
    ast.RuleStmt: _rewrite_rule,
    ast.AlterSeqStmt: _sequence,
    ast.ViewStmt: _view,
}

__all__ = ("incompatibilities",)
