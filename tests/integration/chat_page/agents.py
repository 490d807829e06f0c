"""An agent as a process, whose cache is away: the page does not need it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from dev import postgresql
from tests.integration.waiting import eventually

IMAGE = Path(__file__).resolve().parents[3] / "images" / "agent"


@dataclass
class Agent:
    """A running agent."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


def running(database: str, folder: Path, **variables: str) -> Agent:
    """Migrate the database and start an agent on it."""
    port = postgresql.free_port()
    env = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "DATABASE_URL": database,
        "REDIS_URL": f"redis://127.0.0.1:{postgresql.free_port()}/0",
        "PORT": str(port),
        **variables,
    }
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"], cwd=IMAGE, env=env, check=True, capture_output=True
    )
    log = folder / f"agent-{port}.log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "agent"], cwd=IMAGE, env=env, stdout=file, stderr=file)
    made = Agent(f"http://127.0.0.1:{port}", process, log)
    eventually(lambda: _answers(made.url), 120)
    return made


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.HTTPError:
        return False
