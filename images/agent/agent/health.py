"""Whether this pod should get requests: database, schema and cache, each with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor

import redis
from sqlalchemy.exc import SQLAlchemyError

from agent.cache import Cache
from agent.database import Database
from agent.lifecycle import Lifecycle

PATIENCE = 2.5
"""Seconds that one check may take; the chart's probe gives up after 3."""

Check = dict[str, str | bool]


class Health:
    """The checks run in threads of their own: busy workers are no reason to take the pod out of service."""

    def __init__(self, database: Database, cache: Cache, lifecycle: Lifecycle) -> None:
        self._database = database
        self._cache = cache
        self._lifecycle = lifecycle
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="health")

    async def ready(self) -> tuple[bool, dict[str, Check]]:
        """Whether all is well, and each check's outcome by name."""
        loop = asyncio.get_running_loop()
        names = ("database", "schema", "cache")
        work = (self._check_database, self._check_schema, self._check_cache)
        outcomes = await asyncio.gather(*(_patient(loop.run_in_executor(self._threads, check)) for check in work))
        checks = dict(zip(names, outcomes, strict=True))
        if self._lifecycle.draining:
            checks["lifecycle"] = _outcome(False, "draining: this pod finishes what it has and takes nothing new")
        return all(check["ok"] for check in checks.values()), checks

    def _check_database(self) -> Check:
        try:
            return _outcome(True, f"PostgreSQL {self._database.ping()}")
        except SQLAlchemyError as error:
            return _outcome(False, f"the database does not answer: {brief(error)}")

    def _check_schema(self) -> Check:
        try:
            return _outcome(*self._database.schema())
        except SQLAlchemyError as error:
            return _outcome(False, f"the schema cannot be read: {brief(error)}")

    def _check_cache(self) -> Check:
        try:
            self._cache.ping()
        except redis.RedisError as error:
            return _outcome(False, f"the cache does not answer: {type(error).__name__}")
        return _outcome(True, "Redis answers")

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def brief(error: SQLAlchemyError) -> str:
    """First line of the driver's own message; SQLAlchemy adds pages, and neither holds the password."""
    original = getattr(error, "orig", None) or error
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _outcome(ok: bool, message: str) -> Check:
    return {"ok": ok, "message": message}


async def _patient(check: Awaitable[Check]) -> Check:
    try:
        return await asyncio.wait_for(check, PATIENCE)
    except TimeoutError:
        return _outcome(False, f"no answer within {PATIENCE:g} s")
