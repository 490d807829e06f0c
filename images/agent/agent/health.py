"""Whether this pod should get requests: database, schema and cache, each with a sentence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import redis

from agent import database_check
from agent.cache import Cache
from agent.lifecycle import Lifecycle
from agent.metrics import CACHE_UP
from agent.schema import Graph

log = logging.getLogger(__name__)

PATIENCE = 2.5
"""Seconds until an answer; the chart's probe gives up after 3."""

Check = dict[str, str]
Checks = dict[str, Check]


class Health:
    """The checks run in threads of their own, one look at a time however many ask."""

    def __init__(
        self, database_url: str, graph: Graph, cache: Cache, lifecycle: Lifecycle, answers: Callable[[], None]
    ) -> None:
        """:param answers: told each time that the database answers"""
        self._url = database_url
        self._answers = answers
        self._graph = graph
        self._cache = cache
        self._lifecycle = lifecycle
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="health")
        self._running: dict[str, asyncio.Future[Checks]] = {}
        self._failing: frozenset[str] = frozenset()

    async def ready(self) -> tuple[bool, Checks]:
        """Whether this pod may get requests, and each check's outcome by name: ok, degraded or failed.

        Without its cache the agent answers more slowly, and rightly: that is degraded. If it were failed, one Redis
        that restarts would take every pod out of the Service.
        """
        looks: dict[tuple[str, ...], Callable[[], Checks]] = {
            ("database", "schema"): self._look_at_database,
            ("cache",): self._look_at_cache,
        }
        checks: Checks = {}
        for found in await asyncio.gather(*(self._in_time(names, look) for names, look in looks.items())):
            checks |= found
        self._note(checks)
        if self._lifecycle.draining:
            checks["lifecycle"] = _outcome(False, "draining: this pod finishes what it has and takes nothing new")
        return all(check["status"] != "failed" for check in checks.values()), checks

    async def _in_time(self, names: tuple[str, ...], look: Callable[[], Checks]) -> Checks:
        running = self._running.get(names[0])
        if running is None or running.done():
            running = asyncio.get_running_loop().run_in_executor(self._threads, look)
            self._running[names[0]] = running
        done, _late = await asyncio.wait({running}, timeout=PATIENCE)
        if not done:
            if "cache" in names:
                CACHE_UP.set(0)
            worst = "degraded" if "cache" in names else "failed"
            return {name: {"status": worst, "message": f"no answer within {PATIENCE:g} s"} for name in names}
        return running.result()

    def _look_at_database(self) -> Checks:
        try:
            seen = database_check.look(self._url)
        except psycopg.Error as error:
            return {
                "database": _outcome(False, f"the database does not answer: {brief(error)}"),
                "schema": _outcome(False, "unknown while the database does not answer"),
            }
        self._answers()
        schema = _outcome(False, seen.problem) if seen.problem else _outcome(*self._graph.judge(seen.revisions))
        return {"database": _outcome(True, f"PostgreSQL {seen.server}"), "schema": schema}

    def _look_at_cache(self) -> Checks:
        try:
            self._cache.ping()
        except redis.AuthenticationError:
            problem = "the cache refuses this login: check REDIS_URL"
        except (redis.RedisError, OSError) as error:
            problem = f"the cache does not answer: {type(error).__name__}"
        else:
            CACHE_UP.set(1)
            return {"cache": _outcome(True, "Redis answers")}
        CACHE_UP.set(0)
        return {"cache": {"status": "degraded", "message": f"{problem}; answers go on without it"}}

    def _note(self, checks: Checks) -> None:
        """A line in the log when a check begins or ceases to fail, not one a probe."""
        failing = frozenset(name for name, check in checks.items() if check["status"] != "ok")
        for name in sorted(failing - self._failing):
            state = "degraded" if checks[name]["status"] == "degraded" else "not ready"
            log.warning("%s: %s: %s", state, name, checks[name]["message"])
        for name in sorted(self._failing - failing):
            log.info("well again: %s: %s", name, checks[name]["message"])
        self._failing = failing

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def brief(error: BaseException) -> str:
    """The line of the driver's own message that names the cause; it holds no password."""
    original = getattr(error, "orig", None) or error
    lines = [line.strip(" \t-") for line in str(original).splitlines() if line.strip()]
    # With several addresses psycopg writes a heading first.
    causes = [line for line in lines if not line.startswith("Multiple connection attempts")]
    return causes[0] if causes else type(original).__name__


def _outcome(well: bool, message: str) -> Check:
    return {"status": "ok" if well else "failed", "message": message}
