"""`schema.py migrate` against a real PostgreSQL: what it does, what it leaves alone, how it fails."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.integration.schema.conftest import (
    COLUMN,
    ENV,
    TABLE,
    Image,
    Revision,
    concurrently,
    statement,
    with_database,
)
from tests.integration.waiting import eventually

# The server is shared with tests that run at the same time: what is looked for is this test's own.
SLEEPING = """SELECT 1 FROM pg_stat_activity
WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid() AND datname = current_database()"""
LOCK_HOLDERS = """SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def test_empty_database_is_migrated_once(image: Image) -> None:
    first = image.run("migrate")
    assert first.code == 0, first.err
    assert "The schema is at no revision; migrating to 0002, 2 revision(s)." in first.out
    assert image.version() == {"0002"}
    second = image.run("migrate")
    assert (second.code, second.out) == (0, "The schema is at 0002, as this image needs it: nothing to do.\n")


def test_revisions_may_import_from_the_working_directory(image: Image) -> None:
    (image.folder / "application.py").write_text("NAME = 'imported'\n")
    image.add(Revision("0003", "0002", "op.execute(f\"COMMENT ON TABLE item IS '{application.NAME}'\")"))
    file = image.folder / "migrations/versions/0003.py"
    file.write_text(f"import application\n{file.read_text()}")
    done = image.run("migrate")
    assert done.code == 0, done.err
    assert image.rows("SELECT obj_description('item'::regclass)") == [("imported",)]


def test_database_beyond_the_image_is_left_alone(image: Image) -> None:
    assert image.run("migrate").code == 0
    image.execute("UPDATE alembic_version SET version_num = '0009'")
    done = image.run("migrate")
    assert done.code == 0
    assert done.out == "The schema is at 0009, beyond this image, whose head is 0002: left alone.\n"
    assert image.version() == {"0009"}


def test_a_node_that_is_lost_keeps_no_lock_for_hours(image: Image) -> None:
    """The server asks after a client that says nothing: that of the lock, and Alembic's, which has others."""
    asked = "current_setting('tcp_keepalives_idle')::int <= 10 AND current_setting('tcp_keepalives_count')::int <= 3"
    seconds = (
        "current_setting('tcp_keepalives_interval')::int <= 5 AND current_setting('tcp_user_timeout')::int = 25000"
    )
    image.add(Revision("0003", "0002", statement(f"CREATE TABLE asked AS SELECT {asked} AND {seconds} AS soon")))
    assert image.run("migrate").code == 0
    assert image.rows("SELECT soon FROM asked") == [(True,)]


