"""All findings that come from the release and its namespace, beside those about statements and server."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_identity import judge_identity
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_namespace import (
    judge_limit_ranges,
    judge_quotas,
    judge_storage,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_postgresql_image import (
    judge_postgresql_image,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_release import (
    judge_autoscaler,
    judge_connections,
    judge_disk,
    judge_timeout,
    work,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rights import Access, judge_permissions

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts


def of_namespace(plan: Planned, live: Live, missing: t.Sequence[Access], namespace: str) -> list[Finding]:
    """Whether the account and the namespace let this release be deployed, whatever the database says.

    :param missing: what rights.not_granted left, and a SelfSubjectAccessReview refused
    """
    return [
        *judge_identity(plan, live),
        *judge_postgresql_image(plan, live),
        *judge_permissions(missing, namespace),
        *judge_quotas(plan, live),
        *judge_limit_ranges(plan, live),
        *judge_storage(plan, live),
        *judge_autoscaler(plan, live),
    ]


def of_database(
    plan: Planned,
    live: Live,
    server: ServerFacts,
    *,
    statements: t.Sequence[dict[str, t.Any]],
    largest_rewrite: int,
    limits: Thresholds,
) -> list[Finding]:
    """Whether server, volume and time are enough.

    :param server: live_facts.server
    :param statements: those of _preflight/judge.py's Judgement
    """
    return [
        *_once(judge_postgresql_image(plan, live, server["version"]), judge_postgresql_image(plan, live)),
        *judge_connections(plan, server, limits),
        *judge_timeout(plan, live, work(statements), limits),
        *judge_disk(plan, live, server, largest_rewrite),
    ]


def _once(found: Sequence[Finding], said: Sequence[Finding]) -> list[Finding]:
    """What the server's own word adds to what its image's tag said."""
    return [item for item in found if (item.id, item.severity) not in {(each.id, each.severity) for each in said}]


__all__ = ("of_database", "of_namespace")
