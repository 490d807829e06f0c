"""PostgreSQL restarts under load: requests wait, or get a 503 that says when; what was answered is stored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from dev import postgresql
from tests.integration.agent.conftest import IMAGE, PASSWORD, Agent, Database
from tests.integration.waiting import eventually

# The load of the cluster's test as well.
ASKING = Path(__file__).parents[1] / "release" / "ask_during_outage.py"
ASKERS = 4
# A caller that is told at once asks again; one that hangs does not know what became of its request.
MOST_SECONDS_UNTIL_503 = 2.0
ROLE = "restarted"


class Asked:
    """Requests without a pause, and what was counted."""

    def __init__(self, agent: Agent, told: Path) -> None:
        """Begin to ask."""
        self._told = told
        environment = os.environ | {"AGENT_URL": f"http://127.0.0.1:{agent.port}", "ASKERS": str(ASKERS)}
        with told.open("w") as out:
            self.process = subprocess.Popen([sys.executable, ASKING], env=environment, stdout=out)
        self.more(20)

    def counts(self) -> dict[str, t.Any]:
        lines = [line for line in self._told.read_text().splitlines() if line.endswith("}")]
        found: dict[str, t.Any] = json.loads(lines[-1]) if lines else {"answered": 0}
        return found

    def more(self, replies: int) -> dict[str, t.Any]:
        """Wait for so many more replies."""
        before = self.counts()["answered"]
        eventually(lambda: self.counts()["answered"] >= before + replies, 90)
        return self.counts()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def restarting() -> Iterator[postgresql.Server]:
    """A server of its own, which keeps what it confirmed."""
    with postgresql.running(15, synchronous_commit="on") as server:
        yield server


def ended(server: postgresql.Server) -> None:
    """As Kubernetes ends a pod."""
    server.restart(signal.SIGINT)


def ended_at_once(server: postgresql.Server) -> None:
    """It has to recover."""
    server.restart(signal.SIGQUIT)


def crashed(server: postgresql.Server) -> None:
    """One of its processes dies, as by lack of memory: it ends all others and recovers."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
        assert row
        os.kill(row[0], signal.SIGKILL)


def away_for_a_while(server: postgresql.Server) -> None:
    server.restart(signal.SIGINT, away=12)


RESTARTS: tuple[Callable[[postgresql.Server], None], ...] = (ended, ended_at_once, crashed, away_for_a_while)


@pytest.mark.parametrize("happens", RESTARTS, ids=[each.__name__ for each in RESTARTS])
def test_a_restart_costs_a_wait_or_a_503_that_says_when(
    happens: Callable[[postgresql.Server], None], restarting: postgresql.Server, redis_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(restarting.url(), autocommit=True) as connection:
        command = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(command.format(sql.Identifier(ROLE), sql.Literal(PASSWORD)))
    database = Database(restarting.url(), ROLE)
    database.migrate()
    agent = Agent(IMAGE, tmp_path / "agent.log", DATABASE_URL=database.url, REDIS_URL=redis_url)
    asked = Asked(agent, tmp_path / "told")
    try:
        happens(restarting)
        counts = asked.more(200)
    finally:
        asked.stop()
        agent.stop()
    print(f"\nPostgreSQL {happens.__name__}: {counts}")
    assert counts["wrong"] == 0, counts
    assert counts["longest_later_seconds"] < MOST_SECONDS_UNTIL_503, counts
    assert counts["read_back"] > 0
