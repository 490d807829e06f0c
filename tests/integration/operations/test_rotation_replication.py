"""The playbook changes the replication password under a replica for which commits wait: on the lab, under load."""

from __future__ import annotations

import base64
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
from tests.integration.places import descendants
from tests.integration.role.conftest import ROOT, VENV, Run

from .loaded import INVENTORY, RELEASE, LoadedRelease

ROTATE = "playbooks/rotate_credentials.yml"
# What breaks shells, SQL and password files where it is not quoted.
PASSWORDS = ["one:with\\a 'few' signs", 'two "quotes" $HOME `id` % ü', "three", "four", "five"]
PRIMARY, REPLICA = f"{RELEASE}-postgresql-primary-0", f"{RELEASE}-postgresql-read-0"


class ReplicatedRelease(LoadedRelease):
    """A release whose writes wait for a read replica."""

    def __init__(self, lab: dict[str, t.Any]) -> None:
        postgresql = {
            "architecture": "replication",
            "readReplicas": {"replicaCount": 1},
            "replication": {"synchronousCommit": "on", "numSynchronousReplicas": 1},
        }
        super().__init__(lab, "rotates-replica", ai_agent_values={"postgresql": postgresql})

    def rotate(self, number: int, *words: str) -> Run:
        return self.play(ROTATE, *words, ai_agent_replication_password=PASSWORDS[number])

    def secret(self) -> dict[str, t.Any]:
        found = kubectl("-n", self.namespace, "get", "secret", f"{RELEASE}-secret", "-o", "json")
        return t.cast("dict[str, t.Any]", json.loads(found))

    def value(self, key: str) -> str:
        return base64.b64decode(self.secret()["data"][key]).decode()

    def record(self) -> dict[str, str]:
        """What the Secret's annotation says."""
        told = (self.secret()["metadata"].get("annotations") or {}).get("ai-agent/replication-password", "{}")
        return t.cast("dict[str, str]", json.loads(told))

    def starts(self) -> list[tuple[str, int]]:
        """Which pods of PostgreSQL there are, and how often their containers were restarted."""
        pods = json.loads(kubectl("-n", self.namespace, "get", "pods", PRIMARY, REPLICA, "-o", "json"))["items"]
        return [(pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]) for pod in pods]

    def sql(self, pod: str, statement: str) -> str:
        """What the administrator is answered in a server's own pod."""
        login = 'PGPASSWORD=$(< "$POSTGRES_POSTGRES_PASSWORD_FILE") psql -U postgres -h 127.0.0.1 -XAt postgres'
        words = ["exec", pod, "-c", "postgresql", "--", "bash", "-c", f'{login} -c "{statement}"']
        return kubectl("-n", self.namespace, *words).strip()

    def follows(self, user: str) -> None:
        """Wait until the replica is streaming as this user."""
        end = time.monotonic() + 240
        query = "SELECT string_agg(usename, ',') FROM pg_stat_replication WHERE state = 'streaming'"
        while self.sql(PRIMARY, query) != user:
            assert time.monotonic() < end, kubectl("-n", self.namespace, "logs", REPLICA, "--tail=30")
            time.sleep(1)

    def break_links(self) -> None:
        self.sql(PRIMARY, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication")

    def assert_whole(self, password: str) -> None:
        """Nothing is half done, the replica follows also after its link broke, and nothing failed."""
        assert self.record().keys() == {"since"}
        assert "replication-password-bridge" not in self.secret()["data"]
        assert self.value("replication-password") == password
        assert self.sql(PRIMARY, "SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolname ~ '^repl'") == "repl_user"
        for pod in (PRIMARY, REPLICA):
            query = "SELECT count(*) FROM pg_file_settings WHERE sourcefile ~ 'auto.conf'"
            assert self.sql(pod, query) == "0"
        self.break_links()
        self.follows("repl_user")
        assert self.counts(10)["failed"] == 0

    def killed_at(self, number: int, words: str) -> None:
        """A rotation that gets SIGKILL, with all that it started, once the Secret has these words."""
        command: list[str | Path] = [VENV / "ansible-playbook", *INVENTORY, ROTATE]
        given = self.variables | {"ai_agent_replication_password": PASSWORDS[number]}
        with subprocess.Popen(
            [*command, "-e", json.dumps(given)],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            end = time.monotonic() + 600
            while words not in json.dumps(self.secret()):
                assert time.monotonic() < end, words
                assert process.poll() is None, words
                time.sleep(0.2)
            # Ansible's workers have sessions of their own, and would take one more step.
            others = [int(place.name) for place in descendants(process.pid)]
            os.killpg(process.pid, signal.SIGKILL)
            for pid in others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def rotated(lab: dict[str, t.Any]) -> Iterator[ReplicatedRelease]:
    with ReplicatedRelease(lab) as release:
        yield release


def test_two_rotations_and_a_deployment_that_changes_nothing(rotated: ReplicatedRelease) -> None:
    first, starts = rotated.value("replication-password"), rotated.starts()
    for number in range(2):
        stopped = rotated.play("site.yml", ai_agent_replication_password=PASSWORDS[number])
        assert stopped.code != 0
        assert "playbooks/rotate_credentials.yml makes ai_agent_replication_password true" in " ".join(
            stopped.output.split()
        )
        said = rotated.rotate(number, "--check")
        assert (said.code, "would follow by a second role" in said.output) == (0, True), said.output[-3000:]
        run = rotated.rotate(number)
        assert run.code == 0, run.output[-3000:]
        assert "The rotation of the replication password is done." in run.output
        assert not [each for each in (first, *PASSWORDS[:2]) if each in run.output + said.output]
        rotated.assert_whole(PASSWORDS[number])
    again = rotated.rotate(1)
    assert (again.code, again.recap("changed")) == (0, 0), again.output[-3000:]
    deployed = rotated.play("site.yml", ai_agent_replication_password=PASSWORDS[1])
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-3000:]
    # No server was replaced or started again.
    assert rotated.starts() == starts


@pytest.mark.parametrize(
    ("number", "words"),
    [(2, "replication-password-bridge"), (3, base64.b64encode(PASSWORDS[3].encode()).decode())],
    ids=["begun", "switched"],
)
def test_killed_the_replica_goes_on_and_the_next_run_finishes(
    rotated: ReplicatedRelease, number: int, words: str
) -> None:
    rotated.killed_at(number, words)
    assert rotated.record()["began"]
    deployed = rotated.play("site.yml", ai_agent_replication_password=rotated.value("replication-password"))
    assert "docs/runbook.md#rotation-pending" in deployed.output, deployed.output[-3000:]
    # As its node would, with whatever the kubelet has brought by now.
    user = rotated.sql(PRIMARY, "SELECT string_agg(usename, ',') FROM pg_stat_replication WHERE state = 'streaming'")
    kubectl("-n", rotated.namespace, "delete", "pod", REPLICA)
    kubectl("-n", rotated.namespace, "wait", "--for=condition=Ready", f"pod/{REPLICA}", "--timeout=240s")
    rotated.follows(user)
    finished = rotated.rotate(number)
    assert finished.code == 0, finished.output[-3000:]
    rotated.assert_whole(PASSWORDS[number])
