"""The lab's commands; the Makefile calls them as ``python -m lab <command>``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import (
    cluster,
    deploy,
    doctor,
    engine,
    estimate,
    golang,
    graph,
    images,
    logs,
    mirror_contents,
    needs,
    node,
    pull,
    registry,
    source,
    tools,
)
from lab.paths import BIN, CACHE, CALICO, CLUSTER, KUBECONFIG, KUBERNETES, LAB, LOGS, RELEASED_NODE, ROOT, WORKERS
from lab.progress import LabError, Progress, about, minutes, say


def up(_: argparse.Namespace) -> None:
    """Cluster, images, agent, and one question to it."""
    say(source.describe(source.chosen()))
    require()
    steps = _lab()
    with _watched(steps, "deploy", "ask") as progress:
        graph.run(steps, progress)
        title = "deploying the agent: ansible-playbook -i inventories/dev site.yml -e @.lab/vars.yml"
        with progress.step(title, "deploy"):
            deploy.playbook()
        with progress.step("asking the agent a question", "ask"):
            reply, model = deploy.ask()
    say(f"\nWhat runs in namespace {deploy.NAMESPACE} of cluster {CLUSTER}:")
    deploy.show()
    say(f"\n    you    {deploy.QUESTION}")
    say(f"    agent  {reply}")
    say(f"           (model: {model})")
    say(f"\nUp after {minutes(time.monotonic() - progress.started)}. To talk to it yourself:")
    say(f"    export KUBECONFIG={KUBECONFIG}")
    say(f"    {BIN}/kubectl -n {deploy.NAMESPACE} port-forward svc/{deploy.RELEASE} 8000")
    say("    curl -s localhost:8000/v1/chat -H 'Content-Type: application/json' -d '{\"message\": \"Hello\"}'")


def lab_up(_: argparse.Namespace) -> None:
    """The cluster with the images in its registry, and nothing deployed."""
    say(source.describe(source.chosen()))
    require()
    steps = _lab()
    with _watched(steps) as progress:
        graph.run(steps, progress)


def lab_down(_: argparse.Namespace) -> None:
    """Remove this checkout's cluster."""
    if not shutil.which("docker") or not engine.answers():
        say("no Docker engine runs, so no cluster does")
    elif cluster.exists():
        cluster.remove()
        registry.remove()
        say(f"cluster {CLUSTER} removed; tools and images stay for the next make up (make clean removes them)")
    else:
        registry.remove()
        say(f"there is no cluster {CLUSTER}")
    KUBECONFIG.unlink(missing_ok=True)
    source.forget()


def clean(arguments: argparse.Namespace) -> None:
    """Remove what this checkout built."""
    lab_down(arguments)
    if shutil.which("docker") and engine.answers():
        registry.remove(volume=True)
        images.forget_all()
    pull.distrust()
    for folder in (LAB, ROOT / "build", ROOT / ".ansible", ROOT / ".venv"):
        shutil.rmtree(folder, ignore_errors=True)
    if os.environ.get("CACHE"):
        shutil.rmtree(CACHE, ignore_errors=True)
    elif CACHE.exists():
        say(f"kept for other checkouts: {CACHE} (make clean CACHE=1 removes it)")


def lab_images(_: argparse.Namespace) -> None:
    """Build the images and push them to a registry."""
    own = os.environ.get("LAB_BASE") == "own"
    needs.ensure(needs.ENGINE, *([needs.ROOTS] if own else []))
    engine.ensure()
    pushed = images.publish(os.environ.get("REGISTRY", ""), own)
    say("pushed: " + " ".join(pushed))


def lab_doctor(_: argparse.Namespace) -> None:
    """What is there, what is missing, versions, disk and memory used."""
    doctor.run()


def lab_logs(_: argparse.Namespace) -> None:
    """Logs of nodes and pods, and events, in one folder without secrets."""
    logs.gather()


def lab_mirror(_: argparse.Namespace) -> None:
    """What a mirror for a closed network must hold, and under which names."""
    for line in mirror_contents.lines():
        say(line)


def helm(_: argparse.Namespace) -> None:
    """Only the tools that need no cluster."""
    tools.helm()


