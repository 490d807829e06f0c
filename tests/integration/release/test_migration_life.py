"""What the migration's rule promises on the cluster: what serves meanwhile, what one reads, how the next run heals.

The rule and its reasons are in docs/decisions.md. Every case begins with plain helm, as the specification prints it.
"""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from .conftest import LOCK_KEY, NEXT, Release, kill

COLLIDING = "CREATE TABLE message_feedback (id int)"
"""Makes revision 0007 fail, which creates a table of this name."""


@pytest.fixture
def serving(release: Release) -> Release:
    """Installed and under load."""
    release.deployed()
    assert release.revision() == "0006"
    release.start_load()
    return release


def test_upgrade_migrates_before_the_first_new_pod(serving: Release) -> None:
    process = serving.start(**NEXT)
    serving.until("the new schema", lambda: serving.revision() == "0007")
    assert all(image.rpartition(":")[2].startswith("1.0.0") for image in serving.agents().values())
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 0, said
    assert all(image.rpartition(":")[2].startswith("1.1.0") for image in serving.agents().values())
    serving.nothing_failed()


def test_rollback_to_an_older_version_leaves_the_newer_schema_alone(serving: Release) -> None:
    serving.deployed(**NEXT)
    back = serving.helm("rollback", serving.name, "1", "--wait", "--wait-for-jobs", "--timeout", "120s")
    assert back.returncode == 0, back.stderr
    assert serving.revision() == "0007"
    assert all(image.rpartition(":")[2].startswith("1.0.0") for image in serving.agents().values())
    serving.nothing_failed()
    serving.deployed(**NEXT)
    serving.nothing_failed()
    # The hook ran twice; its first Job went when the second began.
    hooks = [job for job in serving.get("jobs")["items"] if "pre-upgrade" in job["metadata"]["name"]]
    assert len(hooks) == 1


def test_failed_migration_changes_nothing_and_the_next_run_heals(serving: Release) -> None:
    before = serving.get("deployment", serving.name)["metadata"]["generation"]
    pods = serving.agents()
    serving.sql(COLLIDING)
    failed = serving.deploy(**NEXT)
    assert failed.returncode != 0
    assert "message_feedback" in failed.stderr + failed.stdout + serving.migration_log()
    assert serving.status() == "failed"
    assert serving.get("deployment", serving.name)["metadata"]["generation"] == before
    assert serving.agents() == pods
    assert serving.revision() == "0006"
    serving.sql("DROP TABLE message_feedback")
    serving.deployed(**NEXT)
    assert serving.revision() == "0007"
    serving.nothing_failed()


