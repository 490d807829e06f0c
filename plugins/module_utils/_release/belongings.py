"""Whose an object of the namespace is: told by labels and annotations, and by a name only together with them. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import (
    MANAGER,
    OWN_MANAGER,
    RUN_LABEL,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release import records
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Object

INSTANCE: t.Final = "app.kubernetes.io/instance"
NAME: t.Final = "app.kubernetes.io/name"
# What every Job, pod and policy of our modules has (_kube/job.py).
# What the role's Secret has (roles/ai_agent/vars/main.yml).
ROLES_MANAGER: t.Final = "ansible"
# Helm writes the first two on what it applies, and takes nothing else for its own:
# https://helm.sh/docs/topics/charts_tips_and_tricks/
HELMS_RELEASE: t.Final = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
_HOOK, _POLICY, _CHART = "helm.sh/hook", "helm.sh/resource-policy", "helm.sh/chart"
_OUR_CHARTS = re.compile(r"(?:ai-agent|postgresql|redis)-\d")
_HOOKS_PARTS = frozenset({"migration", "test"})
# Component of the server and name of its template, of Bitnami's charts as of the embedded ones (_release/identity.py).
_VOLUMES: t.Final = {
    "primary": ("postgresql-volume", "data"),
    "read": ("postgresql-volume", "data"),
    "master": ("redis-volume", "redis-data"),
    "replica": ("redis-volume", "redis-data"),
    "node": ("redis-volume", "redis-data"),
}
REMOVABLE: t.Final = ("postgresql-volume", "redis-volume", "secret")

Whose = t.Literal["helm", "hook", "run", "postgresql-volume", "redis-volume", "secret", "child", "others", "elsewhere"]


class Kind(t.NamedTuple):
    """A resource of the API. `rare` ones come with an operator, and may not be there."""

    version: str
    plural: str
    name: str
    rare: bool = False


# In the order in which they are removed: what starts pods goes before the pods, and what pods use after them.
KINDS: t.Final = (
    Kind("batch/v1", "jobs", "Job"),
    # Before the autoscaler that KEDA makes of it, which it would make anew.
    Kind("keda.sh/v1alpha1", "scaledobjects", "ScaledObject", rare=True),
    Kind("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Kind("apps/v1", "deployments", "Deployment"),
    Kind("apps/v1", "statefulsets", "StatefulSet"),
    Kind("v1", "pods", "Pod"),
    Kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Kind("v1", "services", "Service"),
    Kind("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    Kind("v1", "configmaps", "ConfigMap"),
    Kind("v1", "serviceaccounts", "ServiceAccount"),
    Kind("monitoring.coreos.com/v1", "servicemonitors", "ServiceMonitor", rare=True),
    Kind("monitoring.coreos.com/v1", "prometheusrules", "PrometheusRule", rare=True),
    Kind("coordination.k8s.io/v1", "leases", "Lease"),
    Kind("v1", "secrets", "Secret"),
    Kind("v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
)
# The kinds of what our modules start.
RUN_KINDS: t.Final = frozenset({"Job", "Pod", "NetworkPolicy", "ConfigMap", "Secret", "Lease"})
_HOOK_KINDS = frozenset({"Job", "Pod", "NetworkPolicy", "ConfigMap", "Secret"})


@dataclasses.dataclass(frozen=True)
class Found:
    """An object of the namespace and whose it is, as far as this release is concerned.

    :param going: it is being removed already
    :param held: what keeps it from going: finalizers
    """

    kind: Kind
    name: str
    whose: Whose
    uid: str = ""
    going: bool = False
    held: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind.name, "name": self.name, "what": self.whose}

    @property
    def words(self) -> str:
        return f"{self.kind.name} {self.name}"


def own_labels(release: str) -> dict[str, str]:
    """The labels of what runs write into a release's namespace beside the release, and keep there."""
    return {"app": release, INSTANCE: release, MANAGER: OWN_MANAGER}


def found(kind: Kind, item: Object, release: str, namespace: str) -> Found:
    """An object as the API server shows it.

    :param item: one of this kind, in the release's namespace
    """
    metadata = item["metadata"]
    held = tuple(metadata.get("finalizers") or ())
    going = bool(metadata.get("deletionTimestamp"))
    whose = _whose(kind.name, metadata, release, namespace)
    return Found(kind, metadata["name"], whose, str(metadata.get("uid") or ""), going, held)


def _whose(kind: str, metadata: Object, release: str, namespace: str) -> Whose:
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if labels.get(MANAGER) == OWN_MANAGER and kind in RUN_KINDS:
        return "run" if _of_a_run(kind, metadata["name"], labels, release) else "elsewhere"
    if labels.get(INSTANCE) != release:
        return "elsewhere"
    if kind == "PersistentVolumeClaim" and HELMS_RELEASE[0] not in annotations:
        # The controller of its StatefulSet may own it.
        return _volume(metadata["name"], labels) or "others"
    if any(each.get("controller") for each in metadata.get("ownerReferences") or ()):
        # An owned object is removed with its owner, which helm applied. A controller's Secret is the controller's.
        return "child" if labels.get(MANAGER) == "Helm" and kind != "Secret" else "others"
    if labels.get(MANAGER) == "Helm":
        return _of_helm(kind, labels, annotations, (release, namespace))
    roles = kind == "Secret" and metadata["name"] == f"{release}-secret" and _is_the_roles(labels, annotations)
    return "secret" if roles else "others"


