"""What a deletion does beside: keys that act, tables that inherit, triggers. No row goes that is not counted."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

from tests.integration.retention.conftest import TABLES, Database
from tests.integration.retention.test_retention import delete, ids

Row = dict[str, t.Any]
# Keys beside the declared one, with what is said of them.
REFUSED = {
    "a row of the same table": (
        "ALTER TABLE messages ADD answers bigint REFERENCES messages ON DELETE CASCADE",
        "messages refers to messages by answers (ON DELETE CASCADE) beside the declared key",
    ),
    "another key to the root": (
        "ALTER TABLE messages ADD origin uuid REFERENCES sessions ON DELETE CASCADE",
        "messages refers to sessions by origin (ON DELETE CASCADE) beside the declared key",
    ),
    "a key of two columns": (
        "ALTER TABLE sessions ADD tenant int, ADD UNIQUE (id, tenant);"
        "ALTER TABLE messages ADD origin uuid, ADD tenant int,"
        " ADD FOREIGN KEY (origin, tenant) REFERENCES sessions (id, tenant) ON DELETE CASCADE",
        "messages refers to sessions by origin, tenant (ON DELETE CASCADE) beside the declared key",
    ),
    "the root itself": (
        "ALTER TABLE sessions ADD continues uuid REFERENCES sessions ON DELETE CASCADE",
        "sessions refers to sessions by continues (ON DELETE CASCADE) beside the declared key",
    ),
    "from the parent back": (
        "ALTER TABLE sessions ADD pinned bigint REFERENCES messages ON DELETE CASCADE",
        "sessions refers to messages by pinned (ON DELETE CASCADE) beside the declared key",
    ),
    "a table that inherits": (
        "CREATE TABLE archived () INHERITS (messages)",
        "archived inherits from messages",
    ),
    "a root from which others inherit": (
        "CREATE TABLE special (extra int) INHERITS (sessions)",
        "special inherits from sessions",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_take_other_rows_is_refused(case: str, database: Database) -> None:
    statement, words = REFUSED[case]
    old, young = database.session(90, 80), database.session(1, 0.1)
    database.run(statement)
    for params in ({"check_mode": True}, {}, {"keys": [old]}):
        with pytest.raises(FindingError) as caught:
            delete(database, **params)
        assert caught.value.id == "retention-declaration"
        assert words in caught.value.message
    assert database.sessions() == {old, young}


def test_a_partition_to_which_a_key_leads(empty: Database) -> None:
    empty.run(
        """
        CREATE TABLE sessions (id bigint PRIMARY KEY, created_at timestamptz NOT NULL) PARTITION BY HASH (id);
        CREATE TABLE sessions_0 PARTITION OF sessions FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        CREATE TABLE notes (id bigint REFERENCES sessions_0 ON DELETE CASCADE);
        INSERT INTO sessions VALUES (1, now() - interval '90 days');
        INSERT INTO notes VALUES (1);
        """
    )
    with pytest.raises(FindingError, match="notes refers to sessions by id"):
        delete(empty, tables=TABLES[:1])
    assert empty.run("SELECT count(*) FROM notes") == [(1,)]


def test_a_declared_table_that_is_itself_a_partition(empty: Database) -> None:
    empty.run(
        """
        CREATE TABLE everything (id bigint PRIMARY KEY, created_at timestamptz NOT NULL) PARTITION BY RANGE (id);
        CREATE TABLE sessions PARTITION OF everything FOR VALUES FROM (0) TO (1000);
        CREATE TABLE notes (id bigint REFERENCES everything ON DELETE CASCADE);
        INSERT INTO sessions VALUES (1, now() - interval '90 days');
        INSERT INTO notes VALUES (1);
        """
    )
    with pytest.raises(FindingError, match="is not declared"):
        delete(empty, tables=TABLES[:1])


def test_keys_that_lead_where_the_declared_one_does(database: Database) -> None:
    """They find nothing any more: a second one of the same column, and one of two columns with it."""
    old, young = database.session(90, 80), database.session(1, 0.1)
    database.run(
        """
        ALTER TABLE messages ADD FOREIGN KEY (session_id) REFERENCES sessions ON DELETE CASCADE;
        ALTER TABLE sessions ADD tenant int NOT NULL DEFAULT 1, ADD UNIQUE (tenant, id);
        ALTER TABLE messages ADD tenant int NOT NULL DEFAULT 1,
            ADD FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE;
        """
    )
    assert delete(database)["rows"] == {"sessions": 1, "messages": 1}
    assert old not in database.sessions()
    assert database.sessions() == {young}


@pytest.mark.parametrize("action", ["SET NULL", "SET DEFAULT"])
def test_rows_that_a_key_changes_are_told(action: str, database: Database) -> None:
    database.session(90, 80)
    young = database.session(1, 0.1)
    database.run(f"ALTER TABLE messages ADD answers bigint REFERENCES messages ON DELETE {action}")
    database.run(
        "UPDATE messages SET answers = (SELECT min(id) FROM messages) WHERE session_id = %s",
        young,
    )
    before = delete(database, check_mode=True)
    assert any(f"messages.answers (ON DELETE {action})" in item["message"] for item in before["findings"])
    result = delete(database)
    assert result["rows"] == {"sessions": 1, "messages": 1}
    assert result["beside"] == {"messages": {"changed": 1}}
    assert "retention-changes" in ids(result)
    assert database.run("SELECT answers FROM messages") == [(None,)]


TRIGGER = """
CREATE TABLE notes (what text);
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {} END$$;
CREATE {} act {} DELETE ON {} {} FOR EACH ROW EXECUTE FUNCTION act();
"""
BEFORE, LATE = ("TRIGGER", "BEFORE"), ("CONSTRAINT TRIGGER", "AFTER")
# What a trigger does that takes too much, or too little: its body, its kind, its table, and what is said of it.
ACTS = {
    "a young message": ("DELETE FROM messages WHERE session_id <> OLD.session_id", BEFORE, "messages", "rows of"),
    "a young session": ("DELETE FROM sessions WHERE id <> OLD.session_id", BEFORE, "messages", "rows of"),
    "a young message, late": ("DELETE FROM messages WHERE session_id <> OLD.session_id", LATE, "messages", "rows of"),
    "a young session, late": ("DELETE FROM sessions WHERE id <> OLD.session_id", LATE, "messages", "rows of"),
    "not its own": ("RETURN NULL", BEFORE, "sessions", "a trigger keeps rows of sessions"),
    "not its messages": ("RETURN NULL", BEFORE, "messages", "rows of messages"),
    "comes back": ("INSERT INTO sessions SELECT OLD.*", LATE, "sessions", "a trigger keeps rows of sessions"),
}


@pytest.mark.parametrize("case", ACTS)
def test_a_trigger_that_takes_other_rows_or_keeps_its_own(case: str, database: Database) -> None:
    body, (kind, when), table, words = ACTS[case]
    old, young = database.session(90, 80), database.session(1, 0.1)
    body = f"IF pg_trigger_depth() = 1 THEN {body}; END IF; RETURN OLD;"
    database.run(TRIGGER.format(body, kind, when, table, "INITIALLY DEFERRED" if (kind, when) == LATE else ""))
    result = delete(database)
    assert database.sessions() == {old, young}
    assert database.run("SELECT count(*) FROM messages") == [(2,)]
    assert result["sessions"] == 0
    told = [item["message"] for item in result["findings"] if item["id"] == "retention-trigger"]
    assert any(words in message for message in told), told


def test_what_a_trigger_does_elsewhere_is_counted(database: Database) -> None:
    for _number in range(3):
        database.session(90, 80)
    database.run(TRIGGER.format("INSERT INTO notes VALUES ('x'); RETURN OLD;", "TRIGGER", "AFTER", "messages", ""))
    result = delete(database, batch=1)
    assert result["beside"] == {"notes": {"inserted": 3}}
    assert result["rows"] == {"sessions": 3, "messages": 3}
    assert delete(database)["beside"] == {}


def test_a_trigger_that_fails_keeps_its_session_alone(database: Database) -> None:
    """Whatever the class of its error: no number, no such table, an error of its own."""
    kept, free = database.session(90, 80), database.session(90, 80)
    database.run(
        TRIGGER.format(
            f"IF OLD.id = '{kept}' THEN PERFORM 1 / 0; PERFORM * FROM gone; END IF; RETURN OLD;",
            "TRIGGER",
            "BEFORE",
            "sessions",
            "",
        )
    )
    result = delete(database)
    assert database.sessions() == {kept}
    assert free not in database.sessions()
    assert "retention-locked" in ids(result)


def test_what_a_key_changes_and_somebody_holds(database: Database) -> None:
    """A session whose references somebody edits is left; the others go."""
    kept, free = database.session(90, 80), database.session(90, 80)
    database.run("CREATE TABLE notes (session uuid REFERENCES sessions ON DELETE SET NULL)")
    database.run("INSERT INTO notes VALUES (%s)", kept)
    with psycopg.connect(database.url) as other:
        other.execute("UPDATE notes SET session = session")
        result = delete(database)
    assert database.sessions() == {kept}
    assert free not in database.sessions()
    assert "retention-locked" in ids(result)


def test_counters_that_are_off(database: Database) -> None:
    database.session(90, 80)
    [(name,)] = database.run("SELECT current_database()")
    database.run(f"ALTER DATABASE {name} SET track_counts = off")
    assert delete(database, check_mode=True)["sessions"] == 1
    database.run(TRIGGER.format("RETURN OLD;", "TRIGGER", "BEFORE", "messages", ""))
    with pytest.raises(FindingError, match="track_counts is off"):
        delete(database)