@contextmanager
def _watched(steps: list[graph.Step], *last: str) -> Iterator[Progress]:
    """A progress that knows what to expect of *steps* and of those in a row after them, and what it learned is kept."""
    kind = _kind()
    order: dict[str, tuple[str, ...]] = {step.name: step.needs for step in steps}
    for name in last:
        order[name] = tuple(order)
    plan = estimate.plan(kind, order)
    with Progress(len(order), plan) as progress:
        say(f"this takes about {about(plan.remaining((), {}))}, {plan.source}")
        yield progress
    estimate.record(kind, progress.durations)


def _kind() -> str:
    if engine.answers() and images.present(node.reference()):
        return estimate.THERE if cluster.exists() else estimate.BUILT
    compiled = all(any(CACHE.glob(f"{name}-*")) for name in ("kubernetes", "calico", "programs"))
    return estimate.COMPILED if compiled else estimate.FIRST


def require() -> None:
    """Everything that this machine lacks, in one call of its package manager, before steps run side by side."""
    if source.chosen() == source.PACKAGES:
        needs.ensure(needs.ENGINE, needs.ROOTS)
    else:
        needs.ensure(needs.ENGINE)


def _lab() -> list[graph.Step]:
    """The steps from a bare machine to a cluster with the images in its registry."""
    steps = [
        graph.Step("engine", "Docker's engine", _engine),
        graph.Step("registry-image", "the registry's image", registry.build, ("engine",)),
        graph.Step("images", "the images: agent, PostgreSQL, Redis", _images, ("engine",)),
        graph.Step("registry", "the registry, with the images in it", _registry, ("registry-image", "images")),
    ]
    if source.chosen() == source.REGISTRIES:
        mirror_contents.demand_known_checksums()
        programs = (tools.helm, tools.kind, tools.kubectl)
        steps += [
            graph.Step("tools", "helm, kind and kubectl", lambda: [program() for program in programs]),
            graph.Step("node", "the node image", lambda: pull.ensure(RELEASED_NODE), ("engine",)),
        ]
    else:
        steps += [
            graph.Step("kubernetes", f"Kubernetes {KUBERNETES} with kubectl and etcd", tools.kubectl),
            # Nothing on the way to the cluster needs helm, so its compiler takes what the others leave. The others
            # wait for Kubernetes: what they have in common is compiled once.
            graph.Step("helm", "helm", lambda: tools.helm(later=True)),
            graph.Step("tools", "kind", tools.kind, ("kubernetes",)),
            graph.Step("calico", f"Calico {CALICO}", golang.calico, ("kubernetes",)),
            graph.Step("programs", "CoreDNS and the storage provisioner", node.programs, ("kubernetes",)),
            graph.Step("system", "the nodes' operating system", node.system, ("engine",)),
            graph.Step("parts", "what the node image consists of", node.prepare, ("kubernetes", "programs", "system")),
            graph.Step("node", "the node image", node.build, ("parts", "calico")),
        ]
    title = f"the cluster {CLUSTER}: a control plane and {WORKERS} workers"
    steps.append(graph.Step("cluster", title, cluster.ensure, ("tools", "node", "engine")))
    steps.append(graph.Step("join", "the registry among the nodes", registry.join, ("cluster", "registry")))
    return steps


def _engine() -> None:
    engine.ensure()
    cluster.require_port()


def _images() -> None:
    images.build_all()
    deploy.write_vars()


def _registry() -> None:
    registry.ensure()
    for reference in registry.push([recipe.reference for recipe in images.ALL]):
        say(f"        pushed {reference}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "up": up,
    "lab-up": lab_up,
    "down": lab_down,
    "clean": clean,
    "images": lab_images,
    "doctor": lab_doctor,
    "logs": lab_logs,
    "mirror": lab_mirror,
    "helm": helm,
}


GO_ON = {"up", "lab-up", "images"}
"""Commands that take up their work where they failed."""


def main() -> int:
    """Exit code 0, or 1 with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=function.__doc__)
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.name](arguments)
    except LabError as error:
        say(f"error: {error}")
        if arguments.name in GO_ON:
            say(f"The same command goes on from here: what was finished is kept. The logs are in {LOGS}.")
        return 1
    except KeyboardInterrupt:
        say("error: interrupted; the same command goes on where it stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
