"""Who sets the number of a Deployment's pods: a HorizontalPodAutoscaler, or KEDA by a ScaledObject. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import HELMS_RELEASE

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable

Object = dict[str, t.Any]

# The kinds and, of each, the fields with the fewest pods, 1 unless told, and the most.
# https://keda.sh/docs/latest/reference/scaledobject-spec/
_BOUNDS: t.Final = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}
KINDS: t.Final = frozenset({("autoscaling/v2", "HorizontalPodAutoscaler"), ("keda.sh/v1alpha1", "ScaledObject")})


def bounds(objects: Iterable[Object], deployment: str) -> tuple[int, int] | None:
    """The fewest and the most pods that the autoscaler among `objects`, rendered ones, gives a Deployment."""
    for item in objects:
        fields = _BOUNDS.get(item["kind"])
        if fields and item["spec"]["scaleTargetRef"]["name"] == deployment:
            least, most = fields
            return int(item["spec"].get(least, 1)), int(item["spec"][most])
    return None


def scaled_by_others(autoscalers: Iterable[Object], release: str) -> set[tuple[str, str]]:
    """Kind and name of the objects whose number of pods an autoscaler sets that the release did not make.

    That is somebody's own, or the one that KEDA makes of somebody's ScaledObject.

    :param autoscalers: living HorizontalPodAutoscalers
    """
    return {
        (item["spec"]["scaleTargetRef"]["kind"], item["spec"]["scaleTargetRef"]["name"])
        for item in autoscalers
        if not _of_the_chart(item, release)
    }


def _of_the_chart(autoscaler: Object, release: str) -> bool:
    """Whether the chart made it, or KEDA of the chart's ScaledObject.

    The chart's is called like what it scales. KEDA calls its own keda-hpa- and the ScaledObject's name, at most 63
    characters, and gives it the ScaledObject's annotations and labels (kedacore/keda, controllers/keda/hpa.go).
    """
    metadata, name = autoscaler["metadata"], autoscaler["spec"]["scaleTargetRef"]["name"]
    if (metadata.get("annotations") or {}).get(HELMS_RELEASE[0]) != release:
        return False
    by_keda = metadata["name"] == f"keda-hpa-{name}"[:63] and "helm.sh/chart" in (metadata.get("labels") or {})
    return by_keda or metadata["name"] == name


__all__ = ("KINDS", "bounds", "scaled_by_others")
