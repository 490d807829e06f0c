"""Replies for identical prompts, in Redis. A cache that is away costs time, never an answer."""

from __future__ import annotations

import hashlib
import json
import logging

import redis

from agent.metrics import CACHE
from agent.settings import Settings

log = logging.getLogger(__name__)


class Cache:
    """Blocking: called from the worker threads only."""

    def __init__(self, settings: Settings) -> None:
        self._ttl = settings.cache_ttl
        self._client = redis.Redis.from_url(
            settings.redis_url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True
        )

    def ping(self) -> None:
        """Ask Redis for a sign of life.

        :raises redis.RedisError: it does not answer, or refuses this password
        """
        self._client.ping()

    def get(self, model: str, prompt: list[tuple[str, str]]) -> str | None:
        """The stored reply, or None."""
        try:
            found = self._client.get(key(model, prompt))
        except redis.RedisError as error:
            CACHE.labels("error").inc()
            log.warning("the cache does not answer: %s", type(error).__name__)
            return None
        CACHE.labels("hit" if found else "miss").inc()
        return str(found) if found else None

    def put(self, model: str, prompt: list[tuple[str, str]], reply: str) -> None:
        """Store a reply for a while."""
        try:
            self._client.set(key(model, prompt), reply, ex=self._ttl)
        except redis.RedisError as error:
            CACHE.labels("error").inc()
            log.warning("the cache does not store: %s", type(error).__name__)

    def close(self) -> None:
        """Give all connections back."""
        self._client.close()


def key(model: str, prompt: list[tuple[str, str]]) -> str:
    """Key of a reply: prompts are as long as users write them, keys are not."""
    return "reply:" + hashlib.sha256(json.dumps([model, prompt]).encode()).hexdigest()
