"""What this release, on this cluster, makes of the findings about statements and server. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import quantity
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.work import Work, work
from ansible_collections.ai_platform.agent.plugins.module_utils._release import autoscaling

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts

# Findings that are about the version still running, and about nothing else.
BREAKING = frozenset(
    {"contract-phase", "rename", "type-change", "trigger-created", "cached-plan", "write-rejected",
     "conflict-target-dropped"}
)  # fmt: skip
# What may be said of a statement that cannot be known, and weighs nothing where there is no table it could touch.
HARMLESS_IF_EMPTY = frozenset(
    {
        "revision-not-static",
        "revision-not-rendered",
        "statement-opaque",
        "statement-unruled",
        "type-change-unknown",
        "search-path-set",
    }
)
# One pod of the reference agent looks after its database on a connection beside the pool; so does the migrator.
_PROBE, _MIGRATOR = 1, 1


def adjust_severities(findings: t.Sequence[Finding], plan: Planned, live: Live, *, empty: bool) -> list[Finding]:
    """The same findings, as heavy as this release makes them; those that weigh nothing here become `info` and say why.

    What breaks the version still running breaks nobody where none is. What cannot be known of a statement harms nothing
    in a database without tables (`empty`).
    """
    if live.available:
        many = (
            f"{live.available} pods of {live.image} serve" if live.available > 1 else f"One pod of {live.image} serves"
        )
        rolling = f"; the rolling update replaces them {plan.surge} at a time" if live.available > 1 else ""
        words = f"{many} on the new schema until replaced{rolling}."
    else:
        words = "No pod of this release serves now, so it breaks nobody."
    weighed = []
    for item in findings:
        if item.id in BREAKING:
            severity = item.severity if live.available else "info"
            item = dataclasses.replace(item, severity=severity, message=f"{item.message} {words}")  # noqa: PLW2901
        elif item.id in HARMLESS_IF_EMPTY and empty:
            message = f"{item.message} The database has no tables yet that it could harm."
            item = dataclasses.replace(item, severity="info", message=message)  # noqa: PLW2901
        weighed.append(item)
    return weighed


def judge_connections(plan: Planned, server: ServerFacts, limits: Thresholds) -> list[Finding]:
    """The connections that agent and migrator may open at once, against those the server has for them.

    What the release itself holds now is not counted against it.

    :param server: the answer of live_facts.server
    """
    each = plan.processes * (plan.pool or 1) + _PROBE
    others = sum(session["user"] != server["role"] or not session["here"] for session in server["sessions"])
    room = server["max_connections"] - server["reserved"] - others
    peak = (plan.most_replicas + plan.surge) * each + _MIGRATOR
    if peak + limits.connections_left <= room:
        return []
    wanted = (plan.replicas + plan.surge) * each + _MIGRATOR
    pool = str(plan.pool) if plan.pool else "1 (WORKER_THREADS is not set)"
    words = (
        f"The release may open {peak} connections ({plan.most_replicas} + {plan.surge} pods x {plan.processes} process"
        f" x {pool} pooled, one more a pod, and the migrator); the server has {room} for it"
        f" ({server['max_connections']} less {server['reserved']} reserved and {others} of others)."
    )
    return [finding("connections-scarce", words, severity="fail" if wanted > room else "warn")]


def judge_timeout(plan: Planned, live: Live, todo: Work, limits: Thresholds) -> list[Finding]:
    """The work against migration.timeout, which only the hook has; without a version that serves there is no hook."""
    seconds = todo.seconds(limits)
    if not live.available or plan.migration_seconds is None or seconds <= plan.migration_seconds:
        return []
    words = (
        f"The pending statements read {size(todo.scanned)} and write {size(todo.written)}, about {seconds:.0f} s at"
        f" {size(limits.scan_bytes_per_second)}/s and {size(limits.write_bytes_per_second)}/s;"
        f" migration.timeout ends them after {plan.migration_seconds} s."
    )
    return [finding("timeout-short", words)]


def judge_autoscaler(plan: Planned, live: Live) -> list[Finding]:
    """Whether the autoscaler that is planned will know anything of the pods it counts."""
    if not autoscaling.KINDS & plan.kinds:
        return []
    if live.metrics is False:
        words = "The cluster serves no metrics of pods (metrics.k8s.io): the HorizontalPodAutoscaler will not scale."
        return [finding("autoscaler-blind", words)]
    for condition in ((live.autoscaler or {}).get("status") or {}).get("conditions") or ():
        # Without pods there is nothing to count, which is no fault of the metrics.
        idle = condition.get("reason") == "ScalingDisabled"
        if condition["type"] == "ScalingActive" and condition["status"] == "False" and live.available and not idle:
            problem = " ".join((condition.get("message") or condition.get("reason") or "no reason given").split())
            words = f"The HorizontalPodAutoscaler does not scale now: {problem.rstrip('.')}."
            return [finding("autoscaler-blind", words)]
    return []


def judge_disk(plan: Planned, live: Live, server: ServerFacts, largest: int) -> list[Finding]:
    """The database's volume against the largest rewrite, in bytes with indexes: a copy, and about as much WAL."""
    if not largest:
        return []
    if plan.database is None:
        words = (
            f"The largest rewrite needs {size(2 * largest)}; the disk of an external database cannot be seen from here."
        )
        return [finding("disk-headroom", words, severity="skip")]
    claim = f"data-{plan.database}-0"
    found = next((item for item in live.claims or () if item["metadata"]["name"] == claim), None)
    capacity = ((found or {}).get("status") or {}).get("capacity", {}).get("storage")
    if capacity is None:
        words = f"The largest rewrite needs {size(2 * largest)}; the size of the volume {claim} cannot be seen."
        return [finding("disk-headroom", words, severity="skip")]
    free = int(quantity(capacity)) - server["database_bytes"]
    if free >= 2 * largest:
        return []
    words = (
        f"The largest rewrite needs {size(2 * largest)} (a copy, and as much WAL) on the volume {claim} of"
        f" {size(float(quantity(capacity)))}, where the database leaves at most {size(max(0, free))}."
    )
    return [finding("disk-headroom", words, severity="fail" if free < largest else "warn")]


__all__ = (
    "BREAKING",
    "HARMLESS_IF_EMPTY",
    "Work",
    "adjust_severities",
    "judge_autoscaler",
    "judge_connections",
    "judge_disk",
    "judge_timeout",
    "work",
)
