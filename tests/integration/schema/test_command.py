"""`command_migration.py` against a real PostgreSQL: an image's own program under the rules of Alembic's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.integration.schema.conftest import SCHEMA, Image, Run, Started
from tests.integration.waiting import eventually

# What an image brings: it makes a table, says what it was told, and is content with what is there.
PROGRAM = """
import os, sys
import psycopg

url = sys.argv[1]
with psycopg.connect(url) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS item (id int PRIMARY KEY)")
    tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()[0]
    wait = connection.execute("SHOW lock_timeout").fetchone()[0]
    print(f"migrated, {tables} table(s), lock_timeout {wait}, url {url}")
    for statement in sys.argv[2:]:
        connection.execute(statement)
"""


@pytest.fixture
def server(tmp_path: Path, database: str) -> Image:
    """Somebody's image with a program that migrates, on an empty database."""
    made = Image(tmp_path / "app", database)
    (made.folder / "program.py").write_text(PROGRAM)
    return made


def start(server: Image, release: str, *statements: str) -> Started:
    words = ["migrate", "--timeout=60", "--", sys.executable, "program.py", "$(DATABASE_URL)", *statements]
    return server.start(*words, program="command_migration.py", SCHEMA_RELEASE=release)


def migrate(server: Image, release: str, *statements: str) -> Run:
    return start(server, release, *statements).end()


def test_a_program_migrates_with_the_sessions_settings(server: Image) -> None:
    done = migrate(server, "server:1")
    assert done.code == 0, done.err
    # The ledger came afterwards, and not where the program looks whether the database is empty.
    assert "migrated, 1 table(s), lock_timeout 2s" in done.out
    password = server.url.partition("://")[2].partition(":")[2].partition("@")[0]
    assert not password or password not in done.out
    assert server.rows("SELECT release FROM ai_agent.migrations") == [("server:1",)]


# Not a lock, for which it would only wait as long as lock_timeout says.
UNTIL_GO = """DO $$ BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'go') LOOP PERFORM pg_sleep(0.1); END LOOP;
END $$"""


def test_again_runs_again_and_a_rollback_does_not(server: Image) -> None:
    assert migrate(server, "server:1").code == 0
    assert "migrated" in migrate(server, "server:1").out
    assert migrate(server, "server:2").code == 0
    back = migrate(server, "server:1", "SELECT 1 / 0")
    assert (back.code, back.out) == (
        0,
        "This release, server:1, was migrated before server:2: the schema is left alone.\n",
    )
    assert "migrated" in migrate(server, "server:2").out
    assert "migrated" in migrate(server, "server:3").out


def test_a_program_that_fails_is_not_remembered(server: Image) -> None:
    done = migrate(server, "server:1", "SELECT 1 / 0")
    assert done.code == 1
    assert done.err == "The migration failed with exit code 1: psycopg.errors.DivisionByZero: division by zero.\n"
    assert server.rows("SELECT to_regclass('ai_agent.migrations')") == [(None,)]
    assert migrate(server, "server:1").code == 0


def test_a_program_that_is_not_there(server: Image) -> None:
    words = ["migrate", "--", "no-such-program"]
    done = server.run(*words, program="command_migration.py", SCHEMA_RELEASE="server:1")
    assert done.code == 1
    sentence = "The program no-such-program of migration.command cannot be started: No such file or directory.\n"
    assert done.err == sentence


def test_time_that_is_over_is_told_by_its_exit_code(server: Image) -> None:
    words = ["migrate", "--timeout=3", "--", sys.executable, "-c", "import time; time.sleep(60)"]
    done = server.run(*words, program="command_migration.py", SCHEMA_RELEASE="server:1")
    assert done.code == 124
    assert "not done within 3 s" in done.err


def test_two_at_once_run_one_after_the_other(server: Image) -> None:
    first = start(server, "server:1", UNTIL_GO)
    first.says("migrated")
    second = start(server, "server:2")
    second.says("Another migration is at work")
    server.execute("CREATE TABLE go ()")
    assert first.end().code == 0
    assert second.end().code == 0
    assert server.rows("SELECT release FROM ai_agent.migrations ORDER BY at") == [("server:1",), ("server:2",)]


def test_sigterm_ends_the_program_too(server: Image) -> None:
    running = start(server, "server:1", "SELECT pg_sleep(300)")
    running.says("migrated")
    running.process.send_signal(signal.SIGTERM)
    assert running.end().code == 143
    query = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND datname = current_database()"
    eventually(lambda: len(server.rows(f"{query} AND pid <> pg_backend_pid()")) == 0, 30)


def test_a_pod_waits_for_its_own_release(server: Image) -> None:
    assert migrate(server, "server:1").code == 0
    waiting = server.start("wait", program="command_migration.py", SCHEMA_RELEASE="server:2")
    waiting.says("Waiting for the migration of server:2; the last one was server:1.")
    assert migrate(server, "server:2").code == 0
    assert waiting.end().code == 0
    # After a rollback the older one's pods start too.
    assert server.run("wait", program="command_migration.py", SCHEMA_RELEASE="server:1").code == 0


def test_a_user_without_rights_is_told_what_to_do(server: Image) -> None:
    name = f"u_{server.url.rpartition('/')[2].partition('?')[0]}"
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
    try:
        parts = psycopg.conninfo.conninfo_to_dict(server.url)
        url = f"postgresql://{name}:p@{parts['host']}:{parts['port']}/{parts['dbname']}"
        words = ["migrate", "--", sys.executable, "-c", "pass"]
        done = server.run(*words, program="command_migration.py", SCHEMA_RELEASE="s", DATABASE_URL=url)
        assert done.code == 1
        assert "The table ai_agent.migrations cannot be written" in done.err
        assert done.err.endswith("or name another one in migration.ledger.\n")
    finally:
        server.execute(f"DROP ROLE {name}")


def test_an_image_without_alembic_can_migrate(server: Image) -> None:
    """Python is told that there is no Alembic: nothing of the program may need it."""
    blocker = server.folder / "no_alembic.py"
    blocker.write_text(
        "import importlib.util, runpy, sys\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'alembic' else found(name, *more)\n"
        "sys.modules['alembic'] = None\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    words = [sys.executable, str(blocker), str(SCHEMA.with_name("command_migration.py")), "migrate", "--", "true"]
    environ = {**os.environ, "DATABASE_URL": server.url, "SCHEMA_RELEASE": "server:1"}
    done = subprocess.run(words, cwd=server.folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert server.rows("SELECT release FROM ai_agent.migrations") == [("server:1",)]
