"""The program of the chart's CronJob on real servers: what it deletes, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from .conftest import TABLES, Database

PROGRAM = Path(__file__).resolve().parents[3] / "chart/files/retention_job.py"
# As chart/values.yaml has it.
REQUEST: dict[str, t.Any] = {
    "tables": TABLES, "days": 90, "batch": 100, "pause_seconds": 0.05, "statement_seconds": 5, "max_seconds": 3600
}  # fmt: skip


def ran(url: str, **changes: t.Any) -> subprocess.CompletedProcess[str]:
    """One run, as its pod starts it."""
    environment = {"PATH": os.defpath, "DATABASE_URL": url, "RETENTION": json.dumps(REQUEST | changes)}
    return subprocess.run(
        [sys.executable, "-I", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_old_sessions_go_and_young_ones_stay(database: Database) -> None:
    old, young = database.session(100, 100, 99), database.session(100, 3)
    done = ran(database.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 sessions older than ")
    assert "(1 of sessions and 2 of messages), in 1 transactions." in done.stdout
    assert database.sessions() == {young}
    assert old not in done.stdout
    assert ran(database.url).stdout.startswith("0 sessions older than ")


def test_what_is_left_for_want_of_time_is_told(database: Database) -> None:
    for _each in range(30):
        database.session(100, 100)
    database.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2); RETURN OLD; END'"
    )
    database.run("CREATE TRIGGER slow BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION slow()")
    done = ran(database.url, max_seconds=2)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Not all was deleted: its time was up (retention.maxSeconds); the next run goes on." in done.stdout


def test_a_declaration_that_the_catalogue_denies(database: Database) -> None:
    key = database.session(100, 100)
    done = ran(database.url, tables=[{"table": "sessions", "key": "id", "time": "updated_at"}])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "updated_at" in done.stderr
    assert database.sessions() == {key}


def test_a_password_that_is_wrong_is_not_printed(database: Database) -> None:
    done = ran(database.url.replace("://", "://nobody:s3cr3t@").replace("@@", "@"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr
