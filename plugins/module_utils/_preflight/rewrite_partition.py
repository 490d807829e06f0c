"""The cure for ATTACH PARTITION: a check that was proven before spares the reading of all rows."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_constraint import validate
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_names import passing
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import alter, printed
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Step, Uncurable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_proofs import condition_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import dotted, relation_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_scene import Scene


def attach(node: t.Any, scene: Scene) -> list[Step] | None:
    """ALTER TABLE … ATTACH PARTITION; None where it may stay as it is.

    :raises Uncurable: the bounds cannot be said by a check
    """
    command = node.cmds[0]
    child, parent = command.def_.name, relation_name(node.relation)
    name = relation_name(child)
    if scene.large(name) is None:
        return None
    if scene.partitioned(name):
        raise Uncurable(f"{dotted(name)} is partitioned itself: each of its partitions needs a check of its own")
    strategy, columns = scene.catalog.partition_keys.get(scene.catalog.qualified(parent), ("", ()))
    condition = condition_of(command.def_.bound, strategy, columns)
    if condition is None:
        words = (
            f"what the bounds of {dotted(name)} say cannot be put into a check here: the key of {dotted(parent)} has"
        )
        raise Uncurable(f"{words} several columns or an expression, or the partition takes NULL or what is left")
    check = passing(scene.revision, dotted(scene.catalog.qualified(name)), columns[0] or "", scene.taken(name))
    scene.given.add(check)
    added = alter(child, "DROP CONSTRAINT IF EXISTS c", "ADD CONSTRAINT c CHECK (true) NOT VALID")
    added.cmds[0].name = added.cmds[1].def_.conname = check
    added.cmds[1].def_.raw_expr = condition
    dropped = alter(child, "DROP CONSTRAINT IF EXISTS c")
    dropped.cmds[0].name = check
    return [
        Step(printed(added), "own", locks=True),
        validate(child, check),
        Step(printed(node), locks=True),
        Step(printed(dropped), locks=True),
    ]


__all__ = ("attach",)
