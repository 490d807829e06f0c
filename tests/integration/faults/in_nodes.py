"""Faults of nodes during an upgrade: one is drained, one is lost."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from lab import cluster
from tests.integration.role.conftest import Run
from tests.integration.waiting import eventually

from .in_migration import BEFORE_IT, asleep, at_its_index, values
from .stage import AWAY, HOME, OTHER, Stage, cordoned, docker


def drained(stage: Stage) -> Run:
    """A node with an agent of the old version is drained while the hook is at work."""
    stage.no_hook()
    running = stage.begin()
    running.until("the hook is there", stage.hook)
    words = ("drain", OTHER, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s")
    try:
        cluster.kubectl(*words, timeout=160)
        return running.end()
    finally:
        cluster.kubectl("uncordon", OTHER)


def lost(stage: Stage) -> Run:
    """The node of the hook is gone in the middle of the migration: it sends no packet more, and says nothing."""
    stage.no_hook()
    with at_its_index(stage, "PERFORM pg_sleep(25);"), contextlib.ExitStack() as gone:
        short = values(stage, migration={"timeout": 30, "startTimeout": 40, "databaseTimeout": 20})
        with cordoned(HOME, OTHER):
            running = stage.begin(**BEFORE_IT, **short)
            running.until("the hook is at work", lambda: asleep(stage))
        gone.enter_context(without(AWAY))
        # As docs/runbook.md#node-lost has it, and as a cloud does by itself.
        running.until("it says that the node is lost", lambda: "#node-lost" in running.output)
        cluster.kubectl("delete", "node", AWAY)
        return running.end()


@contextlib.contextmanager
def without(node: str) -> Iterator[None]:
    """A node loses its network, and then its power: what it had open is closed by nobody."""
    (network,) = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", node))
    docker("network", "disconnect", "--force", network, node)
    docker("kill", node)
    try:
        yield
    finally:
        # It gets the address that it had, the lowest that is free: Docker takes no wish on a subnet of its own choice.
        docker("network", "connect", network, node)
        docker("start", node)
        eventually(lambda: node in cluster.kubectl("get", "nodes", "-o", "name"), 180)
        cluster.kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=240s", timeout=250)
