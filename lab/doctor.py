"""``make lab-doctor``: what is there, what is missing, versions, disk and memory, one line each."""

from __future__ import annotations

import json
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import cluster, deploy, engine, images, node, registry, shell, source
from lab.paths import BIN, CACHE, CLUSTER, KUBECONFIG
from lab.progress import LabError, say


@dataclass(frozen=True)
class Finding:
    """One line: ``ok``, ``missing`` or ``broken``, what it is about, and what is known of it."""

    state: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.state:8}{self.subject:25}{self.text}"


def examine() -> list[Finding]:
    """Look at everything without changing anything; what cannot be looked at is a finding itself."""
    if not engine.answers():
        rest = [Finding("missing", "engine", "Docker's engine does not answer: make up starts or installs it")]
    else:
        rest = [*_guarded("engine", _engine), *_guarded("images", _images), *_guarded("registry", _registry)]
        rest += [*_guarded("cluster", _cluster), *_guarded("memory of nodes", _node_memory)]
    return [*_machine(), *_guarded("source", _source), *_tools(), *rest]


def run() -> None:
    """Print the findings."""
    for finding in examine():
        say(str(finding))


def gibibytes(size: float) -> str:
    """A size in bytes for a reader."""
    return f"{size / 2**30:.1f} GiB"


