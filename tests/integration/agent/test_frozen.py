"""What no time-out of a server can end: a frozen one, and migrations run by hand."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.agent.conftest import IMAGE, Database, World


def test_a_frozen_database_costs_a_request_seconds_and_cannot_hold_up_the_end(world: World) -> None:
    agent = world.start(WORKER_THREADS="1", DRAIN_SECONDS="1")
    assert agent.chat("before").status_code == 200
    world.database_valve.freeze()
    begin = time.monotonic()
    answer = agent.chat("while")
    assert answer.status_code == 503
    assert "the database does not answer" in answer.json()["error"]
    assert 5 < time.monotonic() - begin < 20
    begin = time.monotonic()
    agent.terminate()
    agent.process.wait(15)
    # The drain's second, then five for a thread that will not come back.
    assert time.monotonic() - begin < 12


def test_private_words_are_in_no_log_also_at_debug(world: World) -> None:
    agent = world.start(LOG_LEVEL="debug")
    assert agent.chat("a private question").status_code == 200
    assert "a private question" not in agent.log


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", ""])
def test_a_body_is_json_whatever_its_type_says(world: World, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = world.start().http.post("/v1/chat", content=b'{"message": "hello"}', headers=headers)
    assert answer.status_code == 200, answer.text


def test_feedback_before_its_migration_points_at_the_schema(world: World, next_image: Path) -> None:
    answer = world.start(next_image).http.post("/v1/messages/1/feedback", json={"rating": 1})
    assert answer.status_code == 503
    assert "see /ready whether its schema" in answer.json()["error"]


def test_a_migration_by_hand_does_not_queue_everybody_behind_a_lock(database: Database) -> None:
    database.migrate("0003")
    held = database.lock("messages")
    begin = time.monotonic()
    done = database.alembic("upgrade", "0004")
    assert done.returncode != 0
    assert "lock timeout" in done.stderr
    assert time.monotonic() - begin < 30
    held.close()
    database.migrate()


def test_models_and_migrations_say_the_same(database: Database) -> None:
    database.migrate()
    done = database.alembic("check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_alembic_works_from_any_folder(database: Database, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("alembic")
    words = [str(program), "-c", str(IMAGE / "alembic.ini"), "upgrade", "head"]
    done = subprocess.run(
        words, cwd=tmp_path, env={"DATABASE_URL": database.url}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
