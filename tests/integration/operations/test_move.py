"""A release's database goes from its own PostgreSQL 15 to somebody's 18: under load, killed half-way, and back."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from dev import postgresql_image
from lab import registry
from lab.cluster import kubectl
from lab.progress import LabError
from tests.integration.role.conftest import ROOT, VENV, Run

from .loaded import INVENTORY, RELEASE, LoadedRelease, applied

NEW, DATABASE, SECRET = "new-database", "agents", "new-urls"
OWNER, ADMIN = "new_owner", "new_admin"
PASSWORDS = {OWNER: "owner's pass/word", ADMIN: "admin@pass%word", "postgres": "administrator"}
PLAYBOOK = "playbooks/move_database.yml"
Row = dict[str, t.Any]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class NewServer:
    """A PostgreSQL 18 that is nobody's yet, in a namespace of its own."""

    def __enter__(self) -> NewServer:
        image = postgresql_image.image(18)
        registry.push([image])
        kubectl("delete", "namespace", NEW, "--ignore-not-found")
        kubectl("create", "namespace", NEW)
        container = {
            "name": "database", "image": image,
            "env": [{"name": postgresql_image.PASSWORD_VARIABLE, "value": PASSWORDS["postgres"]}],
            "readinessProbe": {"tcpSocket": {"port": 5432}, "periodSeconds": 1},
        }  # fmt: skip
        named = {"name": "database", "namespace": NEW, "labels": {"app": "database"}}
        service = {"selector": {"app": "database"}, "ports": [{"port": 5432}]}
        applied(
            {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": {"containers": [container]}},
            {"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": service},
        )
        kubectl("-n", NEW, "wait", "pod", "database", "--for=condition=Ready", "--timeout=180s", timeout=190)
        for role in (OWNER, ADMIN):
            self.sql(f"CREATE ROLE {role} LOGIN PASSWORD {_literal(PASSWORDS[role])}", "postgres")
        self.sql(f"ALTER ROLE {ADMIN} CREATEDB", "postgres")
        self.sql(f"GRANT {OWNER} TO {ADMIN}", "postgres")
        return self

    def __exit__(self, *_: object) -> None:
        kubectl("delete", "namespace", NEW, "--wait=false")

    def sql(self, text: str, database: str = DATABASE) -> str:
        """What a statement gives, as the administrator."""
        words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres", "-d", database]
        login = ["env", f"PGPASSWORD={PASSWORDS['postgres']}"]
        return kubectl("-n", NEW, "exec", "database", "--", *login, *words, "-c", text).strip()

    def url(self, role: str, database: str = DATABASE) -> str:
        """As a Secret has it."""
        return f"postgresql://{role}:{quote(PASSWORDS[role], safe='')}@database.{NEW}.svc:5432/{database}"


class MovingRelease(LoadedRelease):
    """One with servers of its own."""

    @property
    def values(self) -> Row:
        """Variables of the inventory once the database is elsewhere."""
        peers = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NEW}}}]}
        return {
            "ai_agent_existing_secret": SECRET,
            "ai_agent_values": {"postgresql": {"enabled": False}, "networkPolicy": {"database": peers}},
            **self.admin,
        }

    admin: t.ClassVar[Row] = {"ai_agent_move_database_secret": {"name": SECRET, "key": "admin-url"}}

    def secret(self, server: NewServer) -> None:
        """The Secret of the new server, with the cache's URL as it is."""
        own = self.json("secret", f"{RELEASE}-secret")["data"]
        urls = {
            "database-url": server.url(OWNER),
            "migration-database-url": server.url(OWNER),
            "admin-url": server.url(ADMIN, "postgres"),
        }
        data = {key: base64.b64encode(url.encode()).decode() for key, url in urls.items()}
        data |= {key: own[key] for key in ("redis-url", "redis-password")}
        metadata = {"name": SECRET, "namespace": self.namespace}
        applied({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})

    def json(self, *words: str) -> Row:
        """An object."""
        return t.cast("Row", json.loads(kubectl("-n", self.namespace, "get", *words, "-o", "json")))

    def record(self) -> dict[str, str]:
        """How far the move is; empty without one."""
        try:
            return t.cast("dict[str, str]", self.json("configmap", f"{RELEASE}-move-record")["data"])
        except LabError:
            return {}

    def old_sql(self, text: str) -> str:
        """What a statement gives in the old database, as the agent's own user: the administrator may do more."""
        password = 'export PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE" 2>/dev/null || printf %s "$POSTGRES_PASSWORD")"'
        psql = 'psql -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DATABASE" -c "$1"'
        pod = f"{RELEASE}-postgresql-0"
        words = ["-n", self.namespace, "exec", pod, "--", "sh", "-c", f"{password}; {psql}", "sh", text]
        return kubectl(*words).strip()

    def moved(self, *words: str, **more: t.Any) -> Run:
        """The playbook with the new values."""
        return self.play(PLAYBOOK, *words, **self.values | more)


