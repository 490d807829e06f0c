"""The agent's own process behind its page, with a database that stands in, in a real browser."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from dev import postgresql
from tests.integration.chat_page.agents import Agent, running

MAJOR = 18


@pytest.fixture(scope="session")
def database() -> t.Iterator[str]:
    """The URL of a PostgreSQL with the agent's schema."""
    with postgresql.running(MAJOR) as server:
        yield server.url()


@pytest.fixture
def agent(database: str, tmp_path: Path) -> t.Iterator[t.Callable[..., Agent]]:
    """Start an agent; variables of its environment are given."""
    started: list[Agent] = []

    def start(**variables: str) -> Agent:
        started.append(running(database, tmp_path, **variables))
        return started[-1]

    yield start
    for one in started:
        one.stop()
