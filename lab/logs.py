"""``make logs``: what nodes, pods and events say of a failed run, gathered into one folder, without secrets."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import cluster, engine, registry, shell, tools
from lab.paths import KUBECONFIG, LAB
from lab.progress import LabError, say

MASK = "********"
SHORTEST = 5
"""Values of fewer characters are left: masking every ``5432`` or ``true`` would make the logs unreadable."""

TABLES = {
    "nodes.txt": ["get", "nodes", "-o", "wide"],
    "pods.txt": ["get", "pods", "-A", "-o", "wide"],
    "events.txt": ["get", "events", "-A", "--sort-by=.lastTimestamp"],
    "describe-nodes.txt": ["describe", "nodes"],
    "volumes.txt": ["get", "pvc,pv", "-A"],
    "policies.txt": ["get", "networkpolicies,pdb,hpa", "-A"],
}


def gather() -> Path:
    """Collect everything; what does not answer leaves its complaint in the file instead.

    :return: the folder
    :raises LabError: there is no engine, so there is nothing to ask
    """
    if not engine.answers():
        raise LabError(
            "Docker's engine does not answer, so there is nothing to gather: .lab/logs has the lab's own logs"
        )
    folder = LAB / "logs" / time.strftime("gathered-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    masked = secrets()
    jobs = {name: [tools.kubectl(), "--kubeconfig", KUBECONFIG, *words] for name, words in TABLES.items()}
    for name in cluster.states():
        jobs[f"{name}.log"] = ["docker", "logs", name]
        for unit in ("kubelet", "containerd"):
            jobs[f"{name}-{unit}.log"] = ["docker", "exec", name, "journalctl", "--no-pager", "-u", unit, "-n", "2000"]
    jobs[f"{registry.NAME}.log"] = ["docker", "logs", "--tail", "500", registry.NAME]
    jobs |= _pods()
    with ThreadPoolExecutor(4) as pool:
        for name, text in pool.map(lambda item: (item[0], _text(item[1])), jobs.items()):
            (folder / name).write_text(mask(text, masked))
    say(f"{len(jobs)} files in {folder}")
    return folder


def mask(text: str, values: Iterable[str]) -> str:
    """*text* with every one of *values* replaced; the longest first, for one may be part of another."""
    for value in sorted(set(values), key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, MASK)
    return text


def secrets() -> set[str]:
    """The values of every Secret of the cluster, and each of their lines; empty without a cluster."""
    words = [tools.kubectl(), "--kubeconfig", KUBECONFIG, "get", "secrets", "-A", "-o", "json"]
    done = shell.capture(words)
    return decoded(json.loads(done.stdout)["items"]) if done.returncode == 0 else set()


def decoded(items: Iterable[dict[str, object]]) -> set[str]:
    """Values of Secrets as text, whole and line by line; Helm's own records of releases are left out for their size."""
    found: set[str] = set()
    for item in items:
        data = item.get("data")
        if item.get("type") == "helm.sh/release.v1" or not isinstance(data, dict):
            continue
        for value in data.values():
            try:
                text = base64.b64decode(value).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            found.update([text, value, *text.splitlines()])
    return found


def _pods() -> dict[str, list[object]]:
    words = [tools.kubectl(), "--kubeconfig", KUBECONFIG]
    done = shell.capture([*words, "get", "pods", "-A", "-o", "json"])
    jobs: dict[str, list[object]] = {}
    for pod in json.loads(done.stdout)["items"] if done.returncode == 0 else []:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        ask = [*words, "-n", namespace]
        jobs[f"{namespace}-{name}.describe.txt"] = [*ask, "describe", "pod", name]
        jobs[f"{namespace}-{name}.log"] = [*ask, "logs", name, "--all-containers", "--prefix", "--tail=1000"]
        restarted = sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))
        if restarted:
            previous = [*ask, "logs", name, "--all-containers", "--prefix", "--previous", "--tail=500"]
            jobs[f"{namespace}-{name}.previous.log"] = previous
    return jobs


def _text(words: list[object]) -> str:
    done = shell.capture(words, timeout=60)
    return done.stdout + done.stderr
