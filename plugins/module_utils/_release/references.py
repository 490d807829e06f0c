"""Which keys of which Secrets, and what else, the pods of a release cannot start without. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Iterator, Sequence

Object = dict[str, t.Any]
# The chart gives the agent the plain URL under a name of this beginning where agent.urls names or writes it otherwise.
OWN_NAME: t.Final = "AI_AGENT_"


def needed(objects: Sequence[Object]) -> dict[str, frozenset[str]]:
    """Names of Secrets that other people make, with the keys that pods of these manifests need of each.

    What is optional is not among them, nor are Secrets of the manifests. A Secret that is only named as a whole has no
    keys here.
    """
    own = {item["metadata"]["name"] for item in objects if item["kind"] == "Secret"}
    found: dict[str, set[str]] = {}
    for item in objects:
        for name, keys in _of_pod(_pod(item)):
            if name not in own:
                found.setdefault(name, set()).update(keys)
    return {name: frozenset(keys) for name, keys in found.items()}


class Need(t.NamedTuple):
    """An object that pods name. `plural` is its resource in the core API."""

    plural: str
    kind: str
    name: str


# Kubernetes makes both in every namespace.
_EVERYWHERE: t.Final = frozenset(
    {Need("serviceaccounts", "ServiceAccount", "default"), Need("configmaps", "ConfigMap", "kube-root-ca.crt")}
)


def beside_secrets(objects: Sequence[Object]) -> list[Need]:
    """Service accounts, ConfigMaps and claims that pods of these manifests need and the manifests do not make."""
    found = {need for item in objects for need in _named_by(_pod(item))} - _EVERYWHERE
    own = {(item["kind"], item["metadata"]["name"]) for item in objects}
    return sorted(need for need in found if (need.kind, need.name) not in own)


def _named_by(pod: Object) -> Iterator[Need]:
    if account := pod.get("serviceAccountName"):
        yield Need("serviceaccounts", "ServiceAccount", account)
    for claim in claims_of(pod):
        yield Need("persistentvolumeclaims", "PersistentVolumeClaim", claim)
    for source in _maps(pod):
        if not source.get("optional"):
            yield Need("configmaps", "ConfigMap", source["name"])


def claims_of(pod: Object) -> Iterator[str]:
    """Names of the volume claims that a pod spec has."""
    for volume in pod.get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]


def _maps(pod: Object) -> Iterator[Object]:
    for container in containers_of(pod):
        for variable in container.get("env") or ():
            if key := (variable.get("valueFrom") or {}).get("configMapKeyRef"):
                yield key
        for whole in container.get("envFrom") or ():
            if source := whole.get("configMapRef"):
                yield source
    for volume in pod.get("volumes") or ():
        for each in [volume, *((volume.get("projected") or {}).get("sources") or ())]:
            if source := each.get("configMap"):
                yield source


def _pod(item: Object) -> Object:
    spec: Object = item.get("spec") or {}
    if item["kind"] == "Pod":
        return spec
    if item["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    inside: Object = (spec.get("template") or {}).get("spec") or {}
    return inside


def of_variables(containers: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Variables of containers that come from a Secret, each with its secretKeyRef."""
    for container in containers:
        for variable in container.get("env") or ():
            if key := (variable.get("valueFrom") or {}).get("secretKeyRef"):
                yield variable["name"], key


def containers_of(pod: Object) -> list[Object]:
    """The containers of a pod's spec, and then those that run before them."""
    return [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]


def _of_pod(pod: Object) -> Iterator[tuple[str, Iterable[str]]]:
    containers = containers_of(pod)
    yield from ((key["name"], [key["key"]]) for _name, key in of_variables(containers) if not key.get("optional"))
    for container in containers:
        for source in container.get("envFrom") or ():
            whole = source.get("secretRef")
            if whole and not whole.get("optional"):
                yield whole["name"], []
    for volume in pod.get("volumes") or ():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        for source in (each["secret"] for each in sources if each.get("secret")):
            if not source.get("optional"):
                yield source.get("secretName") or source["name"], [each["key"] for each in source.get("items") or ()]


__all__ = ("OWN_NAME", "Need", "beside_secrets", "claims_of", "containers_of", "needed", "of_variables")