def _of_helm(
    kind: str, labels: t.Mapping[str, str], annotations: t.Mapping[str, str], release: tuple[str, str]
) -> Whose:
    """Whose an object is that says that Helm manages it.

    :param release: its name and its namespace
    """
    if not _OUR_CHARTS.match(labels.get(_CHART, "")):
        return "others"
    if _HOOK in annotations:
        return "hook" if kind in _HOOK_KINDS and _is_our_hook(labels, release[0]) else "others"
    if tuple(annotations.get(each) for each in HELMS_RELEASE) != release:
        return "others"
    if kept(annotations):
        return "secret" if kind == "Secret" else "others"
    return "helm"


def _of_a_run(kind: str, name: str, labels: t.Mapping[str, str], release: str) -> bool:
    """Whether a run made it for this release, and not for one whose name begins alike."""
    if kind == "Lease" or (kind == "ConfigMap" and name in {records.name_of(release), f"{release}-move-record"}):
        return labels.get(INSTANCE) == release
    whole = f"{release}-{labels.get(COMPONENT)}-{labels.get(RUN_LABEL)}"
    named = name == whole or (kind == "Pod" and re.fullmatch(rf"{re.escape(whole)}-[a-z0-9]{{5}}", name) is not None)
    return bool(labels.get(NAME) == "ai-agent-check" and labels.get(RUN_LABEL) and named)


def _is_our_hook(labels: t.Mapping[str, str], release: str) -> bool:
    return (
        labels.get("app") == release
        and labels.get(COMPONENT) in _HOOKS_PARTS
        and labels.get(_CHART, "").startswith("ai-agent-")
    )


def _is_the_roles(labels: t.Mapping[str, str], annotations: t.Mapping[str, str]) -> bool:
    kept = {**labels, **annotations}
    # The same marks by which release_info recognises Secrets that a controller keeps.
    if "true" in (kept.get("reconcile.external-secrets.io/managed"), kept.get("sealedsecrets.bitnami.com/managed")):
        return False
    return labels.get(MANAGER) == ROLES_MANAGER and labels.get(COMPONENT) == "credentials"


def _volume(name: str, labels: t.Mapping[str, str]) -> t.Literal["postgresql-volume", "redis-volume"] | None:
    """The volume of a server. A StatefulSet's controller gives a claim the labels that it selects its pods by."""
    what, template = _VOLUMES.get(labels.get(COMPONENT, ""), ("", ""))
    if not what or not re.fullmatch(rf"{template}-[-a-z0-9.]+-\d+", name):
        return None
    return "postgresql-volume" if what == "postgresql-volume" else "redis-volume"


def kept(annotations: t.Mapping[str, str]) -> bool:
    """Whether Helm leaves the object with these where it is when it would remove it.

    Helm's documentation, Chart Development Tips and Tricks, "Tell Helm Not To Uninstall a Resource".
    """
    return annotations.get(_POLICY) == "keep"


def of(items: Iterable[Found], *whose: Whose) -> list[Found]:
    """The objects with one of these owners, in the order of their removal."""
    order = {kind: number for number, kind in enumerate(KINDS)}
    chosen = (item for item in items if item.whose in whose)
    return sorted(chosen, key=lambda item: (order[item.kind], item.name))


def doomed_claims(items: Iterable[tuple[Kind, Object]], release: str, namespace: str) -> list[tuple[str, str]]:
    """The data that helm would remove with the release: which volume, and why, a sentence each.

    Their fate is written into the release: a claim among its own objects, or a StatefulSet's retention policy.
    """
    told = []
    for kind, item in items:
        one = found(kind, item, release, namespace)
        if one.whose != "helm":
            continue
        component = (item["metadata"].get("labels") or {}).get(COMPONENT, "")
        what = _VOLUMES.get(component, ("volume", ""))[0]
        policy = (item.get("spec") or {}).get("persistentVolumeClaimRetentionPolicy") or {}
        if kind.name == "PersistentVolumeClaim":
            told.append((what, f"PersistentVolumeClaim {one.name} is one of the release's own objects"))
        if kind.name == "StatefulSet" and policy.get("whenDeleted") == "Delete":
            told.append((what, f"StatefulSet {one.name} deletes its volumes when it is deleted"))
    return told


__all__ = ("KINDS", "REMOVABLE", "RUN_KINDS", "Found", "Kind", "Whose", "doomed_claims", "found", "kept", "of")
