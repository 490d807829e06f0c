"""Print what is in a namespace, in lines that stay the same while nobody changes it.

    python snapshot.py KUBECONFIG NAMESPACE

Name and uid of each object; with it the generation of what has a status, and the resource version of what has none.
"""

from __future__ import annotations

import sys

from kubernetes import client, config

config.load_kube_config(sys.argv[1])
core, apps, networking = client.CoreV1Api(), client.AppsV1Api(), client.NetworkingV1Api()
rights = client.RbacAuthorizationV1Api()
lists = [
    apps.list_namespaced_deployment,
    apps.list_namespaced_stateful_set,
    client.BatchV1Api().list_namespaced_job,
    client.PolicyV1Api().list_namespaced_pod_disruption_budget,
    networking.list_namespaced_network_policy,
    core.list_namespaced_pod,
    core.list_namespaced_persistent_volume_claim,
    core.list_namespaced_service,
    core.list_namespaced_config_map,
    core.list_namespaced_secret,
    core.list_namespaced_service_account,
    rights.list_namespaced_role,
    rights.list_namespaced_role_binding,
]
lines = []
for function in lists:
    kind = function.__name__.removeprefix("list_namespaced_")
    for item in function(sys.argv[2]).items:
        meta, status = item.metadata, getattr(item, "status", None)
        version = f"resource version {meta.resource_version}" if status is None else f"generation {meta.generation}"
        lines.append(f"{kind} {meta.name} {meta.uid} {version}")
print("\n".join(sorted(lines)))
