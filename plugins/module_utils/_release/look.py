"""What of a release is in the cluster now, as far as the account may look."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden, namespace_exists
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import MANAGER, OWN_MANAGER
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rights import Access, needed, not_granted

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Planned

AGENT = f"{COMPONENT}=agent"


def release_selector(name: str) -> str:
    """The label selector for objects of a release."""
    return f"app.kubernetes.io/instance={name}"


def namespace_missing(cluster: Cluster, namespace: str) -> bool:
    """Whether the namespace is missing; False where the account may not read namespaces."""
    return namespace_exists(cluster, namespace) is False


def serving(cluster: Cluster, release: str, namespace: str) -> Live:
    """Deployment and pods of the agent: what decides whom to ask.

    :raises FindingError: the API server refuses or does not answer
    """
    labels = f"{release_selector(release)},{AGENT}"
    deployments = cluster.list("apps/v1", "deployments", namespace, labels=labels)
    pods = cluster.list("v1", "pods", namespace, labels=labels) if deployments else []
    return Live(deployment=deployments[0] if deployments else None, pods=tuple(pods))


def agent_of(objects: Iterable[Object], release: str | None) -> Object | None:
    """The Deployment of the agent among rendered objects.

    :param release: None where the objects are those of one
    """
    wanted = ({COMPONENT: "agent"} | ({"app.kubernetes.io/instance": release} if release else {})).items()
    found = (item for item in objects if item["kind"] == "Deployment")
    return next((item for item in found if wanted <= (item["metadata"].get("labels") or {}).items()), None)


def with_surroundings(cluster: Cluster, live: Live, release: str, namespace: str) -> Live:
    """`live` with everything else: servers, claims, autoscaler, limits of the namespace.

    :raises FindingError: the API server does not answer
    """
    labels = release_selector(release)
    scalers = readable(cluster, "autoscaling/v2", "horizontalpodautoscalers", namespace, labels) or ()
    quotas = readable(cluster, "v1", "resourcequotas", namespace)
    # Only a quota counts them.
    own = readable(cluster, "v1", "pods", namespace, f"{MANAGER}={OWN_MANAGER}") if quotas else ()
    return dataclasses.replace(
        live,
        statefulsets=readable(cluster, "apps/v1", "statefulsets", namespace, labels) or (),
        autoscaler=scalers[0] if scalers else None,
        claims=readable(cluster, "v1", "persistentvolumeclaims", namespace, labels),
        quotas=quotas,
        limit_ranges=readable(cluster, "v1", "limitranges", namespace),
        storage_classes=readable(cluster, "storage.k8s.io/v1", "storageclasses", None),
        metrics=cluster.serves("metrics.k8s.io"),
        checks=tuple(pod for pod in own or () if pod["status"].get("phase") not in {"Succeeded", "Failed"}),
    )


def missing_rights(cluster: Cluster, plan: Planned, namespace: str) -> tuple[Access, ...]:
    """The rights that deploying `plan` needs and the account has not.

    :raises FindingError: the API server refuses or does not answer
    """
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    status = cluster.create("authorization.k8s.io/v1", "selfsubjectrulesreviews", review)["status"]
    missing = not_granted(needed(plan), status.get("resourceRules") or ())
    # An authorizer may be unable to list its rules, and says so; a question about one right it can always answer.
    return tuple(item for item in missing if not cluster.may(item.verb, _spelled(item), namespace))


def _spelled(item: Access) -> str:
    """plural.group/subresource, as Cluster.may takes it."""
    plural, _slash, subresource = item.resource.partition("/")
    group = f".{item.group}" if item.group else ""
    return f"{plural}{group}" + (f"/{subresource}" if subresource else "")


def readable(
    cluster: Cluster, version: str, plural: str, namespace: str | None, labels: str = ""
) -> tuple[Object, ...] | None:
    """The objects, None where the account may not read them."""
    try:
        return tuple(cluster.list(version, plural, namespace, labels=labels))
    except Forbidden:
        return None


__all__ = (
    "agent_of",
    "missing_rights",
    "namespace_missing",
    "readable",
    "release_selector",
    "serving",
    "with_surroundings",
)
