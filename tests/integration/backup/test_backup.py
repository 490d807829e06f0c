"""A backup comes back as it was; what is not one is never taken for one."""

from __future__ import annotations

import json
import subprocess
import threading
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_restoration import MARK
from psycopg import sql

from dev.postgresql import Server
from tests.integration.backup.conftest import Place, placed

ROWS = """
SELECT format('%I.%I', n.nspname, c.relname), (xpath('/row/d/text()', query_to_xml(format(
  'SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text)) AS d FROM ONLY %I.%I t', n.nspname, c.relname),
  false, true, '')))[1]::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relispopulated
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
"""


def content(url: str) -> t.Any:
    """Every row of every table, and of the large objects."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(t.cast("t.Any", ROWS)).fetchall()
        objects = connection.execute(
            "SELECT m.oid, md5(lo_get(m.oid)) FROM pg_largeobject_metadata m ORDER BY 1"
        ).fetchall()
        return rows, objects


def test_a_lost_volume_comes_back_with_the_same_rows(place: Place) -> None:
    before = content(place.url)
    made = place.ask(image="agent@sha256:1")
    record = made["backup"]
    assert (record["verified"], record["revision"], record["image"]) == (True, ["r7"], "agent@sha256:1")
    target = f"{place.database}_again"
    place.execute("DROP TABLE items CASCADE")
    result = place.ask(database_url=place.server.url(), state="restore", restore_database=target)
    assert content(place.server.url(target)) == before
    assert target in result["next_step"]
    assert result["expected_seconds"] == record["seconds"]["restore"]
    assert place.names() == [record["name"]]
    assert list(place.work.iterdir()) == []


def test_concurrent_writers(place: Place) -> None:
    """The counts are those of the dump's own snapshot: a bare pg_dump of it says the same."""
    stop, written = threading.Event(), threading.Semaphore(0)

    def write() -> None:
        with psycopg.connect(place.url, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO items (label, amount) SELECT 'w', n FROM generate_series(1, 50) n")
                connection.execute("DELETE FROM items WHERE id IN (SELECT id FROM items WHERE label = 'w' LIMIT 20)")
                connection.execute("INSERT INTO parts SELECT n, n FROM generate_series(1, 20) n")
                connection.execute("SELECT nextval('downwards')")
                written.release()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        assert written.acquire(timeout=60)
        made = place.ask()
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert made["backup"]["verified"]
    folder = place.backups / made["backup"]["name"]
    counted = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["database"]["counts"]
    # PostgreSQL's own restore of the same files, into a database of its own.
    bare = f"{place.database}_bare"
    with psycopg.connect(place.server.url(), autocommit=True) as admin:
        admin.execute(t.cast("t.Any", f"CREATE DATABASE {bare} TEMPLATE template0"))
    bare_restore(place, folder / "data", bare)
    with psycopg.connect(place.server.url(bare)) as connection:
        for name, number in counted.items():
            query = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.SQL(t.cast("t.Any", name)))
            assert connection.execute(query).fetchone() == (number,)
    assert counted["public.items"] > 2000


def bare_restore(place: Place, data: Path, database: str) -> None:
    """pg_restore, by the books."""
    programs = place.server.folder / "programs"
    words = [
        str(programs / "bin" / "pg_restore"),
        "-d",
        place.server.url(database),
        "-j2",
        "--exit-on-error",
        str(data),
    ]
    subprocess.run(words, check=True, env={"LD_LIBRARY_PATH": str(programs / "lib")}, capture_output=True)


