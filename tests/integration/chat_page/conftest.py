"""The agent's own process behind its page, with a database that stands in, in a real browser."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from dev import browser as chromium
from dev import postgresql
from tests.integration.chat_page.agents import Agent, running

MAJOR = 18


@pytest.fixture(scope="session")
def browser() -> t.Iterator[Browser]:
    """Chromium as it is on this machine."""
    found = chromium.find()
    assert found, "no Chromium: python -m dev.suite report installs one, or name it in LAB_BROWSER"
    # Chromium refuses its sandbox to root.
    words = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=words)
        yield started
        started.close()


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
