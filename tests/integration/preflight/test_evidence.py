"""Evidence of use: how a statement is read against what the server does, and pg_stat_statements in the real module."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts, usage_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rows import UsageFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.usage import use_of
from psycopg import errors

from dev.postgresql import Server, running
from tests.integration.preflight.asking import ask
from tests.integration.preflight.conftest import CHOSEN
from tests.unit.plugins.module_utils._in_pod.project import Project
from tests.unit.plugins.module_utils._sql.test_facts import unlike
from tests.unit.plugins.module_utils._sql.test_usage import MESSAGES, SHAPES

TABLES = """
CREATE TABLE messages (id int PRIMARY KEY, model text, session_id int, CONSTRAINT k UNIQUE (session_id));
CREATE TABLE sessions (id int PRIMARY KEY, model text);
CREATE TABLE log (id int, model text, x text);
CREATE SCHEMA archive;
CREATE TABLE archive.messages (id int, model text);
CREATE UNIQUE INDEX ON messages (model);
"""


@pytest.fixture(scope="module")
def server() -> t.Iterator[Server]:
    with running(CHOSEN[-1], shared_preload_libraries="pg_stat_statements") as started:
        yield started


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> t.Iterator[str]:
    """A database of its own with the extension, and nothing counted yet."""
    name = f"evidence_{abs(hash(request.node.name)):x}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute(TABLES)
        connection.execute("CREATE TABLE alembic_version AS SELECT varchar(32) '0001' AS version_num")
        connection.execute("SELECT pg_stat_statements_reset()")
    yield server.url(name)
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("taken", ["model", None], ids=["column", "table"])
def test_a_statement_that_the_server_then_refuses_was_read_as_a_use(database: str, taken: str | None) -> None:
    """What fails for want of the column or table must never be called unused."""
    refused = 0
    take = f"ALTER TABLE messages DROP COLUMN {taken} CASCADE" if taken else "DROP TABLE messages CASCADE"
    with psycopg.connect(database) as connection:
        for sql, _column, _table in SHAPES:
            # A COPY is a conversation, of which a test like this sees only the first word.
            if sql.startswith("COPY") or not _works(connection, sql):
                continue
            connection.execute(take)
            if not _works(connection, sql):
                refused += 1
                assert use_of(sql, MESSAGES, taken) == "yes", sql
            connection.rollback()
    # Otherwise the comparison says nothing.
    assert refused >= 20


def _works(connection: psycopg.Connection, sql: str) -> bool:
    """Whether the server accepts the statement; nothing of it stays."""
    whole = sql.startswith(("PREPARE", "DECLARE", "EXPLAIN"))
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql if whole else f"PREPARE tried AS {sql}")
            connection.execute("DEALLOCATE ALL")
    except errors.Error:
        return False
    return True


def application(database: str, *statements: str, often: int = 3) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for sql in statements:
            for _number in range(often):
                connection.execute(sql)


@pytest.fixture
def asked(database: str, tmp_path: Path) -> t.Callable[[str], str]:
    """What the real module says about the use, for one statement of a migration."""

    def ask_about(migration: str) -> str:
        project = Project(tmp_path / "app").add("0001", None).add("0002", "0001", migration)
        answer = ask(project.folder, database)
        return " ".join(
            answer.said(finding_id) for finding_id in ("destructive", "rename", "contract-phase", "use-unknown")
        )

    return ask_about


DROP = "ALTER TABLE messages DROP COLUMN model"


def test_what_is_used_is_counted(database: str, asked: t.Callable[[str], str]) -> None:
    application(
        database, "SELECT model FROM messages WHERE id = 1", "SELECT * FROM messages", "SELECT id FROM messages"
    )
    assert "2 statements of the application use the column: 6 calls since" in asked(DROP)


def test_what_nobody_uses_is_said_to_be_unseen(database: str, asked: t.Callable[[str], str]) -> None:
    application(database, "SELECT id FROM messages", "SELECT model FROM sessions")
    said = asked(DROP)
    assert "statements seen since" in said
    assert "uses the column" in said


def test_a_view_is_a_use_of_what_it_reads(database: str, asked: t.Callable[[str], str]) -> None:
    application(database, "CREATE VIEW m AS SELECT model FROM messages", "CREATE VIEW n AS SELECT * FROM m", often=1)
    application(database, "SELECT 1 FROM n")
    assert "1 statement of the application uses the table: 3 calls" in asked("DROP TABLE messages CASCADE")


def test_a_parent_is_a_use_of_its_partition(database: str, asked: t.Callable[[str], str]) -> None:
    application(
        database,
        "CREATE TABLE parted (id int) PARTITION BY LIST (id)",
        "CREATE TABLE one PARTITION OF parted FOR VALUES IN (1)",
        often=1,
    )
    application(database, "SELECT id FROM parted")
    assert "1 statement of the application uses the table" in asked("DROP TABLE one")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT max(id) FROM messages'", "the function f names"),
        (
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(length(model)) FROM messages; END",
            "the function f names",
        ),
        (
            "CREATE FUNCTION f(x text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT FROM '' || x; END'",
            "the function f builds its SQL",
        ),
    ],
    ids=["text", "body", "dynamic"],
)
def test_where_a_function_may_hide_it_nothing_is_called_unused(
    database: str, asked: t.Callable[[str], str], made: str, why: str
) -> None:
    application(database, made, often=1)
    said = asked("ALTER TABLE messages RENAME TO entries")
    assert why in said
    assert "None of" not in said


def test_statements_of_hidden_roles_keep_it_open(server: Server, database: str, tmp_path: Path) -> None:
    name = f"plain_{database.rpartition('_')[2]}"
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
        admin.execute(f"GRANT SELECT ON alembic_version TO {name}")
    application(database, "SELECT id FROM sessions")
    project = Project(tmp_path / "app").add("0001", None).add("0002", "0001", DROP)
    url = database.replace(f"postgres:{server.password}@", f"{name}:p@")
    assert url != database
    said = ask(project.folder, url).said("destructive")
    assert "hidden from this one" in said
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"DROP OWNED BY {name}")
        admin.execute(f"DROP ROLE {name}")


def test_without_the_extension_the_reason_is_a_note(database: str, asked: t.Callable[[str], str]) -> None:
    application(database, "DROP EXTENSION pg_stat_statements", often=1)
    assert "pg_stat_statements is not installed in this database" in asked("ALTER TABLE messages RENAME TO entries")


def test_the_answer_has_its_type(database: str) -> None:
    application(
        database,
        "CREATE TABLE parted (id int) PARTITION BY LIST (id)",
        "CREATE TABLE one PARTITION OF parted FOR VALUES IN (1)",
        "CREATE VIEW seen AS SELECT id FROM one",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT max(id) FROM one'",
        "SELECT id FROM one",
        often=1,
    )
    with psycopg.connect(database) as connection:
        ask = functools.partial(live_facts._rows, connection)
        answer: t.Any = usage_facts.collect(
            connection, ask, ask("SELECT 'one'::regclass::bigint AS oid, 'public' AS schema, 'one' AS name")
        )
    assert unlike(answer, UsageFacts) == []
    # Otherwise lists without a row were compared, or nothing but a problem.
    assert all(answer[name] for name in ("views", "parents", "functions", "texts", "statements"))
