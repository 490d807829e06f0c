"""The settings of the reference agent: nothing of them by default, and what the agent itself reads of them."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

from tests.chart.conftest import RELEASE, Render

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "images" / "agent"))

from agent.settings import Settings


def read(render: Render, agent: dict[str, t.Any]) -> Settings:
    """What an agent reads that gets the rendered ConfigMap."""
    data: dict[str, str] = render({"agent": agent}).one("ConfigMap", f"{RELEASE}-config")["data"]
    return Settings.from_env({"DATABASE_URL": "postgresql://u@h/d", "REDIS_URL": "redis://h", **data})


def test_by_default_nothing_is_said_of_them(render: Render) -> None:
    data = render().one("ConfigMap", f"{RELEASE}-config")["data"]
    assert set(data) == {"DRAIN_SECONDS", "ENVIRONMENT", "LOG_LEVEL", "ORGANIZATION", "WORKER_THREADS"}


def test_all_of_them_reach_the_agent(render: Render) -> None:
    settings = read(
        render,
        {
            "llm": {"reportUsage": True, "prices": {"input": 0.15, "output": 2}},
            "rateLimit": {"perMinute": 1000000, "burst": 30},
            "chatPage": False,
            "tracing": {"endpoint": "http://10.0.0.9:4318"},
        },
    )
    assert (settings.report_usage, settings.price_input, settings.price_output) == (True, 0.15, 2)
    assert (settings.rate_per_minute, settings.rate_burst) == (1000000, 30)
    assert not settings.chat_page
    assert settings.traces
