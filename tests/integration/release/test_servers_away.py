"""A cache that is away costs time, never an answer: killed, full, under another password or gone, under load."""

from __future__ import annotations

import time
from collections.abc import Callable

from .asked import LoadPod
from .conftest import Release

REDIS = 'REDISCLI_AUTH="${REDIS_PASSWORD:-$(cat "$REDIS_PASSWORD_FILE" 2>/dev/null)}" redis-cli "$@"'


def redis(release: Release, *words: str) -> str:
    return release.kubectl(
        "exec", f"{release.name}-redis-master-0", "-c", "redis", "--", "sh", "-c", REDIS, "sh", *words
    )


def killed(release: Release) -> None:
    release.kubectl(
        "exec", f"{release.name}-redis-master-0", "-c", "redis", "--", "sh", "-c", "kill -9 1 || kill 1", check=False
    )
    time.sleep(2)


def deleted(release: Release) -> None:
    release.kubectl("delete", "pod", f"{release.name}-redis-master-0", "--force", "--grace-period=0")


def gone_for_a_while(release: Release) -> None:
    sets = f"statefulset/{release.name}-redis-master"
    release.kubectl("scale", sets, "--replicas=0")
    time.sleep(25)
    release.kubectl("scale", sets, "--replicas=1")


def filled(release: Release) -> None:
    """More than its limit holds; then without leave to evict, so that it refuses every write."""
    # A script is not interrupted to evict, so each stays well below the limit.
    program = "for i=1,16 do redis.call('SET', KEYS[1]..i, string.rep('x', 262144)) end"
    for number in range(16):
        redis(release, "EVAL", program, "1", f"filler:{number}:")
    redis(release, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis(release, "CONFIG", "SET", "maxmemory", "1mb")
    assert "OOM" in redis(release, "SET", "one", "more")
    time.sleep(10)


def another_password(release: Release) -> None:
    redis(release, "CONFIG", "SET", "requirepass", "another")
    release.kubectl(
        "exec",
        f"{release.name}-redis-master-0",
        "-c",
        "redis",
        "--",
        "redis-cli",
        "-a",
        "another",
        "CLIENT",
        "KILL",
        "TYPE",
        "normal",
    )
    time.sleep(10)


HAPPENS: tuple[Callable[[Release], None], ...] = (killed, deleted, filled, another_password, gone_for_a_while)


def test_no_request_fails_for_want_of_the_cache(release: Release) -> None:
    release.deployed()
    asked = LoadPod(release)
    replicas = release.get("deployment", release.name)["spec"]["replicas"]
    for happens in HAPPENS:
        happens(release)
        counts = asked.more(20)
        print(f"\nRedis {happens.__name__}: {counts}", flush=True)
        assert (counts["wrong"], counts["later"]) == (0, 0), counts
        assert len(release.agents()) == replicas, happens.__name__
        # It begins anew with its own settings.
        deleted(release)
        release.until("Redis is back", lambda: redis_ready(release), 120)


def redis_ready(release: Release) -> bool:
    words = ("get", "pod", f"{release.name}-redis-master-0", "-o", "jsonpath={.status.containerStatuses[0].ready}")
    return release.kubectl(*words, check=False) == "true"
