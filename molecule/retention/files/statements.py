"""Do in the database what the agent does, from two connections, and print each second how long statements took."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import typing as t

import psycopg

# A statement that waits for longer than this, in milliseconds, would be noticed.
MOST_MS = 200
counts: dict[str, t.Any] = {"statements": 0, "failed": 0, "over": 0, "longest_ms": 0.0, "first_failure": ""}
lock = threading.Lock()


def timed(connection: psycopg.Connection, statement: str, *values: t.Any) -> list[t.Any]:
    """The rows of a statement, which is counted."""
    began, failure, rows = time.perf_counter(), "", []
    try:
        cursor = connection.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
    except psycopg.errors.ForeignKeyViolation:
        # The session has gone meanwhile; waiting for that counts as well.
        pass
    except psycopg.Error as error:
        failure = f"{time.strftime('%H:%M:%S')} {error}"
    took = round((time.perf_counter() - began) * 1000, 1)
    with lock:
        counts["statements"] += 1
        counts["failed"] += bool(failure)
        counts["first_failure"] = counts["first_failure"] or failure
        counts["over"] += took > MOST_MS
        counts["longest_ms"] = max(counts["longest_ms"], took)
    return rows


def go_on(number: int) -> None:
    """Read a history, add a message, now and then begin a session, for ever."""
    chosen = random.Random(number)  # noqa: S311 - a choice of rows
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        found = connection.execute(
            "SELECT id, created_at < now() - interval '30 days' FROM sessions ORDER BY id"
        ).fetchall()
        keys, young = [key for key, _old in found], [key for key, old in found if not old]
        while True:
            timed(connection, "SELECT * FROM messages WHERE session_id = %s ORDER BY id", chosen.choice(keys))
            # An old session with a new message is not old any more: the counts would not be known.
            timed(
                connection,
                "INSERT INTO messages (session_id, role, content) VALUES (%s, 'user', 'x')",
                chosen.choice(young),
            )
            if chosen.random() < 0.1:
                timed(connection, "INSERT INTO sessions (id) VALUES (gen_random_uuid())")
            time.sleep(0.02)


for worker in range(2):
    threading.Thread(target=go_on, args=(worker,), daemon=True).start()
while True:
    time.sleep(1)
    with lock:
        print(json.dumps(counts), flush=True)
