"""The preflight from end to end against a server where something is going on."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
import sys
import threading
import time
import typing as t
import uuid
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import session
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import run as preflight
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import LOCK_KEY
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_direct import DirectSource

from dev.postgresql import running
from tests.integration.preflight.asking import BOTH_MODES, migrate
from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.unit.plugins.module_utils._in_pod.project import ENV, Project

ALTER = "ALTER TABLE item ADD COLUMN extra int"
STRICT = Thresholds(long_transaction_seconds=0, idle_transaction_seconds=0, slot_bytes=0)


@pytest.fixture(params=sorted({CHOSEN[0], CHOSEN[-1]}), ids=str)
def url(request: pytest.FixtureRequest, servers: Servers) -> t.Iterator[str]:
    """A database with the tables of the cases, stamped with 0001."""
    with copy_of(servers(request.param)) as made:
        execute(made, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        execute(made, "INSERT INTO alembic_version VALUES ('0001')")
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "app").add("0001", None, "SELECT 1").add("0002", "0001", ALTER)


def execute(url: str, *texts: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for text in texts:
            connection.execute(text)


def run(project: Project, url: str, **more: t.Any) -> tuple[dict[str, t.Any], dict[str, Finding]]:
    with direct(project, url) as source:
        full, findings, _sql = preflight.run(preflight.Request(**more), source)
    return full, {item.id: item for item in findings}


def direct(project: Project, url: str) -> DirectSource:
    alembic = AlembicProcess(project.folder / "alembic.ini", "heads", 30)
    return DirectSource(url, alembic, connect_timeout=5, lock_timeout_ms=500, statement_timeout_ms=5000)


def refused(project: Project, url: str) -> FindingError:
    with pytest.raises(FindingError) as caught:
        run(project, url)
    assert "\n" not in caught.value.message
    return caught.value


@contextlib.contextmanager
def opened(url: str, *texts: str) -> t.Iterator[psycopg.Connection]:
    """A session that sits in a transaction after some statements."""
    with psycopg.connect(url, application_name="report") as connection:
        for text in texts:
            connection.execute(text)
        yield connection
        connection.rollback()


def test_a_quiet_database(url: str, project: Project) -> None:
    full, found = run(project, url, migrator_sets_lock_timeout=True)
    assert (full["state"], full["live_revisions"], full["target_revisions"]) == ("behind", ["0001"], ["0002"])
    assert {item.id for item in found.values() if item.severity not in {"info"}} <= {"server-version-old"}
    [revision] = full["pending"]
    [statement] = revision["statements"]
    [lock] = statement["locks"]
    assert (lock["table"], lock["mode"], lock["rows"], lock["sessions"]) == ("public.item", "ACCESS EXCLUSIVE", 20, 0)
    assert revision["risk"] == "none"
    assert lock["bytes"] == 8192
    assert lock["total_bytes"] > lock["bytes"]


def test_the_session_can_only_read_and_does_not_wait(url: str) -> None:
    with session(url, connect_timeout=5, lock_timeout_ms=500, statement_timeout_ms=5000) as database:
        for _ in range(2):
            with database.snapshot() as connection:
                names = ("transaction_read_only", "transaction_isolation", "lock_timeout", "statement_timeout")
                values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
                assert values == [("on",), ("repeatable read",), ("500ms",), ("5s",)]
        with pytest.raises(CollectorError), database.snapshot() as connection:
            connection.execute("CREATE TABLE x (id int)")


def test_the_sql_is_what_alembic_would_run(url: str, project: Project) -> None:
    with direct(project, url) as source:
        full, _findings, sql = preflight.run(preflight.Request(), source)
    words = [sys.executable, "-m", "alembic", "upgrade", "0001:heads", "--sql"]
    alembic = subprocess.run(words, cwd=project.folder, capture_output=True, text=True, check=True).stdout
    assert sql == alembic
    assert full["sql_sha256"] == hashlib.sha256(sql.encode()).hexdigest()


def test_a_session_idle_in_a_transaction_holds_the_table(url: str, project: Project) -> None:
    with opened(url, "SELECT count(*) FROM item"):
        full, found = run(project, url, thresholds=STRICT)
    assert full["pending"][0]["risk"] == "high"
    assert full["pending"][0]["statements"][0]["locks"][0]["sessions"] == 1
    assert "report" in found["transaction-idle"].message
    assert found["lock-held"].table == "public.item"
    assert "holds ACCESS SHARE" in found["lock-held"].message


def test_a_prepared_transaction_holds_the_table(url: str, project: Project) -> None:
    """It has no process, and nobody but a person ends it."""
    name = f"left-{uuid.uuid4().hex}"
    with opened(url, "UPDATE item SET qty = qty") as connection:
        connection.execute(f"PREPARE TRANSACTION '{name}'")
    try:
        full, found = run(project, url)
        assert full["verdict"] == "unsafe"
        assert "A prepared transaction holds ROW EXCLUSIVE on public.item" in found["lock-held"].message
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"ROLLBACK PREPARED '{name}'")


@contextlib.contextmanager
def at_work(connection: psycopg.Connection, text: str, event: str) -> t.Iterator[None]:
    """A statement that runs in a thread, once the server shows that it waits for `event`; cancelled at the end."""

    def work() -> None:
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            connection.execute(text)

    thread = threading.Thread(target=work)
    thread.start()
    waits = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as observer:
        deadline = time.monotonic() + 10
        while observer.execute(waits, [connection.info.backend_pid]).fetchone() != (event,):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    try:
        yield
    finally:
        connection.cancel()
        thread.join()


def test_a_long_transaction(url: str, project: Project) -> None:
    with opened(url) as connection, at_work(connection, "SELECT pg_sleep(60)", "Timeout"):
        _full, found = run(project, url, thresholds=STRICT)
    assert "transaction-long" in found


def test_a_table_that_somebody_has_locked_does_not_hold_the_preflight_up(url: str, project: Project) -> None:
    with opened(url, "LOCK TABLE item"):
        begin = time.monotonic()
        full, found = run(project, url)
        assert time.monotonic() - begin < 10
    assert "holds ACCESS EXCLUSIVE" in found["lock-held"].message
    assert full["verdict"] == "unsafe"


def test_a_session_that_waits_for_the_table(url: str, project: Project) -> None:
    project.add("0003", "0002", "CREATE INDEX CONCURRENTLY i ON item (qty)")
    with (
        opened(url, "LOCK TABLE item IN ACCESS SHARE MODE"),
        opened(url) as waiter,
        at_work(waiter, "LOCK TABLE item", "Lock"),
    ):
        _full, found = run(project, url)
    assert "lock-held" in found


def test_another_migrator(url: str, project: Project) -> None:
    with opened(url, f"SELECT pg_advisory_lock({LOCK_KEY})"):
        _full, found = run(project, url)
    assert "advisory lock" in found["migrator-active"].message
    assert "migrator-active" not in run(project, url)[1]


def test_an_invalid_index(url: str, project: Project) -> None:
    execute(url, "UPDATE item SET qty = 1")
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(url, "CREATE UNIQUE INDEX CONCURRENTLY left_over ON item (qty)")
    assert "left_over" in run(project, url)[1]["index-invalid"].message


def test_a_prepared_transaction_and_a_slot_that_keeps_wal(url: str, project: Project) -> None:
    execute(url, "BEGIN; UPDATE item SET note = 'x' WHERE id = 1; PREPARE TRANSACTION 'half'")
    execute(url, "SELECT pg_create_physical_replication_slot('kept', true)")
    try:
        _full, found = run(project, url, thresholds=STRICT)
    finally:
        execute(url, "ROLLBACK PREPARED 'half'", "SELECT pg_drop_replication_slot('kept')")
    assert "half" in found["transaction-idle"].message
    assert "kept" in found["replication-slot-inactive"].message


def test_connections_that_a_role_has_reserved(project: Project) -> None:
    with running(18, max_connections="20", reserved_connections="12") as server:
        assert "(15 reserved)" in run(project, server.url())[1]["connections-scarce"].message


def test_connections(url: str, project: Project) -> None:
    assert "connections-scarce" in run(project, url, connections_needed=200)[1]
    assert "connections-scarce" not in run(project, url)[1]


@pytest.fixture
def plain(url: str) -> t.Iterator[str]:
    """The same database for a role that owns nothing."""
    role = f"plain_{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    execute(url, f"CREATE ROLE {role} LOGIN PASSWORD 'pl@in'", f"GRANT SELECT ON alembic_version TO {role}")
    tail = url.partition("@")[2]
    yield f"postgresql://{role}:pl%40in@{tail}"
    execute(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_role_that_may_not_migrate(url: str, plain: str, project: Project) -> None:
    with opened(url):
        _full, found = run(project, plain)
    assert "belongs to postgres" in found["privilege-missing"].message
    assert "fact-not-visible" in found


# What the role is granted, what it runs, what is said.
RIGHTS = {
    "none": ([], "CREATE TABLE fresh (id int REFERENCES parent)", "no REFERENCES on public.parent"),
    "of the table": (["REFERENCES ON parent"], "CREATE TABLE fresh (id int REFERENCES parent)", ""),
    "of the column": (["REFERENCES (id) ON parent"], "CREATE TABLE fresh (id int REFERENCES parent)", ""),
    "of another's table": (
        ["ALL ON item", "ALL ON parent"], "ALTER TABLE item ADD FOREIGN KEY (parent_id) REFERENCES parent",
        "public.item belongs to postgres",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHTS)
def test_a_role_that_refers(name: str, url: str, plain: str, tmp_path: Path) -> None:
    grants, statement, words = RIGHTS[name]
    role = plain.split("//")[1].partition(":")[0]
    execute(url, f"GRANT ALL ON SCHEMA public TO {role}", *(f"GRANT {grant} TO {role}" for grant in grants))
    execute(url, f"GRANT ALL ON alembic_version TO {role}")
    project = Project(tmp_path / "refers", BOTH_MODES).add("0001", None).add("0002", "0001", statement)
    _full, found = run(project, plain)
    said = found["privilege-missing"].message if "privilege-missing" in found else ""
    assert words in said
    error = migrate(project.folder, plain)
    assert bool(error) == bool(words), error


def test_a_role_that_only_reads(url: str, plain: str, project: Project) -> None:
    role = plain.split("//")[1].partition(":")[0]
    assert "database-read-only" not in run(project, plain)[1]
    execute(url, f"ALTER ROLE {role} SET default_transaction_read_only = on")
    full, found = run(project, plain)
    assert found["database-read-only"].severity == "fail"
    assert full["verdict"] == "unsafe"


def test_a_role_that_may_not_even_read_the_version(url: str, plain: str, project: Project) -> None:
    execute(url, f"REVOKE ALL ON alembic_version FROM {plain.split('//')[1].split(':', maxsplit=1)[0]}")
    assert refused(project, plain).id == "privilege-missing"


def _with(url: str, **parts: str) -> str:
    user, password, place, database = "postgres", *(url.split("//")[1].partition(":")[2].partition("@")[::2]), ""
    place, _, database = place.partition("/")
    given = {"user": user, "password": password, "place": place, "database": database} | parts
    return "postgresql://{user}:{password}@{place}/{database}".format(**given)


@pytest.mark.parametrize(
    ("parts", "error_id"),
    [
        ({"password": "wr0ng-s3cret"}, "database-auth"),
        ({"user": "nobody_here"}, "database-auth"),
        ({"database": "nothing_here"}, "database-missing"),
        ({"place": "127.0.0.1:1"}, "database-unreachable"),
        ({"place": "no-such-host.invalid"}, "database-host-unknown"),
    ],
)
def test_no_session(url: str, project: Project, parts: dict[str, str], error_id: str) -> None:
    error = refused(project, _with(url, **parts))
    assert error.id == error_id
    assert "s3cret" not in error.message


def test_tls_where_there_is_none(url: str, project: Project) -> None:
    assert refused(project, f"{url}?sslmode=require").id == "database-tls"


def test_a_server_of_another_kind(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            client.recv(100)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        port = server.getsockname()[1]
        assert refused(project, f"postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable").id == "database-unreachable"


def test_a_standby(project: Project) -> None:
    with running(18, standby=True) as server:
        full, found = run(project, server.url())
        assert "in-recovery" in found
        assert (full["state"], full["verdict"]) == ("absent", "unsafe")
        nothing = Project(project.folder.parent / "nothing")
        assert "in-recovery" in run(nothing, server.url())[1]


@pytest.mark.parametrize(
    ("setup", "state", "ids"),
    [
        (["DROP TABLE alembic_version"], "unknown", {"state-unknown"}),
        (["DELETE FROM alembic_version"], "unknown", {"state-unknown"}),
        (["UPDATE alembic_version SET version_num = '0002'"], "current", set()),
        (["UPDATE alembic_version SET version_num = '0009'"], "unknown", {"revision-unknown"}),
        (["INSERT INTO alembic_version VALUES ('0009')"], "diverged", {"revision-unknown", "version-table-rows"}),
    ],
)
def test_states(url: str, project: Project, setup: list[str], state: str, ids: set[str]) -> None:
    execute(url, *setup)
    full, found = run(project, url)
    assert full["state"] == state
    assert ids <= found.keys()


def test_an_empty_database(servers: Servers, project: Project) -> None:
    with copy_of(servers(18), "template1") as empty:
        full, found = run(project, empty)
    assert full["state"] == "absent"
    assert found["table-missing"].table == "public.item"


def test_a_version_table_in_another_schema(url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "other", ENV.replace("literal_binds=True", "version_table_schema='attic'"))
    project.add("0001", None).add("0002", "0001", ALTER)
    execute(url, "ALTER TABLE alembic_version SET SCHEMA attic")
    full, _found = run(project, url)
    assert (full["state"], [item["revision"] for item in full["pending"]]) == ("behind", ["0002"])


def test_a_version_table_of_somebody_else(url: str, project: Project) -> None:
    execute(url, "ALTER TABLE alembic_version RENAME COLUMN version_num TO v")
    assert refused(project, url).id == "state-unknown"
