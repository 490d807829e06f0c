"""Who sets the number of agents, by the role on a cluster with the real autoscaler: on, off and on, and kubectl scale.

Under Helm 4, which applies on the server, what others set is taken over; under Helm 3 nothing has to be. Where the
values are those of the last run, helm has nothing to do, and the role sets the fields again itself.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.paths import VARS
from tests.integration.role.conftest import Run, play

from .conftest import Release

NAME = "take-over"
WORDS = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "site.yml", "-e", f"@{VARS}"]
# The steps that bear on it: what the preflight and the connectivity test ask has tests of its own.
WORDS += ["--tags", "guard,credentials,release"]


class Deployed:
    """A release of dev, deployed by the playbook."""

    def __init__(self, folder: Path) -> None:
        """Nothing is deployed yet."""
        self.there = Release(NAME, NAME, folder)
        self.there.kubectl("delete", "namespace", NAME, "--ignore-not-found")

    def deploy(self, *, scaled: bool) -> Run:
        """One agent, or from three to four by the autoscaler."""
        autoscaling = {"enabled": scaled, "minReplicas": 3, "maxReplicas": 4}
        agent = {"replicaCount": 1, "autoscaling": autoscaling}
        given: dict[str, t.Any] = {"ai_agent_namespace": NAME, "ai_agent_release_name": NAME, "ai_agent_timeout": "10m"}
        run = play(*WORDS, ai_agent_values={"agent": agent}, **given)
        assert run.code == 0, run.output
        return run

    @property
    def replicas(self) -> int:
        return int(self.there.get("deployment", NAME)["spec"]["replicas"])

    def taken(self, run: Run, manager: str) -> bool:
        """Whether the run changed something and named who had set the number."""
        assert run.recap("changed") > 0
        # Ansible breaks the lines of a message.
        said = " ".join(run.output.split())
        return f"Deployment {NAME}: {manager} set .spec.replicas, which these values set otherwise" in said


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    made = Deployed(tmp_path)
    yield made
    made.there.kubectl("delete", "namespace", NAME, "--ignore-not-found", "--wait=false")


def test_scale_and_the_autoscaler_on_off_and_on(deployed: Deployed) -> None:
    deployed.deploy(scaled=False)
    assert deployed.replicas == 1

    deployed.there.kubectl("scale", "deployment", NAME, "--replicas=2")
    run = deployed.deploy(scaled=False)
    assert deployed.taken(run, "kubectl"), run.output
    assert deployed.replicas == 1
    assert deployed.deploy(scaled=False).recap("changed") == 0

    for _time in range(2):
        deployed.deploy(scaled=True)
        deployed.there.until("the autoscaler sets the number", lambda: deployed.replicas == 3)
        generation = deployed.there.get("deployment", NAME)["metadata"]["generation"]
        # Nobody lets the number fall meanwhile: the Deployment is as it was.
        deployed.deploy(scaled=True)
        assert deployed.there.get("deployment", NAME)["metadata"]["generation"] == generation
        assert deployed.replicas == 3

        run = deployed.deploy(scaled=False)
        assert deployed.taken(run, "kube-controller-manager"), run.output
        assert deployed.replicas == 1
