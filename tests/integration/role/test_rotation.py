"""The playbook changes the database's password under a living release: on the lab, under load, killed half-way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import kubectl
from lab.paths import BIN, KUBECONFIG
from lab.progress import LabError

from .conftest import ROOT, VENV, Run, play

NAMESPACE = "rotates"
RELEASE = "agent-dev"
LOAD = (ROOT / "molecule/install/files/load.py").read_text(encoding="utf-8")
INVENTORY = ("-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password")
# What breaks shells, URLs and SQL where it is not quoted.
PASSWORDS = ["one/with?a@few:signs", "two 'quotes' \"and\" $HOME % ü", "three"]


class Rotated:
    """A release whose password the tests change one after the other."""

    def __init__(self, lab: dict[str, t.Any]) -> None:
        self.variables = {**lab, "ai_agent_namespace": NAMESPACE, "ai_agent_create_namespace": True}
        self.variables |= {"ai_agent_kubeconfig": str(KUBECONFIG), "ai_agent_helm_binary": str(BIN / "helm")}
        self.image = f"{lab['ai_agent_images']['agent']['repository']}:{lab['ai_agent_images']['agent']['tag']}"

    def play(self, playbook: str, password: str | None = None, *words: str) -> Run:
        own: dict[str, t.Any] = {} if password is None else {"ai_agent_postgresql_password": password}
        return play(*INVENTORY, playbook, *words, **self.variables, **own)

    def ask_all_the_time(self) -> None:
        """A pod that asks the agent without a pause, each time on a connection of its own."""
        container = {
            "name": "load",
            "image": self.image,
            "command": ["python", "-uc", LOAD],
            "env": [{"name": "AGENT_URL", "value": f"http://{RELEASE}:8000"}],
        }
        spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "load", "namespace": NAMESPACE}, "spec": spec}
        subprocess.run(
            [BIN / "kubectl", "--kubeconfig", KUBECONFIG, "apply", "-f", "-"],
            input=json.dumps(pod),
            text=True,
            check=True,
        )
        assert self.counts(5)["failed"] == 0

    def counts(self, more: int) -> dict[str, t.Any]:
        """What the pod counted, after `more` further requests."""
        lines: list[str] = []
        wanted, end = 0, time.monotonic() + 120
        while True:
            with contextlib.suppress(LabError):  # the pod may not have begun
                lines = kubectl("-n", NAMESPACE, "logs", "load", "--tail=1").splitlines()
            found: dict[str, t.Any] = json.loads(lines[0]) if lines and lines[0].startswith("{") else {"requests": 0}
            wanted = wanted or found["requests"] + more
            if found["requests"] >= wanted:
                return found
            assert time.monotonic() < end, found
            time.sleep(1)

    def login(self) -> dict[str, str]:
        """What the Secret's annotation says of who logs in."""
        secret = json.loads(kubectl("-n", NAMESPACE, "get", "secret", f"{RELEASE}-secret", "-o", "json"))
        return t.cast("dict[str, str]", json.loads(secret["metadata"]["annotations"]["ai-agent/database-login"]))


@pytest.fixture(scope="module")
def rotated(lab: dict[str, t.Any]) -> Iterator[Rotated]:
    release = Rotated(lab)
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
    kubectl("create", "namespace", NAMESPACE)
    deployed = release.play("site.yml")
    assert deployed.code == 0, deployed.output[-3000:]
    release.ask_all_the_time()
    yield release
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_two_rotations_and_a_deployment_that_changes_nothing(rotated: Rotated) -> None:
    for number, login in enumerate(("agent_user_a", "agent_user_b")):
        said = rotated.play("playbooks/rotate_credentials.yml", PASSWORDS[number], "--check")
        assert (said.code, "would be made ready" in said.output) == (0, True), said.output[-3000:]
        run = rotated.play("playbooks/rotate_credentials.yml", PASSWORDS[number])
        assert run.code == 0, run.output[-3000:]
        assert f"Role {login} alone is in use." in run.output
        assert PASSWORDS[number] not in run.output
        assert (rotated.login()["login"], rotated.login().get("replaces", "")) == (login, "")
    again = rotated.play("playbooks/rotate_credentials.yml", PASSWORDS[1])
    assert (again.code, again.recap("changed")) == (0, 0), again.output[-3000:]
    deployed = rotated.play("site.yml", PASSWORDS[1])
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-3000:]
    assert rotated.counts(10)["failed"] == 0


def test_killed_while_the_pods_are_replaced_the_next_runs_finish_it(rotated: Rotated) -> None:
    words: list[str | Path] = [VENV / "ansible-playbook", *INVENTORY, "playbooks/rotate_credentials.yml"]
    given = rotated.variables | {"ai_agent_postgresql_password": PASSWORDS[2]}
    with subprocess.Popen(
        [*words, "-e", json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "Deploy the same chart and values again" in line:
                break
        os.killpg(process.pid, signal.SIGKILL)
    assert rotated.login()["replaces"]
    deployed = rotated.play("site.yml", PASSWORDS[2])
    assert deployed.code == 0, deployed.output[-3000:]
    assert "docs/runbook.md#rotation-pending" in deployed.output
    finished = rotated.play("playbooks/rotate_credentials.yml", PASSWORDS[2])
    assert finished.code == 0, finished.output[-3000:]
    assert "alone is in use." in finished.output
    assert rotated.counts(10)["failed"] == 0
