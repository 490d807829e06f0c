"""The role on a cluster with nodes: two runs at once, a run that is killed, the next one that mends, and the way back.

tests/integration/api_server kills at every moment without nodes; here pods serve while it happens.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab import images
from lab.paths import BIN, ROOT, VARS
from tests.integration.role.conftest import VENV, Run, play

from .conftest import Release

NAME = "one-writer"
INVENTORY: list[str | Path] = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "-e", f"@{VARS}"]
TAGS: list[str | Path] = ["--tags", "guard,preflight,credentials,release"]


class Deployed:
    """A release of dev, deployed by playbooks."""

    def __init__(self, folder: Path) -> None:
        """Nothing is deployed yet."""
        self.there = Release(NAME, NAME, folder)
        self.there.kubectl("delete", "namespace", NAME, "--ignore-not-found")

    def variables(self, **more: t.Any) -> dict[str, t.Any]:
        return {"ai_agent_namespace": NAME, "ai_agent_release_name": NAME, "ai_agent_timeout": "5m"} | more

    def deploy(self, **more: t.Any) -> Run:
        return play(*INVENTORY, "site.yml", *TAGS, **self.variables(**more))

    def deployed(self, **more: t.Any) -> Run:
        run = self.deploy(**more)
        assert run.code == 0, run.output
        return run

    def begin(self, **more: t.Any) -> subprocess.Popen[bytes]:
        """A run that goes on by itself; its group is that of a terminal."""
        command = [str(VENV / "ansible-playbook"), *map(str, INVENTORY), "site.yml", *map(str, TAGS)]
        command += ["-e", json.dumps(self.variables(**more))]
        log = (self.there.folder / "killed.log").open("wb")
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, process_group=0)

    def holder(self) -> str:
        words = ("get", "lease", f"{NAME}-writer", "-o", "jsonpath={.spec.holderIdentity}")
        return self.there.kubectl(*words, check=False)

    def back(self, *words: str, **more: t.Any) -> Run:
        return play(*INVENTORY, "playbooks/rollback.yml", *words, **self.variables(**more))


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    """The release serves, and something asks it without a pause."""
    made = Deployed(tmp_path)
    made.deployed()
    made.there.start_load()
    yield made
    made.there.kubectl("delete", "namespace", NAME, "--ignore-not-found", "--wait=false")


def next_image() -> dict[str, t.Any]:
    """The lab's images, with the agent's newer one."""
    given = yaml.safe_load(VARS.read_text())["ai_agent_images"]
    return {"ai_agent_images": given | {"agent": given["agent"] | {"tag": images.AGENT_NEXT.tag}}}


MOMENTS: dict[str, t.Callable[[Deployed], bool]] = {
    "the Lease is taken": lambda deployed: bool(deployed.holder()),
    "the hook runs": lambda deployed: "pre-upgrade" in deployed.there.kubectl("get", "jobs", "-o", "name"),
    "the pods are replaced": lambda deployed: len(deployed.there.get("replicasets")["items"]) > 1,
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("whole", [False, True], ids=["playbook", "its group"])
def test_a_killed_upgrade_is_mended_by_the_next_run_and_nobody_notices(
    deployed: Deployed, moment: str, whole: bool
) -> None:
    run = deployed.begin(**next_image())
    deployed.there.until(moment, lambda: MOMENTS[moment](deployed), seconds=300)
    (os.killpg if whole else os.kill)(run.pid, signal.SIGKILL)
    run.wait()
    deployed.deployed(**next_image(), ai_agent_repair=True)
    assert deployed.there.status() == "deployed"
    assert deployed.there.revision() == "0007"
    assert deployed.holder() == ""
    deployed.there.nothing_failed()


def test_a_second_run_is_refused_and_one_that_waits_comes_after(deployed: Deployed) -> None:
    first = deployed.begin(**next_image())
    deployed.there.until("the Lease is taken", deployed.holder, seconds=300)
    refused = deployed.deploy(ai_agent_lease_wait=0)
    assert refused.code != 0
    assert "is being changed by" in refused.output
    waited = deployed.deployed(**next_image(), ai_agent_lease_wait=600)
    assert first.wait(600) == 0
    assert waited.recap("changed") == 0
    deployed.there.nothing_failed()


def test_back_to_the_version_before_without_changing_the_schema(deployed: Deployed) -> None:
    deployed.deployed(**next_image())
    looked = deployed.back("--check")
    assert looked.code == 0, looked.output
    assert "-> revision 1" in looked.output
    assert set(deployed.there.agents().values()) == {lab_images_next()}
    run = deployed.back()
    assert run.code == 0, run.output
    assert deployed.there.status() == "deployed"
    assert lab_images_next() not in deployed.there.agents().values()
    assert deployed.there.revision() == "0007"
    deployed.there.nothing_failed()


def test_an_unchanged_release_is_neither_released_nor_tested_by_helm_again(deployed: Deployed, tmp_path: Path) -> None:
    """Helm's own record says that chart and values are those that are deployed, and that this revision was tested."""
    words, helm = tmp_path / "words", tmp_path / "helm"
    helm.write_text(f'#!/bin/sh\necho "$1" >>{words}\nexec {BIN}/helm "$@"\n')
    helm.chmod(0o755)

    def run(*tags: str) -> tuple[Run, set[str]]:
        words.write_text("")
        done = play(
            *INVENTORY, "site.yml", *tags, **deployed.variables(ai_agent_helm_binary=str(helm), ai_agent_quiet=False)
        )
        assert done.code == 0, done.output
        assert done.recap("changed") == 0
        return done, set(words.read_text().split())

    # The fixture's run did not verify.
    _first, asked = run()
    assert "test" in asked
    second, asked = run()
    assert asked == {"version", "list", "get", "template", "status"}
    assert "Succeeded (at 2" in told(second)
    _verified, asked = run("--tags", "verify")
    assert "test" in asked
    changed = play(*INVENTORY, "site.yml", **deployed.variables(**next_image()))
    assert changed.code == 0, changed.output
    assert "Succeeded (at 2" not in told(changed)
    deployed.there.nothing_failed()


def told(run: Run) -> str:
    """What it printed, without the line breaks within a message."""
    return " ".join(run.output.split())


def lab_images_next() -> str:
    """The newer image as pods name it."""
    image = next_image()["ai_agent_images"]["agent"]
    return "/".join(filter(None, (image.get("registry"), image["repository"]))) + f":{image['tag']}"
