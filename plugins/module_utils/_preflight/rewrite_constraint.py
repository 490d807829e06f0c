"""Cures for ADD CONSTRAINT: added unproven, then proven; a key takes over an index that was built before."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import rewrite_index
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_names import first_free, passing
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import alter, printed, template
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Step, Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import joined, key_name, object_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rules_constraint import columns_below
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene

_CHECKED = {ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN, ConstrType.CONSTR_NOTNULL}
_KEYS = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}
# First major version with NOT VALID foreign keys on partitioned tables.
_PARTITIONED_KEYS = 18


def add(table: t.Any, constraint: t.Any, scene: Scene, *, proven: frozenset[str] = frozenset()) -> list[Step] | None:
    """ADD CONSTRAINT on a large table; None where it may stay as it is.

    :param table: its RangeVar
    :param proven: columns that are NOT NULL by what comes before it
    :raises Uncurable: it has no other form
    """
    kind, name = ConstrType(constraint.contype), relation_name(table)
    if kind in _CHECKED:
        return _checked(table, constraint, kind, scene)
    if kind in _KEYS:
        return _key(table, constraint, kind, scene, proven)
    if kind == ConstrType.CONSTR_EXCLUSION:
        raise Uncurable(f"the index of an exclusion constraint on {dotted(name)} cannot be built CONCURRENTLY")
    return None


def _checked(table: t.Any, constraint: t.Any, kind: ConstrType, scene: Scene) -> list[Step] | None:
    name = relation_name(table)
    foreign = kind == ConstrType.CONSTR_FOREIGN
    if constraint.skip_validation or (kind != ConstrType.CONSTR_NOTNULL and not constraint.is_enforced):
        return None
    if kind == ConstrType.CONSTR_NOTNULL and all(scene.catalog.proves_not_null(name, k.sval) for k in constraint.keys):
        return None
    if foreign and scene.partitioned(name) and scene.version < _PARTITIONED_KEYS:
        raise Uncurable(f"a foreign key on the partitioned {dotted(name)} cannot be NOT VALID before PostgreSQL 18")
    if constraint.conname is None:
        constraint.conname = _default_name(name, constraint, kind, scene)
        # The catalogue does not know it: what comes next without a name gets another one.
        scene.given.add(constraint.conname)
    constraint.skip_validation, constraint.initially_valid = True, False
    added = alter(table, "ADD CONSTRAINT c CHECK (true)")
    added.cmds[0].def_ = constraint
    return [Step(printed(added), locks=True), validate(table, constraint.conname, late=True)]


def validate(table: t.Any, name: str, *, late: bool = False) -> Step:
    """The rows are read under a lock that lets reads and writes go on."""
    node = alter(table, "VALIDATE CONSTRAINT c")
    node.cmds[0].name = name
    return Step(printed(node), "own", late=late)


def _default_name(table: Name, constraint: t.Any, kind: ConstrType, scene: Scene) -> str:
    """The one that PostgreSQL would give. Source: ChooseConstraintName, AddRelationNewConstraints."""
    if kind == ConstrType.CONSTR_FOREIGN:
        addition, label = joined(key.sval for key in constraint.fk_attrs), "fkey"
    elif kind == ConstrType.CONSTR_NOTNULL:
        addition, label = joined(key.sval for key in constraint.keys), "not_null"
    else:
        columns = columns_below(constraint.raw_expr)
        addition, label = columns[0] if len(columns) == 1 else "", "check"
    taken = scene.taken_constraints(table)
    return first_free(lambda number: object_name(table[1], addition or None, label + number), taken)


def _key(table: t.Any, constraint: t.Any, kind: ConstrType, scene: Scene, proven: frozenset[str]) -> list[Step] | None:
    name, primary = relation_name(table), kind == ConstrType.CONSTR_PRIMARY
    if scene.partitioned(name):
        raise Uncurable(f"an index on the partitioned {dotted(name)} cannot be built CONCURRENTLY")
    if constraint.without_overlaps:
        raise Uncurable("WITHOUT OVERLAPS takes over no index that was built before")
    steps: list[Step] = []
    if constraint.indexname is None:
        steps += _index_of(table, constraint, primary, scene, proven)
    elif not primary:
        return None
    else:
        index = scene.beside(name, constraint.indexname)
        columns = scene.catalog.index_columns(index)
        if columns is not None and all(scene.catalog.proves_not_null(name, column) for column in columns):
            return None
        if columns is None or scene.catalog.table(index):
            raise Uncurable(f"which columns are the key of the index {dotted(index)} is not known; SET NOT NULL first")
        steps += _proven(table, columns, scene)
    added = alter(table, "ADD CONSTRAINT c CHECK (true)")
    added.cmds[0].def_ = constraint
    return [*steps, Step(printed(added), locks=True)]


def _index_of(table: t.Any, constraint: t.Any, primary: bool, scene: Scene, proven: frozenset[str]) -> list[Step]:
    """The steps that build its index; *constraint* is made to take that over."""
    name = relation_name(table)
    keys, including = ([item.sval for item in part or ()] for part in (constraint.keys, constraint.including))
    chosen = constraint.conname is None
    if chosen:
        constraint.conname = key_name(name[1], constraint)
    node = template("CREATE UNIQUE INDEX i ON t (c)")
    node.relation, node.idxname = table, constraint.conname
    node.indexParams = tuple(_element(key) for key in keys)
    node.indexIncludingParams = tuple(_element(key) for key in including) or None
    node.nulls_not_distinct = constraint.nulls_not_distinct
    node.options, node.tableSpace = constraint.options, constraint.indexspace
    steps = _proven(table, [key for key in keys if key not in proven], scene) if primary else []
    # The index first: its CREATE fails before anything of the table has changed.
    built = rewrite_index.build(node, scene, renamed=False, chosen=chosen)
    constraint.keys = constraint.including = constraint.options = constraint.indexspace = None
    constraint.nulls_not_distinct = False
    # An index of another name would be renamed to the constraint's.
    constraint.indexname = node.idxname
    early = bool(scene.leaving.now.get(scene.catalog.qualified(name)))
    own = [dataclasses.replace(step, early=early) for step in steps if step.kind == "own"]
    return [*built, *own, *(step for step in steps if step.kind != "own")]


def _element(column: str) -> t.Any:
    element = template("CREATE INDEX i ON t (c)").indexParams[0]
    element.name = column
    return element


def _proven(table: t.Any, columns: t.Iterable[str], scene: Scene) -> list[Step]:
    """A primary key makes its columns NOT NULL: what that costs comes before."""
    name = relation_name(table)
    steps: list[Step] = []
    for column in columns:
        if not scene.catalog.proves_not_null(name, column):
            steps += set_not_null(table, column, scene)
    return steps


def set_not_null(table: t.Any, column: str, scene: Scene, *, filled: bool = False) -> list[Step]:
    """SET NOT NULL reads no row where a valid check proves it; the check is there until then.

    :param filled: a step before has written a value into each row
    """
    name = relation_name(table)
    check = passing(scene.revision, ".".join(filter(None, scene.catalog.qualified(name))), column, scene.taken(name))
    scene.given.add(check)
    node = alter(table, "DROP CONSTRAINT IF EXISTS c", "ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID")
    node.cmds[0].name = node.cmds[1].def_.conname = check
    node.cmds[1].def_.raw_expr.arg.fields = (ast.String(sval=column),)
    strict = alter(table, "ALTER COLUMN n SET NOT NULL")
    strict.cmds[0].name = column
    dropped = alter(table, "DROP CONSTRAINT IF EXISTS c")
    dropped.cmds[0].name = check
    accepts = (("rows-unknown", f"each row of {column} was filled before"),) if filled else ()
    return [
        Step(printed(node), "own", locks=True, accepts=accepts),
        validate(table, check),
        Step(printed(strict), locks=True),
        Step(printed(dropped), locks=True),
    ]


__all__ = ("add", "set_not_null", "validate")
