"""The PostgreSQL image: roles and passwords, first start, data, signals, and what it refuses."""

from __future__ import annotations

import gzip
import time
import typing as t
from pathlib import Path

import psycopg
import pytest

from tests.integration.images.containers import Container, Machine, docker, eventually

VOLUME = "/bitnami/postgresql"
SCRIPTS = "/docker-entrypoint-initdb.d"
CUSTOM = {
    "POSTGRES_USER": "agent_user",
    "POSTGRES_DATABASE": "agent_db",
    "POSTGRES_PASSWORD": "user-secret",
    "POSTGRES_POSTGRES_PASSWORD": "admin-secret",
}
WORK = f"{VOLUME}/data.incomplete"
OK = psycopg.pq.Ping.OK


def connect(container: Container, user: str, password: str, database: str = "postgres") -> psycopg.Connection[t.Any]:
    """Return a connection over TCP, once the server accepts any."""
    return psycopg.connect(
        host="127.0.0.1",
        port=accepting(container),
        user=user,
        password=password,
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def accepting(container: Container) -> int:
    """Return the port of this machine at which the server accepts connections, once it does.

    Asked as pg_isready asks, from here: a process in the container each time would busy the machine it waits for.
    """

    def port() -> int | None:
        assert container.state("Running") == "true", container.logs()
        found = container.port(5432)
        return found if any(_accepts(found) for _ in range(10)) else None

    return t.cast("int", eventually("PostgreSQL accepts connections", port))


def _accepts(port: int) -> bool:
    """Whether the server does; where not, after a moment."""
    if psycopg.pq.PGconn.ping(f"host=127.0.0.1 port={port} user=postgres connect_timeout=10".encode()) == OK:
        return True
    time.sleep(0.1)
    return False


def ready(container: Container) -> None:
    """Wait until the chart's readiness probe would succeed."""
    accepting(container)
    eventually("PostgreSQL is ready", lambda: probe(container))


def probe(container: Container) -> bool:
    """Return what the chart's readiness probe says."""
    return container.run("pg_isready", "--host=127.0.0.1", "--port=5432", "--username=postgres").returncode == 0


def value(connection: psycopg.Connection[t.Any], query: str) -> t.Any:
    """Return the single value that a query gives."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


# Roles and passwords


def test_one_password_is_the_superusers(postgresql: Machine) -> None:
    container = postgresql.start({"POSTGRES_PASSWORD": "x"})
    with connect(container, "postgres", "x") as connection:
        assert value(connection, "SHOW server_version").startswith("15.")
        assert value(connection, "SHOW is_superuser") == "on"
        assert value(connection, "SHOW shared_preload_libraries") == "pgaudit"
        assert value(connection, "SHOW server_encoding") == "UTF8"
        assert value(connection, "SHOW lc_collate") == "en_US.UTF-8"
        connection.execute("CREATE EXTENSION pgaudit")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(container, "postgres", "y")


@pytest.mark.parametrize(
    "password",
    ["a\"b'c\\d $HOME `id` \\x41 :'secret'; DROP ROLE postgres; --", " ü漢 #{}%s/:@?& " + "0" * 300, "two\nlines"],
    ids=["quotes", "unicode", "line-break"],
)
def test_passwords_with_every_character(postgresql: Machine, password: str) -> None:
    admin = password[::-1]
    container = postgresql.start({**CUSTOM, "POSTGRES_PASSWORD": password, "POSTGRES_POSTGRES_PASSWORD": admin})
    with connect(container, "agent_user", password, "agent_db") as connection:
        assert value(connection, "SELECT current_user") == "agent_user"
    with connect(container, "postgres", admin) as connection:
        assert value(connection, "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolname = 'agent_user'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(container, "agent_user", password[:-1] or "x", "agent_db")


@pytest.fixture(scope="module")
def custom(postgresql_for_all: Machine) -> Container:
    """A server as the chart runs it, for tests that leave no trace."""
    return postgresql_for_all.start(CUSTOM, read_only=True)


def test_custom_user_owns_its_database_and_is_no_superuser(custom: Container) -> None:
    with connect(custom, "agent_user", "user-secret", "agent_db") as connection:
        role = "SELECT rolcreatedb AND NOT rolsuper AND NOT rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert value(connection, role)
        owner = "SELECT pg_get_userbyid({}) FROM {} WHERE {} = '{}'"
        assert value(connection, owner.format("datdba", "pg_database", "datname", "agent_db")) == "agent_user"
        assert value(connection, owner.format("nspowner", "pg_namespace", "nspname", "public")) == "agent_user"
        connection.execute("CREATE TABLE made (n int)")
        connection.execute("DROP TABLE made")


def test_odd_names(postgresql: Machine) -> None:
    names = {"POSTGRES_USER": 'us"er x', "POSTGRES_DATABASE": "data'base=1 \\d"}
    container = postgresql.start({**CUSTOM, **names})
    with connect(container, 'us"er x', "user-secret", "data'base=1 \\d") as connection:
        connection.execute("CREATE TABLE made (n int)")


def test_files_and_aliases(postgresql: Machine, tmp_path: Path) -> None:
    """POSTGRESQL_x stands for POSTGRES_x; a last line break is the editor's, not the password's."""
    folder = "/opt/bitnami/postgresql"
    settings = {
        "POSTGRESQL_USERNAME": "agent_user",
        "POSTGRESQL_DATABASE": "agent_db",
        "POSTGRESQL_PASSWORD_FILE": f"{folder}/user",
        "POSTGRES_POSTGRES_PASSWORD_FILE": f"{folder}/admin",
    }
    container = postgresql.start(settings, files={f"{folder}/user": "a b\n", f"{folder}/admin": "c"}, scratch=tmp_path)
    connect(container, "agent_user", "a b", "agent_db").close()
    connect(container, "postgres", "c").close()


def test_superuser_without_password_cannot_log_in(postgresql: Machine) -> None:
    settings = {name: text for name, text in CUSTOM.items() if name != "POSTGRES_POSTGRES_PASSWORD"}
    container = postgresql.start({**settings, "ALLOW_EMPTY_PASSWORD": "yes"})
    connect(container, "agent_user", "user-secret", "agent_db").close()
    for password in ("", "postgres", "user-secret"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(container, "postgres", password)
    # Nor from inside, by the socket.
    done = container.run("psql", "--no-password", "-U", "postgres", "-c", "SELECT 1")
    assert done.returncode != 0
    assert "password" in done.stderr


def test_password_is_in_no_command_line_log_or_environment(postgresql: Machine, tmp_path: Path) -> None:
    """Also while the first start sets it, and with an operator who logs every statement."""
    files = {
        f"{VOLUME}/conf/conf.d/a.conf": "log_statement = all\nlog_min_duration_statement = 0\npgaudit.log = all\n",
        f"{SCRIPTS}/slow.sql": "SELECT pg_sleep(3);",
    }
    volume = postgresql.volume()
    container = postgresql.start(
        CUSTOM,
        files=files,
        scratch=tmp_path,
        volumes={volume: f"{VOLUME}/conf/conf.d"},
        options=["--log-driver=json-file"],
    )
    eventually("the script runs", lambda: "running slow.sql" in container.logs())
    seen = container.command_lines()
    ready(container)
    with connect(container, "agent_user", "user-secret", "agent_db") as connection:
        connection.execute("SELECT 'statements are logged'")
    seen += container.command_lines()
    logs = container.logs()
    assert "pg_sleep" not in seen
    assert "postgres -D" in seen
    assert "statements are logged" in logs
    environment = container.run("cat", "/proc/1/environ").stdout
    assert "POSTGRES_USER=agent_user" in environment
    for secret in ("user-secret", "admin-secret"):
        assert secret not in seen
        assert secret not in logs
        assert secret not in environment


# The first start


def test_not_ready_before_the_first_start_is_over(postgresql: Machine, tmp_path: Path) -> None:
    container = postgresql.start(CUSTOM, files={f"{SCRIPTS}/slow.sql": "SELECT pg_sleep(4);"}, scratch=tmp_path)
    eventually("the script runs", lambda: "running slow.sql" in container.logs())
    assert not probe(container)
    assert "First start: done." not in container.logs()
    ready(container)
    assert "First start: done." in container.logs()


def test_killed_first_start_heals(postgresql: Machine, tmp_path: Path) -> None:
    volume = postgresql.volume()
    slow = {f"{SCRIPTS}/1.sql": "CREATE TABLE half (n int);", f"{SCRIPTS}/2.sql": "SELECT pg_sleep(600);"}
    first = postgresql.start(CUSTOM, volumes={volume: VOLUME}, files=slow, scratch=tmp_path)
    eventually("the script runs", lambda: "running 2.sql" in first.logs())
    docker("kill", first.name)
    assert first.ended() == 137
    second = postgresql.start({**CUSTOM, "POSTGRES_PASSWORD": "new"}, volumes={volume: VOLUME})
    with connect(second, "agent_user", "new", "agent_db") as connection:
        assert value(connection, "SELECT to_regclass('half') IS NULL")
    assert second.run("test", "-e", WORK).returncode != 0


def test_scripts_run_in_order_and_once(postgresql: Machine, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{SCRIPTS}/1.sql": "CREATE TABLE steps (id serial, step text, who text DEFAULT current_user);",
        f"{SCRIPTS}/2.sh": """psql -c "INSERT INTO steps (step) VALUES ('sh'), ('$EXTRA')" """,
        f"{SCRIPTS}/3.sql.gz": gzip.compress(b"INSERT INTO steps (step) VALUES ('gz');"),
        f"{SCRIPTS}/README.txt": "nothing to run",
    }
    volume = postgresql.volume()
    first = postgresql.start({**CUSTOM, "EXTRA": "own"}, volumes={volume: VOLUME}, files=files, scratch=tmp_path)
    query = "SELECT array_agg(step || ' ' || who ORDER BY id) FROM steps"
    expected = ["sh agent_user", "own agent_user", "gz agent_user"]
    with connect(first, "agent_user", "user-secret", "agent_db") as connection:
        assert value(connection, query) == expected
    docker("restart", first.name)
    with connect(first, "agent_user", "user-secret", "agent_db") as connection:
        assert value(connection, query) == expected
    docker("stop", first.name)
    again = postgresql.start({**CUSTOM, "EXTRA": "own"}, volumes={volume: VOLUME}, files=files, scratch=tmp_path)
    with connect(again, "agent_user", "user-secret", "agent_db") as connection:
        assert value(connection, query) == expected
    assert "First start" not in again.logs()


def test_scripts_of_the_superuser(postgresql: Machine, tmp_path: Path) -> None:
    settings = {**CUSTOM, "POSTGRES_INITSCRIPTS_USERNAME": "postgres", "POSTGRES_INITSCRIPTS_PASSWORD": "admin-secret"}
    container = postgresql.start(settings, files={f"{SCRIPTS}/a.sql": "CREATE EXTENSION pgaudit;"}, scratch=tmp_path)
    with connect(container, "agent_user", "user-secret", "agent_db") as connection:
        assert value(connection, "SELECT count(*) FROM pg_extension WHERE extname = 'pgaudit'") == 1


@pytest.mark.parametrize(("name", "content"), [("a.sql", "SELECT 1/0;\n"), ("a.sh", "exit 3\n")])
def test_script_that_fails_keeps_nothing(postgresql: Machine, tmp_path: Path, name: str, content: str) -> None:
    volume = postgresql.volume()
    failing = {f"{SCRIPTS}/{name}": content}
    first = postgresql.start(CUSTOM, volumes={volume: VOLUME}, files=failing, scratch=tmp_path)
    assert first.ended() == 1
    assert f"error: the script {name} of the first start failed: correct it and start again" in first.logs()
    connect(postgresql.start(CUSTOM, volumes={volume: VOLUME}), "agent_user", "user-secret", "agent_db").close()


# Data and configuration


def test_data_survive(postgresql: Machine) -> None:
    volume = postgresql.volume()
    first = postgresql.start(CUSTOM, volumes={volume: VOLUME})
    with connect(first, "agent_user", "user-secret", "agent_db") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    docker("kill", first.name)
    assert first.ended() == 137
    docker("start", first.name)
    with connect(first, "agent_user", "user-secret", "agent_db") as connection:
        assert value(connection, "TABLE kept") == 42
    docker("stop", first.name)
    # Passwords are taken at the first start only: a later change of the environment locks nobody out.
    second = postgresql.start({**CUSTOM, "POSTGRES_PASSWORD": "later"}, volumes={volume: VOLUME})
    with connect(second, "agent_user", "user-secret", "agent_db") as connection:
        assert value(connection, "TABLE kept") == 42


def test_configuration_is_not_in_the_data_and_follows_the_image(postgresql: Machine, tmp_path: Path) -> None:
    volume, mounted = postgresql.volume(), f"{VOLUME}/conf/conf.d/override.conf"
    first = postgresql.start(CUSTOM, volumes={volume: VOLUME})
    with connect(first, "postgres", "admin-secret") as connection:
        connection.execute("ALTER SYSTEM SET work_mem = '5MB'")
        assert value(connection, "SHOW config_file") == "/opt/bitnami/postgresql/conf/postgresql.conf"
        assert value(connection, "SHOW hba_file").startswith("/opt/bitnami/postgresql/conf/")
    assert first.run("test", "-e", f"{VOLUME}/data/postgresql.conf").returncode != 0
    docker("stop", first.name)
    override = "max_connections = 33\nlisten_addresses = '*'\nlog_connections = on\n"
    conf = postgresql.volume()
    second = postgresql.start(
        {
            **CUSTOM,
            "POSTGRESQL_LOG_LINE_PREFIX": "it's %p ",
            "POSTGRESQL_SHARED_PRELOAD_LIBRARIES": "pg_stat_statements, pgaudit",
        },
        volumes={volume: VOLUME, conf: str(Path(mounted).parent)},
        files={mounted: override},
        scratch=tmp_path,
    )
    with connect(second, "postgres", "admin-secret") as connection:
        assert value(connection, "SHOW max_connections") == "33"
        assert value(connection, "SHOW work_mem") == "5MB"
        assert value(connection, "SHOW log_line_prefix") == "it's %p "
        assert value(connection, "SHOW shared_preload_libraries") == "pg_stat_statements, pgaudit"


def test_two_servers_never_share_a_volume(postgresql: Machine) -> None:
    volume = postgresql.volume()
    first = postgresql.start(CUSTOM, volumes={volume: VOLUME})
    ready(first)
    second = postgresql.start(CUSTOM, volumes={volume: VOLUME})
    assert second.ended() == 1
    assert second.logs() == f"error: another server is running on {VOLUME}: stop it first.\n"
    connect(first, "agent_user", "user-secret", "agent_db").close()


def test_read_only_root(custom: Container) -> None:
    with connect(custom, "agent_user", "user-secret", "agent_db") as connection:
        connection.execute("CREATE TEMPORARY TABLE made AS SELECT generate_series(1, 10000)")
    assert custom.run("touch", "/opt/x").returncode != 0


def test_stop_is_clean_with_a_client_at_work(postgresql: Machine) -> None:
    container = postgresql.start(CUSTOM)
    with connect(container, "agent_user", "user-secret", "agent_db"):
        docker("stop", "--time", "60", container.name)
    assert container.ended() == 0
    assert "received fast shutdown request" in container.logs()
    assert "database system is shut down" in container.logs().splitlines()[-1]


def test_sigterm_is_clean_too(postgresql: Machine) -> None:
    container = postgresql.start(CUSTOM)
    ready(container)
    docker("kill", "--signal", "TERM", container.name)
    assert container.ended() == 0


def test_local_client_needs_no_host(custom: Container) -> None:
    """`kubectl exec … psql` works as everybody types it, with the password."""
    ready(custom)
    done = custom.run("env", "PGPASSWORD=user-secret", "psql", "-U", "agent_user", "-d", "agent_db", "-Atc", "SELECT 7")
    assert (done.stdout, done.stderr) == ("7\n", "")


# Refusals


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "there is no password for postgres: set POSTGRES_PASSWORD"),
        ({"POSTGRES_USER": "a", "POSTGRES_DATABASE": "b"}, "there is no password for a: set POSTGRES_PASSWORD"),
        ({"POSTGRES_USER": "a", "POSTGRES_PASSWORD": "x"}, "the user a has no database: set POSTGRES_DATABASE"),
        ({"POSTGRES_PASSWORD_FILE": "/nowhere"}, "POSTGRES_PASSWORD_FILE names /nowhere, which cannot be read"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRES_REPLICATION_MODE": "master"}, "there is no password for repl_user"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRES_MASTER_HOST": "other"}, "set POSTGRES_REPLICATION_MODE to slave"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRESQL_ENABLE_TLS": "yes"}, "this image serves without TLS"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRESQL_ENABLE_LDAP": "true"}, "this image knows passwords only"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRES_INITDB_WALDIR": "/wal"}, "POSTGRES_INITDB_WALDIR is set"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRESQL_PORT_NUMBER": "abc"}, "POSTGRESQL_PORT_NUMBER is abc"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRESQL_SHARED_PRELOAD_LIBRARIES": "pgvector"}, "has no library pgvector"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRESQL_SHARED_PRELOAD_LIBRARIES": "a'b"}, "names with commas between them"),
    ],
)
def test_wrong_settings_are_one_sentence(postgresql: Machine, settings: dict[str, str], sentence: str) -> None:
    assert sentence in refusal(postgresql.start(settings))


def refusal(container: Container) -> str:
    """Return the only line that a container said before it ended."""
    assert container.ended() == 1
    (line,) = container.logs().splitlines()
    assert line.startswith("error: ")
    assert line.endswith(".")
    return line


def test_user_that_the_image_does_not_know(postgresql: Machine) -> None:
    container = postgresql.start({"POSTGRES_PASSWORD": "x"}, options=["--user", "4321:0"])
    assert "uid 4321 has no name in this image: run it as uid 1001" in refusal(container)


def test_data_of_another_major(postgresql: Machine, tmp_path: Path) -> None:
    container = postgresql.start(
        CUSTOM, files={f"{VOLUME}/PG_VERSION": "14\n"}, scratch=tmp_path, options=["--env", f"PGDATA={VOLUME}"]
    )
    assert f"{VOLUME} was made by PostgreSQL 14, this is 15: dump it there" in refusal(container)


def test_files_that_are_no_cluster_are_left_alone(postgresql: Machine, tmp_path: Path) -> None:
    container = postgresql.start(
        CUSTOM, files={f"{VOLUME}/precious": "x"}, scratch=tmp_path, options=["--env", f"PGDATA={VOLUME}"]
    )
    assert f"{VOLUME} holds files, but no database cluster" in refusal(container)


def test_volume_one_folder_too_low(postgresql: Machine) -> None:
    container = postgresql.start(CUSTOM, volumes={postgresql.volume(): f"{VOLUME}/data"})
    assert f"{VOLUME}/data is a volume of its own: mount it one folder higher, at {VOLUME}" in refusal(container)
