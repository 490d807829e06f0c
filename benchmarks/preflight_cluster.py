"""What migration_preflight costs on the cluster: an unchanged release, and one with 20 pending revisions.

    make up
    .venv/bin/python -m benchmarks.preflight_cluster

It asks about the release of `make up`, once with dev's CPU limit for the agent and once with production's; nothing else
is deployed. Each time is the best of some runs of a new Python that calls the module, imports included. "A pod's own
start" is the time of a pod like the one that renders, with the same image, policy and gate, until its first line can be
read: no preflight with a pod can be faster. Goals: 2 s unchanged; 8 s with 20 revisions, and at most 2 s of that beyond
the pod's own start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path
from time import perf_counter

import yaml

from benchmarks.agent_cpu import agent_cpu
from benchmarks.machine import paced
from lab import cluster, images, registry, shell
from lab.cache import digest
from lab.deploy import NAMESPACE, RELEASE
from lab.paths import BIN, KUBECONFIG, REGISTRY, ROOT
from lab.progress import say

REVISIONS = 20
DOCKERFILE = f"FROM {images.AGENT.reference}\nCOPY versions/ migrations/versions/\n"
REVISION = '''"""Pending revision {number}."""
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = "{down}"


def upgrade() -> None:
    op.add_column("messages", sa.Column("extra_{number}", sa.Integer()))
    op.create_check_constraint("extra_{number}_positive", "messages", "extra_{number} > 0", postgresql_not_valid=True)
    with op.get_context().autocommit_block():
        op.create_index("messages_extra_{number}", "messages", ["extra_{number}"], postgresql_concurrently=True)
'''
# The module as Ansible starts it: a new Python, from its arguments to its result. Without kubernetes-validate, which
# the Kubernetes client imports where it finds it; a test needs it, users have it not.
MODULE = """
import json, sys
sys.path.insert(0, "collections")
sys.modules["kubernetes_validate"] = None
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import ARGUMENTS, execute
params = {name: option.get("default") for name, option in ARGUMENTS.items()} | json.load(sys.stdin)
result, _problem = execute(params)
print(json.dumps([result["verdict"], result["state"], result["pending_count"]]))
"""
# A pod like the one that renders, until its first line.
START = """
import json, sys
sys.path.insert(0, "collections")
from time import perf_counter
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task
given = json.load(sys.stdin)
found = connect({"kubeconfig": given.pop("kubeconfig")})
found.server_minor()
begin = perf_counter()
with JobRun(found, Task(command=["python", "-c", "print(1)"], isolated=True, **given)) as run:
    next(run.lines())
    print(json.dumps(perf_counter() - begin))
"""


def many_revisions() -> str:
    """Name of an agent image with 20 more revisions, built and pushed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "versions").mkdir()
        down = "0006"
        for number in range(REVISIONS):
            revision = f"bench{number:02}"
            text = REVISION.format(number=number, name=revision, down=down)
            (folder / "versions" / f"{revision}.py").write_text(text)
            down = revision
        (folder / "Dockerfile").write_text(DOCKERFILE)
        reference = f"{REGISTRY}/agent:bench-{digest([folder])[:8]}"
        if not images.present(reference):
            images.build(reference, folder / "Dockerfile", folder)
        registry.push([reference])
        return reference


def manifests(limit: str, image: str | None = None, *, more_pods: int = 0) -> str:
    """What a deployment of the release, with its own values and this CPU limit of the agent, would be.

    :param image: another one than it has
    """
    helm: list[object] = [BIN / "helm", "--kubeconfig", KUBECONFIG, "-n", NAMESPACE]
    values = yaml.safe_load(output([*helm, "get", "values", RELEASE, "-o", "yaml"]))
    values["agent"]["replicaCount"] += more_pods
    values["agent"].setdefault("resources", {}).setdefault("limits", {})["cpu"] = limit
    if image:
        repository, _, tag = image.rpartition(":")
        values["agent"]["image"] |= {"repository": repository, "tag": tag}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        words = [*helm, "template", RELEASE, ROOT / "build" / "ai-agent-chart", "-f", file.name]
        return output(words)


def output(words: list[object]) -> str:
    """What a command prints; SystemExit with its complaint where it fails."""
    done = shell.capture(words)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def best(program: str, given: dict[str, t.Any], runs: int) -> tuple[float, t.Any]:
    """The fastest run of a program: seconds of its process, and what it printed."""
    found: tuple[float, t.Any] | None = None
    for _ in range(runs):
        begin = perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        took = perf_counter() - begin
        if done.returncode:
            raise SystemExit(done.stderr)
        if found is None or took < found[0]:
            found = took, json.loads(done.stdout)
    assert found is not None  # noqa: S101 - at least one run
    return found


@paced()
def main() -> int:
    """Print the figures; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each")
    runs = parser.parse_args().runs
    if not cluster.exists():
        raise SystemExit("There is no lab with a release to ask about: make up first.")
    image = many_revisions()
    output([sys.executable, "-m", "dev.assemble_chart"])
    missed = []
    for environment in ("dev", "prod"):
        with agent_cpu(environment) as limit:
            say(f"the agent with {environment}'s CPU limit, {limit}:")
            missed += [f"{name} ({environment})" for name in measured(limit, image, runs)]
    say(f"goals missed: {', '.join(missed) or 'none'}")
    return bool(missed)


def measured(limit: str, image: str, runs: int) -> list[str]:
    """Print the figures of one CPU limit; the goals that were missed."""
    common = {
        "kubeconfig": str(KUBECONFIG), "release_name": RELEASE, "release_namespace": NAMESPACE, "fail_on": "never",
        "migrator_sets_lock_timeout": True,
    }  # fmt: skip
    unchanged, told = best(MODULE, common | {"manifests": manifests(limit)}, runs)
    say(f"  unchanged release            {unchanged:5.2f} s   {told}")
    asked, told = best(MODULE, common | {"manifests": manifests(limit, more_pods=1)}, runs)
    say(f"  one pod more, asked by exec  {asked:5.2f} s   {told}")
    whole, told = best(MODULE, common | {"manifests": manifests(limit, image)}, runs)
    start = {
        "kubeconfig": str(KUBECONFIG), "namespace": NAMESPACE, "release": RELEASE, "purpose": "start", "image": image,
        "pod": {"securityContext": {"runAsUser": 1000}},
        "resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": limit, "memory": "256Mi"}},
    }  # fmt: skip
    _process, alone = best(START, start, runs)
    say(f"  {REVISIONS} pending revisions         {whole:5.2f} s   {told}")
    say(f"  a pod's own start            {alone:5.2f} s")
    say(f"  beyond the pod's own start   {whole - alone:5.2f} s")
    goals = {"unchanged": (unchanged, 2), "pending": (whole, 8), "beyond": (whole - alone, 2)}
    return [name for name, (figure, goal) in goals.items() if figure > goal]


if __name__ == "__main__":
    sys.exit(main())
