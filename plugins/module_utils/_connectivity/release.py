"""What the API says of a release that is to be tested: pods, Services, where they lead, policies. Reads only."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.agent_process import health_path
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import may_exec
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.network_policies import selects
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import readable, release_selector

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import (
        Endpoints,
        SeenRelease,
        ServerFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# Names of ports and components in Bitnami's charts and in the embedded ones, and the dependency that is behind them.
SERVERS: t.Final[dict[tuple[str, str], str]] = {
    ("tcp-postgresql", "primary"): "postgresql",
    ("tcp-postgresql", "read"): "postgresql-replica",
    ("tcp-redis", "master"): "redis",
}


@dataclasses.dataclass(frozen=True)
class ReleaseObjects:
    """Objects of a release. `policies`, `slices` and `services`: None where the account may not list them."""

    deployment: Object
    pods: tuple[Object, ...]
    services: tuple[Object, ...] | None
    slices: tuple[Object, ...] | None
    policies: tuple[Object, ...] | None
    exec_allowed: bool

    @property
    def pod_spec(self) -> Object:
        """The pod spec of the deployed agent."""
        spec: Object = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def agent_pods(self) -> list[Object]:
        """The agent's pods that are not about to go, the ready ones first."""
        there = [
            pod
            for pod in self.pods
            if pod["metadata"].get("labels", {}).get(COMPONENT) == "agent"
            and not pod["metadata"].get("deletionTimestamp")
        ]
        return sorted(there, key=lambda pod: (not shared.is_ready(pod), pod["metadata"]["name"]))

    @property
    def running(self) -> list[Object]:
        """The agent's pods into which one can exec: ready or not, their container runs."""
        return [pod for pod in self.agent_pods if any("running" in state for state in _states(pod))]


def look(cluster: Cluster, release: str, namespace: str) -> ReleaseObjects:
    """Ask for all of it at once.

    :raises FindingError: `release-missing` where there is no agent
    """
    ours = release_selector(release)
    asked = {
        "deployments": lambda: cluster.list("apps/v1", "deployments", namespace, labels=f"{ours},{COMPONENT}=agent"),
        "pods": lambda: cluster.list("v1", "pods", namespace, labels=ours),
        "services": lambda: readable(cluster, "v1", "services", namespace, ours),
        "slices": lambda: readable(cluster, "discovery.k8s.io/v1", "endpointslices", namespace, ours),
        "policies": lambda: readable(cluster, "networking.k8s.io/v1", "networkpolicies", namespace, ""),
        "exec": lambda: may_exec(cluster, namespace),
    }
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
        running = {name: pool.submit(ask) for name, ask in asked.items()}
        found: dict[str, t.Any] = {name: future.result() for name, future in running.items()}
    if not found["deployments"]:
        words = f"Namespace {namespace} has no agent of a release {release}; install it, or correct the name."
        raise FindingError("release-missing", words)
    return ReleaseObjects(
        found["deployments"][0],
        tuple(found["pods"]),
        found["services"],
        found["slices"],
        found["policies"],
        found["exec"],
    )


def _states(pod: Object) -> list[Object]:
    """The state of the agent's container, none before there is one."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return [item.get("state") or {} for item in statuses if item["name"] == "agent"]


def _reason(pod: Object) -> str | None:
    """Why a pod is not ready, in Kubernetes' words."""
    if shared.is_ready(pod):
        return None
    for state in _states(pod):
        for ended in ("waiting", "terminated"):
            if ended in state:
                return str(state[ended].get("reason") or ended)
    conditions = (pod.get("status") or {}).get("conditions") or ()
    said = [item for item in conditions if item["status"] != "True" and item.get("message")]
    return str(said[0]["message"]) if said else None


def release_facts(seen: ReleaseObjects, release: str, namespace: str) -> SeenRelease:
    """The part `release` of the facts, without what strangers add."""
    agent = shared.agent_container(seen.pod_spec)
    leads = endpoints(seen, lambda service: service["metadata"].get("labels", {}).get(COMPONENT) == "agent")
    return {
        "name": release,
        "namespace": namespace,
        "replicas": int(seen.deployment["spec"].get("replicas", 1)),
        "pods": [
            {
                "name": pod["metadata"]["name"],
                "node": (pod.get("spec") or {}).get("nodeName"),
                "ready": shared.is_ready(pod),
                "reason": _reason(pod),
                "labels": pod["metadata"].get("labels", {}),
            }
            for pod in seen.agent_pods
        ],
        "endpoints": leads,
        "servers": servers(seen, namespace),
        "policies": None if seen.policies is None else list(seen.policies),
        "health": health_path(agent),
    }


def endpoints(seen: ReleaseObjects, wanted: t.Callable[[Object], bool]) -> Endpoints | None:
    """Names of the pods to which the wanted Service leads, None where that may not be read."""
    if seen.slices is None:
        return None
    found: Endpoints = {"ready": [], "unready": []}
    for item in seen.slices:
        if wanted(item):
            for endpoint in item.get("endpoints") or ():
                state = endpoint.get("conditions") or {}
                names = found["ready"] if state.get("ready") is not False else found["unready"]
                names.append(str((endpoint.get("targetRef") or {}).get("name", "no pod")))
    return {"ready": sorted(set(found["ready"])), "unready": sorted(set(found["unready"]))}


def agent_service(seen: ReleaseObjects) -> Object | None:
    """The Service of the agent."""
    ours = (item for item in seen.services or () if item["metadata"].get("labels", {}).get(COMPONENT) == "agent")
    return next((item for item in ours if item["spec"].get("selector")), None)


def servers(seen: ReleaseObjects, namespace: str) -> dict[str, ServerFacts]:
    """The release's own servers by the dependency's name: where its Service is, and how many endpoints are ready."""
    found: dict[str, ServerFacts] = {}
    for service in seen.services or ():
        spec, name = service["spec"], service["metadata"]["name"]
        component = service["metadata"].get("labels", {}).get(COMPONENT, "")
        for port in spec.get("ports") or ():
            dependency = SERVERS.get((port.get("name", ""), component))
            if dependency and spec.get("clusterIP") != "None":
                behind = endpoints(seen, functools.partial(_leads, service=name))
                pods = [pod for pod in seen.pods if selects({"matchLabels": spec["selector"]}, _labels(pod))]
                found[dependency] = {
                    "host": f"{name}.{namespace}.svc",
                    "port": port["port"],
                    "ready": None if behind is None else len(behind["ready"]),
                    "labels": _labels(pods[0]) if pods else spec["selector"],
                    "memory_limit": _memory_limit(pods[0], dependency) if pods else None,
                }
    return found


def _memory_limit(pod: Object, dependency: str) -> str | None:
    """The memory limit of the server's container, as the pod writes it; sidecars have limits of their own."""
    named = [item for item in pod["spec"].get("containers") or () if item["name"] == dependency]
    limits = [(item.get("resources") or {}).get("limits") or {} for item in named]
    return next((str(item["memory"]) for item in limits if "memory" in item), None)


def _leads(item: Object, service: str) -> bool:
    return bool(item["metadata"].get("labels", {}).get("kubernetes.io/service-name") == service)


def _labels(item: Object) -> dict[str, str]:
    return dict(item["metadata"].get("labels") or {})


__all__ = ("COMPONENT", "ReleaseObjects", "agent_service", "endpoints", "look", "release_facts", "servers")
