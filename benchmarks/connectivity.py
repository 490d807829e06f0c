"""What connectivity_test costs on a release with three agents, beside `helm test` on the same release.

    make up && .venv/bin/python -m benchmarks.connectivity

Each time is that of a new process, imports included; the median and the range of some runs. The rounds' own time is
the longest sum of round trips that one of the pods had; what is beyond it is the test's own, 2 s at most without the
negative tests, which wait for a pod of their own to start and for a time-out. Scales the release of `make up` to three
agents and back, once with dev's CPU limit and once with production's, where three are what there is.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path
from time import perf_counter

from benchmarks.agent_cpu import agent_cpu
from benchmarks.machine import paced
from lab import cluster, shell
from lab.deploy import NAMESPACE, RELEASE
from lab.paths import BIN, KUBECONFIG
from lab.progress import say

ROOT = Path(__file__).resolve().parent.parent
RUNS, ROUNDS, PODS = 5, 50, 3
GOAL_SECONDS = 2
# Without kubernetes-validate, which the Kubernetes client imports where it finds it; tests need it, users do not.
CHILD = """
import json, sys
sys.path.insert(0, "collections")
sys.modules["kubernetes_validate"] = None
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.module import ARGUMENTS, execute
params = {name: option.get("default") for name, option in ARGUMENTS.items()} | json.loads(sys.argv[1])
execute(params)
"""


def asked(**arguments: t.Any) -> tuple[float, dict[str, t.Any]]:
    """Seconds, and the whole report."""
    params: dict[str, t.Any] = {"kubeconfig": str(KUBECONFIG), "rounds": ROUNDS}
    params |= {"release_name": RELEASE, "release_namespace": NAMESPACE}
    with tempfile.TemporaryDirectory() as folder:
        params["report_path"] = f"{folder}/report.json"
        words = [sys.executable, "-c", CHILD, json.dumps(params | arguments)]
        begin = perf_counter()
        subprocess.run(words, cwd=ROOT, check=True)
        return perf_counter() - begin, json.loads(Path(params["report_path"]).read_text())


def own_seconds(report: dict[str, t.Any]) -> float:
    """The longest sum of round trips of one pod."""
    sums: dict[str, float] = {}
    for item in report["dependencies"]:
        sums[item["pod"]] = sums.get(item["pod"], 0.0) + sum(item["rounds"]["samples_ms"]) / 1000
    return max(sums.values())


def line(title: str, figures: list[float], more: str = "") -> None:
    """Median and range."""
    say(f"{title:44} {statistics.median(figures):6.2f} s  ({min(figures):.2f} to {max(figures):.2f}){more}")


def scale(pods: int) -> None:
    """So many agents, all of them ready."""
    cluster.kubectl("-n", NAMESPACE, "scale", f"deployment/{RELEASE}", f"--replicas={pods}")
    cluster.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{RELEASE}", "--timeout=180s")


def helm_test() -> float:
    """Seconds of `helm test`."""
    words = [BIN / "helm", "--kubeconfig", KUBECONFIG, "-n", NAMESPACE, "test", RELEASE, "--logs"]
    begin = perf_counter()
    done = subprocess.run([str(word) for word in words], env=shell.environment(), capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"helm test failed: {done.stderr.decode().strip()}")
    return perf_counter() - begin


@paced()
def main() -> None:
    """Print the figures."""
    say(f"{PODS} agents, {ROUNDS} rounds with each server, {RUNS} runs; median (range)")
    scale(PODS)
    try:
        for environment in ("dev", "prod"):
            with agent_cpu(environment) as limit:
                say(f"the agents with {environment}'s CPU limit, {limit}:")
                measured()
        line("helm test", [helm_test() for _ in range(RUNS)])
    finally:
        scale(1)


def measured() -> None:
    """Print the figures of one CPU limit."""
    for title, arguments in (("positive only", {"negative": False}), ("with negative tests", {})):
        runs = [asked(**arguments) for _ in range(RUNS)]
        unwell = {item["id"] for _, report in runs for item in report["findings"]}
        line(f"  {title}", [seconds for seconds, _ in runs], f"  {', '.join(sorted(unwell)) or 'no finding'}")
        goal = f" (goal {GOAL_SECONDS} s)" if arguments else ""
        line(f"    beyond the rounds' own time{goal}", [seconds - own_seconds(report) for seconds, report in runs])
        peak = max(pod["peak_kib"] for _, report in runs for pod in report["pods"]) / 1024
        say(f"{'    most memory of a collector':44} {peak:6.1f} MiB")


if __name__ == "__main__":
    main()
