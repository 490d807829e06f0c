"""The playbook changes the database's password under a living release: on the lab, under load, killed half-way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import kubectl
from tests.integration.role.conftest import ROOT, VENV, Run

from .loaded import INVENTORY, RELEASE, LoadedRelease

# What breaks shells, URLs and SQL where it is not quoted.
PASSWORDS = ["one/with?a@few:signs", "two 'quotes' \"and\" $HOME % ü", "three"]


@pytest.fixture(scope="module")
def rotated(lab: dict[str, t.Any]) -> Iterator[LoadedRelease]:
    with LoadedRelease(lab, "rotates") as release:
        yield release


def with_password(release: LoadedRelease, playbook: str, password: str, *words: str) -> Run:
    return release.play(playbook, *words, ai_agent_postgresql_password=password)


def login(release: LoadedRelease) -> dict[str, str]:
    """What the Secret's annotation says of who logs in."""
    secret = json.loads(kubectl("-n", release.namespace, "get", "secret", f"{RELEASE}-secret", "-o", "json"))
    return t.cast("dict[str, str]", json.loads(secret["metadata"]["annotations"]["ai-agent/database-login"]))


def test_two_rotations_and_a_deployment_that_changes_nothing(rotated: LoadedRelease) -> None:
    for number, role in enumerate(("agent_user_a", "agent_user_b")):
        said = with_password(rotated, "playbooks/rotate_credentials.yml", PASSWORDS[number], "--check")
        assert (said.code, "would be made ready" in said.output) == (0, True), said.output[-3000:]
        run = with_password(rotated, "playbooks/rotate_credentials.yml", PASSWORDS[number])
        assert run.code == 0, run.output[-3000:]
        assert f"Role {role} alone is in use." in run.output
        assert PASSWORDS[number] not in run.output
        assert (login(rotated)["login"], login(rotated).get("replaces", "")) == (role, "")
    again = with_password(rotated, "playbooks/rotate_credentials.yml", PASSWORDS[1])
    assert (again.code, again.recap("changed")) == (0, 0), again.output[-3000:]
    deployed = with_password(rotated, "site.yml", PASSWORDS[1])
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-3000:]
    assert rotated.counts(10)["failed"] == 0


def test_killed_while_the_pods_are_replaced_the_next_runs_finish_it(rotated: LoadedRelease) -> None:
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
    assert login(rotated)["replaces"]
    deployed = with_password(rotated, "site.yml", PASSWORDS[2])
    assert deployed.code == 0, deployed.output[-3000:]
    assert "docs/runbook.md#rotation-pending" in deployed.output
    finished = with_password(rotated, "playbooks/rotate_credentials.yml", PASSWORDS[2])
    assert finished.code == 0, finished.output[-3000:]
    assert "alone is in use." in finished.output
    assert rotated.counts(10)["failed"] == 0
