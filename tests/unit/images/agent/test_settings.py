from __future__ import annotations

import pytest

from agent.settings import Settings, SettingsError, driver_url

URLS = {"DATABASE_URL": "postgresql://u:p%40ss@db/agent", "REDIS_URL": "redis://cache/0"}


def test_only_the_two_urls_are_needed() -> None:
    settings = Settings.from_env(URLS)
    assert settings.database_url == "postgresql+psycopg://u:p%40ss@db/agent"
    assert (settings.worker_threads, settings.drain_seconds, settings.port) == (4, 30, 8000)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"REDIS_URL": ""}, "REDIS_URL is not set"),
        ({"WORKER_THREADS": "many"}, "WORKER_THREADS is 'many': write a number"),
        ({"WORKER_THREADS": "0"}, "WORKER_THREADS is 0: write a number of at least 1"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud'"),
    ],
)
def test_a_wrong_setting_is_named_without_the_password(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(URLS | change)
    assert sentence in str(caught.value)
    assert "p%40ss" not in str(caught.value)


def test_an_empty_variable_counts_as_missing() -> None:
    assert Settings.from_env(URLS | {"LLM_MODEL": "", "WORKER_THREADS": ""}).worker_threads == 4


@pytest.mark.parametrize("url", ["postgresql+psycopg://u@h/d", "postgresql+asyncpg://u@h/d"])
def test_a_named_driver_is_kept(url: str) -> None:
    assert driver_url(url) == url