def test_hanging_migration_ends_at_its_deadline(serving: Release) -> None:
    holder = subprocess.Popen(
        serving.psql(f"SELECT pg_advisory_lock({LOCK_KEY})", "SELECT pg_sleep(900)"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    serving.until("another migrator works", lambda: bool(serving.active("pg_sleep")))
    begin = time.monotonic()
    failed = serving.deploy(**NEXT, migration={"timeout": 25, "databaseTimeout": 10})
    assert failed.returncode != 0
    assert time.monotonic() - begin < 90
    reasons = {
        condition["reason"]
        for job in serving.get("jobs")["items"]
        for condition in job["status"]["conditions"]
        if condition["type"] == "Failed"
    }
    # Its program keeps the time, so that the pod and its log stay.
    assert reasons == {"PodFailurePolicy"}
    assert "not done within 25 s" in serving.migration_log()
    assert serving.revision() == "0006"
    for process in serving.active("pg_sleep"):
        serving.sql(f"SELECT pg_terminate_backend({process})")
    holder.wait(30)
    serving.deployed(**NEXT)
    assert serving.revision() == "0007"
    serving.nothing_failed()


def test_lock_that_is_not_to_be_had_fails_the_migration_and_stops_nobody(serving: Release) -> None:
    # Readers and writers go on beside this lock; the foreign key of revision 0007 does not get its own.
    holder = subprocess.Popen(
        serving.psql("BEGIN; LOCK TABLE messages IN ROW EXCLUSIVE MODE; SELECT pg_sleep(900)"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    serving.until("the lock is held", lambda: bool(serving.active("pg_sleep")))
    serving.timeout = "240s"
    failed = serving.deploy(**NEXT)
    assert failed.returncode != 0
    assert "lost 8 times against a lock" in serving.migration_log()
    assert serving.revision() == "0006"
    for process in serving.active("pg_sleep"):
        serving.sql(f"SELECT pg_terminate_backend({process})")
    holder.wait(30)
    serving.deployed(**NEXT)
    assert serving.revision() == "0007"
    serving.nothing_failed()


def test_a_second_migrator_waits_for_the_first_that_builds_an_index(serving: Release) -> None:
    # CREATE INDEX CONCURRENTLY waits for every older snapshot: a migrator that waited in a transaction would block it.
    first = subprocess.Popen(
        serving.psql(
            f"SELECT pg_advisory_lock({LOCK_KEY})",
            "SELECT pg_sleep(10)",
            "CREATE INDEX CONCURRENTLY by_the_other ON messages (role)",
            f"SELECT pg_advisory_unlock({LOCK_KEY})",
        )
    )
    serving.until("the other migrator works", lambda: bool(serving.active("pg_sleep")))
    serving.deployed(**NEXT)
    assert first.wait(60) == 0
    assert serving.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_the_other'::regclass") == "t"
    assert serving.revision() == "0007"
    serving.nothing_failed()


def test_configuration_and_migration_change_in_the_same_upgrade(serving: Release) -> None:
    serving.deployed(**{"agent": {**NEXT["agent"], "env": {"LOG_LEVEL": "warning", "WORKER_THREADS": "2"}}})
    assert serving.revision() == "0007"
    (pod,) = serving.agents()
    assert serving.kubectl("exec", pod, "--", "printenv", "LOG_LEVEL").strip() == "warning"
    serving.nothing_failed()


def test_password_and_migration_change_in_the_same_upgrade(release: Release) -> None:
    secret = f"{release.name}-own"

    def keep(password: str) -> None:
        address = f"postgresql://agent_user:{password}@{release.name}-postgresql:5432/agent_db"
        data = {
            "password": password,
            "postgres-password": "admin",
            "redis-password": "cache",
            "database-url": address,
            "migration-database-url": address,
            "redis-url": f"redis://:cache@{release.name}-redis-master:6379/0",
        }
        file = release.folder / "secret.json"
        metadata = {"name": secret}
        file.write_text(
            json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}), "utf-8"
        )
        release.kubectl("apply", "-f", str(file))

    named = {"existingSecret": secret}
    values = {**named, "postgresql": {"auth": named}, "redis": {"auth": named}}
    keep("first")
    release.deployed(**values, rotationId="1")
    release.start_load()
    release.sql("ALTER ROLE agent_user PASSWORD 'second'")
    keep("second")
    release.deployed(**values, **NEXT, rotationId="2")
    assert release.revision() == "0007"
    (pod,) = release.agents()
    assert ":second@" in release.kubectl("exec", pod, "--", "printenv", "DATABASE_URL")
    # A role has one password: until the new pods stood, the old ones could open no connection.
    before = release.load()
    after = release.load(at_least=int(before["requests"]) + 10)
    assert after["failed"] == before["failed"]


def test_helm_killed_in_the_hook(serving: Release) -> None:
    process = serving.start(**NEXT)
    serving.until("the hook runs", lambda: "pre-upgrade" in serving.kubectl("get", "jobs", "-o", "name"))
    kill(process)
    assert serving.status() == "pending-upgrade"
    refused = serving.deploy(**NEXT)
    assert refused.returncode != 0
    assert "another operation" in refused.stderr
    if serving.helm("version", "--short").stdout.startswith("v3"):
        # Helm 3 wants to change the install's finished Job, which it cannot (docs/runbook.md, release-pending).
        serving.kubectl(
            "delete", "jobs", "-l", f"app={serving.name},job=migration", "--field-selector=status.successful=1"
        )
    back = serving.helm("rollback", serving.name)
    assert back.returncode == 0, back.stderr
    serving.deployed(**NEXT)
    assert serving.revision() == "0007"
    serving.nothing_failed()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"postgresql": {"image": {"tag": "15-no-such-image"}}}, id="database image"),
        pytest.param({"agent": {"image": {"tag": "1.0.0-no-such-image"}}}, id="agent image"),
        pytest.param(
            {"postgresql": {"primary": {"initdb": {"scripts": {"a.sql": "CREATE TABLE sessions (id int);"}}}}},
            id="migration",
        ),
    ],
)
def test_failed_first_install_is_repaired_by_running_again(release: Release, broken: dict[str, object]) -> None:
    release.timeout = "45s"
    failed = release.deploy(**broken, **({} if "agent" in broken else {"agent": {"progressDeadlineSeconds": 30}}))
    assert failed.returncode != 0
    assert release.status() == "failed"
    if "primary" in str(broken):
        # Where pods start slowly helm gives up before the migration got as far.
        release.until("the migration failed at the table", lambda: "sessions" in release.migration_log())
        release.sql("DROP TABLE sessions")
    release.timeout = "120s"
    release.deployed()
    assert release.revision() == "0006"
    test = release.helm("test", release.name)
    assert test.returncode == 0, test.stdout + test.stderr
