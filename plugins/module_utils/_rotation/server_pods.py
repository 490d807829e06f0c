"""The pods of a release's own servers, PostgreSQL's or Redis', for a rotation."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import release_selector

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release

Object = dict[str, t.Any]
_ENDED = frozenset({"Succeeded", "Failed"})


def found(release: Release, component: str) -> list[Object]:
    """Those of a component, but for what has ended."""
    labels = f"{release_selector(release.name)},{COMPONENT}={component}"
    pods = release.cluster.list("v1", "pods", release.namespace, labels=labels)
    return [pod for pod in pods if not has_ended(pod)]


def has_ended(pod: Object) -> bool:
    """Whether nothing runs in it any more."""
    return pod["status"].get("phase") in _ENDED


def runs(pod: Object, container: str) -> bool:
    """Whether this container is at work, and the pod is not about to end."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    states = [each for each in pod["status"].get("containerStatuses") or () if each["name"] == container]
    return bool(states) and "running" in states[0]["state"]


def of_others(pods: t.Iterable[Object]) -> bool:
    """Whether one is of a chart of others, Bitnami's; the chart's label says it, as in `identity.servers`."""
    charts = [(pod["metadata"].get("labels") or {}).get("helm.sh/chart", "") for pod in pods]
    return any(chart and not chart.endswith("_embedded") for chart in charts)


__all__ = ("found", "has_ended", "of_others", "runs")
