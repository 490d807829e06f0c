"""Cures for ADD COLUMN: the column alone, which is brief, then its values, then what constrains it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import rewrite_constraint
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_batch import batches
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_names import first_free
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import (
    alter,
    printed,
    quoted,
    relation,
    template,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Step, Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import object_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_column import volatile
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene

_SERIAL_OF: t.Final = {"smallserial": "int2", "serial2": "int2", "serial": "int4", "serial4": "int4",
                       "bigserial": "int8", "serial8": "int8"}  # fmt: skip
_ATTRIBUTES = {ConstrType.CONSTR_ATTR_DEFERRABLE, ConstrType.CONSTR_ATTR_NOT_DEFERRABLE,
               ConstrType.CONSTR_ATTR_DEFERRED, ConstrType.CONSTR_ATTR_IMMEDIATE,
               ConstrType.CONSTR_ATTR_ENFORCED, ConstrType.CONSTR_ATTR_NOT_ENFORCED}  # fmt: skip
_LATER = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_CHECK}


def add(table: t.Any, command: t.Any, scene: Scene) -> list[Step] | None:
    """ADD COLUMN on a large table; None where it may stay as it is.

    :param table: its RangeVar
    :raises Uncurable: it has no other form
    """
    column, name = command.def_, relation_name(table)
    if command.missing_ok and scene.catalog.column(name, column.colname):
        return None
    own = _owns(column.constraints or ())
    kinds = {item.kind: item.node for item in own}
    default = kinds.get(ConstrType.CONSTR_DEFAULT)
    serial = column.typeName.names[-1].sval in type_changes.SERIAL
    filled = serial or (default is not None and volatile(default.raw_expr, scene.catalog))
    # Without a value in any row, nothing is looked for in the other table.
    has_value = serial or default is not None
    later = [item for item in own if item.kind in _LATER or (item.kind == ConstrType.CONSTR_FOREIGN and has_value)]
    if reason := _refused(column, kinds, scene, f"{dotted(name)}.{column.colname}"):
        raise Uncurable(reason)
    if not filled and not later:
        return None
    strict = serial or bool({ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY} & kinds.keys())
    steps = _filled(table, command, own, scene, later) if filled else [_bare(table, command, own, later)]
    if strict and filled:
        steps += rewrite_constraint.set_not_null(table, column.colname, scene, filled=True)
    for item in later:
        steps += _constrained(table, column.colname, item.of_table(), scene, strict=strict)
    return steps


def _refused(column: t.Any, kinds: dict[ConstrType, t.Any], scene: Scene, label: str) -> str | None:
    """Why the column has no other form; None where it has, or needs none."""
    generated = kinds.get(ConstrType.CONSTR_GENERATED)
    if generated and generated.generated_kind != "v":
        return (
            f"{label} is computed for each row when it is added; add a plain column, and have the application fill it"
        )
    if ConstrType.CONSTR_IDENTITY in kinds:
        return f"{label} must be NOT NULL before it can be an identity, and only the identity gives its numbers"
    known = scene.catalog.domains.get(column.typeName.names[-1].sval)
    if known and known[2]:
        return f"the domain of {label} has a constraint, which each row is asked for when the column is added"
    varied = scene.catalog.domains_with_default.get(column.typeName.names[-1].sval, False)
    if varied and ConstrType.CONSTR_DEFAULT not in kinds:
        return f"the domain of {label} gives each row another value when the column is added"
    return None


@dataclasses.dataclass(frozen=True)
class _Own:
    """A constraint in the column's definition, and DEFERRABLE and its like, which stand behind it there."""

    node: t.Any
    attributes: tuple[t.Any, ...]

    @property
    def kind(self) -> ConstrType:
        return ConstrType(self.node.contype)

    def of_table(self) -> t.Any:
        """The same as a constraint of the table has it."""
        kinds = {ConstrType(item.contype) for item in self.attributes}
        if ConstrType.CONSTR_ATTR_DEFERRED in kinds:
            self.node.initdeferred = True
        if kinds & {ConstrType.CONSTR_ATTR_DEFERRED, ConstrType.CONSTR_ATTR_DEFERRABLE}:
            self.node.deferrable = True
        if ConstrType.CONSTR_ATTR_NOT_ENFORCED in kinds:
            self.node.is_enforced, self.node.skip_validation, self.node.initially_valid = False, True, False
        return self.node