@pytest.fixture(scope="module")
def server() -> Iterator[NewServer]:
    with NewServer() as made:
        yield made


@pytest.fixture(scope="module")
def release(lab: dict[str, t.Any], server: NewServer) -> Iterator[MovingRelease]:
    with MovingRelease(lab, "moves") as made:
        made.secret(server)
        yield made


def flat(run: Run) -> str:
    """What it printed, which is wrapped, in one line."""
    return " ".join(run.output.split())


def secrets_in(output: str) -> list[str]:
    """The passwords that were printed."""
    return [name for name, password in PASSWORDS.items() if password in output or quote(password, safe="") in output]


def test_a_deployment_is_refused_and_named_the_way(release: MovingRelease) -> None:
    done = release.play("site.yml", **release.values)
    assert (done.code, "playbooks/move_database.yml" in flat(done)) == (2, True), done.output[-3000:]
    assert release.counts(5)["failed"] == 0


def test_check_says_all_and_changes_nothing(release: MovingRelease, server: NewServer) -> None:
    said = release.moved("--check")
    assert said.code == 0, said.output[-4000:]
    assert "would be made read-only, copied to" in flat(said)
    assert "No verified backup says how long" in flat(said)
    assert secrets_in(said.output) == []
    assert (release.record(), server.sql("SELECT count(*) FROM pg_database WHERE datname = 'agents'", "postgres")) == (
        {},
        "0",
    )
    server.sql(f"ALTER ROLE {ADMIN} NOCREATEDB", "postgres")
    server.sql(f"ALTER ROLE {OWNER} PASSWORD 'another'", "postgres")
    refused = release.moved("--check")
    server.sql(f"ALTER ROLE {ADMIN} CREATEDB", "postgres")
    server.sql(f"ALTER ROLE {OWNER} PASSWORD {_literal(PASSWORDS[OWNER])}", "postgres")
    assert refused.code != 0
    for part in ("may not create databases", "cannot log in", "docs/runbook.md#privilege-missing"):
        assert part in flat(refused), refused.output[-4000:]
    assert release.counts(5)["failed"] == 0


def test_killed_while_it_copies_and_taken_back(release: MovingRelease) -> None:
    """Before the pods were replaced the way back costs nothing."""
    _killed_at(release, "copying")
    deadline = time.monotonic() + 120
    while "on" not in release.old_sql("SHOW default_transaction_read_only") and time.monotonic() < deadline:
        time.sleep(0.5)
    stopped = release.play("site.yml")
    assert (stopped.code, "docs/runbook.md#move-pending" in flat(stopped)) == (2, True), stopped.output[-3000:]
    back = release.moved(ai_agent_move_return=True)
    assert back.code == 0, back.output[-4000:]
    assert "the agent has never left it" in flat(back)
    assert release.old_sql("SHOW default_transaction_read_only") == "off"
    assert release.record() == {}
    before = release.counts(1)["failed"]
    assert release.counts(20)["failed"] == before


