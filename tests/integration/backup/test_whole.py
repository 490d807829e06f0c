"""What a dump of one database leaves behind is told; one owner, other databases in the folder, locks of others."""

from __future__ import annotations

import json
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from psycopg import sql

from dev.postgresql import Server
from tests.integration.backup.conftest import Place, placed
from tests.integration.backup.test_damage import SMALL


@pytest.fixture
def small(server: Server) -> t.Iterator[Place]:
    with placed(server, SMALL) as made:
        yield made


def noted(place: Place, **given: t.Any) -> str:
    """The notes of a backup, or of a restore."""
    return "\n".join(item["message"] for item in place.ask(**given)["findings"] if item["id"] == "backup-note")


@pytest.fixture
def roles(server: Server) -> t.Iterator[tuple[str, str]]:
    """One that may create databases, and one that may nothing, of which the first one is a member."""
    names = ("restorer", "owner_of_all")
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE ROLE owner_of_all LOGIN PASSWORD 'x'")
        admin.execute("CREATE ROLE restorer LOGIN CREATEDB PASSWORD 'x' IN ROLE owner_of_all")
        try:
            yield names
        finally:
            for (name,) in admin.execute(
                "SELECT datname FROM pg_database WHERE datdba::regrole::text = ANY(%s)", (list(names),)
            ):
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for name in names:
                admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_restore_for_one_owner_who_is_nobody_special(small: Place, roles: tuple[str, str]) -> None:
    restorer, owner = roles
    small.execute("CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS a; CREATE EXTENSION IF NOT EXISTS pgcrypto")
    small.ask()
    target = f"{small.database}_own"
    url = small.server.url("postgres", restorer, "x")
    result = small.ask(state="restore", database_url=url, restore_database=target, restore_owner=owner)
    assert any(owner in item["message"] for item in result["findings"])
    with psycopg.connect(small.server.url(target, owner, "x")) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (500,)
        connection.execute("CREATE TABLE mine (a int)")
        assert connection.execute(
            "SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname IN ('public', 'other')"
        ).fetchall() == [(owner,)]


def test_an_owner_of_which_the_role_is_no_member(small: Place, roles: tuple[str, str]) -> None:
    restorer, owner = roles
    small.ask()
    small.execute(f"REVOKE {owner} FROM {restorer}")
    given = {"database_url": small.server.url("postgres", restorer, "x"), "restore_database": f"{small.database}_own"}
    with pytest.raises(FindingError, match=f"is no member of {owner}") as caught:
        small.ask(state="restore", restore_owner=owner, **given)
    assert caught.value.id == "restore-roles"
    # A right that is missing at the new server is none to read.
    with pytest.raises(FindingError) as caught:
        small.ask(state="restore", **given)
    assert "pg_read_all_data" not in caught.value.message


LIMITS = {
    "statement_timeout": "50ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "20ms",
    "idle_session_timeout": "20ms",
    "transaction_timeout": "50ms",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "search_path": "odd, pg_catalog",
    "DateStyle": "'SQL, DMY'",
    "IntervalStyle": "sql_standard",
    "client_encoding": "LATIN1",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "TimeZone": "'Asia/Kathmandu'",
    "check_function_bodies": "off",
}


@pytest.mark.parametrize("whose", ["DATABASE", "ROLE"])
def test_what_a_database_or_a_role_has_set_hinders_nothing(server: Server, whose: str) -> None:
    """All at once, where bare pg_dump works: a catalogue of one's own before the server's among it."""
    odd = "CREATE SCHEMA odd; CREATE TABLE odd.pg_class (a int); CREATE TABLE odd.wide AS SELECT repeat('é', 9) AS w;"
    with placed(server, SMALL + odd + "CREATE TABLE public.times AS SELECT now() AS at, 0.1::float8 AS f;") as place:
        role = f"limited_{place.database}"
        place.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'x'")
        name = {"DATABASE": place.database, "ROLE": role}[whose]
        for setting, value in LIMITS.items():
            if place.execute("SELECT FROM pg_settings WHERE name = %s", setting):
                place.execute(f"ALTER {whose} {name} SET {setting} TO {value}")
        place.execute(f"ALTER {whose} {name} SET temp_buffers TO '8MB'")
        try:
            # What takes longer than the limits.
            place.execute("RESET ALL")
            with psycopg.connect(place.server.url()) as admin:
                assert admin.execute("SELECT 1").fetchone() == (1,)
            made = place.ask(database_url=server.url(place.database, role, "x"), version_table="public.alembic_version")
            assert made["backup"]["verified"]
            assert made["backup"]["revision"] == ["r1"]
            target = f"{place.database}_again"
            url = server.url("postgres", role, "x")
            place.ask(state="restore", database_url=url, restore_database=target)
            with psycopg.connect(server.url(target), options="-c statement_timeout=0") as connection:
                assert connection.execute("SELECT count(*) FROM public.notes").fetchone() == (500,)
                left = "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase"
                # As they were, for whoever uses the new database.
                of = f"{left} WHERE datname = %s ORDER BY 1"
                assert (
                    connection.execute(of, (target,)).fetchall() == connection.execute(of, (place.database,)).fetchall()
                )
        finally:
            with psycopg.connect(server.url(), autocommit=True) as admin:
                admin.execute(f"DROP DATABASE IF EXISTS {place.database}_again WITH (FORCE)")
                admin.execute(f"DROP ROLE {role}")


