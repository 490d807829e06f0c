"""What a run of the role changed: chart, images and Helm's revision before and after, by what its steps registered."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import parse

Row = dict[str, t.Any]

# The step that leaves each result; a result of a step that this run did not begin is an earlier play's.
_STEP: t.Final = {
    "found": "guard",
    "chart": "guard",
    "preflight": "preflight",
    "credentials": "credentials",
    "release": "release",
    "rollback": "soak",
}


def changes(registered: t.Mapping[str, Row | None], begun: t.Container[str]) -> Row:
    """`chart`, `images`, `revision` and `changed` as the module's argument `run` has them.

    :param registered: what release_info (found), chart_assemble (chart), migration_preflight (preflight), the Secret's
        task (credentials), kubernetes.core.helm (release) and release_rollback (rollback) returned, None or empty where
        one did not run
    :param begun: names of the steps that this run began
    :raises FindingError: the chart's manifests are no YAML
    """
    kept = {name: registered.get(name) or {} if step in begun else {} for name, step in _STEP.items()}
    before = (kept["found"].get("helm") or {}).get("release") or {}
    after = kept["release"].get("status") or {}
    live, planned = _live_images(kept), _planned_images(kept["chart"]) if after else {}
    if kept["rollback"].get("revision"):
        # A soak goes back to what served before the run, under a new number of Helm's.
        after, planned = before | {"revision": kept["rollback"]["revision"]}, live
    return {
        "chart": {"before": _version(before), "after": _version(after)},
        "images": {"before": live, "after": planned},
        "revision": {"before": _number(before), "after": _number(after)},
        "changed": any(bool(kept[name].get("changed")) for name in ("credentials", "release")),
    }


def _version(release: Row) -> str:
    return str(release.get("chart") or "").removeprefix("ai-agent-")


def _number(release: Row) -> int | None:
    """Helm prints its revision as text in one command and as a number in another."""
    return int(release["revision"]) if release.get("revision") else None


def _planned_images(chart: Row) -> Row:
    """By first container: agent, postgresql, redis."""
    workloads = [item for item in parse(chart.get("manifests") or "") if item["kind"] in ("Deployment", "StatefulSet")]
    first = [item["spec"]["template"]["spec"]["containers"][0] for item in workloads]
    return {container["name"]: container["image"] for container in first}


def _live_images(kept: t.Mapping[str, Row]) -> Row:
    """The Deployment that runs is known to the preflight."""
    first = [item["containers"][0] for item in kept["found"].get("statefulsets") or ()]
    images = {container["name"]: container["image"] for container in first}
    return images | {"agent": kept["preflight"].get("deployed_image") or ""}


__all__ = ("changes",)
