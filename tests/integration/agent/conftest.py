"""The agent as a process of its own, against a real PostgreSQL and Redis (make test-integration starts them)."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.integration.agent.process import AGENT, Agent, alembic


def needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"{name} is not set: run these tests by make test-integration, which starts the servers they need")
    return value


@pytest.fixture
def database() -> Iterator[str]:
    """URL of a new, empty database whose password has every odd character."""
    admin = needed("TEST_DATABASE_URL")
    name = f"agent_{secrets.token_hex(4)}"
    password = "p@ss:/%+ü'\"\\"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), password))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name)))
        host = f"{connection.info.host}:{connection.info.port}"
    encoded = httpx.QueryParams({"p": password})
    yield f"postgresql://{name}:{str(encoded)[2:].replace('+', '%20')}@{host}/{name}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def migrations() -> str:
    """The SQL of all migrations, for tests that are not about migrating; CONCURRENTLY has nothing to wait for there."""
    done = alembic("postgresql://", "upgrade", "head", "--sql")
    assert done.returncode == 0, done.stderr
    lines = [
        line for line in done.stdout.replace(" CONCURRENTLY", "").splitlines() if line not in {"BEGIN;", "COMMIT;"}
    ]
    return "\n".join(lines)


@pytest.fixture
def redis_url() -> str:
    return needed("TEST_REDIS_URL")


@pytest.fixture
def start(database: str, redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Starts an agent; keywords are environment variables on top."""
    started: list[Agent] = []

    def run(**more: str) -> Agent:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        env = {**os.environ, "DATABASE_URL": database, "REDIS_URL": redis_url, "PORT": str(port)}
        log = tmp_path / f"agent-{len(started)}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "agent"], cwd=AGENT, env={**env, **more}, stdout=stream, stderr=stream, text=True
            )
        agent = Agent(process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15), log)
        started.append(agent)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                agent.client.get("/health")
                return agent
            time.sleep(0.1)
        pytest.fail(f"the agent did not start: {log.read_text()}")

    yield run
    for agent in started:
        agent.process.kill()
        agent.process.wait()
        agent.client.close()
