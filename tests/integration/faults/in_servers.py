"""Faults of what the agent uses: the database, the cache, the name service."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

from lab import cluster
from tests.integration.role.conftest import Run

from .in_migration import answers, disk_full
from .stage import HOME, NAME, Stage, docker


def database_down(stage: Stage) -> Run:
    """No pod of the database."""
    with scaled_to_none(stage, f"{NAME}-postgresql"):
        return stage.run()


def cache_down(stage: Stage) -> Run:
    """No pod of the cache: asked alone, for a deployment brings it back."""
    with scaled_to_none(stage, f"{NAME}-redis-master"):
        return stage.run(playbook="playbooks/verify.yml", **stage.variables(new=False))


@contextlib.contextmanager
def scaled_to_none(stage: Stage, name: str) -> Iterator[None]:
    """A StatefulSet of one pod has none."""
    stage.there.kubectl("scale", f"statefulset/{name}", "--replicas=0")
    stage.there.kubectl("wait", f"pod/{name}-0", "--for=delete", "--timeout=90s")
    try:
        yield
    finally:
        stage.there.kubectl("scale", f"statefulset/{name}", "--replicas=1")
        stage.there.kubectl("rollout", "status", f"statefulset/{name}", "--timeout=180s", timeout=200)


def names_gone(stage: Stage) -> Run:
    """No name service for 30 s, from the moment that the hook is there."""
    words = ("-n", "kube-system")
    replicas = json.loads(cluster.kubectl(*words, "get", "deployment/coredns", "-o", "json"))["spec"]["replicas"]
    stage.no_hook()
    running = stage.begin()
    running.until("the preflight is over", lambda: "Install or upgrade the release" in running.output)
    cluster.kubectl(*words, "scale", "deployment/coredns", "--replicas=0")
    try:
        cluster.kubectl(*words, "delete", "pods", "-l", "k8s-app=kube-dns", "--force", "--grace-period=0")
        time.sleep(30)
    finally:
        cluster.kubectl(*words, "scale", "deployment/coredns", f"--replicas={replicas}")
    return running.end()


def disk(stage: Stage) -> Run:
    """The database's volume has some 40 MB left, of which its log takes a part."""
    with small_volume(stage):
        return disk_full(stage)


@contextlib.contextmanager
def small_volume(stage: Stage) -> Iterator[None]:
    """A file system with an end of its own in place of the volume's folder, whose provisioner knows no sizes."""
    claim = stage.there.get("pvc", f"data-{NAME}-postgresql-0")["spec"]["volumeName"]
    source = json.loads(cluster.kubectl("get", "pv", claim, "-o", "json"))["spec"]
    folder = (source.get("hostPath") or source.get("local"))["path"]
    with scaled_to_none(stage, f"{NAME}-postgresql"):
        in_node(
            f"cp -a {folder} {folder}.kept && size=$(du -sm {folder} | cut -f1)"
            f" && mount -t tmpfs -o size=$((size + 40))m,mode=$(stat -c %a {folder}) tmpfs {folder}"
            f" && chown --reference={folder}.kept {folder} && cp -a {folder}.kept/. {folder}/"
        )
    stage.there.until("the database is back", lambda: answers(stage))
    try:
        yield
    finally:
        with scaled_to_none(stage, f"{NAME}-postgresql"):
            in_node(
                f"rm -rf {folder}.kept && cp -a {folder} {folder}.kept && umount {folder}"
                f" && find {folder} -mindepth 1 -delete && cp -a {folder}.kept/. {folder}/ && rm -rf {folder}.kept"
            )
        stage.there.until("the database is back", lambda: answers(stage))


def in_node(script: str) -> None:
    """Run a script in the node of the servers."""
    docker("exec", HOME, "sh", "-c", script, seconds=120)
