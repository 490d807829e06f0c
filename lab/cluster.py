"""The kind cluster of this checkout: made, mended, removed."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Collection
from pathlib import Path

from lab import calico, kind_config, node, own_checksums, registry, released, shell, source, tools
from lab.cache import digest
from lab.paths import CLUSTER, KUBECONFIG, LAB, WORKERS
from lab.progress import LabError, minutes, say

CONTROL_PLANE = f"{CLUSTER}-control-plane"
NODES = (CONTROL_PLANE, *(f"{CLUSTER}-worker{number if number > 1 else ''}" for number in range(1, WORKERS + 1)))
COMPLETE = LAB / "cluster"
"""Digest of the recipe that the cluster was made by, written when it was complete: without it, it is half made."""

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_FOR_ONE, INOTIFY_FOR_MORE = 128, 512
"""The kernel's default of 128 suffices for one cluster of three nodes, not for two; kind's known issues advise 512."""

WORKLOADS = (
    ("kube-system", "daemonset/calico-node"),
    ("kube-system", "deployment/coredns"),
    ("local-path-storage", "deployment/local-path-provisioner"),
)
"""What has to run before a cluster is one; a node is called Ready before its network enforces policies."""


def exists() -> bool:
    """Whether any node's container is there, running or not."""
    return bool(states())


def states() -> dict[str, str]:
    """State of each node's container that is there (``running``, ``exited`` ...), by name."""
    words = ["docker", "ps", "--all", "--filter", f"label=io.x-k8s.kind.cluster={CLUSTER}"]
    listed = shell.capture([*words, "--format", "{{.Names}} {{.State}}"]).stdout.split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


def ensure() -> None:
    """Leave with a cluster of the present recipe, complete, whose API answers and whose nodes are ready.

    A cluster that is half made, of another recipe or beyond mending is made anew, and the reader is told why.

    :raises LabError: it could not be made, or the wished port is taken
    """
    registry.write_hosts()
    found = states()
    why = _why_replace(found)
    if found and why:
        say(f"        {why}: making it anew")
        remove()
        found = {}
    if found:
        if mended := _start_stopped(found):
            say(f"        stopped: {', '.join(mended)}; started again")
        if _write_kubeconfig() and _ready(90 if mended else 30):
            return
        say("        the cluster does not answer: making it anew")
        remove()
    _create()


def require_port() -> None:
    """Find out before anything is built that the wished port cannot be had.

    :raises LabError: LAB_API_PORT is no port, or taken by something that is not this cluster
    """
    port = _port()
    if port and not exists() and not _free(port):
        raise LabError(f"port {port} (LAB_API_PORT) on 127.0.0.1 is taken: choose another, or leave it out")


def remove() -> None:
    """Delete the cluster of this checkout and its kubeconfig; no cluster is fine."""
    COMPLETE.unlink(missing_ok=True)
    if exists():
        kind = [tools.kind(), "delete", "cluster", "--name", CLUSTER, "--kubeconfig", KUBECONFIG]
        shell.run(kind, log="cluster", what=f"deleting the cluster {CLUSTER}", timeout=180, cleanup=True)
    KUBECONFIG.unlink(missing_ok=True)


def kubectl(*words: str, timeout: float = 60) -> str:
    """Output of a kubectl command on this cluster.

    :raises LabError: kubectl failed; its own words are in the sentence
    """
    done = shell.capture([tools.kubectl(), "--kubeconfig", KUBECONFIG, *words], timeout=timeout)
    if done.returncode:
        raise LabError(f"kubectl {' '.join(words[:3])} failed: {done.stderr.strip()}")
    return done.stdout


def _why_replace(found: dict[str, str]) -> str:
    """Why a cluster cannot stay; empty when it can."""
    if not COMPLETE.exists():
        return "the cluster was left half made"
    if COMPLETE.read_text().strip() != _recipe():
        return "the cluster was made by another recipe"
    if missing := sorted(set(NODES) - set(found)):
        return f"the cluster has lost {', '.join(missing)}"
    return ""


def _recipe() -> str:
    return digest([node.reference(), json.dumps(kind_config.config(_port(), source.chosen()))])


