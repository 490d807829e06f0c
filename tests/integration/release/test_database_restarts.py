"""A database that restarts under load: requests wait, or get a 503 that says when; nothing is wrong after it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from .asked import LoadPod
from .conftest import Release

ASKERS = 4
# A caller that is told at once asks again; one that hangs does not know what became of its request. Packets to a pod
# that is gone are lost, and libpq waits at least 2 s for an answer; the rest is for a machine that has other work.
MOST_SECONDS_UNTIL_503 = 4.0


def ended(release: Release) -> None:
    release.kubectl("delete", "pod", release.database())


def removed_by_force(release: Release) -> None:
    release.kubectl("delete", "pod", release.database(), "--force", "--grace-period=0")


def rolled(release: Release) -> None:
    release.kubectl("rollout", "restart", f"statefulset/{release.name}-postgresql")


def crashed(release: Release) -> None:
    """One of its processes dies as by lack of memory: all others end, and the server recovers from its log."""
    process = release.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    release.kubectl("exec", release.database(), "-c", "postgresql", "--", "sh", "-c", f"kill -9 {process}")


RESTARTS: tuple[Callable[[Release], None], ...] = (ended, rolled, crashed, removed_by_force)


def began(release: Release) -> str:
    """When the server began that answers, also after a crash; empty while none does."""
    try:
        return release.sql("SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    except (AssertionError, IndexError):
        return ""


def is_back(release: Release, before: str) -> bool:
    return began(release) not in ("", before)


def test_a_restart_costs_a_wait_or_a_503_that_says_when(release: Release) -> None:
    release.deployed(agent={"replicaCount": 2})
    for happens in RESTARTS:
        asked = LoadPod(release, ASKERS)
        before = began(release)
        happens(release)
        release.until("the database is back", functools.partial(is_back, release, before), 240)
        asked.more(200)
        counts = asked.stop()
        print(f"\nPostgreSQL {happens.__name__}: {counts}", flush=True)
        assert counts["wrong"] == 0, counts
        assert counts["longest_later_seconds"] < MOST_SECONDS_UNTIL_503, counts
        assert counts["read_back"] > 0