def test_a_migration_that_the_kernel_ends_names_the_limit(image: Image) -> None:
    image.add(Revision("0003", "0002", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    done = image.run("migrate")
    assert done.code == 1
    assert "was ended by signal 9, as the kernel does where the memory limit is reached" in done.err
    assert "migration.resources.limits.memory" in done.err


def test_parted_revisions_stop(image: Image) -> None:
    assert image.run("migrate").code == 0
    image.execute("UPDATE alembic_version SET version_num = '0001'")
    image.execute("INSERT INTO alembic_version VALUES ('0009')")
    done = image.run("migrate")
    assert done.code == 1
    assert done.err.startswith("The schema is at 0001, 0009, which this image, whose head is 0002, knows only in part")
    assert image.version() == {"0001", "0009"}


def test_several_heads_are_one_sentence(image: Image) -> None:
    image.add(Revision("0002b", "0001", "pass"))
    done = image.run("migrate")
    assert done.code == 1
    assert done.err == (
        "The image has 2 Alembic heads (0002, 0002b): join them with `alembic merge heads` and build it again.\n"
    )
    assert image.rows("SELECT to_regclass('item')") == [(None,)]


def test_failing_migration_names_its_cause(image: Image) -> None:
    image.add(Revision("0003", "0002", statement("ALTER TABLE nowhere ADD COLUMN x int")))
    done = image.run("migrate")
    assert done.code == 1
    assert done.err.startswith("The migration failed with exit code 1: ")
    assert 'relation "nowhere" does not exist' in done.err
    assert len(done.err.splitlines()) == 1
    assert "Traceback" in done.out
    assert image.version() == {"0002"}


def test_unreadable_revision_is_one_sentence(image: Image) -> None:
    (image.folder / "migrations/versions/0003.py").write_text("import nothing_of_that_name\n")
    done = image.run("migrate")
    assert done.code == 1
    assert "ModuleNotFoundError: No module named 'nothing_of_that_name'" in done.err
    assert len(done.err.splitlines()) == 1


def test_missing_configuration_is_one_sentence(image: Image) -> None:
    (image.folder / "alembic.ini").unlink()
    done = image.run("migrate")
    assert done.code == 1
    assert done.err.startswith("There is no alembic.ini in ")


def test_alembic_that_uses_another_database_is_noticed(image: Image) -> None:
    (image.folder / "migrations" / "env.py").write_text("")
    done = image.run("migrate")
    assert done.code == 1
    assert "yet the schema is at no revision instead of 0002" in done.err


def test_version_table_of_another_name(image: Image) -> None:
    env = image.folder / "migrations" / "env.py"
    image.execute("CREATE SCHEMA own")
    options = "connection=connection, version_table='revisions', version_table_schema='own'"
    env.write_text(env.read_text().replace("connection=connection", options))
    assert image.run("migrate", SCHEMA_VERSION_TABLE="own.revisions").code == 0
    assert image.rows("SELECT version_num FROM own.revisions") == [("0002",)]
    assert "nothing to do" in image.run("migrate", SCHEMA_VERSION_TABLE="own.revisions").out


def test_two_migrators_at_once_while_an_index_is_built_concurrently(image: Image) -> None:
    rows = "INSERT INTO item SELECT n, md5(n::text) FROM generate_series(1, 20000) n"
    image.add(
        Revision("0003", "0002", statement(rows)),
        Revision("0004", "0003", statement("SELECT pg_sleep(3)")),
        Revision("0005", "0004", concurrently("CREATE INDEX CONCURRENTLY item_name ON item (name)")),
    )
    both = [image.start("migrate"), image.start("migrate")]
    ended = [started.end() for started in both]
    assert [run.code for run in ended] == [0, 0], ended
    assert sorted("migrating to" in run.out for run in ended) == [False, True]
    assert sum("Another migration is at work" in run.out for run in ended) == 1
    assert image.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'item_name'::regclass") == [(True,)]


def test_lost_against_a_lock_is_tried_again(image: Image) -> None:
    assert image.run("migrate").code == 0
    image.add(Revision("0003", "0002", statement("ALTER TABLE item ADD COLUMN other text")))
    with psycopg.connect(image.url) as reader:
        reader.execute("SELECT * FROM item")
        started = image.start("migrate", SCHEMA_LOCK_TIMEOUT="300ms")
        started.says("A lock was not to be had within 300ms; trying again in 2 s.")
    done = started.end()
    assert done.code == 0, done.err
    assert image.version() == {"0003"}


def test_index_left_invalid_is_named(image: Image) -> None:
    image.add(
        Revision("0003", "0002", statement("INSERT INTO item VALUES (1, 'same'), (2, 'same')")),
        Revision("0004", "0003", concurrently("CREATE UNIQUE INDEX CONCURRENTLY item_name ON item (name)")),
    )
    done = image.run("migrate")
    assert done.code == 1
    assert "could not create unique index" in done.err
    assert "drop item_name and run it again" in done.err


def test_sigterm_ends_the_migration_and_frees_the_lock(image: Image) -> None:
    image.add(Revision("0003", "0002", statement("SELECT pg_sleep(60)")))
    started = image.start("migrate")
    eventually(lambda: image.rows(SLEEPING))
    started.process.terminate()
    done = started.end(10)
    assert done.code == 128 + signal.SIGTERM
    assert done.err == "Ended by SIGTERM.\n"
    eventually(lambda: not image.rows(SLEEPING), 6)
    image.add(Revision("0003", "0002", "pass"))
    assert image.run("migrate").code == 0


def test_what_takes_too_long_is_stopped_in_one_sentence_and_frees_the_lock(image: Image) -> None:
    assert image.run("migrate").code == 0
    image.add(Revision("0003", "0002", statement("SELECT pg_sleep(60)")))
    started = image.start("migrate", "--timeout=10")
    eventually(lambda: image.rows(SLEEPING))
    done = started.end(30)
    assert done.code == 124
    assert done.err == (
        "The migration was not done within 10 s and was stopped; what was committed stays: raise migration.timeout,"
        " and helm's --timeout above it, or migrate in batches.\n"
    )
    eventually(lambda: not image.rows(SLEEPING), 6)
    assert image.version() == {"0002"}
    image.add(Revision("0003", "0002", "pass"))
    assert image.run("migrate").code == 0


def test_time_counts_while_another_migration_holds_the_lock(image: Image) -> None:
    with psycopg.connect(image.url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (int.from_bytes(b"ai_agent", "big"),))
        done = image.run("migrate", "--timeout=3")
    assert done.code == 124
    assert "not done within 3 s" in done.err


def test_time_that_is_enough_changes_nothing(image: Image) -> None:
    done = image.run("migrate", "--timeout=60")
    assert (done.code, done.err) == (0, "")


def test_killed_pod_frees_the_lock_within_seconds(image: Image) -> None:
    image.add(Revision("0003", "0002", statement("SELECT pg_sleep(60)")))
    started = image.start("migrate")
    eventually(lambda: image.rows(SLEEPING))
    os.killpg(started.process.pid, signal.SIGKILL)
    started.process.wait()
    image.add(Revision("0003", "0002", "pass"))
    start = time.monotonic()
    assert image.run("migrate").code == 0
    assert time.monotonic() - start < 15
    # The session that held the lock and the one that slept end apart, each when the server next looks after its client.
    eventually(lambda: not image.rows(SLEEPING), 6)


def test_migration_stops_when_the_lock_is_lost(image: Image) -> None:
    image.add(Revision("0003", "0002", statement("SELECT pg_sleep(60)")))
    started = image.start("migrate")
    eventually(lambda: image.rows(SLEEPING))
    image.rows(LOCK_HOLDERS)
    done = started.end(30)
    assert done.code == 1
    assert done.err == "The connection with the lock broke, so the migration was stopped: run it again.\n"
    assert image.version() == {"0002"}


def test_plain_job_waits_for_a_database_that_comes_late(server: str, tmp_path: Path) -> None:
    name = f"late_{os.getpid()}"
    image = Image(tmp_path / "app", with_database(server, name))
    image.add(TABLE, COLUMN)
    started = image.start("migrate")
    started.says(f'database "{name}" does not exist')
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            done = started.end()
            assert done.code == 0, done.err
            assert done.out.startswith("Waiting for the database: ")
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_hook_gives_up_and_never_prints_the_password(tmp_path: Path) -> None:
    password = "p@ss:w/ö rd%+"
    url = f"postgresql://agent_user:{quote(password, safe='')}@127.0.0.1:1/agent_db"
    image = Image(tmp_path / "app", url)
    image.add(TABLE)
    start = time.monotonic()
    done = image.run("migrate", "--database-timeout=2")
    assert time.monotonic() - start < 10
    assert done.code == 1
    assert done.err.startswith("The database did not answer within 2 s: ")
    for form in (password, quote(password, safe=""), quote(password)):
        assert form not in done.out + done.err


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/db", "postgresql://u:hun%ter2@h/db", "host=h password=hunter2"])
def test_unusable_url_is_one_sentence_without_the_password(tmp_path: Path, url: str) -> None:
    image = Image(tmp_path / "app", url)
    image.add(TABLE)
    done = image.run("migrate", "--database-timeout=1")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "hunter2" not in done.out + done.err
    assert "hun%ter2" not in done.out + done.err


def test_password_in_the_migrations_own_output_is_redacted(image: Image) -> None:
    parts = urlsplit(image.url)
    host = parts.netloc.rpartition("@")[2]
    user = (parts.username or "postgres", parts.password or "geheim-17")
    image.url = parts._replace(netloc=f"{user[0]}:{user[1]}@{host}").geturl()
    image.add(Revision("0003", "0002", "import os; print(os.environ['DATABASE_URL']); raise SystemExit(3)"))
    done = image.run("migrate")
    assert done.code == 1
    assert f":***@{host}" in done.out
    assert user[1] not in done.out + done.err


def test_options_of_the_user_are_kept_and_win(image: Image) -> None:
    image.execute("CREATE SCHEMA own")
    image.url += "?options=-c%20search_path%3Down%20-c%20lock_timeout%3D7s"
    image.add(
        Revision("0003", "0002", statement("CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value"))
    )
    done = image.run("migrate")
    assert done.code == 0, done.err
    assert image.rows("SELECT value FROM own.seen") == [("7s",)]


def test_time_outs_of_the_role_do_not_end_a_migration(image: Image) -> None:
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    # In this test's database alone: tests beside it use the same role.
    with psycopg.connect(image.url, autocommit=True, options="-c statement_timeout=0") as connection:
        for name in names:
            where = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = '20ms'")
            connection.execute(where.format(sql.Identifier(connection.info.dbname), sql.Identifier(name)))
    texts = ("SELECT pg_sleep(0.1)", f"CREATE TABLE seen AS SELECT ARRAY[{columns}] AS value")
    image.add(Revision("0003", "0002", "\n    ".join(statement(text) for text in texts)))
    done = image.run("migrate")
    assert done.code == 0, done.err
    # Without a transaction in which a busy machine could be idle for 20 ms.
    with psycopg.connect(image.url, autocommit=True, options="-c statement_timeout=0") as connection:
        assert connection.execute("SELECT value FROM seen").fetchall() == [(["0", "0"],)]


def test_session_of_the_migration_has_the_lock_timeout(image: Image) -> None:
    names = ("lock_timeout", "client_connection_check_interval", "application_name")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    image.add(Revision("0003", "0002", statement(f"CREATE TABLE seen AS SELECT ARRAY[{columns}] AS value")))
    done = image.run("migrate", PGOPTIONS="-c application_name=mine")
    assert done.code == 0, done.err
    assert image.rows("SELECT value FROM seen") == [(["2s", "2s", "mine"],)]


FOREIGN_DRIVER = """
import os, psycopg
from alembic import context
from sqlalchemy import create_engine, pool

class Foreign(psycopg.Connection):
    "As asyncpg and pg8000: PGOPTIONS says nothing to it."

def connect():
    return Foreign.connect(os.environ["DATABASE_URL"], options="-c lock_timeout=0")

with create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.parametrize(("options", "value"), [("", "2s"), ("-c lock_timeout=7s", "7s")])
def test_a_driver_that_reads_no_pgoptions_has_the_lock_timeout(image: Image, options: str, value: str) -> None:
    (image.folder / "migrations" / "env.py").write_text(FOREIGN_DRIVER)
    image.add(
        Revision("0003", "0002", statement("CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value"))
    )
    done = image.run("migrate", PGOPTIONS=options)
    assert done.code == 0, done.err
    assert image.rows("SELECT value FROM seen") == [(value,)]


def test_a_scheme_that_sqlalchemy_does_not_know(image: Image) -> None:
    (image.folder / "migrations" / "env.py").write_text(
        ENV.replace('.replace("postgresql://", "postgresql+psycopg://", 1)', "")
    )
    image.url = image.url.replace("postgresql://", "postgres+psycopg://", 1)
    done = image.run("migrate")
    assert done.code == 0, done.err


@pytest.mark.parametrize("name", ["alembic", "logging", "sqlalchemy", "json"])
def test_a_folder_of_the_application_hides_no_package(image: Image, name: str) -> None:
    (image.folder / name).mkdir()
    (image.folder / name / "__init__.py").write_text("raise RuntimeError('hidden')\n")
    done = image.run("migrate")
    assert done.code == 0, done.err


def test_pyproject_alone_names_the_folder(image: Image) -> None:
    (image.folder / "alembic.ini").unlink()
    (image.folder / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    done = image.run("migrate")
    assert done.code == 0, done.err
    assert image.version() == {"0002"}


@pytest.mark.parametrize("command", ["migrate", "wait"])
def test_no_revision_is_no_success(image: Image, command: str) -> None:
    for path in (image.folder / "migrations" / "versions").glob("*.py"):
        path.unlink()
    done = image.run(command)
    assert done.code == 1
    assert done.err.startswith("Alembic finds no revision by alembic.ini")
