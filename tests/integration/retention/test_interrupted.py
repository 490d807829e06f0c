"""A retention that is killed at any moment leaves whole sessions, and the next one goes on."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import retention, retention_batches
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RETENTION, bundle, command

from tests.integration.retention.conftest import TABLES, Database
from tests.integration.waiting import eventually

SESSIONS = 2000
REQUEST: dict[str, t.Any] = {
    "tables": TABLES, "days": 30, "keys": [], "dry": False, "batch": 20, "pause_seconds": 0.0,
    "statement_seconds": 5, "max_seconds": 600, "connect_timeout": 10, "guest": True,
}  # fmt: skip


@pytest.fixture
def full(database: Database) -> Database:
    """With sessions of ten messages each, all of them old."""
    database.run(
        "INSERT INTO sessions SELECT gen_random_uuid(), now() - interval '90 days' FROM generate_series(1, %s)",
        SESSIONS,
    )
    database.run(
        "INSERT INTO messages (session_id, role, content, created_at) SELECT id, 'user', 'x', created_at"
        " FROM sessions, generate_series(1, 10)"
    )
    return database


def program(database: Database) -> subprocess.Popen[str]:
    """The program as it runs in a pod: from a bundle, with the URL in its environment."""
    words = [sys.executable, *command()[1:]]
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "DATABASE_URL": database.url},
        text=True,
    )


def _wait_for_less(database: Database, sessions: int) -> None:
    eventually(lambda: len(database.sessions()) < sessions, 60)


def test_killed_at_any_moment(full: Database) -> None:
    chosen = random.Random(22)  # noqa: S311 - moments
    left = SESSIONS
    kills = 0
    while kills < 8 and left:
        with program(full) as process:
            assert process.stdin is not None
            process.stdin.write(bundle(RETENTION, REQUEST) + "\n")
            process.stdin.flush()
            before = left
            _wait_for_less(full, before)
            time.sleep(chosen.random() * 0.2)
            process.kill()
        kills += 1
        left = len(full.sessions())
        assert full.orphans() == 0
        assert left < before
    # Its session on the server ends, and with it what had not been committed.
    name = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    eventually(lambda: full.run(name) == [(0,)])
    assert full.orphans() == 0
    retention.run(REQUEST, full.url)
    assert full.sessions() == set()
    assert full.run("SELECT count(*) FROM messages") == [(0,)]


def test_the_end_of_stdin_ends_it_between_two_transactions(full: Database) -> None:
    with program(full) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(bundle(RETENTION, REQUEST | {"pause_seconds": 0.2}) + "\n")
        process.stdin.flush()
        eventually(lambda: len(full.sessions()) < SESSIONS or process.poll() is not None, 60)
        process.stdin.close()
        lines = process.stdout.read().splitlines()
        assert process.wait(30) == 0
    answer = json.loads(lines[-1])
    assert answer["done"]["stopped"] == "caller"
    assert 0 < len(full.sessions()) == SESSIONS - answer["done"]["sessions"]
    assert full.orphans() == 0


def test_a_server_that_ends_the_session(full: Database) -> None:
    def end(progress: retention_batches.Progress) -> None:
        if progress.batches == 3:
            full.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with pytest.raises(CollectorError) as caught:
        retention.run(REQUEST, full.url, told=end)
    assert caught.value.id == "database-refused"
    assert f"after {SESSIONS - len(full.sessions())} whole sessions" in caught.value.message
    assert full.orphans() == 0


def test_two_at_once(full: Database) -> None:
    answers: list[dict[str, t.Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(retention.run(REQUEST, full.url))) for _number in range(2)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert full.orphans() == 0
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    retention.run(REQUEST, full.url)
    assert full.sessions() == set()
    assert sum(answer["done"]["rows"]["messages"] for answer in answers) <= SESSIONS * 10


def test_streams_beside_it_lose_nothing_that_was_accepted(full: Database) -> None:
    """Whoever adds to an old session either keeps it, or is told that it is gone."""
    keys = sorted(full.sessions())
    accepted: list[str] = []
    over = threading.Event()

    def write() -> None:
        chosen = random.Random(1)  # noqa: S311 - a choice of rows
        with psycopg.connect(full.url, autocommit=True) as connection:
            while not over.is_set():
                key = chosen.choice(keys)
                try:
                    connection.execute(
                        "INSERT INTO messages (session_id, role, content) VALUES (%s, 'user', 'new')", (key,)
                    )
                except psycopg.errors.ForeignKeyViolation:
                    continue
                accepted.append(key)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        eventually(lambda: len(accepted) > 10)
        retention.run(REQUEST, full.url)
    finally:
        over.set()
        thread.join()
    assert full.sessions() >= set(accepted)
    assert full.run("SELECT count(*) FROM messages WHERE content = 'new'") == [(len(accepted),)]
