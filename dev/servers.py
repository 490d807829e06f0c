"""A PostgreSQL and a Redis for one command, as containers of the project's own images; gone when the command ends.

``python -m dev.servers COMMAND …`` runs the command with their addresses in its environment.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from lab import engine, images, shell
from lab.progress import LabError


def run(command: Sequence[str]) -> int:
    """Run *command* with TEST_DATABASE_URL (a superuser), TEST_REDIS_URL and the images' names in its environment.

    :return: the command's exit code
    :raises LabError: a server did not start
    """
    engine.ensure()
    images.build_all()
    password = secrets.token_hex(8)
    started: list[str] = []
    try:
        # Data in memory: a database made and dropped for each test would wait for the disk each time.
        postgresql = _start(
            images.POSTGRESQL.reference, {"POSTGRES_PASSWORD": password}, "/bitnami/postgresql", started
        )
        redis = _start(images.REDIS.reference, {"REDIS_PASSWORD": password}, "/data", started)
        database_url = f"postgresql://postgres:{password}@{_port(postgresql, 5432)}/postgres"
        redis_url = f"redis://:{password}@{_port(redis, 6379)}/0"
        _wait("PostgreSQL", postgresql, lambda: _postgresql_answers(database_url))
        _wait("Redis", redis, lambda: _redis_answers(redis_url))
        extra = {
            "TEST_DATABASE_URL": database_url,
            "TEST_REDIS_URL": redis_url,
            "TEST_POSTGRESQL_IMAGE": images.POSTGRESQL.reference,
            "TEST_REDIS_IMAGE": images.REDIS.reference,
            "TEST_AGENT_IMAGE": images.AGENT.reference,
            "TEST_AGENT_NEXT_IMAGE": images.AGENT_NEXT.reference,
        }
        return subprocess.run(list(command), env=shell.environment(extra), check=False).returncode
    finally:
        for container in started:
            shell.capture(["docker", "rm", "--force", "--volumes", container])


def in_memory(folder: str) -> str:
    """Docker's option that keeps a folder of the images' user in memory, gone when the container stops."""
    return f"--tmpfs={folder}:uid=1001,gid=0,mode=0775"


def _start(image: str, settings: dict[str, str], data: str, started: list[str]) -> str:
    words = ["docker", "run", "--detach", "--publish-all", in_memory(data)]
    # Names only: docker takes the values from its environment, so no password stands on a command line.
    for name in settings:
        words += ["--env", name]
    done = shell.capture([*words, image], env=settings)
    if done.returncode:
        raise LabError(f"a container of {image} did not start: {done.stderr.strip()}")
    started.append(done.stdout.strip())
    return started[-1]


def _port(container: str, port: int) -> str:
    done = shell.capture(["docker", "port", container, f"{port}/tcp"])
    return "127.0.0.1:" + done.stdout.split()[0].rpartition(":")[2]


def _wait(what: str, container: str, ready: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            logs = shell.capture(["docker", "logs", "--tail", "5", container])
            raise LabError(f"{what} did not answer within {seconds:.0f} s: {(logs.stdout + logs.stderr).strip()}")
        time.sleep(0.2)


def _postgresql_answers(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _redis_answers(url: str) -> bool:
    import redis

    try:
        return bool(redis.Redis.from_url(url, socket_timeout=2).ping())
    except redis.RedisError:
        return False


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1:]))
    except LabError as error:
        sys.exit(f"error: {error}")
