"""Replies for identical prompts, in Redis. A cache that is away costs time, never an answer."""

from __future__ import annotations

import hashlib
import json
import logging
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from agent.metrics import CACHE
from agent.settings import Settings

log = logging.getLogger(__name__)


PAUSE_SECONDS = 5.0
"""How long the cache is left alone after it failed, so that not every answer waits for it in vain."""


class Cache:
    """Blocking: called from worker threads only."""

    def __init__(self, settings: Settings) -> None:
        self._ttl = settings.cache_ttl
        self._paused_until = 0.0
        # No retry: the model answers sooner than a Redis that is away comes back.
        self._client = redis.Redis.from_url(
            settings.redis_url,
            socket_timeout=1,
            socket_connect_timeout=1,
            socket_keepalive=True,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def ping(self) -> None:
        """Ask Redis for a sign of life; after one the cache is used again at once.

        :raises redis.RedisError: it does not answer, or refuses this password
        """
        self._client.ping()
        self._paused_until = 0.0

    def get(self, model: str, prompt: list[tuple[str, str]]) -> str | None:
        """The stored reply, or None."""
        if self._paused():
            return None
        try:
            found = self._client.get(key(model, prompt))
        except (redis.RedisError, UnicodeDecodeError) as error:
            self._failed("does not answer", error)
            return None
        CACHE.labels("hit" if found else "miss").inc()
        return str(found) if found else None

    def put(self, model: str, prompt: list[tuple[str, str]], reply: str) -> None:
        """Store a reply for a while."""
        if self._paused():
            return
        try:
            self._client.set(key(model, prompt), reply, ex=self._ttl)
        except redis.RedisError as error:
            self._failed("does not store", error)

    def _paused(self) -> bool:
        paused = time.monotonic() < self._paused_until
        if paused:
            CACHE.labels("paused").inc()
        return paused

    def _failed(self, how: str, error: Exception) -> None:
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        CACHE.labels("error").inc()
        # The name only: some of redis-py's messages quote what they were given.
        log.warning("the cache %s (%s): answers go on without it", how, type(error).__name__)

    def close(self) -> None:
        """Give all connections back."""
        self._client.close()


def key(model: str, prompt: list[tuple[str, str]]) -> str:
    """Key of a reply: prompts are as long as users write them, keys are not."""
    return "reply:" + hashlib.sha256(json.dumps([model, prompt]).encode()).hexdigest()
