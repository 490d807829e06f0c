"""Whether the release keeps its database, its cache and their volumes. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts, identity

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned


def judge_identity(plan: Planned, live: Live) -> list[Finding]:
    """Another database or cache, and volumes that Kubernetes will not change."""
    there = identity.servers(live.statefulsets)
    claims = None if live.claims is None else {item["metadata"]["name"] for item in live.claims}
    other = identity.other_servers(plan.servers, there, claims=claims, runs=bool(live.available))
    return [
        *(finding("another-database", words) for words in other),
        *(finding("volume-differs", words) for words in identity.other_disks(plan.servers, there)),
        *_unkept(plan.servers, {item.name: item for item in there}),
    ]


def _unkept(planned: Sequence[identity.Server], there: Mapping[str, identity.Server]) -> list[Finding]:
    """A database whose data go with its pod: lost where the deployment replaces it, and some day anyway."""
    found = []
    for wanted in planned:
        if wanted.what != "database" or wanted.storage != identity.NO_CLAIM:
            continue
        now = there.get(wanted.name)
        where = f"The database {wanted.name} has its data in {wanted.storage}"
        if now and now.storage == wanted.storage and not facts.covers(wanted.template, now.template):
            found.append(finding("database-lost", f"{where}, and this deployment replaces the pod."))
        else:
            found.append(finding("database-unkept", f"{where}: a drained node or a new image is enough."))
    return found


__all__ = ("judge_identity",)
