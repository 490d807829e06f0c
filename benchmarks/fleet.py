"""What each further unchanged release of a fleet costs in playbooks/fleet.yml, in seconds and in memory.

    make helm && .venv/bin/python -m benchmarks.fleet [--hosts 20,100,200] [--forks 10]

The releases are copies of one that the role installs, in a real API server without nodes (dev/api_server.py), which
also needs processors. Nothing runs there, so preflight and verification, which ask pods, are left out by their tags:
what is measured is guard, the rehearsal of credentials and release, and the reports. On a busy machine the wall clock
tells little; the processors' time of Ansible and of all that it starts, without the server's, tells more. Goals: 1.5 s
for each further release on two cores, the same within 20 % at each size, 1.5 GiB.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import paced
from dev import api_server
from lab import tools
from lab.paths import ROOT
from lab.progress import LabError, say
from tests.integration.fleet.workloads import Workloads

GOAL_SECONDS, GOAL_GIB, GOAL_SPREAD = 1.5, 1.5, 0.2
CORES = 2
FIRST = "fleet-000"
KINDS = "deployments,statefulsets,services,secrets,configmaps,serviceaccounts,networkpolicies,poddisruptionbudgets"
PASSWORDS = ("postgresql", "postgresql_admin", "replication", "redis")


@dataclass(frozen=True)
class Cost:
    """One run: seconds by the clock, seconds of processors, and the most memory at once in GiB."""

    wall: float
    cpu: float
    gib: float


def name(number: int) -> str:
    """Host, release and namespace."""
    return f"fleet-{number:03}"


def inventory(folder: Path, server: api_server.Server, hosts: int) -> Path:
    """An inventory of so many hosts."""
    common: dict[str, t.Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ai_agent_environment": "dev",
        "ai_agent_namespace": "{{ inventory_hostname }}",
        "ai_agent_create_namespace": True,
        "ai_agent_subcharts": "embedded",
        "ai_agent_kubeconfig": str(server.kubeconfig),
        "ai_agent_helm_binary": str(tools.helm()),
        "ai_agent_reports_dir": str(folder / "reports"),
        "ai_agent_quiet": True,
    } | {f"ai_agent_{one}_password": f"pass-{one}" for one in PASSWORDS}
    file = folder / "hosts.json"
    file.write_text(json.dumps({"fleet": {"hosts": {name(i): {} for i in range(hosts)}, "vars": common}}))
    return file


def run(folder: Path, server: api_server.Server, hosts: int, forks: int) -> tuple[Cost, dict[str, t.Any]]:
    """One run of the playbook, and its fleet.json.

    :raises LabError: it failed
    """
    words = [Path(sys.executable).parent / "ansible-playbook", "-i", inventory(folder, server, hosts), "-f", forks]
    words += [ROOT / "playbooks/fleet.yml", "--skip-tags", "preflight,verify"]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([str(word) for word in words], cwd=ROOT, stdout=out, stderr=out)
        with watched(process.pid) as most:
            process.wait()
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise LabError(f"the run failed: {(folder / 'out').read_text()[-1500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, most[0] / 2**30), json.loads((folder / "reports/fleet.json").read_text())


@contextlib.contextmanager
def watched(pid: int) -> t.Iterator[list[int]]:
    """The most memory that a process and all below it have at once; pages that they share count once (PSS), bytes."""
    most, end = [0], threading.Event()

    def watch() -> None:
        while not end.wait(0.5):
            most[0] = max(most[0], sum(_memory(one) for one in _tree(pid)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        end.set()
        thread.join()


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        # A process that ended meanwhile has no file.
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _memory(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def copies(server: api_server.Server, numbers: t.Iterable[int]) -> None:
    """Releases like the first one, Helm's record included, in namespaces of their own.

    :raises LabError: the server refused one
    """
    done = server.ask("get", KINDS, "-n", FIRST, "-o", "json")
    objects = [item for item in json.loads(done.stdout)["items"] if item["metadata"]["name"] != "kubernetes"]
    for item in objects:
        item.pop("status", None)
        kept = {"name", "namespace", "labels", "annotations"}
        item["metadata"] = {key: value for key, value in item["metadata"].items() if key in kept}
        for key in ("clusterIP", "clusterIPs"):
            if item["kind"] == "Service" and item["spec"].get(key) not in ("None", ["None"]):
                item["spec"].pop(key, None)
    for number in numbers:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name(number)}}
        items = [namespace, *(_copy(item, name(number)) for item in objects)]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        words = ["apply", "--server-side", "--field-manager=helm", "--force-conflicts", "-f", "-"]
        done = server.ask(*words, text=text)
        if done.returncode:
            raise LabError(done.stderr.strip()[-500:])


def _copy(item: dict[str, t.Any], named: str) -> dict[str, t.Any]:
    copied: dict[str, t.Any] = json.loads(json.dumps(item).replace(FIRST, named))
    for key, value in (item.get("data") or {}).items() if item["kind"] == "Secret" else ():
        content = base64.b64decode(value)
        if item["type"] == "helm.sh/release.v1":
            record = gzip.decompress(base64.b64decode(content)).decode().replace(FIRST, named)
            content = base64.b64encode(gzip.compress(record.encode()))
        copied["data"][key] = base64.b64encode(content.replace(FIRST.encode(), named.encode())).decode()
    return copied


@paced()
def main() -> int:
    """Exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hosts", default="20,100,200", help="sizes of the fleet, above 1")
    parser.add_argument("--forks", type=int, default=10, help="hosts at once")
    given = parser.parse_args()
    sizes = sorted({int(size) for size in given.hosts.split(",")} - {1})
    if not sizes:
        parser.error("--hosts: give a size above 1; what each further release costs is the difference to one alone")
    with tempfile.TemporaryDirectory(prefix="fleet-") as kept, api_server.running() as server:
        folder = Path(kept)
        with Workloads(server.kubeconfig):
            say("installing the release that the others are copies of")
            run(folder, server, 1, 1)
            say(f"copying it {sizes[-1] - 1} times")
            copies(server, range(1, sizes[-1]))
        measured = {}
        for size in (1, *sizes):
            cost, page = run(folder, server, size, given.forks)
            if page["counts"]["unchanged"] != size:
                raise LabError(f"not all of {size} are unchanged: {page['counts']}")
            measured[size] = cost
            words = f"{cost.wall:7.1f} s, {cost.cpu:7.1f} s of processors, {cost.gib:.2f} GiB"
            say(f"{size:4} unchanged, {given.forks} forks: {words}")
    return _judge(measured)


def _judge(measured: dict[int, Cost]) -> int:
    """What each further release took, from one size to the next."""
    pairs = list(zip(measured, list(measured)[1:], strict=False))
    each = [(measured[big].wall - measured[small].wall) / (big - small) for small, big in pairs]
    busy = [(measured[big].cpu - measured[small].cpu) / (big - small) for small, big in pairs]
    for (small, big), wall, cpu in zip(pairs, each, busy, strict=True):
        words = f"{wall:.2f} s, {cpu:.2f} s of processors, which is {cpu / CORES:.2f} s on {CORES} cores"
        say(f"each further release from {small} to {big}: {words} (goal {GOAL_SECONDS} s)")
    most = max(cost.gib for cost in measured.values())
    spread = max(busy) / min(busy) - 1
    say(f"spread of the processors' time {spread:.0%} (goal {GOAL_SPREAD:.0%})")
    say(f"most memory {most:.2f} GiB (goal {GOAL_GIB})")
    cores = min(CORES, os.cpu_count() or CORES)
    return 0 if max(busy) / cores <= GOAL_SECONDS and spread <= GOAL_SPREAD and most <= GOAL_GIB else 1


if __name__ == "__main__":
    sys.exit(main())
