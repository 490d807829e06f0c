"""Beside the agent in its pod: uses Redis without a pause with the pod's own URL, and counts in the database.

A reply that is not in the cache is no failed request of the agent, so its callers do not see whether Redis refused it.
What a pod counted is in the database, for the pod is gone when a test reads it.
"""

from __future__ import annotations

import os
import signal
import time

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TABLE = "CREATE TABLE IF NOT EXISTS cache_load (pod text PRIMARY KEY, commands int, failed int, first_failure text)"
LONGER_SECONDS = 8.0
COUNT = (
    "INSERT INTO cache_load VALUES (%s, %s, %s, %s) ON CONFLICT (pod) DO UPDATE"
    " SET commands = excluded.commands, failed = excluded.failed, first_failure = excluded.first_failure"
)


def client() -> redis.Redis:
    """A connection of its own, without repetitions."""
    return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=10, retry=Retry(NoBackoff(), 0))


def use(kept: redis.Redis) -> None:
    """A command on the connection that is kept, and one on a new connection."""
    kept.incr("cache-load")
    with client() as another:
        another.incr("cache-load")


def main() -> None:
    """Until the pod ends, and some seconds longer; what fails before the first success is no failure."""
    kept, commands, failed, first, told = client(), 0, 0, "", 0.0
    ends: list[float] = []
    signal.signal(signal.SIGTERM, lambda *_: ends.append(time.monotonic() + LONGER_SECONDS))
    while not ends or time.monotonic() < ends[0]:
        try:
            use(kept)
            commands += 2
        except redis.RedisError as error:
            failed += bool(commands)
            first = first or (repr(error) if commands else "")
        if time.monotonic() - told > 1:
            told = time.monotonic()
            try:
                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=10) as database:
                    database.execute(TABLE)
                    database.execute(COUNT, (os.environ["HOSTNAME"], commands, failed, first))
            except psycopg.Error:
                continue
        time.sleep(0.05)


if __name__ == "__main__":
    main()
