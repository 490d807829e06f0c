"""What /ready and the chat say while parts are away, and that they recover by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.agent.conftest import IMAGE, World
from tests.integration.waiting import eventually


def test_schema_absent_behind_at_and_ahead(world: World) -> None:
    world.database.execute("DROP SCHEMA public CASCADE", f"CREATE SCHEMA public AUTHORIZATION {world.database.role}")
    agent = world.start()
    status, failed = agent.ready()
    assert status == 503
    assert failed == {"schema": "the database has no schema yet, this image needs 0006"}
    world.database.migrate("0005")
    assert agent.ready() == (503, {"schema": "at 0005, behind this image's 0006"})
    world.database.migrate()
    assert agent.ready() == (200, {})
    # A revision of a later version, that this image does not know.
    world.database.execute("UPDATE alembic_version SET version_num = 'f00ba4'")
    assert agent.ready() == (200, {})
    world.database.execute("REVOKE ALL ON alembic_version FROM PUBLIC", "ALTER TABLE alembic_version OWNER TO postgres")
    world.database.execute(f"REVOKE ALL ON alembic_version FROM {world.database.role}")
    assert "grant it SELECT" in agent.ready()[1]["schema"]


def test_a_database_that_is_gone_and_comes_back(world: World) -> None:
    agent = world.start()
    assert agent.chat("Hello").status_code == 200
    world.database_valve.close()
    status, failed = agent.ready()
    assert (status, set(failed)) == (503, {"database", "schema"})
    assert agent.http.get("/health").status_code == 200
    answer = agent.chat("Hello?")
    assert answer.status_code == 503
    assert "database" in answer.json()["error"]
    world.database_valve.reopen()
    eventually(lambda: agent.ready()[0] == 200)
    assert agent.chat("Hello!").status_code == 200


def test_connections_that_the_server_closed_are_not_used_again(world: World) -> None:
    """A restart of PostgreSQL between two requests costs no request."""
    agent = world.start(WORKER_THREADS="1")
    assert agent.chat("Hello").status_code == 200
    world.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'ai-agent'"
    )
    assert agent.chat("Hello again").status_code == 200


def test_a_frozen_database_holds_up_neither_ready_nor_health(world: World) -> None:
    agent = world.start()
    assert agent.ready() == (200, {})
    world.database_valve.freeze()
    slowest = 0.0
    with ThreadPoolExecutor(1) as threads:
        for _turn in range(3):
            asked = threads.submit(agent.ready)
            begin = time.monotonic()
            while not asked.done():
                one = time.monotonic()
                assert agent.http.get("/health").status_code == 200
                slowest = max(slowest, time.monotonic() - one)
            # The chart's probe gives up after 3 s.
            assert time.monotonic() - begin < 3
            status, failed = asked.result()
            assert (status, set(failed)) == (503, {"database", "schema"})
    assert slowest < 1
    world.database_valve.thaw()
    eventually(lambda: agent.ready()[0] == 200)


def test_a_locked_version_table_does_not_hold_up_ready(world: World) -> None:
    agent = world.start()
    with world.database.lock("alembic_version"):
        begin = time.monotonic()
        status, failed = agent.ready()
        assert (status, set(failed)) == (503, {"database", "schema"})
        assert time.monotonic() - begin < 3
    eventually(lambda: agent.ready()[0] == 200)


@pytest.mark.parametrize("workers", [1, 3])
def test_busy_workers_do_not_make_a_pod_unready(world: World, workers: int) -> None:
    agent = world.start(WORKER_THREADS=str(workers))
    questions = workers + 2

    def connections() -> int:
        found = world.database.rows(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'ai-agent' AND wait_event_type = 'Lock'"
        )
        return int(found[0][0])

    with ThreadPoolExecutor(questions) as threads:
        lock = world.database.lock("messages")
        waiting = [threads.submit(agent.chat, "Hello") for _turn in range(questions)]
        # WORKER_THREADS is the number of connections, too.
        eventually(lambda: connections() == workers, 5)
        time.sleep(0.5)
        assert connections() == workers
        assert agent.ready() == (200, {})
        assert not any(one.done() for one in waiting)
        lock.close()
        assert [one.result().status_code for one in waiting] == [200] * questions


def test_a_lock_that_stays_costs_ten_seconds_and_a_sentence(world: World) -> None:
    agent = world.start()
    with world.database.lock("messages"):
        begin = time.monotonic()
        assert agent.chat("Hello").status_code == 503
        assert 9 < time.monotonic() - begin < 14


def test_a_chat_goes_on_without_its_cache(world: World) -> None:
    agent = world.start()
    assert agent.chat("Hello").status_code == 200
    for away in (world.redis_valve.close, world.redis_valve.freeze):
        away()
        begin = time.monotonic()
        answer = agent.chat("Hello")
        assert (answer.status_code, answer.json()["cached"]) == (200, False)
        assert time.monotonic() - begin < 3
        status, failed = agent.ready()
        assert (status, set(failed)) == (200, {"cache"})
        world.redis_valve.thaw()
        if away == world.redis_valve.close:
            world.redis_valve.reopen()
        eventually(lambda: agent.ready() == (200, {}))
        # A sign of life ends the pause.
        assert agent.chat("Hello").json()["cached"] is True
    assert 'agent_cache_total{outcome="error"}' in agent.http.get("/metrics").text
    assert "answers go on without it" in agent.log


def test_a_wrong_password_of_the_cache_is_told_as_such(world: World) -> None:
    agent = world.start(REDIS_URL=f"redis://:wrong-s3cret@127.0.0.1:{world.redis_valve.port}/0")
    status, failed = agent.ready()
    assert (status, set(failed)) == (200, {"cache"})
    assert "refuses this login: check REDIS_URL" in failed["cache"]
    assert agent.chat("Hello").status_code == 200
    assert "wrong-s3cret" not in agent.log


def test_many_probes_at_once_are_one_look(world: World) -> None:
    agent = world.start()
    agent.ready()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(agent.ready()[0])) for _turn in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 20


def test_wrong_settings_end_it_with_one_sentence() -> None:
    env = {**os.environ, "DATABASE_URL": "postgresql://u:s3cr/et@h/d", "REDIS_URL": "redis://h"}
    done = subprocess.run(
        [sys.executable, "-m", "agent"], cwd=IMAGE, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: DATABASE_URL is no URL: percent-encode its user name and its password\n"
    assert done.stdout == ""
