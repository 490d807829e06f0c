"""Keys are values and not texts; names are whatever the catalogue allows; each error is told as what it is."""

from __future__ import annotations

import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from psycopg import sql

from tests.integration.retention.conftest import TABLES, Database
from tests.integration.retention.test_retention import delete, ids

Row = dict[str, t.Any]
# Type of a key, what is stored, and other ways to write it; then one that is not there.
SPELLINGS = {
    "numeric": ("1.0", ["1", "1.00", " 1 ", "1e0"], "2"),
    "numeric(10,2)": ("7", ["7", "7.0"], "8.00"),
    "float8": ("0.1", ["1e-1", "0.10"], "0.2"),
    "float4": ("100000", ["1e5"], "2e5"),
    "char(9)": ("abc", ["abc", "abc      "], "ab"),
    "bit(3)": ("101", ["101"], "110"),
    "timestamptz": ("2020-01-01 12:00+02", ["2020-01-01T10:00:00Z", "2020-01-01 10:00"], "2020-01-01 12:00"),
    "date": ("2020-01-02", ["20200102", "2 Jan 2020"], "2020-01-03"),
    "interval": ("1 day", ["24:00", "P1D"], "2 days"),
    "uuid": (
        "7f0c0a5e-6d3b-4bb5-9b0a-0d6a0e6a2c11",
        ["{7F0C0A5E-6D3B-4BB5-9B0A-0D6A0E6A2C11}", "7f0c0a5e6d3b4bb59b0a0d6a0e6a2c11"],
        "7f0c0a5e-6d3b-4bb5-9b0a-0d6a0e6a2c12",
    ),
    "inet": ("10.0.0.1", ["10.0.0.1/32"], "10.0.0.2"),
    "bytea": ("\\x41", ["A", "\\x41"], "B"),
    '"Odd".small': ("5", ["05", "+5"], "6"),
    '"Odd".citext': ("Straße", ["STRAßE", "straße"], "x"),
}
CITEXT = 'CREATE EXTENSION citext SCHEMA "Odd"'


def keyed(database: Database, kind: str, value: str) -> None:
    """A root with a key of this type, and one message of it."""
    database.run('CREATE SCHEMA "Odd"; CREATE DOMAIN "Odd".small AS int CHECK (VALUE < 100)')
    if "citext" in kind:
        database.run(CITEXT)
    database.run(
        f"""
        CREATE TABLE sessions (id {kind} PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now() - interval '9 d');
        CREATE TABLE messages (id int PRIMARY KEY, session_id {kind} REFERENCES sessions ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now() - interval '9 d');
        CREATE INDEX ON messages (session_id);
        """
    )
    database.run("INSERT INTO sessions VALUES (%s)", value)
    database.run("INSERT INTO messages VALUES (1, %s)", value)


@pytest.mark.parametrize("kind", SPELLINGS)
def test_a_key_is_a_value(kind: str, empty: Database) -> None:
    """However it is written, it is the row's; the record never says of what it deleted that it was not there."""
    stored, others, missing = SPELLINGS[kind]
    keyed(empty, kind, stored)
    wanted = {"sessions": 1, "messages": 1}
    for spelling in others:
        dry = delete(empty, keys=[spelling, missing], check_mode=True)
        assert (dry["rows"], dry["absent"]) == (wanted, [missing]), spelling
    result = delete(empty, keys=[*others, missing])
    assert (result["rows"], result["absent"], result["sessions"]) == (wanted, [missing], 1)
    assert empty.run("SELECT count(*) FROM messages") == [(0,)]
    assert delete(empty, keys=others[:1])["absent"] == others[:1]


def test_a_message_that_writes_its_key_otherwise_is_held(empty: Database) -> None:
    """1.00 is a message of session 1; who edits it holds the session."""
    keyed(empty, "numeric", "1")
    empty.run("UPDATE messages SET session_id = 1.00")
    with psycopg.connect(empty.url) as other:
        other.execute("UPDATE messages SET created_at = created_at")
        assert "retention-locked" in ids(delete(empty, older_than_days=1.0))
    assert delete(empty, older_than_days=1.0)["rows"] == {"sessions": 1, "messages": 1}


@pytest.mark.parametrize("setting", ["extra_float_digits = -15", "DateStyle = 'SQL, DMY'", "IntervalStyle = iso_8601"])
def test_what_a_role_has_set_for_texts(setting: str, empty: Database) -> None:
    """Two keys that look the same with few digits are two keys, and the walk through them comes to its end."""
    keyed(empty, "float8", "0.1")
    empty.run("INSERT INTO sessions SELECT 0.1 + n * 1e-15 FROM generate_series(1, 1500) AS n")
    [(name,)] = empty.run("SELECT current_database()")
    empty.run(f"ALTER DATABASE {name} SET {setting}")
    assert delete(empty, older_than_days=1.0, check_mode=True)["sessions"] == 1501
    assert delete(empty, older_than_days=1.0)["rows"] == {"sessions": 1501, "messages": 1}