def memory(text: str) -> tuple[int, int]:
    """Used and whole memory in bytes out of ``/proc/meminfo`` (proc_meminfo(5): values in kB)."""
    values = {name: int(number) * 1024 for name, number in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    return values["MemTotal"] - values["MemAvailable"], values["MemTotal"]


def docker_bytes(text: str) -> float:
    """Bytes of a size as ``docker stats`` prints it: ``1.5GiB``, ``321.4MiB``, ``12kB``.

    :raises ValueError: it is none
    """
    found = re.fullmatch(r"([\d.]+)\s*([KMGT]i?)?B", text.strip(), re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r} is not a size")
    unit = (found[2] or "").upper()
    power = " KMGT".index(unit[0]) if unit else 0
    return float(found[1]) * float((1024 if unit.endswith("I") else 1000) ** power)


def inotify(instances: int) -> Finding:
    """What a user's inotify instances are enough for.

    Source: https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files; 128 carried one
    cluster of three nodes here, not a second one.
    """
    text = f"{instances} instances a user"
    if instances >= cluster.INOTIFY_FOR_MORE:
        return Finding("ok", "inotify", text)
    advice = f"sysctl fs.inotify.max_user_instances={cluster.INOTIFY_FOR_MORE}"
    if instances >= cluster.INOTIFY_FOR_ONE:
        return Finding("ok", "inotify", f"{text}, enough for one cluster; for more: {advice}")
    return Finding("broken", "inotify", f"{text}, too few for a cluster: {advice}")


def _guarded(subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except LabError as error:
        yield Finding("broken", subject, str(error).splitlines()[0])


def _machine() -> Iterator[Finding]:
    used, whole = memory(Path("/proc/meminfo").read_text())
    disk = shutil.disk_usage(Path.home())
    yield Finding("ok", "Python", f"{platform.python_version()} in .venv")
    yield Finding("ok", "memory", f"{gibibytes(used)} of {gibibytes(whole)} used")
    yield Finding("ok" if disk.free > 10 * 2**30 else "broken", "disk", f"{gibibytes(disk.free)} free (10 are needed)")
    yield inotify(int(Path("/proc/sys/fs/inotify/max_user_instances").read_text()))
    if CACHE.exists():
        size = sum(path.stat().st_size for path in CACHE.rglob("*") if path.is_file())
        yield Finding("ok", "cache", f"{gibibytes(size)} in {CACHE} (make clean CACHE=1 removes it)")
    else:
        yield Finding("missing", "cache", f"{CACHE} is made by the first make up, which takes long for that")


def _source() -> Iterator[Finding]:
    yield Finding("ok", "source", source.describe(source.chosen()))


def _tools() -> Iterator[Finding]:
    asked = {"helm": ["version", "--short"], "kind": ["version"], "kubectl": ["version", "--client"]}
    for name, words in asked.items():
        done = shell.capture([BIN / name, *words])
        found = re.search(r"v\d[\w.+-]*", done.stdout)
        if found:
            yield Finding("ok", name, found[0])
        else:
            yield Finding("missing", name, "make up brings it")


def _engine() -> Iterator[Finding]:
    done = shell.capture(["docker", "version", "--format", "{{.Server.Version}}"])
    sizes = shell.capture(["docker", "system", "df", "--format", "{{.Type}} {{.Size}}"]).stdout.splitlines()
    yield Finding("ok", "engine", f"Docker {done.stdout.strip()}; " + ", ".join(line.lower() for line in sizes))
    unused = shell.capture(["docker", "volume", "ls", "--quiet", "--filter", "dangling=true"]).stdout.split()
    if unused:
        text = f"{len(unused)} that no container uses, each a removed node's disk at worst: docker volume prune --all"
        yield Finding("ok", "volumes", text)


def _images() -> Iterator[Finding]:
    for name in [node.reference(), *(recipe.reference for recipe in images.ALL)]:
        there = images.present(name)
        yield Finding("ok" if there else "missing", "image", name if there else f"{name}: make up brings it")


def _registry() -> Iterator[Finding]:
    try:
        address = registry.address()
    except LabError:
        yield Finding("missing", "registry", f"{registry.NAME} does not run: make up starts it")
        return
    held = sum(registry.holds(recipe.reference) for recipe in images.ALL)
    yield Finding("ok", "registry", f"{address}, {held} of the {len(images.ALL)} images in it")


def _cluster() -> Iterator[Finding]:
    states = cluster.states()
    if not states:
        yield Finding("missing", "cluster", f"{CLUSTER}: make up makes it")
        return
    if not cluster.COMPLETE.exists() or not KUBECONFIG.exists():
        yield Finding("broken", "cluster", f"{CLUSTER} was left half made: make up makes it anew")
        return
    stopped = sorted(name for name in cluster.NODES if states.get(name) != "running")
    if stopped:
        yield Finding("broken", "cluster", f"not running: {', '.join(stopped)}; make up starts or replaces them")
        return
    nodes = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"]
    ready = [item for item in nodes if _true(item["status"]["conditions"], "Ready")]
    version = nodes[0]["status"]["nodeInfo"]["kubeletVersion"]
    text = f"{CLUSTER}: {len(ready)} of {len(nodes)} nodes ready, Kubernetes {version}"
    yield Finding("ok" if len(ready) == len(cluster.NODES) else "broken", "cluster", text)
    for namespace, workload in cluster.WORKLOADS:
        item = json.loads(cluster.kubectl("get", "-n", namespace, workload, "-o", "json"))["status"]
        wanted = item.get("desiredNumberScheduled", item.get("replicas", 0))
        count = item.get("numberReady", item.get("readyReplicas", 0))
        name = workload.rpartition("/")[2]
        yield Finding("ok" if count == wanted and count else "broken", name, f"{count} of {wanted} pods ready")
    listed = json.loads(cluster.kubectl("get", "deploy", "-n", deploy.NAMESPACE, "-o", "json"))["items"]
    for item in listed:
        status = item["status"]
        text = f"{item['metadata']['name']} in {deploy.NAMESPACE}: {status.get('readyReplicas', 0)} of "
        yield Finding(
            "ok" if _true(status.get("conditions", []), "Available") else "broken",
            "agent",
            f"{text}{status.get('replicas', 0)} pods ready",
        )


def _node_memory() -> Iterator[Finding]:
    names = [*cluster.states(), registry.NAME]
    done = shell.capture(["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names])
    parts = {line.split()[0]: docker_bytes(line.split()[1]) for line in done.stdout.splitlines()}
    if parts:
        short = ", ".join(f"{name.removeprefix(CLUSTER + '-')} {gibibytes(size)}" for name, size in parts.items())
        yield Finding("ok", "memory of nodes", f"{gibibytes(sum(parts.values()))}: {short}")


def _true(conditions: list[dict[str, str]], kind: str) -> bool:
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)