def test_a_role_that_may_only_read(place: Place) -> None:
    """pg_read_all_data is enough for tables and sequences; large objects and policies are refused, never left out."""
    place.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    place.execute("DROP TABLE IF EXISTS private")
    with psycopg.connect(place.server.url(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = 'backup'").fetchone():
            admin.execute("CREATE ROLE backup LOGIN PASSWORD 'b4ckup'")
        admin.execute("GRANT pg_read_all_data TO backup")
    url = place.server.url(place.database, "backup", "b4ckup")
    made = place.ask(database_url=url)["backup"]
    assert (made["verified"], made["rows"]) == (True, place.ask()["backup"]["rows"])
    place.execute("REVOKE pg_read_all_data FROM backup")
    with pytest.raises(FindingError, match="grant it pg_read_all_data") as caught:
        place.ask(database_url=url)
    assert caught.value.id == "privilege-missing"
    place.execute("GRANT pg_read_all_data TO backup")
    place.execute("SELECT lo_from_bytea(0, 'x')")
    with pytest.raises(FindingError, match="large object"):
        place.ask(database_url=url)
    place.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    place.execute("CREATE TABLE private AS SELECT 1 AS a")
    place.execute("ALTER TABLE private ENABLE ROW LEVEL SECURITY")
    with pytest.raises(FindingError, match="BYPASSRLS"):
        place.ask(database_url=url)
    assert len([name for name in place.names() if name.startswith(".")]) == 0
    place.execute("ALTER ROLE backup BYPASSRLS")
    try:
        assert place.ask(database_url=url)["backup"]["verified"]
    finally:
        place.execute("ALTER ROLE backup NOBYPASSRLS")


@pytest.mark.parametrize(
    "options", ["ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "ENCODING 'SQL_ASCII' TEMPLATE template0"]
)
def test_encodings(server: Server, options: str) -> None:
    # One byte of LATIN1, and of no other encoding.
    schema = r"""
    CREATE TABLE texts (a text);
    INSERT INTO texts VALUES (E'\374'), ('plain');
    """
    with placed(server, schema, options) as place:
        if "SQL_ASCII" in options:
            # Bytes that are no text in any encoding.
            place.execute(r"INSERT INTO texts VALUES (E'\377\376')")
        place.ask()
        target = f"{place.database}_again"
        place.ask(database_url=server.url(), state="restore", restore_database=target)
        with psycopg.connect(server.url(target), client_encoding="UTF8") as connection:
            found = connection.execute("SELECT a::bytea FROM texts ORDER BY 1 DESC").fetchall()
            encoding = connection.execute("SHOW server_encoding").fetchone()
        with psycopg.connect(place.url) as connection:
            assert connection.execute("SELECT a::bytea FROM texts ORDER BY 1 DESC").fetchall() == found
        assert encoding == (options.split("'")[1],)


def test_what_belongs_to_the_database_as_a_whole(place: Place) -> None:
    name = place.database
    place.execute(f'ALTER DATABASE {name} SET search_path TO items, "Odd ""Schema\' %"')
    place.execute(f"ALTER DATABASE {name} SET work_mem TO '5MB'")
    place.execute(f"ALTER DATABASE {name} SET my.secret TO 's3cr3t'")
    place.execute(f"COMMENT ON DATABASE {name} IS 'it''s ours'")
    place.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 50")
    place.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    asked = """
    SELECT datconnlimit, shobj_description(oid, 'pg_database'),
      ARRAY(SELECT a::text FROM unnest(datacl) a ORDER BY 1), pg_encoding_to_char(encoding), datcollate,
      (SELECT array_agg(c ORDER BY c) FROM pg_db_role_setting, unnest(setconfig) c WHERE setdatabase = d.oid
       AND c !~ 'secret')
    FROM pg_database d WHERE datname = %s
    """
    made = place.ask()["backup"]
    text = (place.backups / made["name"] / "manifest.json").read_text(encoding="utf-8")
    assert "s3cr3t" not in text
    target = f"{name}_again"
    place.ask(database_url=place.server.url(), state="restore", restore_database=target)
    assert place.execute(asked, target) == place.execute(asked, name)


def test_check_mode_changes_nothing(place: Place) -> None:
    assert place.ask(check_mode=True)["changed"] is True
    assert place.names() == []
    place.ask()
    before = place.names()
    given = {"database_url": place.server.url(), "state": "restore", "restore_database": f"{place.database}_x"}
    assert place.ask(check_mode=True, **given)["changed"] is True
    assert place.names() == before
    assert place.execute("SELECT FROM pg_database WHERE datname = %s", given["restore_database"]) == []


def test_what_a_killed_restore_left_goes_with_the_next_one(place: Place) -> None:
    place.ask()
    left, other = f"{place.database}_a_incomplete_00", f"{place.database}_b_incomplete_00"
    place.execute(f"CREATE DATABASE {left}")
    place.execute(f"COMMENT ON DATABASE {left} IS '{MARK}'")
    place.execute(f"CREATE DATABASE {other}")
    place.ask(database_url=place.server.url(), state="restore", restore_database=f"{place.database}_c")
    names = {row[0] for row in place.execute("SELECT datname FROM pg_database")}
    assert left not in names
    assert other in names
