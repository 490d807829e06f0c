"""The cache: keys, and a Redis that does not answer."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator

import pytest
import redis

from agent import cache as module
from agent.cache import Cache, key
from agent.metrics import CACHE
from agent.settings import Settings

PROMPT = [("user", "hello")]
SECRET = "s3cret"


def test_the_key_tells_models_and_prompts_apart_and_holds_neither() -> None:
    keys = {key("a", PROMPT), key("b", PROMPT), key("a", [*PROMPT, ("user", "hello")]), key("a", [("system", "hello")])}
    assert len(keys) == 4
    assert not any("hello" in one for one in keys)
    assert key("a", PROMPT) == key("a", list(PROMPT))


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield server.getsockname()[1]


def made(port: int) -> Cache:
    """A cache at *port* of this machine."""
    return Cache(Settings("postgresql+psycopg://h/d", f"redis://:{SECRET}@127.0.0.1:{port}/0"))


def count(outcome: str) -> float:
    """The metric's value."""
    return float(CACHE.labels(outcome)._value.get())


def test_a_silent_redis_costs_one_second_once(silent: int, caplog: pytest.LogCaptureFixture) -> None:
    cache, errors, paused = made(silent), count("error"), count("paused")
    begin = time.monotonic()
    with caplog.at_level(logging.WARNING):
        for _turn in range(5):
            assert cache.get("model", PROMPT) is None
            cache.put("model", PROMPT, "reply")
    assert time.monotonic() - begin < 2.5
    assert (count("error") - errors, count("paused") - paused) == (1, 9)
    assert len(caplog.records) == 1
    assert SECRET not in caplog.text


def test_it_is_tried_again_after_the_pause(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    cache, errors = made(silent), count("error")
    for _turn in range(2):
        assert cache.get("model", PROMPT) is None
    assert count("error") - errors == 2


def test_a_sign_of_life_ends_the_pause(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = made(silent)
    assert cache.get("model", PROMPT) is None
    monkeypatch.setattr(redis.Redis, "ping", lambda _self: True)
    monkeypatch.setattr(redis.Redis, "get", lambda _self, _key: "stored")
    assert cache.get("model", PROMPT) is None
    cache.ping()
    assert cache.get("model", PROMPT) == "stored"
