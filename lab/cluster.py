"""The kind cluster of this checkout: made, mended, filled with images, removed."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

from lab import images, node, shell, tools
from lab.paths import CLUSTER, KUBECONFIG, LAB
from lab.progress import LabError, say

NODE = f"{CLUSTER}-control-plane"


def exists() -> bool:
    """Whether the node's container is there, running or not."""
    return _state() is not None


def ensure() -> bool:
    """Leave with a cluster whose API answers and whose node is of the present recipe; returns whether it was there.

    :raises LabError: the cluster could not be made, or the wished port is taken
    """
    image = node.reference()
    state = _state()
    if state and _image() != image:
        say("        the cluster was made from another node image: making it anew")
        remove()
        state = None
    if state and state != "running":
        say("        the node's container was stopped: starting it again")
        shell.run(["docker", "start", NODE], log="cluster", what="starting the node's container")
    if state and _write_kubeconfig() and _ready(90):
        return True
    if state:
        say("        the cluster does not answer: making it anew")
        remove()
    _create(image)
    return False


def remove() -> None:
    """Delete the cluster of this checkout and its kubeconfig; no cluster is fine."""
    if exists():
        kind = [tools.kind(), "delete", "cluster", "--name", CLUSTER, "--kubeconfig", KUBECONFIG]
        shell.run(kind, log="cluster", what=f"deleting the cluster {CLUSTER}", timeout=180)
    KUBECONFIG.unlink(missing_ok=True)


def load(references: list[str]) -> list[str]:
    """Bring images into the node that it does not have; returns those that were brought."""
    listed = shell.capture(["docker", "exec", NODE, "ctr", "-n", "k8s.io", "images", "ls", "-q"])
    missing = sorted(set(references) - set(listed.stdout.split()))
    if missing:
        with images.workspace() as folder:
            # One archive for all of them: layers that they share are in it once.
            archive = folder / "images.tar"
            shell.run(["docker", "save", "-o", archive, *missing], log="load", what="saving the images")
            words = [tools.kind(), "load", "image-archive", archive, "--name", CLUSTER]
            shell.run(words, log="load", what="loading the images into the node")
    return missing


def kubectl(*words: str, timeout: float = 60) -> str:
    """Output of a kubectl command on this cluster.

    :raises LabError: kubectl failed; its own words are in the sentence
    """
    done = shell.capture([tools.kubectl(), "--kubeconfig", KUBECONFIG, *words], timeout=timeout)
    if done.returncode:
        raise LabError(f"kubectl {' '.join(words[:3])} failed: {done.stderr.strip()}")
    return done.stdout


def _create(image: str) -> None:
    port = int(os.environ.get("LAB_API_PORT", "0"))
    if port and not _free(port):
        raise LabError(f"port {port} (LAB_API_PORT) on 127.0.0.1 is taken: choose another, or leave it out")
    config = LAB / "kind.yaml"
    config.write_text(_config(port))
    words = [tools.kind(), "create", "cluster", "--name", CLUSTER, "--image", image, "--config", config]
    words += ["--kubeconfig", KUBECONFIG, "--wait", "120s"]
    try:
        shell.run(words, log="cluster", what=f"creating the cluster {CLUSTER}", timeout=400)
        _wait_for_services()
    except BaseException:
        # A half-made cluster is of no use to anybody, and the next run would have to find that out.
        remove()
        raise


def _wait_for_services() -> None:
    if not _write_kubeconfig() or not _ready(120):
        raise LabError(f"the new cluster {CLUSTER} does not answer: docker logs {NODE} tells more")
    for namespace, workload in (("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner")):
        kubectl("rollout", "status", f"deploy/{workload}", "-n", namespace, "--timeout=120s", timeout=130)


def _config(port: int) -> str:
    """kind's configuration. The patches are what cgroup v1 and a missing CAP_SYS_RESOURCE ask for."""
    kubelet = {"kind": "KubeletConfiguration", "failCgroupV1": False, "oomScoreAdj": 0}
    proxy = {"kind": "KubeProxyConfiguration", "oomScoreAdj": 0}
    return json.dumps(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "networking": {"apiServerPort": port, "apiServerAddress": "127.0.0.1", "podSubnet": "10.244.0.0/16"},
            "kubeadmConfigPatches": [json.dumps(kubelet), json.dumps(proxy)],
            "nodes": [{"role": "control-plane"}],
        },
        indent=1,
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _state() -> str | None:
    found = shell.capture(["docker", "container", "inspect", "--format", "{{.State.Status}}", NODE])
    return found.stdout.strip() if found.returncode == 0 else None


def _image() -> str:
    return shell.capture(["docker", "container", "inspect", "--format", "{{.Config.Image}}", NODE]).stdout.strip()


def _write_kubeconfig() -> bool:
    found = shell.capture([tools.kind(), "get", "kubeconfig", "--name", CLUSTER])
    if found.returncode:
        return False
    if not KUBECONFIG.exists() or KUBECONFIG.read_text() != found.stdout:
        fresh = Path(f"{KUBECONFIG}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(found.stdout)
        fresh.replace(KUBECONFIG)
    return True


def _ready(seconds: float) -> bool:
    """Whether the API answers and the node is Ready within *seconds*."""
    deadline = time.monotonic() + seconds
    words = ["wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=3s"]
    while True:
        if shell.capture([tools.kubectl(), "--kubeconfig", KUBECONFIG, *words], timeout=15).returncode == 0:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
