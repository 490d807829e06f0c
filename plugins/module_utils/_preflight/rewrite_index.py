"""Cures for statements about indexes: CONCURRENTLY, each outside of a transaction, and so that they can run again."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_names import passing
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import (
    printed,
    relation,
    template,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Step, Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import index_name, object_name
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ReindexObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    Name,
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene


def create(node: t.Any, scene: Scene) -> list[Step] | None:
    """CREATE INDEX; None where it may stay as it is.

    :raises Uncurable: it has no such form
    """
    table = relation_name(node.relation)
    there = scene.catalog.table((scene.catalog.qualified(table)[0], node.idxname)) if node.idxname else None
    if not node.concurrent and scene.large(table) is None and (there is None or there.valid):
        return None
    if scene.partitioned(table):
        words = f"{dotted(table)} is partitioned, and which partitions it has differs from database to database"
        raise Uncurable(f"{words}: build it ON ONLY {table[1]}, CONCURRENTLY on each partition, then ATTACH")
    chosen = node.idxname is None
    if chosen:
        node.idxname = index_name(node)
        if node.idxname is None:
            raise Uncurable("an index of an expression has no name here, and without one it cannot be built again")
    return build(node, scene, chosen=chosen)


def build(node: t.Any, scene: Scene, *, renamed: bool = True, chosen: bool = False) -> list[Step]:
    """An index that has a name, built CONCURRENTLY; before that, what a build that failed has left is dropped.

    Where one of that name is dropped directly before, it is built under another name first.

    :param renamed: it gets its own name then; else a constraint gives it one
    :param chosen: it is the first name that PostgreSQL would choose
    :raises Uncurable: another relation has that name
    """
    table = relation_name(node.relation)
    if node.unique:
        scene.leaving.assert_none_further_back(scene.catalog.qualified(table))
    leaving = scene.leaving.now.get(scene.catalog.qualified(table), {})
    full, last = (scene.catalog.qualified(table)[0], node.idxname), []
    if full in leaving:
        wanted = node.idxname
        node.idxname = passing(scene.revision, dotted(scene.catalog.qualified(table)), wanted, scene.taken(table))
        scene.given.add(node.idxname)
        if renamed:
            last.append(Step(printed(_rename(scene.beside(table, node.idxname), wanted)), locks=True))
        full = (full[0], node.idxname)
    there = scene.catalog.table(full)
    own = there is not None and there.table in {None, scene.catalog.qualified(table)}
    if scene.catalog.known(full) and not (there and own and not there.valid):
        words = f"{dotted(full)} exists already"
        raise Uncurable(f"{words}, so that PostgreSQL would choose another name: give it one" if chosen else words)
    node.concurrent = node.if_not_exists = True
    early = bool(leaving)
    return [Step(printed(_drop(scene.beside(table, node.idxname))), "own", waits=True, early=early),
            Step(printed(node), "own", waits=True, early=early), *last]  # fmt: skip


def drop(node: t.Any, scene: Scene) -> list[Step] | None:
    """DROP INDEX; None where it may stay as it is.

    :raises Uncurable: it cannot be printed
    """
    if node.removeType != ObjectType.OBJECT_INDEX:
        return None
    names = [qualified_name(item) for item in node.objects]
    if not node.concurrent and (node.behavior or not any(_of_large(name, scene) for name in names)):
        return None
    if any(_partitioned(name, scene) for name in names):
        if node.concurrent:
            raise Uncurable("an index of a partitioned table cannot be dropped CONCURRENTLY")
        return None
    return [Step(printed(_drop(name)), "own", waits=True) for name in names]


def reindex(node: t.Any, scene: Scene) -> list[Step] | None:
    """REINDEX; None where it may stay as it is.

    :raises Uncurable: it names no table
    """
    if node.relation is None:
        raise Uncurable("it names no table: write a REINDEX of each, better still outside of the migration")
    name = relation_name(node.relation)
    of_index = node.kind == ReindexObjectType.REINDEX_OBJECT_INDEX
    concurrent = any(option.defname == "concurrently" for option in node.params or ())
    if not concurrent and not (_of_large(name, scene) if of_index else scene.large(name)):
        return None
    steps = []
    if not concurrent:
        option = template("REINDEX (CONCURRENTLY) TABLE t").params
        node.params = (*(node.params or ()), *option)
    if of_index:
        # What one that was interrupted has left; PostgreSQL names it so.
        steps.append(Step(printed(_drop((name[0], object_name(name[1], None, "ccnew")))), "own", waits=True))
    return [*steps, Step(printed(node), "own", waits=True)]


def _rename(name: Name, to: str) -> t.Any:
    node = template("ALTER INDEX i RENAME TO n")
    node.relation, node.newname = relation(name), to
    return node


def _drop(name: Name) -> t.Any:
    node = template("DROP INDEX CONCURRENTLY IF EXISTS i")
    wanted = relation(name)
    words = [word for word in (wanted.schemaname, wanted.relname) if word is not None]
    node.objects = (tuple(ast.String(sval=word) for word in words),)
    return node


def _of_large(name: Name, scene: Scene) -> bool:
    """Whether an index belongs to a table on which work is not brief."""
    index = scene.catalog.table(name)
    return index is not None and index.table is not None and scene.large(index.table) is not None


def _partitioned(name: Name, scene: Scene) -> bool:
    index = scene.catalog.table(name)
    return index is not None and index.kind == "I"


__all__ = ("build", "create", "drop", "reindex")