def _owns(constraints: t.Iterable[t.Any]) -> list[_Own]:
    found: list[_Own] = []
    for item in constraints:
        if ConstrType(item.contype) in _ATTRIBUTES:
            found[-1] = dataclasses.replace(found[-1], attributes=(*found[-1].attributes, item))
        else:
            found.append(_Own(item, ()))
    return found


def _flat(owns: t.Iterable[_Own]) -> tuple[t.Any, ...] | None:
    return tuple(part for own in owns for part in (own.node, *own.attributes)) or None


def _bare(table: t.Any, command: t.Any, own: t.Sequence[_Own], later: t.Sequence[_Own]) -> Step:
    """The column without what comes later."""
    node = alter(table, "ADD COLUMN c int")
    kept = [item for item in own if item not in later]
    if any(item.kind == ConstrType.CONSTR_PRIMARY for item in later):
        strict = template("CREATE TABLE t (c int NOT NULL)").tableElts[0].constraints[0]
        kept += [] if any(item.kind == ConstrType.CONSTR_NOTNULL for item in kept) else [_Own(strict, ())]
    command.def_.constraints = _flat(kept)
    node.cmds = (command,)
    return Step(printed(node), locks=True)


def _filled(table: t.Any, command: t.Any, own: t.Sequence[_Own], scene: Scene, later: t.Sequence[_Own]) -> list[Step]:
    """The column, its default for rows that come, and then that of the rows that are there."""
    column, name = command.def_, relation_name(table)
    steps, owned = [], None
    default = next((item.node.raw_expr for item in own if item.kind == ConstrType.CONSTR_DEFAULT), None)
    if column.typeName.names[-1].sval in _SERIAL_OF:
        made, owned, default = _sequence(table, column, scene)
        steps.append(Step(printed(made)))
        column.typeName = (
            template(f"CREATE TABLE t (c {_SERIAL_OF[column.typeName.names[-1].sval]})").tableElts[0].typeName
        )
    dropped = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_NOTNULL}
    column.constraints = _flat(item for item in own if item not in later and item.kind not in dropped)
    # One statement for both commands, so that no row is inserted between them without the default.
    node = alter(table, "ADD COLUMN c int", "ALTER COLUMN c SET DEFAULT 1")
    node.cmds[1].name, node.cmds[1].def_ = column.colname, default
    node.cmds = (command, node.cmds[1])
    steps.append(Step(printed(node), locks=True))
    steps += [Step(printed(owned), locks=True)] if owned else []
    fill = template("UPDATE t SET c = DEFAULT WHERE c IS NULL")
    fill.relation = relation(name)
    fill.targetList[0].name = column.colname
    fill.whereClause.arg.fields = (ast.String(sval=column.colname),)
    return [*steps, batches(fill, scene, fill=True)]


def _sequence(table: t.Any, column: t.Any, scene: Scene) -> tuple[t.Any, t.Any, t.Any]:
    """What serial stands for: the statements that make a sequence and give it to the column, and the default."""
    name = relation_name(table)
    named = first_free(lambda n: object_name(name[1], column.colname, "seq" + n), scene.taken(name))
    kind = _SERIAL_OF[column.typeName.names[-1].sval]
    made = template(f"CREATE SEQUENCE s AS {kind}")
    made.sequence = relation(scene.beside(name, named))
    owned = template("ALTER SEQUENCE s OWNED BY t.c")
    owned.sequence = made.sequence
    words = tuple(word for word in (*name, column.colname) if word is not None)
    owned.options[0].arg = tuple(ast.String(sval=word) for word in words)
    default = template("SELECT nextval('s'::regclass)").targetList[0].val
    shown = ".".join(quoted(word) for word in scene.beside(name, named) if word is not None)
    default.args[0].arg.val = ast.String(sval=shown)
    return made, owned, default


def _constrained(table: t.Any, column: str, item: t.Any, scene: Scene, *, strict: bool) -> list[Step]:
    """A constraint of the column as one of the table."""
    kind = ConstrType(item.contype)
    key = (ast.String(sval=column),)
    if kind in {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}:
        item.keys = key
    elif kind == ConstrType.CONSTR_FOREIGN:
        item.fk_attrs = key
    if kind == ConstrType.CONSTR_PRIMARY and strict:
        return rewrite_constraint.add(table, item, scene, proven=frozenset([column])) or []
    return rewrite_constraint.add(table, item, scene) or []


__all__ = ("add",)