def _start_stopped(found: dict[str, str]) -> list[str]:
    """Start the nodes that do not run, the control plane first: the workers look for its address."""
    stopped = [name for name in NODES if found[name] != "running"]
    for name in stopped:
        shell.run(["docker", "start", name], log="cluster", what=f"starting the node {name}")
    return stopped


def inotify_warning(instances: int, others: Collection[str]) -> str:
    """What to know before a cluster is made beside `others`; empty when there is nothing.

    :param instances: fs.inotify.max_user_instances, which all the nodes of this machine share
    """
    if not others or instances >= INOTIFY_FOR_MORE:
        return ""
    return (
        f"beside the cluster {', '.join(sorted(others))} this one may lack inotify instances"
        f" (fs.inotify.max_user_instances is {instances}); should it not come up: run as root"
        f" sysctl fs.inotify.max_user_instances={INOTIFY_FOR_MORE}, or remove the other one"
    )


def _others() -> set[str]:
    label = "io.x-k8s.kind.cluster"
    words = ["docker", "ps", "--filter", f"label={label}", "--format", f'{{{{.Label "{label}"}}}}']
    return set(shell.capture(words).stdout.split()) - {CLUSTER}


def _create() -> None:
    require_port()
    if note := inotify_warning(int(INOTIFY.read_text()), _others()):
        say(f"        {note}")
    config = LAB / "kind.yaml"
    config.write_text(json.dumps(kind_config.config(_port(), source.chosen()), indent=1))
    words = [tools.kind(), "create", "cluster", "--name", CLUSTER, "--image", node.reference(), "--config", config]
    words += ["--kubeconfig", KUBECONFIG]
    try:
        shell.run(words, log="cluster", what=f"creating the cluster {CLUSTER}", timeout=400, env=_past_the_proxy())
        _write_kubeconfig()
        if source.chosen() == source.REGISTRIES:
            kubectl("apply", "--server-side", "-f", str(_network()))
        _demand_ready()
    except BaseException:
        if not os.environ.get("LAB_KEEP_BROKEN"):
            # A half-made cluster is of no use to anybody, and the next run would only remove it.
            remove()
        raise
    COMPLETE.write_text(_recipe() + "\n")


def _past_the_proxy() -> dict[str, str]:
    """kind hands a proxy of the environment on to the nodes, which would ask it for the registry beside them."""
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}
    if not proxies.intersection(os.environ):
        return {}
    known = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    spared = ",".join(part for part in (known, registry.NAME) if part)
    return {"NO_PROXY": spared, "no_proxy": spared}


def _network() -> Path:
    """Calico's released manifest, quiet, its images by the digests that LAB_RELEASES has for them."""
    text = released.fetch(released.calico()).read_text()
    for name in calico.PUBLIC_IMAGES:
        text = text.replace(name, own_checksums.image(name))
    path = LAB / "calico.yaml"
    path.write_text(calico.quiet(text))
    return path


def _demand_ready() -> None:
    # Calico's released images come over the network to each node; those that are built here are in the node image.
    limit = 600 if source.chosen() == source.REGISTRIES else 180
    if not _ready(limit):
        raise LabError(
            f"the new cluster {CLUSTER} is not ready after {minutes(limit)}: see its log in .lab/logs/cluster.log"
        )


def _port() -> int:
    wish = os.environ.get("LAB_API_PORT") or "0"
    if not wish.isdigit() or int(wish) > 65535:
        raise LabError(f"LAB_API_PORT={wish} is no port: choose a number from 1024 to 65535, or leave it out")
    return int(wish)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
    """Whether the API answers, every node is Ready and :data:`WORKLOADS` run, within *seconds*."""
    deadline = time.monotonic() + seconds
    nodes = ["wait", "--for=condition=Ready", *(f"node/{name}" for name in NODES), "--timeout=3s"]
    workloads = [["rollout", "status", "-n", space, name, "--timeout=3s"] for space, name in WORKLOADS]
    remaining = [nodes, *workloads]
    while remaining:
        done = shell.capture([tools.kubectl(), "--kubeconfig", KUBECONFIG, *remaining[0]], timeout=15)
        if done.returncode == 0:
            remaining.pop(0)
        elif time.monotonic() > deadline:
            return False
        else:
            time.sleep(0.5)
    return True