def test_killed_behind_the_copy_the_next_run_finishes_it(release: MovingRelease, server: NewServer) -> None:
    server.sql(f"DROP DATABASE IF EXISTS {DATABASE}", "postgres")
    failed = release.counts(1)["failed"]
    _killed_at(release, "copied")
    done = release.moved()
    assert done.code == 0, done.output[-4000:]
    assert "had been copied before, and is the same as" in flat(done)
    assert secrets_in(done.output) == []
    record = release.record()
    assert record["state"] == "moved"
    counts = release.counts(20)
    seconds = re.findall(r"nobody could write for ([0-9.]+) s", flat(done))
    print(f"\nmoved, killed in between: {counts['failed'] - failed} requests failed, frozen {seconds} s")
    _works_at_the_new_one(release, server, counts)
    again = release.moved()
    assert (again.code, again.recap("changed")) == (0, 0), again.output[-3000:]
    deployed = release.play("site.yml", **release.values)
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-4000:]


def _works_at_the_new_one(release: MovingRelease, server: NewServer, counts: Row) -> None:
    assert server.sql("SHOW server_version").startswith("18.")
    # Whoever was answered finds what was said.
    asked = int(server.sql("SELECT count(*) FROM messages WHERE role = 'user'"))
    assert asked >= counts["requests"] - counts["failed"] - 1
    assert release.counts(20)["failed"] == counts["failed"]
    # The old one stands by, and nobody writes it.
    assert release.json("statefulset", f"{RELEASE}-postgresql")["status"]["readyReplicas"] == 1
    with pytest.raises(LabError, match="read-only transaction"):
        release.old_sql("DELETE FROM messages")


def test_back_with_what_was_not_written_since_told(release: MovingRelease) -> None:
    refused = release.moved(ai_agent_move_return=True)
    assert (refused.code, "set the inventory back first" in flat(refused)) == (2, True), refused.output[-3000:]
    back = release.play(PLAYBOOK, **release.admin, ai_agent_move_return=True)
    assert back.code == 0, back.output[-4000:]
    assert "What was written since stays at" in flat(back)
    assert re.search(r"public\.messages has \d+ rows instead of \d+", flat(back)), back.output[-4000:]
    assert release.record() == {}
    failed = release.counts(1)["failed"]
    assert release.counts(20)["failed"] == failed
    assert release.old_sql("SHOW default_transaction_read_only") == "off"
    annotations = release.json("statefulset", f"{RELEASE}-postgresql")["metadata"]["annotations"]
    assert not {"ai-agent/set-aside", "helm.sh/resource-policy"} & annotations.keys()
    deployed = release.play("site.yml")
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-4000:]


def test_there_in_one_go_and_the_old_one_forgotten(release: MovingRelease, server: NewServer) -> None:
    refused = release.moved()
    assert (refused.code, "docs/runbook.md#restore-exists" in flat(refused)) == (2, True), refused.output[-3000:]
    server.sql(f"DROP DATABASE {DATABASE} WITH (FORCE)", "postgres")
    failed = release.counts(1)["failed"]
    done = release.moved()
    assert done.code == 0, done.output[-4000:]
    counts = release.counts(20)
    seconds = re.findall(r"nobody could write for ([0-9.]+) s", flat(done))
    print(f"\nmoved in one go: {counts['failed'] - failed} requests failed, frozen {seconds} s")
    _works_at_the_new_one(release, server, counts)
    forgotten = release.moved(ai_agent_move_forget=True)
    assert forgotten.code == 0, forgotten.output[-3000:]
    assert json.loads(kubectl("-n", release.namespace, "get", "statefulsets", "-o", "json"))["items"]
    names = kubectl("-n", release.namespace, "get", "statefulsets,services,networkpolicies", "-o", "name")
    assert "postgresql" not in names
    assert f"data-{RELEASE}-postgresql-0" in kubectl("-n", release.namespace, "get", "pvc", "-o", "name")
    assert release.record() == {}
    assert release.counts(20)["failed"] == counts["failed"]


def _killed_at(release: MovingRelease, state: str) -> None:
    """Run the playbook, and kill it once the record says so."""
    words: list[str | Path] = [VENV / "ansible-playbook", *INVENTORY, PLAYBOOK]
    given = release.variables | release.values
    with subprocess.Popen(
        [*words, "-e", json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 400
        while release.record().get("state") != state:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)
