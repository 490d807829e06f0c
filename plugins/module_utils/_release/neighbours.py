"""Releases of this chart that live where a first install would begin an empty one: it may be one of them, renamed."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import look
from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import INSTANCE

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# The chart's label; the "+" of a version is replaced in it, for a label may not have one.
_CHART: t.Final = re.compile(r"ai-agent-\d")


def neighbours(cluster: Cluster, release: str, namespace: str) -> list[Object]:
    """Name and namespace of the other releases in this namespace, and of those of this name in others, sorted.

    What the account may not list is not among them: one of a single namespace sees no other.

    :raises FindingError: the API server does not answer
    """
    here = look.readable(cluster, "apps/v1", "deployments", namespace, look.AGENT) or ()
    named = f"{look.release_selector(release)},{look.AGENT}"
    elsewhere = look.readable(cluster, "apps/v1", "deployments", None, named) or ()
    found = {
        (str(labels.get(INSTANCE) or item["metadata"]["name"]), str(item["metadata"]["namespace"]))
        for item in (*here, *elsewhere)
        for labels in [item["metadata"].get("labels") or {}]
        if _CHART.match(labels.get("helm.sh/chart", ""))
    }
    return [{"name": name, "namespace": place} for name, place in sorted(found - {(release, namespace)})]


__all__ = ("neighbours",)
