"""How long an application waits while data_retention deletes 1,000,000 messages beside it.

    .venv/bin/python -m benchmarks.retention [versions, 15 and 18] [messages]

Four clients do what the reference agent does, one statement after the other: read a history, add a message, now and
then begin a session, with 5 ms between two turns. A tenth of the sessions that they ask is among those that go. Each
statement's time is measured; the same loop runs alone before, for comparison. The retention is a process of its own, as
in a pod, and the servers keep their promises here (fsync on).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
import typing as t

import psycopg

from benchmarks.machine import paced
from dev.postgresql import running
from lab.progress import say
from tests.integration.retention.conftest import SCHEMA, TABLES

sys.path.insert(0, "collections")
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RETENTION, bundle, command

MESSAGES, PER_SESSION, CLIENTS = 1_000_000, 10, 4
# The goal, in milliseconds.
MOST_MS = 200
ALONE_SECONDS, TURN_SECONDS = 20, 0.005


def fill(url: str, messages: int) -> None:
    """Nine of ten sessions are 90 days old."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute(
            "INSERT INTO sessions SELECT gen_random_uuid(), now() - CASE WHEN n %% 10 = 0 THEN interval '1 day' ELSE"
            " interval '90 days' END FROM generate_series(1, %s) AS n",
            (messages // PER_SESSION,),
        )
        connection.execute(
            "INSERT INTO messages (session_id, role, content, created_at) SELECT id, 'user', repeat('word ', 40),"
            " created_at FROM sessions, generate_series(1, %s)",
            (PER_SESSION,),
        )
        connection.execute("VACUUM ANALYZE")


class Application:
    """Clients at work between `with` and its end; `times` are the milliseconds of each statement, by what it does."""

    def __init__(self, url: str) -> None:
        self.times: dict[str, list[float]] = {"read": [], "write": [], "begin": []}
        self.gone = 0
        self._url, self._over = url, threading.Event()
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT id, created_at < now() - interval '30 days' FROM sessions").fetchall()
        self._old = [key for key, old in rows if old]
        self._new = [key for key, old in rows if not old]

    def __enter__(self) -> t.Self:
        self._threads = [threading.Thread(target=self._client, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int) -> None:
        chosen = random.Random(number)  # noqa: S311 - a choice of rows
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.is_set():
                key = chosen.choice(self._old if chosen.random() < 0.1 else self._new)
                self._timed(connection, "read", "SELECT * FROM messages WHERE session_id = %s ORDER BY id", key)
                self._timed(
                    connection,
                    "write",
                    "INSERT INTO messages (session_id, role, content) VALUES (%s, 'user', 'x')",
                    key,
                )
                time.sleep(TURN_SECONDS)
                if chosen.random() < 0.1:
                    self._timed(connection, "begin", "INSERT INTO sessions (id) VALUES (gen_random_uuid())")

    def _timed(self, connection: psycopg.Connection, what: str, statement: str, *values: t.Any) -> None:
        began = time.perf_counter()
        try:
            connection.execute(statement, values)
        except psycopg.errors.ForeignKeyViolation:
            # The session has gone meanwhile; waiting for that counts as well.
            self.gone += 1
        self.times[what].append((time.perf_counter() - began) * 1000)

    def line(self, title: str) -> str:
        parts = []
        for what, times in self.times.items():
            if len(times) > 1:
                p99 = statistics.quantiles(times, n=100)[98]
                parts.append(
                    f"{what} {len(times)}: p50 {statistics.median(times):.1f}, p99 {p99:.1f}, worst {max(times):.1f}"
                )
        return f"  {title}, ms: {'; '.join(parts)}; {self.gone} met a session that had gone"

    @property
    def worst(self) -> float:
        return max(max(times, default=0.0) for times in self.times.values())


def retained(url: str, request: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the program answers, started as in a pod."""
    words = [sys.executable, *command()[1:]]
    environment = {"PATH": os.defpath, "DATABASE_URL": url}
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise SystemExit("no pipes")
        process.stdin.write(bundle(RETENTION, request) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            # A sign of life for each line of progress.
            process.stdin.write("\n")
            process.stdin.flush()
            answer: dict[str, t.Any] = json.loads(line)
            if "progress" not in answer:
                return answer
    raise SystemExit("the program ended without an answer")


def measured(major: int, messages: int) -> float:
    """The longest wait of a statement while the retention ran, in milliseconds."""
    with running(major, fsync="on", synchronous_commit="on", full_page_writes="on") as server:
        fill(server.url(), messages)
        with Application(server.url()) as alone:
            time.sleep(ALONE_SECONDS)
        say(alone.line("the application alone"))
        request = {
            "tables": TABLES, "days": 30, "keys": [], "dry": False, "batch": 100, "pause_seconds": 0.05,
            "statement_seconds": 5, "max_seconds": 3600, "connect_timeout": 10, "guest": True,
        }  # fmt: skip
        began = time.perf_counter()
        dry = retained(server.url(), request | {"dry": True})
        counted = time.perf_counter() - began
        began = time.perf_counter()
        with Application(server.url()) as beside:
            answer = retained(server.url(), request)
        took = time.perf_counter() - began
        done, rows = answer["done"], answer["done"]["rows"]
        say(beside.line("beside the retention"))
        say(f"  counted {dry['done']['rows']} beforehand in {counted:.1f} s")
        longest = f"longest {done['longest_seconds'] * 1000:.0f} ms"
        say(
            f"  deleted {rows} in {took:.0f} s, {done['batches']} transactions, {longest}; {done['held']} sessions held"
        )
        for name, each in answer["tables"].items():
            say(f"  {name} before {each['before']}, after {each['after']}")
        return beside.worst


def main() -> int:
    """Print the figures of each version; return the exit code."""
    versions = [int(major) for major in (sys.argv[1] if len(sys.argv) > 1 else "15,18").split(",")]
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else MESSAGES
    missed = 0
    with paced():
        for major in versions:
            say(f"PostgreSQL {major}, {messages} messages")
            worst = measured(major, messages)
            say(f"  longest wait of a statement: {worst:.0f} ms (goal: {MOST_MS} ms)")
            missed += worst > MOST_MS
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
