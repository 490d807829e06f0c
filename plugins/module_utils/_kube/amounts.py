"""What the pods of manifests ask of a cluster: how many, how much of each resource, which volumes. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t
from decimal import Decimal

Object = dict[str, t.Any]
Amounts = dict[str, Decimal]
Side = t.Literal["requests", "limits"]


@dataclasses.dataclass(frozen=True)
class PodGroup:
    """Pods of one object. `requests` and `limits` are those of one pod, in cores and bytes."""

    kind: str
    name: str
    replicas: int
    requests: Amounts
    limits: Amounts
    spec: Object = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Volume:
    """A claim that will exist.

    :param storage_class: None is the cluster's default, "" is none at all
    :param size: in bytes
    """

    claim: str
    storage_class: str | None
    size: int


def quantity(value: t.Any) -> Decimal:
    """A quantity of Kubernetes as a number: "250m" is 0.25, "1Gi" 1073741824.

    :raises ValueError: it is none
    """
    from kubernetes.utils.quantity import parse_quantity

    number: Decimal = parse_quantity(value)
    return number


def amounts(found: t.Mapping[str, t.Any] | None) -> Amounts:
    """Quantities as numbers."""
    return {name: quantity(value) for name, value in (found or {}).items()}


def pod_amounts(spec: Object, which: Side) -> Amounts:
    """What one pod counts for: the sum of its containers, or its largest init container where that is more.

    A limit without a request is a request as well (the API server sets it so).
    Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    total: Amounts = {}
    for item in spec["containers"]:
        for name, amount in _container_amounts(item, which).items():
            total[name] = total.get(name, Decimal(0)) + amount
    peak: Amounts = {}
    beside: Amounts = {}
    for item in spec.get("initContainers") or ():
        always = item.get("restartPolicy") == "Always"
        for name, amount in _container_amounts(item, which).items():
            if always:
                beside[name] = beside.get(name, Decimal(0)) + amount
            peak[name] = max(peak.get(name, Decimal(0)), amount + (Decimal(0) if always else beside.get(name, 0)))
    together = {name: total.get(name, Decimal(0)) + beside.get(name, Decimal(0)) for name in total | beside}
    return {name: max(together.get(name, Decimal(0)), peak.get(name, Decimal(0))) for name in together | peak}


def _container_amounts(item: Object, which: Side) -> Amounts:
    resources = item.get("resources") or {}
    limits = amounts(resources.get("limits"))
    return limits if which == "limits" else limits | amounts(resources.get("requests"))


def groups(objects: t.Iterable[Object]) -> tuple[PodGroup, ...]:
    """The pods of Deployments, StatefulSets and Jobs."""
    found = []
    for item in objects:
        if item["kind"] in {"Deployment", "StatefulSet", "Job"}:
            spec = item["spec"]["template"]["spec"]
            count = 1 if item["kind"] == "Job" else int(item["spec"].get("replicas") or 1)
            found.append(
                PodGroup(
                    item["kind"],
                    item["metadata"]["name"],
                    count,
                    pod_amounts(spec, "requests"),
                    pod_amounts(spec, "limits"),
                    spec,
                )
            )
    return tuple(found)


def volumes(objects: t.Iterable[Object]) -> tuple[Volume, ...]:
    """Claims of StatefulSets, one a pod, and claims on their own."""
    found = []
    for item in objects:
        if item["kind"] == "PersistentVolumeClaim":
            found.append(_volume(item["metadata"]["name"], item["spec"]))
        if item["kind"] == "StatefulSet":
            for template in item["spec"].get("volumeClaimTemplates") or ():
                stem = f"{template['metadata']['name']}-{item['metadata']['name']}"
                count = int(item["spec"].get("replicas") or 1)
                found += [_volume(f"{stem}-{number}", template["spec"]) for number in range(count)]
    return tuple(found)


def _volume(name: str, spec: Object) -> Volume:
    return Volume(name, spec.get("storageClassName"), int(quantity(spec["resources"]["requests"]["storage"])))


__all__ = ("Amounts", "PodGroup", "Side", "Volume", "amounts", "groups", "pod_amounts", "quantity", "volumes")
