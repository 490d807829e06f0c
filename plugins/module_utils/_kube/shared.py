"""Parts of a release's pod spec that a pod of ours copies, so that admission and network policies treat both alike.

Pure: a pod spec, one of its containers, and the object around them, as in a manifest or as the API server shows them.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

Object = dict[str, t.Any]
# Kind and name of an object.
Named = tuple[str, str]

# The token of a service account, which Kubernetes mounts by itself where it is wanted.
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a folder
# Volumes that bring no secret into a pod and depend on no storage outside of it.
_HARMLESS = {"configMap", "downwardAPI", "emptyDir"}
# Labels of the chart's own, which say what an object is, and those of Kubernetes' controllers.
_OWN_LABELS = r"app|job|helm\.sh/.*|app\.kubernetes\.io/.*|{release}-db-client|pod-template-hash"
_OWN_ANNOTATIONS = re.compile(
    r"ai-agent/.*|checksum/.*|meta\.helm\.sh/.*|helm\.sh/.*|deployment\.kubernetes\.io/.*"
    r"|kubectl\.kubernetes\.io/.*|cni\.projectcalico\.org/.*|k8s\.v1\.cni\.cncf\.io/.*"
)
# Variables that libpq reads by itself, besides those that hold the URLs.
_LIBPQ = "PG"


def volumes(
    pod: Object, container: Object, absent: t.Collection[Named] = (), *, closed: bool = False
) -> tuple[list[Object], list[Object]]:
    """The volumes that `container` mounts, and its mounts; none of objects that are `absent`, or of the names of ours.

    :param closed: for a pod that gets no secret
    """
    kept = {item["name"]: item for item in pod.get("volumes") or () if _carried(item, absent, closed=closed)}
    mounts = [
        item
        for item in container.get("volumeMounts") or ()
        if item["name"] in kept and item["mountPath"].rstrip("/") not in {"/tmp", TOKEN_PATH}  # noqa: S108 - the pod's
    ]
    names = list(dict.fromkeys(item["name"] for item in mounts))
    return [kept[name] for name in names], mounts


def _carried(volume: Object, absent: t.Collection[Named], *, closed: bool) -> bool:
    if volume["name"] in {"tmp", "told"}:
        return False
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    names = {("ConfigMap", (item.get("configMap") or {}).get("name")) for item in sources}
    # A volume writes secretName, a source of a projected one writes name.
    secrets = [item.get("secret") or {} for item in sources]
    names |= {("Secret", item.get("secretName", item.get("name"))) for item in secrets}
    return not names & set(absent) and (not closed or bool(volume.keys() & _HARMLESS))


def env_from(container: Object, absent: t.Collection[Named] = (), *, closed: bool = False) -> list[Object]:
    """A container's sources of environment that exist.

    :param closed: without those that are Secrets
    """
    return [
        item
        for item in container.get("envFrom") or ()
        if not (closed and "secretRef" in item)
        and ("ConfigMap", (item.get("configMapRef") or {}).get("name")) not in absent
        and ("Secret", (item.get("secretRef") or {}).get("name")) not in absent
    ]


def agent_container(pod: Object) -> Object:
    """The agent's container of its pod spec, which an injected one may stand before."""
    containers = pod["containers"]
    found: Object = next((item for item in containers if item["name"] == "agent"), containers[0])
    return found


def is_ready(pod: Object) -> bool:
    """Whether the pod says so of itself."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def is_rolled_out(deployment: Object) -> bool:
    """Whether all pods of a Deployment were made from its current template and are available. Pure."""
    status = deployment.get("status") or {}
    counts = [int(status.get(name) or 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = int(status.get("observedGeneration") or 0) >= int(deployment["metadata"].get("generation") or 0)
    return seen and len(set(counts)) == 1


def environment(container: Object, urls: t.Collection[str]) -> list[Object]:
    """A container's variables without secrets, but for those in `urls` and what libpq reads beside them."""
    return [
        item
        for item in container.get("env") or ()
        if "secretKeyRef" not in (item.get("valueFrom") or {})
        or item["name"] in urls
        or item["name"].startswith(_LIBPQ)
    ]


def account(pod: Object, absent: t.Collection[Named] = ()) -> str | None:
    """A pod's service account, which may bring the secrets that pull images; None: the namespace's default one."""
    name = pod.get("serviceAccountName")
    return name if name and ("ServiceAccount", name) not in absent else None


def given_labels(item: Object, release: str) -> dict[str, str]:
    """The labels that every object and pod of the release has, of one of its objects: commonLabels.

    Opting out of a mesh is the usual one: https://istio.io/latest/docs/setup/additional-setup/sidecar-injection
    """
    own = re.compile(_OWN_LABELS.format(release=re.escape(release)))
    return {name: value for name, value in (item["metadata"].get("labels") or {}).items() if not own.fullmatch(name)}


def given_annotations(metadata: Object) -> dict[str, str]:
    """Annotations that somebody gave an object or a pod template, without the chart's own and those of controllers."""
    given = metadata.get("annotations") or {}
    return {name: value for name, value in given.items() if not _OWN_ANNOTATIONS.fullmatch(name)}


__all__ = (
    "Named",
    "account",
    "agent_container",
    "env_from",
    "environment",
    "given_annotations",
    "given_labels",
    "is_ready",
    "is_rolled_out",
    "volumes",
)
