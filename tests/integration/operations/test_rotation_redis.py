"""The playbook changes Redis' password under a release with a replica: on the lab, under load, killed half-way."""

from __future__ import annotations

import base64
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
from tests.integration.role.conftest import ROOT, VENV, Run

from .loaded import INVENTORY, RELEASE, LoadedRelease

ROTATE = "playbooks/rotate_credentials.yml"
# What breaks shells, URLs and redis.conf where it is not quoted.
PASSWORDS = ["one/with?a@few:signs", "two 'quotes' \"and\" $HOME % ü", "three", "four", "five", "six"]
LOAD = (Path(__file__).parent / "cache_load.py").read_text(encoding="utf-8")
SERVERS = (f"{RELEASE}-redis-master-0", f"{RELEASE}-redis-replicas-0")


class CachedRelease(LoadedRelease):
    """A release whose pods use Redis all the time, a master with a replica."""

    def __init__(self, lab: dict[str, t.Any]) -> None:
        image = lab["ai_agent_images"]["agent"]
        load = {
            "name": "cache-load",
            "image": f"{image['repository']}:{image['tag']}",
            "command": ["python", "-uc", LOAD],
            "resources": {name: {"cpu": "200m", "memory": "128Mi"} for name in ("requests", "limits")},
            "env": [
                {"name": name, "valueFrom": {"secretKeyRef": {"name": f"{RELEASE}-secret", "key": key}}}
                for name, key in (("REDIS_URL", "redis-url"), ("DATABASE_URL", "database-url"))
            ],
        }
        redis = {"architecture": "replication", "replica": {"replicaCount": 1}}
        super().__init__(lab, "rotates-redis", ai_agent_values={"agent": {"sidecars": [load]}, "redis": redis})

    def rotate(self, number: int, *words: str) -> Run:
        return self.play(ROTATE, *words, ai_agent_redis_password=PASSWORDS[number])

    def secret(self) -> dict[str, t.Any]:
        found = kubectl("-n", self.namespace, "get", "secret", f"{RELEASE}-secret", "-o", "json")
        return t.cast("dict[str, t.Any]", json.loads(found))

    def value(self, key: str) -> str:
        return base64.b64decode(self.secret()["data"][key]).decode()

    def record(self) -> dict[str, str]:
        """What the Secret's annotation says."""
        told = self.secret()["metadata"]["annotations"]["ai-agent/redis-password"]
        return t.cast("dict[str, str]", json.loads(told))

    def starts(self) -> list[tuple[str, int]]:
        """Which pods of Redis there are, and how often their containers were restarted."""
        pods = json.loads(kubectl("-n", self.namespace, "get", "pods", *SERVERS, "-o", "json"))["items"]
        return [(pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]) for pod in pods]

    def takes(self, pod: str, password: str) -> bool:
        """Whether a server lets in whoever has that password, over the program's stdin."""
        script = 'IFS= read -r word; REDISCLI_AUTH=$word redis-cli -p "$REDIS_PORT" ping 2> /dev/null'
        words = ["-n", self.namespace, "exec", "-i", pod, "-c", "redis", "--", "bash", "-c", script]
        command: list[str | Path] = [BIN / "kubectl", "--kubeconfig", KUBECONFIG, *words]
        done = subprocess.run(command, input=f"{password}\n", capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip() == "PONG"

    def restart(self, number: int) -> None:
        """End a server as its node would; its container is started again, with the same volumes."""
        before = self.starts()[number][1]
        kubectl("-n", self.namespace, "exec", SERVERS[number], "-c", "redis", "--", "bash", "-c", "kill 1")
        end = time.monotonic() + 180
        while self.starts()[number][1] == before or not self.takes(SERVERS[number], self.value("redis-password")):
            assert time.monotonic() < end, SERVERS[number]
            time.sleep(1)

    def assert_whole(self, password: str, *others: str) -> None:
        """Each server takes one password, has it for its next start, and nothing failed."""
        record = self.record()
        assert (record.get("began"), record.get("before")) == (None, None)
        assert "redis-password-second" not in self.secret()["data"]
        assert self.value("redis-password") == password
        for pod in SERVERS:
            assert self.takes(pod, password)
            assert [other for other in others if self.takes(pod, other)] == []
        assert self.counts(10)["failed"] == 0
        counted = self.cache_counts()
        print(counted)
        assert counted["failed"] == 0, counted

    def cache_counts(self) -> dict[str, t.Any]:
        """What all pods that ever were counted."""
        query = "SELECT sum(commands), sum(failed), max(first_failure) FROM cache_load"
        login = 'PGPASSWORD=$(< "$POSTGRES_POSTGRES_PASSWORD_FILE") psql -U postgres -h 127.0.0.1 -XAt agent_db'
        script = f'{login} -c "{query}"'
        words = [
            "-n",
            self.namespace,
            "exec",
            f"{RELEASE}-postgresql-0",
            "-c",
            "postgresql",
            "--",
            "bash",
            "-c",
            script,
        ]
        commands, failed, first = kubectl("-n", self.namespace, *words).strip().split("|", 2)
        return {"commands": int(commands), "failed": int(failed), "first_failure": first}

    def killed_at(self, number: int, words: str) -> str:
        """A rotation that gets SIGKILL, with all that it started, once its output has these words; the output."""
        command: list[str | Path] = [VENV / "ansible-playbook", *INVENTORY, ROTATE]
        given = self.variables | {"ai_agent_redis_password": PASSWORDS[number]}
        output = ""
        with subprocess.Popen(
            [*command, "-e", json.dumps(given)],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout
            for line in process.stdout:
                output += line
                if words in line:
                    break
            os.killpg(process.pid, signal.SIGKILL)
        assert words in output, output[-3000:]
        return output


@pytest.fixture(scope="module")
def rotated(lab: dict[str, t.Any]) -> Iterator[CachedRelease]:
    with CachedRelease(lab) as release:
        yield release


def test_two_rotations_and_a_deployment_that_changes_nothing(rotated: CachedRelease) -> None:
    first, starts = rotated.value("redis-password"), rotated.starts()
    for number, old in enumerate((first, PASSWORDS[0])):
        stopped = rotated.play("site.yml", ai_agent_redis_password=PASSWORDS[number])
        assert stopped.code != 0
        assert "playbooks/rotate_credentials.yml" in " ".join(stopped.output.split())
        said = rotated.rotate(number, "--check")
        assert (said.code, "would take a second password" in said.output) == (0, True), said.output[-3000:]
        run = rotated.rotate(number)
        assert run.code == 0, run.output[-3000:]
        assert "The rotation of Redis' password is done." in run.output
        assert not [each for each in (first, *PASSWORDS[:2]) if each in run.output + said.output]
        rotated.assert_whole(PASSWORDS[number], old)
    again = rotated.rotate(1)
    assert (again.code, again.recap("changed")) == (0, 0), again.output[-3000:]
    deployed = rotated.play("site.yml", ai_agent_redis_password=PASSWORDS[1])
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-3000:]
    # No server of Redis was replaced or started again.
    assert rotated.starts() == starts


# The second run of the module begins behind the deployment: it waits for pods to end, and for the kubelet.
@pytest.mark.parametrize(
    ("number", "words", "pending"),
    [
        (2, "Give Redis another password beside the one in use", ()),
        (3, "Deploy the same chart and values again", ("began", "before")),
        (4, "Take the old password from Redis", ("began", "before")),
    ],
)
def test_killed_the_next_runs_finish_it(
    rotated: CachedRelease, number: int, words: str, pending: tuple[str, ...]
) -> None:
    old, starts = rotated.value("redis-password"), rotated.starts()
    rotated.killed_at(number, words)
    assert [each for each in pending if not rotated.record().get(each)] == []
    if pending:
        deployed = rotated.play("site.yml", ai_agent_redis_password=PASSWORDS[number])
        assert deployed.code == 0, deployed.output[-3000:]
        assert "docs/runbook.md#rotation-pending" in deployed.output
    finished = rotated.rotate(number)
    assert finished.code == 0, finished.output[-3000:]
    rotated.assert_whole(PASSWORDS[number], old)
    assert rotated.starts() == starts


def test_servers_that_restart_while_the_pods_are_replaced_let_old_and_new_pods_in(rotated: CachedRelease) -> None:
    """An ACL change is in no file: what a server takes after its start is what its volume has."""
    old = rotated.value("redis-password")
    rotated.killed_at(5, "Deploy the same chart and values again")
    for number, pod in enumerate(SERVERS):
        rotated.restart(number)
        assert (rotated.takes(pod, old), rotated.takes(pod, PASSWORDS[5])) == (True, True)
    finished = rotated.rotate(5)
    assert finished.code == 0, finished.output[-3000:]
    counted = rotated.cache_counts()
    # While a server is away its callers wait for it; nobody is refused for a password.
    assert "uth" not in counted["first_failure"], counted
    for pod in SERVERS:
        assert (rotated.takes(pod, old), rotated.takes(pod, PASSWORDS[5])) == (False, True)