def test_a_folder_with_the_backups_of_two_databases(server: Server, small: Place) -> None:
    """None of them is taken by itself, none goes for the other's, and a lost record makes no stranger of one."""
    keep = {"last": 1, "daily": 0, "weekly": 0, "monthly": 0}
    mine = small.ask(retention=keep)["backup"]["name"]
    with placed(server, SMALL) as other:
        theirs = other.ask(path=small.backups, retention=keep)["backup"]["name"]
    restore = {"state": "restore", "database_url": server.url(), "restore_database": f"{small.database}_x"}
    with pytest.raises(FindingError, match="more than one database") as caught:
        small.ask(**restore)
    assert caught.value.id == "backup-missing"
    assert mine in caught.value.message
    assert theirs in caught.value.message
    assert small.ask(**restore, backup_name=mine)["backup"]["name"] == mine
    (small.backups / theirs / "record.json").unlink()
    listed = small.ask(state="records")
    assert not any("?" in line for line in listed["summary"])
    assert any("record.json is lost" in line for line in listed["summary"])
    newer = small.ask(retention=keep)
    assert newer["removed"] == [mine]
    assert theirs in small.names()
    assert small.ask(state="verify", backup_name=theirs)["backup"]["rows"] == 501
    (small.backups / theirs / "record.json").write_text("{}", encoding="utf-8")
    (small.backups / theirs / "manifest.json").write_text("[", encoding="utf-8")
    assert any("nobody knows what is in it" in line for line in small.ask(state="records")["summary"])
    small.ask(retention=keep)
    assert theirs in small.names()


def test_a_database_of_the_same_name_at_another_server(small: Place) -> None:
    first = small.ask()["backup"]
    path = small.backups / first["name"] / "record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["system"]
    path.write_text(json.dumps(record | {"system": "another"}), encoding="utf-8")
    made = small.ask(retention={"last": 1, "daily": 0, "weekly": 0, "monthly": 0})
    assert made["removed"] == []
    with pytest.raises(FindingError, match="more than one database or server"):
        small.ask(state="restore", database_url=small.server.url(), restore_database=f"{small.database}_x")


def test_materialized_views(small: Place) -> None:
    small.execute("CREATE MATERIALIZED VIEW stale AS SELECT * FROM notes")
    small.execute("CREATE MATERIALIZED VIEW empty AS SELECT * FROM notes WITH NO DATA")
    assert "stale" not in noted(small)
    small.execute("INSERT INTO notes SELECT n, '' FROM generate_series(1001, 1010) n")
    words = "restored with 510 rows in the materialized view public.stale instead of 500"
    assert words in noted(small)
    given = {"state": "restore", "database_url": small.server.url(), "restore_database": f"{small.database}_x"}
    assert words in noted(small, **given)


LEFT = {
    "subscriptions, which hold another server's login: sub": (
        "CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 port=1 password=s3cret' PUBLICATION p"
        " WITH (connect = false)",
        "ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub",
    ),
    "PostgreSQL's own schemas: information_schema.mine": (
        "CREATE TABLE information_schema.mine (a int)",
        "",
    ),
    "PostgreSQL's own schemas: information_schema.act()": (
        "CREATE FUNCTION information_schema.act() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "",
    ),
    "its roles, their passwords and memberships, which belong to the server: left_role": (
        "CREATE ROLE left_role; ALTER ROLE left_role SET work_mem TO '5MB'; GRANT SELECT ON notes TO left_role",
        "DROP OWNED BY left_role; DROP ROLE left_role",
    ),
    "settings of the database that somebody named himself, for they may be secrets: my.secret": (
        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET my.secret TO ''s3cret''', current_database()); END$$",
        "",
    ),
    "indexes that are not valid: public.broken": (
        "CREATE INDEX broken ON notes (body);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass",
        "",
    ),
    "replication slots: slot_left": (
        "SELECT pg_create_logical_replication_slot('slot_left', 'test_decoding')",
        "SELECT pg_drop_replication_slot('slot_left')",
    ),
    "prepared transactions hold, which is not committed: postgres": (
        "BEGIN; INSERT INTO notes VALUES (0, 'prepared'); PREPARE TRANSACTION 'left'",
        "ROLLBACK PREPARED 'left'",
    ),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_a_dump_of_one_database_leaves_behind_is_told(what: str, small: Place) -> None:
    begin, end = LEFT[what]
    small.execute(begin)
    try:
        said = noted(small)
        record = small.ask(state="records")["backups"][0]
    finally:
        for statement in filter(None, end.split("; ")):
            small.execute(statement)
    assert f"dumped without {what}" in said.replace("what somebody made in ", "").replace("what prepared", "prepared")
    assert "s3cret" not in said
    assert any(note.startswith("dumped without") for note in record["notes"])
    if "left_role" in what:
        assert "left_role: work_mem" in said


def test_who_holds_the_lock_is_named(small: Place) -> None:
    with psycopg.connect(small.url, application_name="a migration") as other:
        other.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE")
        pid = other.info.backend_pid
        with pytest.raises(FindingError) as caught:
            small.ask(lock_timeout_ms=200)
    assert caught.value.id == "backup-failed"
    said = caught.value.message
    assert f"the session {pid} of postgres (a migration) has notes to itself" in said.replace("public.", "")
    assert small.names() == []


def test_a_table_that_is_emptied_meanwhile(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRUNCATE empties it for older snapshots as well: it waits until the rows are dumped and counted."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._database.workplace import Workplace

    ran = Workplace.run

    def late(self: Workplace, program: str, *arguments: t.Any) -> None:
        ran(self, program, *arguments)
        if program == "pg_dump":
            with psycopg.connect(small.url, autocommit=True) as other:
                other.execute("SET lock_timeout = 100")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute("TRUNCATE notes")

    monkeypatch.setattr(Workplace, "run", late)
    assert small.ask()["backup"]["verified"]
