"""What Kubernetes refuses of an upgrade when half of it is done: fields that cannot change, other names. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Sequence

Object = dict[str, t.Any]

# What the API server fills in where a manifest says nothing.
_POLICY, _MODE = "OrderedReady", "Filesystem"


def refusals(planned: Sequence[Object], live: Sequence[Object], agent: str | None = None) -> list[str]:
    """A sentence for each difference. Size and class of claims are told by identity.other_disks.

    Helm applies Services and policies first: a changed selector would take the pods that serve off the network before
    it is refused.

    :param live: Deployments and StatefulSets, each with its kind
    :param agent: name of the living Deployment of the agent
    """
    there = {(item["kind"], item["metadata"]["name"]): item for item in live}
    found = []
    for item in planned:
        same = there.get((item["kind"], item["metadata"]["name"]))
        if same is not None:
            found += [
                f"{what} of {item['kind']} {item['metadata']['name']} {words}." for what, words in _of(item, same)
            ]
    names = [item["metadata"]["name"] for item in planned if item["kind"] == "Deployment"]
    if agent and names and agent not in names:
        words = "fullnameOverride names it otherwise, and the upgrade would remove it before the new one serves"
        found.append(f"The agent of this release is Deployment {agent}; {words}.")
    return found


def _of(item: Object, same: Object) -> Iterator[tuple[str, str]]:
    then, now = item["spec"], same["spec"]
    wanted, has = (_selector(spec) for spec in (then, now))
    if wanted != has:
        yield "The selector", f"is {_written(has)}, and these values want {_written(wanted)} (nameOverride)"
    if item["kind"] != "StatefulSet":
        return
    for field, default in (("serviceName", ""), ("podManagementPolicy", _POLICY)):
        before, after = now.get(field) or default, then.get(field) or default
        if before != after:
            yield f"The {field}", f"is {before or 'none'}, and these values want {after or 'none'}"
    claims = {each["metadata"]["name"]: each for each in now.get("volumeClaimTemplates") or ()}
    for template in then.get("volumeClaimTemplates") or ():
        name = template["metadata"]["name"]
        for field in _differing(template, claims.get(name, template)):
            yield f"The claim template {name}", f"would get other {field}"


def _selector(spec: Object) -> Object:
    return spec.get("selector") or {}


def _written(selector: Object) -> str:
    labels = selector.get("matchLabels") or {}
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items())) or "none"


def _differing(template: Object, now: Object) -> list[str]:
    found = [
        field
        for field in ("labels", "annotations")
        if (template["metadata"].get(field) or {}) != (now["metadata"].get(field) or {})
    ]
    defaults = {"accessModes": [], "volumeMode": _MODE, "selector": {}, "dataSource": {}, "volumeName": ""}
    then, before = template["spec"], now["spec"]
    found += [name for name, value in defaults.items() if (then.get(name) or value) != (before.get(name) or value)]
    return found


__all__ = ("refusals",)
