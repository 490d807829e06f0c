"""The minimal image of docs/agent-image.md, taken from the page and run."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import typing as t
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.integration.agent.conftest import Database
from tests.integration.waiting import eventually

PAGE = Path(__file__).resolve().parents[3] / "docs" / "agent-image.md"


# A file's name, the last one before a block of code, and the block.
BLOCK = re.compile(
    r"`([\w/]+\.(?:py|ini))`(?:(?!```|`[\w/]+\.(?:py|ini)`).)*?```(?:python|ini)\n(.*?)^```", re.MULTILINE | re.DOTALL
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's files."""
    found = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8").partition("## A minimal image")[2]))
    for name, text in found.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert {"main.py", "alembic.ini", "migrations/env.py"} < set(found)
    return tmp_path


@pytest.fixture
def port() -> int:
    """A free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def started(folder: Path, database: Database, redis_url: str, port: int) -> t.Iterator[subprocess.Popen[bytes]]:
    """The image's command."""
    env = {**os.environ, "DATABASE_URL": database.url, "REDIS_URL": redis_url, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, env=env) as process:
        yield process
        process.kill()


@pytest.fixture
def server_process(folder: Path, database: Database, redis_url: str, port: int) -> t.Iterator[subprocess.Popen[bytes]]:
    """The image beside a database and a cache that answer."""
    with started(folder, database, redis_url, port) as process:
        yield process


def test_a_cache_that_is_away_leaves_it_ready(folder: Path, database: Database, port: int) -> None:
    database.migrate(folder=folder)

    def ready() -> tuple[int, str]:
        with suppress(httpx.TransportError):
            answer = httpx.get(f"http://127.0.0.1:{port}/ready", timeout=5)
            return answer.status_code, answer.json()["checks"]["cache"]["status"]
        return 0, ""

    with started(folder, database, "redis://127.0.0.1:1/0", port):
        eventually(lambda: ready() == (200, "degraded"), 30)


def test_it_keeps_the_contract(
    folder: Path, database: Database, server_process: subprocess.Popen[bytes], port: int
) -> None:
    def status(path: str) -> int:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5, follow_redirects=True).status_code
        return 0

    eventually(lambda: status("/health") == 200, 30)
    assert status("/ready") == 503
    database.migrate(folder=folder)
    assert [status(path) for path in ("/ready", "/metrics")] == [200, 200]
    database.execute("UPDATE alembic_version SET version_num = 'f00ba4'")
    assert status("/ready") == 200
    assert "CREATE TABLE notes" in database.alembic("upgrade", "head", "--sql", folder=folder).stdout
    server_process.send_signal(signal.SIGTERM)
    # uvicorn's own way to go: it finishes, then ends by the signal.
    assert server_process.wait(10) in (0, -signal.SIGTERM)
