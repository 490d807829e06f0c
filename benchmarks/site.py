"""What `site.yml` costs on a release that is up to date: its time by step, and beside plain Helm.

    make up && .venv/bin/python -m benchmarks.site [RUNS]

The steps are the role's files; what is left is Ansible's own start and end. Plain Helm, `helm upgrade --install` and
`helm test`, gets the same chart and the same values, without guard, preflight and Secret; it makes a new revision each
time, so its migration hook runs, which the role saves. Each figure is the median of some runs.
"""

from __future__ import annotations

import collections
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from benchmarks.machine import paced
from lab import deploy, shell
from lab.paths import BIN, KUBECONFIG, ROOT, VARS, VAULT_PASSWORD
from lab.progress import LabError, say

GOAL_SECONDS, GOAL_RATIO = 5, 0.65
SLOWEST = 12
INVENTORY = ["-i", "inventories/dev", "--vault-id", f"dev@{VAULT_PASSWORD}", "-e", f"@{VARS}"]
STEPS = ("guard", "preflight", "credentials", "release", "verify")


def site() -> tuple[float, dict[str, float], dict[str, float]]:
    """One run: seconds in all, by step, and by task.

    :raises LabError: it failed or changed something, so it is not what is to be measured
    """
    words = [Path(sys.executable).parent / "ansible-playbook", *INVENTORY, "site.yml"]
    environment = shell.environment() | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    begin = time.perf_counter()
    done = subprocess.run(
        [str(word) for word in words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    # The line that says the outcome comes after it.
    told, _end = json.JSONDecoder().raw_decode(done.stdout, done.stdout.index("{"))
    if done.returncode or any(host["changed"] for host in told["stats"].values()):
        raise LabError("site.yml failed or changed something; run make up first, which says why")
    steps: dict[str, float] = collections.defaultdict(float)
    tasks: dict[str, float] = {}
    for task in (task["task"] for play in told["plays"] for task in play["tasks"]):
        start, end = (datetime.fromisoformat(task["duration"][name]) for name in ("start", "end"))
        file = Path(task["path"].rpartition(":")[0]).stem
        steps[file.partition("_")[0]] += (end - start).total_seconds()
        tasks[task["name"].partition(" : ")[2]] = (end - start).total_seconds()
    return seconds, steps, tasks


def helm(chart: str, values: str) -> tuple[float, float]:
    """Seconds of `helm upgrade --install` and of `helm test`, with the release's own chart and values."""
    upgrade = ["upgrade", "--install", deploy.RELEASE, chart, "--values", "-", "--wait", "--wait-for-jobs"]
    place = ["--namespace", deploy.NAMESPACE, "--kubeconfig", KUBECONFIG]
    found = []
    for words, given in ((upgrade, values), (["test", deploy.RELEASE], "")):
        begin = time.perf_counter()
        subprocess.run(
            [str(word) for word in (BIN / "helm", *words, *place)],
            input=given,
            env=shell.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(time.perf_counter() - begin)
    return found[0], found[1]


@paced()
def main() -> int:
    """Exit code 1 where a goal is missed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    site()  # fills caches
    measured = [site() for _ in range(runs)]
    total = statistics.median(seconds for seconds, _, _ in measured)
    words = ["get", "values", deploy.RELEASE, "--namespace", deploy.NAMESPACE, "--kubeconfig", str(KUBECONFIG)]
    values = shell.capture([BIN / "helm", *words, "--output", "json"]).stdout
    subprocess.run([sys.executable, "-m", "dev.assemble_chart"], cwd=ROOT, capture_output=True, check=True)
    chart = str(ROOT / "build" / "ai-agent-chart")
    plain = [helm(chart, values) for _ in range(runs)]
    bare = statistics.median(sum(both) for both in plain)

    def median(runs: list[dict[str, float]], name: str) -> float:
        return statistics.median(run.get(name, 0.0) for run in runs)

    goal = f"(goal {GOAL_SECONDS} s)"
    say(f"site.yml on an unchanged release, median of {runs} runs on {os.cpu_count()} cores: {total:.1f} s {goal}")
    known = {name: median([steps for _, steps, _ in measured], name) for name in STEPS}
    for name, seconds in known.items():
        say(f"  {name:12} {seconds:5.1f} s")
    say(f"  {'Ansible':12} {total - sum(known.values()):5.1f} s")
    upgrade, test = (statistics.median(part) for part in zip(*plain, strict=True))
    say(f"helm upgrade --install {upgrade:.1f} s, helm test {test:.1f} s, both {bare:.1f} s")
    say(f"ratio of site.yml to both: {total / bare:.2f} (goal {GOAL_RATIO})")
    tasks = {name: median([tasks for _, _, tasks in measured], name) for name in measured[0][2]}
    say("the longest tasks:")
    for name, seconds in sorted(tasks.items(), key=lambda item: -item[1])[:SLOWEST]:
        say(f"  {seconds:5.2f} s  {name}")
    return 0 if total <= GOAL_SECONDS and total / bare <= GOAL_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
