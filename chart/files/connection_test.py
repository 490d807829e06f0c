"""Prove from inside the release that the agent's database and cache answer: `SELECT 1` and `PING`.

Run by the chart's test pod with the agent image's own Python, psycopg 3 and redis-py. Reads DATABASE_URL and REDIS_URL;
exits 1 with one sentence on stderr that names what did not answer.
"""

from __future__ import annotations

import os
import re
import sys

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 5


class ProbeError(Exception):
    """A dependency that does not answer; its text is one sentence without a password."""


def environment(name: str) -> str:
    """Return the environment variable `name`; raise ProbeError where it is missing or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise ProbeError(
            f"The environment variable {name} is not set: the test pod takes it from the release's Secret."
        )
    return value


def one_line(error: Exception) -> str:
    """Return the line of an error's text that names the cause, without anything that looks like a URL's login."""
    lines = [line.strip(" \t-.") for line in str(error).splitlines() if line.strip()]
    cause = next((line for line in lines if not line.startswith("Multiple connection")), type(error).__name__)
    return re.sub(r"//[^/@\s]*@", "//***@", cause)


def probe_postgresql(url: str) -> None:
    """Run `SELECT 1`; raise ProbeError where it fails."""
    import psycopg

    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    try:
        with psycopg.connect(plain, connect_timeout=CONNECT_SECONDS, autocommit=True) as connection:
            connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            row = connection.execute("SELECT 1").fetchone()
    except psycopg.ProgrammingError as error:
        raise ProbeError("DATABASE_URL is not a PostgreSQL URL: check the key database-url of the Secret.") from error
    except psycopg.Error as error:
        raise ProbeError(f"PostgreSQL did not answer: {one_line(error)}") from error
    if row != (1,):
        raise ProbeError(
            f"PostgreSQL answered SELECT 1 with {row!r}: something else listens at the address of DATABASE_URL."
        )


def probe_redis(url: str) -> None:
    """Send `PING`; raise ProbeError where it fails."""
    import redis

    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=STATEMENT_SECONDS
        ) as connection:
            answered = connection.ping()
    except ValueError as error:
        raise ProbeError("REDIS_URL is not a Redis URL: check the key redis-url of the Secret.") from error
    except redis.RedisError as error:
        raise ProbeError(f"Redis did not answer: {one_line(error)}") from error
    if not answered:
        raise ProbeError("Redis did not answer PING: something else listens at the address of REDIS_URL.")


def main() -> int:
    """Probe both and return the exit code, 0 or 1."""
    try:
        print("Testing PostgreSQL connection...", flush=True)
        probe_postgresql(environment("DATABASE_URL"))
        print("PostgreSQL connection successful!", flush=True)
        print("Testing Redis connection...", flush=True)
        probe_redis(environment("REDIS_URL"))
        print("Redis connection successful!", flush=True)
        print("All connectivity tests passed!", flush=True)
    except ProbeError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    except ImportError as error:
        print(
            f"The agent's image lacks the Python package {error.name}: the connection test needs psycopg and redis.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