def test_keys_that_are_no_values(empty: Database) -> None:
    keyed(empty, '"Odd".small', "5")
    for key in ("x", "1000", "5\0", "5\udcff", "", "99999999999999999999"):
        for check in (True, False):
            with pytest.raises(FindingError) as caught:
                delete(empty, keys=[key], check_mode=check)
            assert caught.value.id == "argument-invalid", key
    assert empty.run("SELECT count(*) FROM sessions") == [(1,)]


NAMES = ["100%", "%s", "%(x)s", 'a"b', "a'b", "a\nb", "Großes Übel 🗄", "UPPER lower", "a.b", "{}", "--", "\\", "select"]


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, empty: Database) -> None:
    """A name of everything at once: schema, tables, columns, constraint, and the type of the key."""
    quoted = sql.Identifier(name).as_string(None)
    empty.connection.execute(
        sql.SQL(
            """
            CREATE SCHEMA {0}; CREATE DOMAIN {0}."{1}d" AS text;
            CREATE TABLE {0}.sessions ({0} {0}."{1}d" PRIMARY KEY, "{1}t" timestamptz);
            CREATE TABLE {0}.{0} ({0} int PRIMARY KEY, "{1}p" {0}."{1}d" CONSTRAINT {0} REFERENCES {0}.sessions,
                "{1}t" timestamptz);
            CREATE INDEX ON {0}.{0} ("{1}p");
            INSERT INTO {0}.sessions VALUES ('old', now() - interval '90 d'), ('%s', now());
            INSERT INTO {0}.{0} VALUES (1, 'old', now() - interval '90 d'), (2, '%s', now());
            """
        ).format(sql.SQL(t.cast("t.Any", quoted)), sql.SQL(t.cast("t.Any", quoted[1:-1])))
    )
    root: Row = {"table": f"{name}.sessions", "key": name, "time": f"{name}t"}
    child: Row = {"table": f"{name}.{name}", "key": name, "time": f"{name}t"}
    tables = [root, child | {"parent": root["table"], "parent_column": f"{name}p"}]
    assert delete(empty, tables=tables, check_mode=True)["sessions"] == 1
    assert delete(empty, tables=tables)["rows"] == {root["table"]: 1, child["table"]: 1}
    assert delete(empty, tables=tables, keys=["%s"])["rows"] == {root["table"]: 1, child["table"]: 1}


def test_a_name_of_two_tables(empty: Database) -> None:
    empty.run('CREATE SCHEMA a; CREATE TABLE a.b (id int PRIMARY KEY, at date); CREATE TABLE "a.b" (LIKE a.b)')
    with pytest.raises(FindingError, match=r"a\.b is the name of 2 tables"):
        delete(empty, tables=[{"table": "a.b", "key": "id", "time": "at"}])


@pytest.mark.parametrize("name", ["x\0", "x\udcff"])
def test_names_that_no_table_has(name: str, empty: Database) -> None:
    with pytest.raises(FindingError) as caught:
        delete(empty, tables=[{"table": name, "key": "id", "time": "at"}])
    assert caught.value.id == "retention-declaration"


def test_a_database_that_is_set_to_read_only(database: Database) -> None:
    """It is no standby, and nobody ended a session."""
    key = database.session(90, 80)
    [(name,)] = database.run("SELECT current_database()")
    database.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(FindingError, match="default_transaction_read_only is on"):
        delete(database)
    database.run(f"ALTER DATABASE {name} SET session_replication_role = replica")
    database.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with pytest.raises(FindingError, match="session_replication_role is replica"):
        delete(database)
    assert {item for (item,) in database.run("SELECT id::text FROM sessions")} == {key}


def test_a_table_that_goes_meanwhile(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables changed, and the session did not end."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import retention_batches

    database.session(90, 80)
    walk = retention_batches.walk

    def late(*arguments: t.Any) -> t.Iterator[list[str]]:
        for keys in walk(*arguments):
            database.run("ALTER TABLE messages RENAME created_at TO made_at")
            yield keys

    monkeypatch.setattr(retention_batches, "walk", late)
    with pytest.raises(FindingError, match="42703 UndefinedColumn") as caught:
        delete(database)
    assert caught.value.id == "retention-declaration"
    assert "ended the session" not in caught.value.message


def test_what_was_deleted_is_told_where_nobody_can_look_afterwards(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import retention_batches

    database.session(90, 80)
    with psycopg.connect(database.url) as other:
        old = retention_batches.Deletion.old

        def then_locked(self: t.Any) -> t.Any:
            made = old(self)
            other.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
            return made

        monkeypatch.setattr(retention_batches.Deletion, "old", then_locked)
        result = delete(database)
    assert result["rows"] == {"sessions": 1, "messages": 1}
    assert "retention-waited" in ids(result)
    assert TABLES[0]["table"] in result["tables"]
