"""The reference agent's programs, run as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

AGENT = Path(__file__).resolve().parents[3] / "images" / "agent"


def alembic(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "alembic", *words]
    env = {**os.environ, "DATABASE_URL": url}
    return subprocess.run(command, cwd=AGENT, env=env, capture_output=True, text=True, check=False)


@dataclass
class Agent:
    """A running agent."""

    process: subprocess.Popen[str]
    client: httpx.Client
    log: Path

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)
