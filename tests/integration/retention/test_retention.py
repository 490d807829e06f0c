"""data_retention on real servers: what goes, what stays, and what is refused before anything goes."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import retention, retention_batches
from ansible_collections.ai_platform.agent.plugins.module_utils._retention.findings import findings
from ansible_collections.ai_platform.agent.plugins.module_utils._retention.module import ARGUMENTS, execute

from tests.integration.retention.conftest import TABLES, Database

Row = dict[str, t.Any]


def given(database: Database, **params: t.Any) -> Row:
    own: Row = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
    own |= {"database_url": database.url, "tables": TABLES, "check_mode": False, "pause_ms": 0}
    return own | ({} if "keys" in params else {"older_than_days": 30.0}) | params


def delete(database: Database, **params: t.Any) -> Row:
    result, problem = execute(given(database, **params))
    assert problem is None, problem
    return result


def ids(result: Row) -> set[str]:
    return {item["id"] for item in result["findings"]}


def test_a_session_is_as_old_as_its_newest_row(database: Database) -> None:
    old = database.session(90, 80, 70)
    silent = database.session(90)
    used = database.session(90, 80, 1)
    new = database.session(1, 1)
    edge = database.session(31, 29)
    before = delete(database, check_mode=True)
    assert database.sessions() == {old, silent, used, new, edge}
    assert before["dry_run"] is True
    assert before["changed"] is True
    result = delete(database)
    assert database.sessions() == {used, new, edge}
    assert result["rows"] == before["rows"] == {"sessions": 2, "messages": 2}
    assert result["sessions"] == before["sessions"] == 2
    assert before["bytes"]["messages"] > 0
    assert database.run("SELECT count(*) FROM messages") == [(4,)]
    for check in (True, False):
        again = delete(database, check_mode=check)
        assert again["changed"] is False
        assert again["rows"] == {"sessions": 0, "messages": 0}


def test_what_was_said_is_nowhere_in_the_result(database: Database, tmp_path: Path) -> None:
    key = database.session(90, 80)
    result = delete(database, keys=[key], report_path=str(tmp_path / "record.json"))
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["named"] == [key]
    assert record["rows"] == {"sessions": 1, "messages": 1}
    assert "what they said" not in json.dumps([result, record])


def test_keys_that_are_named_go_whatever_their_age_and_nothing_else(database: Database) -> None:
    mine, other, old = database.session(1, 0.1), database.session(1, 0.1), database.session(90, 80)
    missing = "00000000-0000-0000-0000-000000000001"
    named = [mine.upper(), missing]
    assert delete(database, keys=named, check_mode=True)["rows"] == {"sessions": 1, "messages": 1}
    result = delete(database, keys=named)
    assert database.sessions() == {other, old}
    assert result["absent"] == [missing]
    assert "retention-absent" in ids(result)
    assert delete(database, keys=named)["changed"] is False


def test_a_key_of_another_type(database: Database) -> None:
    for check in (True, False):
        with pytest.raises(FindingError) as caught:
            delete(database, keys=["'; DROP TABLE sessions; --"], check_mode=check)
        assert caught.value.id == "argument-invalid"
    assert database.run("SELECT count(*) FROM sessions") == [(0,)]


def test_what_somebody_else_holds_is_left_whole(database: Database) -> None:
    free, streamed, edited = (database.session(90, 80, 70) for _ in range(3))
    with psycopg.connect(database.url) as other:
        # A message that is about to come holds the key of its session, an edited one itself.
        other.execute("INSERT INTO messages (session_id, role, content) VALUES (%s, 'user', 'x')", (streamed,))
        other.execute(
            "UPDATE messages SET content = 'y' WHERE id = (SELECT max(id) FROM messages WHERE session_id = %s)",
            (edited,),
        )
        result = delete(database)
        assert database.sessions() == {streamed, edited}
        assert result["rows"] == {"sessions": 1, "messages": 2}
        assert "retention-locked" in ids(result)
        # Who names one of them is told that it is still there.
        _result, problem = execute(given(database, keys=[edited]))
        assert problem is not None
        assert "somebody else held" in problem
        other.commit()
    assert free not in database.sessions()
    # The streamed one is in use again, the edited one as old as before.
    delete(database)
    assert database.sessions() == {streamed}


def test_a_message_that_comes_between_looking_and_locking_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = database.session(90, 80)
    began = retention_batches.begin
    transactions: list[int] = []

    def late(connection: psycopg.Connection, seconds: float, *schemas: str) -> None:
        began(connection, seconds, *schemas)
        transactions.append(1)
        # The first one reads the catalogue, the second one looks, the third one deletes.
        if len(transactions) == 3:
            database.run("INSERT INTO messages (session_id, role, content) VALUES (%s, 'user', 'late')", key)

    monkeypatch.setattr(retention_batches, "begin", late)
    result = delete(database)
    assert len(transactions) >= 3
    assert result["sessions"] == 0
    assert database.sessions() == {key}


def test_a_table_that_is_locked_is_waited_for_in_vain(database: Database) -> None:
    key = database.session(90, 80)
    with psycopg.connect(database.url) as other:
        other.execute("LOCK TABLE messages IN SHARE MODE")
        result = delete(database)
        assert result["complete"] is False
        assert "retention-waited" in ids(result)
        assert database.sessions() == {key}
    assert delete(database)["sessions"] == 1


def test_a_session_that_takes_too_long_is_left_whole_and_told(database: Database) -> None:
    key, small = database.session(90, 80), database.session(90, 80)
    database.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN IF OLD.session_id = '" + key + "' THEN PERFORM pg_sleep(3); END IF; RETURN OLD; END$$"
    )
    database.run("CREATE TRIGGER slow BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION slow()")
    result = delete(database, statement_timeout=0.5)
    assert database.sessions() == {key}
    assert small not in database.sessions()
    assert {"retention-large", "retention-trigger"} <= ids(result)


def test_what_another_row_keeps_is_left_whole(database: Database) -> None:
    kept, free = database.session(90, 80), database.session(90, 80)
    database.run(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN IF OLD.id = '" + kept + "' THEN RAISE EXCEPTION 'no'; END IF; RETURN OLD; END$$"
    )
    database.run("CREATE TRIGGER no BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION no()")
    delete(database)
    assert database.sessions() == {kept}
    assert free not in database.sessions()
    assert database.run("SELECT count(*) FROM messages") == [(1,)]


def test_who_no_longer_waits_and_time_that_is_up(database: Database) -> None:
    for _number in range(5):
        database.session(90, 80)
    request = {"tables": TABLES, "days": 30, "keys": [], "dry": False, "batch": 1, "pause_seconds": 0}
    request |= {"statement_seconds": 5, "max_seconds": 600, "connect_timeout": 10}
    asked = iter([True, True, False, False])
    answer = retention.run(request, database.url, lambda: next(asked))
    assert answer["done"]["sessions"] == 2
    assert answer["done"]["stopped"] == "caller"
    assert len(database.sessions()) == 3
    late = retention.run(request | {"max_seconds": 0}, database.url)
    assert late["done"]["stopped"] == "time"
    assert [item.id for item in findings(late, dry=False, named=False)] == ["retention-unfinished"]
    assert len(database.sessions()) == 3


DECLARATIONS: dict[str, tuple[str, list[Row], str]] = {
    "no such table": ("", [TABLES[0] | {"table": "chats"}], "there is no table chats"),
    "a view": ("CREATE VIEW v AS SELECT * FROM sessions", [TABLES[0] | {"table": "v"}], "v is no table"),
    "no such column": ("", [TABLES[0] | {"time": "born"}, TABLES[1]], "sessions has no column born"),
    "no time": ("", [TABLES[0] | {"time": "id"}, TABLES[1]], "sessions.id is of the type uuid"),
    "not unique": ("", [TABLES[0], TABLES[1] | {"key": "session_id"}], "messages.session_id is not unique"),
    "two roots": ("", [TABLES[0], {**TABLES[1], "parent": None}], "exactly one table has no parent"),
    "twice": ("", [TABLES[0], TABLES[0]], "sessions is declared twice"),
    "no parent": ("", [TABLES[0], TABLES[1] | {"parent": "chats"}], "the parent of messages, chats"),
    "no foreign key": (
        "ALTER TABLE messages DROP CONSTRAINT messages_session_id_fkey",
        TABLES,
        "messages.session_id has no foreign key to sessions.id",
    ),
    "not declared, cascades": (
        "",
        TABLES[:1],
        "messages refers to sessions by session_id (ON DELETE CASCADE) and is not declared",
    ),
    "not declared, keeps": (
        "CREATE TABLE notes (message bigint REFERENCES messages)",
        TABLES,
        "notes refers to messages by message (ON DELETE NO ACTION)",
    ),
    "a rule": ("CREATE RULE r AS ON DELETE TO messages DO INSTEAD NOTHING", TABLES, "a rule for DELETE"),
}


@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_declaration_that_the_catalogue_contradicts(case: str, database: Database) -> None:
    statement, tables, words = DECLARATIONS[case]
    key = database.session(90, 80)
    if statement:
        database.run(statement)
    for check in (True, False):
        with pytest.raises(FindingError) as caught:
            delete(database, tables=tables, check_mode=check)
        assert caught.value.id == "retention-declaration"
        assert words in caught.value.message
    assert database.sessions() == {key}


def test_rows_that_are_set_null_stay(database: Database) -> None:
    database.run("CREATE TABLE notes (message bigint REFERENCES messages ON DELETE SET NULL)")
    database.session(90, 80)
    database.run("INSERT INTO notes SELECT id FROM messages")
    result = delete(database)
    assert database.run("SELECT message FROM notes") == [(None,)]
    assert "notes.message" in next(
        item["message"] for item in result["findings"] if item["id"] == "retention-unindexed"
    )


def test_other_peoples_tables(empty: Database) -> None:
    """Three levels, names that need quotes, times without a zone, texts as keys, partitions."""
    empty.run(
        """
        CREATE SCHEMA "Chat App";
        CREATE TABLE "Chat App"."User" ("Name" text COLLATE "C" PRIMARY KEY, "Since" date);
        CREATE TABLE "Chat App".talk (id int PRIMARY KEY, "of" text REFERENCES "Chat App"."User", at timestamp);
        CREATE INDEX ON "Chat App".talk ("of");
        CREATE TABLE "Chat App".line (id bigint PRIMARY KEY, talk int REFERENCES "Chat App".talk, at timestamptz,
            answers bigint REFERENCES "Chat App".line);
        CREATE INDEX ON "Chat App".line (talk);
        INSERT INTO "Chat App"."User" VALUES ('o''ld', now() - interval '90 d'), ('%s', now() - interval '90 d'),
            ('unknown', NULL), ('idle', now() - interval '90 d');
        INSERT INTO "Chat App".talk VALUES (1, 'o''ld', now() - interval '80 d'), (2, '%s', now() - interval '80 d'),
            (3, 'idle', now() - interval '80 d'), (4, 'o''ld', now() - interval '80 d');
        INSERT INTO "Chat App".line VALUES (1, 1, now() - interval '70 d', NULL), (2, 1, now() - interval '70 d', 1),
            (3, 2, now(), NULL), (4, 3, NULL, NULL), (5, 4, now() - interval '70 d', 2);
        """
    )
    tables = [
        {"table": "Chat App.line", "key": "id", "time": "at", "parent": "Chat App.talk", "parent_column": "talk"},
        {"table": "Chat App.talk", "key": "id", "time": "at", "parent": "Chat App.User", "parent_column": "of"},
        {"table": "Chat App.User", "key": "Name", "time": "Since"},
    ]
    dry = delete(empty, tables=tables, check_mode=True)
    result = delete(empty, tables=tables)
    assert dry["rows"] == result["rows"] == {"Chat App.User": 1, "Chat App.talk": 2, "Chat App.line": 3}
    left = {name for (name,) in empty.run('SELECT "Name" FROM "Chat App"."User"')}
    # A row of an unknown age keeps what it belongs to.
    assert left == {"%s", "unknown", "idle"}
    assert delete(empty, tables=tables, keys=["%s"])["rows"] == {
        "Chat App.User": 1,
        "Chat App.talk": 1,
        "Chat App.line": 1,
    }


def test_partitions(empty: Database) -> None:
    empty.run(
        """
        CREATE TABLE sessions (id bigint PRIMARY KEY, created_at timestamptz NOT NULL) PARTITION BY HASH (id);
        CREATE TABLE sessions_0 PARTITION OF sessions FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE sessions_1 PARTITION OF sessions FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE messages (id bigint PRIMARY KEY, session_id bigint REFERENCES sessions, created_at timestamptz);
        CREATE INDEX ON messages (session_id);
        INSERT INTO sessions SELECT n, now() - interval '90 days' FROM generate_series(1, 2500) AS n;
        INSERT INTO messages SELECT n, n, now() - interval '80 days' FROM generate_series(1, 2500) AS n;
        """
    )
    result = delete(empty)
    assert result["rows"] == {"sessions": 2500, "messages": 2500}
    assert result["tables"]["sessions"]["before"]["bytes"] > 0


def test_rights(database: Database) -> None:
    key = database.session(90, 80)
    database.run("DROP ROLE IF EXISTS reader")
    database.run("CREATE ROLE reader LOGIN PASSWORD 'x'")
    try:
        database.run("GRANT SELECT, DELETE ON sessions, messages TO reader")
        url = psycopg.conninfo.conninfo_to_dict(database.url)
        own = f"postgresql://reader:x@{url['host']}:{url['port']}/{url['dbname']}"
        with pytest.raises(FindingError) as caught:
            delete(database, database_url=own)
        assert caught.value.id == "retention-privilege"
        database.run("GRANT UPDATE (id) ON sessions, messages TO reader")
        database.run("ALTER TABLE messages ENABLE ROW LEVEL SECURITY")
        with pytest.raises(FindingError) as caught:
            delete(database, database_url=own)
        assert "Row security" in caught.value.message
        assert database.sessions() == {key}
        database.run("ALTER TABLE messages DISABLE ROW LEVEL SECURITY")
        assert delete(database, database_url=own)["sessions"] == 1
    finally:
        database.run("DROP OWNED BY reader")
        database.run("DROP ROLE reader")


def test_debt(database: Database) -> None:
    database.run("ALTER TABLE messages SET (autovacuum_enabled = false)")
    database.run(
        "INSERT INTO sessions SELECT gen_random_uuid(), now() - interval '90 days' FROM generate_series(1, 300)"
    )
    database.run(
        "INSERT INTO messages (session_id, role, content, created_at) SELECT id, 'user', 'x', created_at"
        " FROM sessions, generate_series(1, 10)"
    )
    result = delete(database)
    after = result["tables"]["messages"]["after"]
    assert after["dead_rows"] == 3000
    assert after["autovacuum"] is False
    assert "vacuum-due" in ids(result)
    assert result["tables"]["sessions"]["after"]["vacuum_begins_at"] >= 50


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"older_than_days": 0.0}, "more than 0"),
        ({"older_than_days": float("nan")}, "more than 0"),
        ({"older_than_days": float("inf")}, "36500 at most"),
        ({"older_than_days": None}, "either older_than_days or keys"),
        ({"older_than_days": 1.0, "keys": ["x"]}, "either older_than_days or keys"),
        ({"batch": 0}, "batch must be at least 1"),
    ],
)
def test_arguments(params: Row, words: str, database: Database) -> None:
    with pytest.raises(FindingError) as caught:
        execute(given(database) | params)
    assert words in caught.value.message


def test_a_server_that_is_not_there() -> None:
    own = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
    own |= {"tables": TABLES, "check_mode": True, "older_than_days": 1.0}
    with pytest.raises(FindingError) as caught:
        execute(own | {"database_url": "postgresql://u:s3cret@127.0.0.1:1/d"})
    assert caught.value.id == "database-unreachable"
    assert "s3cret" not in caught.value.message
