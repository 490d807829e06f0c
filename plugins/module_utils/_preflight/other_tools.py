"""Migrations that are no Alembic's: what they run cannot be rendered, so nothing is said of it but that. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collection_plan import (
    CollectionPlan,
    deduced,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Inference

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned

_IDS: t.Final = {"command": "migration-by-command", "none": "migration-by-image"}


def without_rendering(plan: CollectionPlan, live: Live | None, wanted: Planned) -> CollectionPlan:
    """The plan as it is for Alembic, or one in which nobody is asked: what would be run is not known to anybody.

    What serves with the same image and program is left as it is, and an empty database of the release's own has nothing
    that a migration could hurt.
    """
    if wanted.tool == "alembic" or plan.inferred:
        return plan
    if plan.same_migrations and live is not None:
        return dataclasses.replace(deduced(live), findings=plan.findings)
    fresh = live is not None and live.deployment is None and not plan.assumption and plan.kind == "none"
    image = wanted.migrator.image
    if wanted.tool == "command":
        words = f"Image {image} migrates with a program of its own (migration.tool: command)"
    else:
        words = f"Image {image} migrates its database itself when it starts (migration.tool: none)"
    words += "; what that would lock, rewrite or delete is not known before."
    because = finding(_IDS[wanted.tool], words, severity="info" if fresh else None)
    inferred = Inference("absent" if fresh else "unknown", because)
    more = () if plan.assumption is None else (plan.assumption.because,)
    return dataclasses.replace(CollectionPlan(), inferred=inferred, findings=(*plan.findings, *more))


__all__ = ("without_rendering",)
