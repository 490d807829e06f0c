"""kind's configuration of the lab's cluster, as plain data."""

from __future__ import annotations

import json
from typing import Any

from lab import registry, source
from lab.paths import WORKERS

POD_SUBNET = "10.244.0.0/16"


def config(port: int, chosen: str) -> dict[str, Any]:
    """The cluster: one control plane, the workers, the registry known to each.

    :param port: of the API server on 127.0.0.1; 0 lets Docker choose
    :param chosen: where the node image comes from, :data:`lab.source.PACKAGES` or :data:`lab.source.REGISTRIES`
    """
    # What cgroup v1 and a missing CAP_SYS_RESOURCE ask for; neither disturbs elsewhere.
    kubelet = {"kind": "KubeletConfiguration", "failCgroupV1": False, "oomScoreAdj": 0}
    proxy = {"kind": "KubeProxyConfiguration", "oomScoreAdj": 0}
    # Each node advertises the whole machine, so a small one needs the control plane's share as well.
    untainted = {"kind": "InitConfiguration", "nodeRegistration": {"taints": []}}
    mounts = [{"hostPath": str(registry.HOSTS), "containerPath": registry.CERTS, "readOnly": True}]
    nodes: list[dict[str, Any]] = [
        {"role": "control-plane", "extraMounts": mounts, "kubeadmConfigPatches": [json.dumps(untainted)]}
    ]
    nodes += [{"role": "worker", "extraMounts": mounts}] * WORKERS
    containerd = f'[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "{registry.CERTS}"\n'
    # The node image of this lab brings Calico as its default network; the released one brings another.
    networking = {"podSubnet": POD_SUBNET, "disableDefaultCNI": chosen == source.REGISTRIES}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {**networking, "apiServerPort": port, "apiServerAddress": "127.0.0.1"},
        "kubeadmConfigPatches": [json.dumps(kubelet), json.dumps(proxy)],
        "containerdConfigPatches": [containerd],
        "nodes": nodes,
    }
