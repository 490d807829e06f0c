"""Faults of the migration in its hook: what the database, a trigger in it or the hook's own limits do to it."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
from collections.abc import Iterator

from tests.integration.release.conftest import LOCK_KEY
from tests.integration.role.conftest import Run

from .stage import Stage

BEFORE_IT: dict[str, t.Any] = {"ai_agent_preflight_fail_on": "never"}
"""What the preflight would stop is to reach the hook here."""


@contextlib.contextmanager
def at_its_index(stage: Stage, body: str) -> Iterator[None]:
    """Do something in the database in the middle of revision 0007: its table is made, its index is not.

    :param body: statements of PL/pgSQL
    """
    stage.there.sql(
        "CREATE OR REPLACE FUNCTION public.faulty() RETURNS event_trigger LANGUAGE plpgsql"
        f" AS $x$ BEGIN {body} END $x$;"
        " DROP EVENT TRIGGER IF EXISTS faulty;"
        " CREATE EVENT TRIGGER faulty ON ddl_command_start WHEN TAG IN ('CREATE INDEX')"
        " EXECUTE FUNCTION public.faulty()"
    )
    try:
        yield
    finally:
        stage.there.sql("DROP EVENT TRIGGER IF EXISTS faulty; DROP FUNCTION IF EXISTS public.faulty()")


def fails_half_way(stage: Stage) -> Run:
    """The second statement of the revision is refused."""
    with at_its_index(stage, "RAISE EXCEPTION 'no index on a Monday';"):
        return stage.run(**BEFORE_IT)


def hangs(stage: Stage) -> Run:
    """The second statement never ends, and migration.timeout does."""
    with at_its_index(stage, "PERFORM pg_sleep(900);"):
        return stage.run(**BEFORE_IT, **values(stage, migration={"timeout": 15, "databaseTimeout": 10}))


def out_of_memory(stage: Stage) -> Run:
    """The migration's program needs more memory than its container has."""
    resources = {"limits": {"memory": "24Mi"}, "requests": {"memory": "16Mi"}}
    return stage.run(**BEFORE_IT, **values(stage, migration={"resources": resources}))


def disk_full(stage: Stage) -> Run:
    """The database has less room than a sort of the migration needs."""
    rows = "SELECT md5(i::text) || repeat('x', 200) AS word FROM generate_series(1, 600000) AS i ORDER BY word"
    with at_its_index(stage, f"SET LOCAL work_mem = '1MB'; PERFORM count(*) FROM ({rows} OFFSET 0) AS sorted;"):
        return stage.run(**BEFORE_IT)


def database_restarted(stage: Stage) -> Run:
    """The database ends while a statement of the migration runs, and comes back."""
    with at_its_index(stage, "PERFORM pg_sleep(12);"):
        running = stage.begin(**BEFORE_IT)
        running.until("the hook is at work", lambda: asleep(stage))
        stage.there.kubectl("delete", "pod", stage.there.database(), "--grace-period=5")
        stage.there.until("the database is back", lambda: answers(stage), 180)
        return running.end()


def another_migrator(stage: Stage) -> Run:
    """Somebody else migrates: the lock of the migrators is held."""
    statements = (f"SELECT pg_advisory_lock({LOCK_KEY})", "SELECT pg_sleep(900)")
    holder = subprocess.Popen(stage.there.psql(*statements), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        stage.there.until("another migrator works", lambda: asleep(stage))
        return stage.run(ai_agent_preflight_fail_on="unknown")
    finally:
        for process in stage.there.active("pg_sleep"):
            stage.there.sql(f"SELECT pg_terminate_backend({process})")
        holder.wait(60)


def values(stage: Stage, **more: t.Any) -> dict[str, t.Any]:
    """The variables of a run that differ by these values."""
    return {"ai_agent_values": stage.variables(**more)["ai_agent_values"]}


def asleep(stage: Stage) -> bool:
    """Whether a session sleeps, by itself or in a trigger."""
    return stage.there.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "0"


def answers(stage: Stage) -> bool:
    """Whether the database does."""
    try:
        return stage.there.sql("SELECT 1") == "1"
    except (AssertionError, IndexError):
        return False
