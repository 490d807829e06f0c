"""Databases and revisions that an outsider brought: none is called known that is not, none refused that is not."""

# ruff: noqa: S608 - revisions of our own

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t
from pathlib import Path

import psycopg
import pytest

from dev.postgresql import running
from tests.integration.preflight.asking import OF_THE_SERVER, ask
from tests.integration.preflight.conftest import CHOSEN
from tests.integration.preflight.test_trace import SCHEMA, project

ROLE, PASSWORD = "migrator", "p4ss"
OWNED = "".join(f"ALTER TABLE {name} OWNER TO {ROLE};" for name in ("alembic_version", "items", "notes"))
ELSEWHERE = f"CREATE SCHEMA own AUTHORIZATION {ROLE};" + "".join(
    f"ALTER TABLE {name} SET SCHEMA own;" for name in ("alembic_version", "items", "notes")
)
ADDS = 'op.get_bind().execute(sa.text("SELECT 1")).scalar()\nop.execute("ALTER TABLE items ADD extra int")'
DROPS = 'if op.get_bind().execute(sa.text("{}")).scalar():\n    op.execute("DROP TABLE notes")'
NOT_KNOWN = {"revision-not-static": "unknown"}
SKIPPED = {"revision-not-rendered": "unknown"}


@dataclasses.dataclass(frozen=True)
class Brought:
    """What somebody has.

    :param setup: SQL of the superuser in the database, whose tables the role owns already
    :param serious: severity by id of what keeps the verdict from safe
    :param settings: of the server
    :param create: words of CREATE DATABASE
    """

    body: str
    setup: str = ""
    serious: dict[str, str] = dataclasses.field(default_factory=dict)
    settings: dict[str, str] = dataclasses.field(default_factory=dict)
    create: str = ""
    options: str = ""


BROUGHT: dict[str, Brought] = {
    "search_path of the role": Brought(ADDS, ELSEWHERE + f"ALTER ROLE {ROLE} SET search_path = own"),
    "search_path of the role here": Brought(
        ADDS, ELSEWHERE + f"ALTER ROLE {ROLE} IN DATABASE app SET search_path = own"
    ),
    "search_path of the database": Brought(ADDS, ELSEWHERE + "ALTER DATABASE app SET search_path = own, public"),
    "search_path of the server": Brought(ADDS, ELSEWHERE, settings={"search_path": "own, public"}),
    "search_path of the URL": Brought(ADDS, ELSEWHERE, options="?options=-csearch_path%3Down"),
    "time zone of the server": Brought(
        'assert op.get_bind().execute(sa.text("SHOW timezone")).scalar() == "Europe/Berlin"\n' + ADDS,
        serious=NOT_KNOWN,
        settings={"timezone": "Europe/Berlin"},
    ),
    "serializable": Brought(ADDS, f"ALTER ROLE {ROLE} SET default_transaction_isolation = 'serializable'"),
    "a database that only reads by default": Brought(
        ADDS, "ALTER DATABASE app SET default_transaction_read_only = on",
        serious=SKIPPED | {"database-read-only": "fail", "trace-refused": "fail"},
    ),
    "logging that the role set": Brought(
        ADDS, f"ALTER ROLE {ROLE} SET log_statement = 'none'; ALTER DATABASE app SET log_min_messages = 'panic'"
    ),
    "logging that the revision sets": Brought(
        "op.get_bind().execute(sa.text('SELECT 1')).scalar()\nop.execute(\"SET log_statement = 'none'\")\n"
        'op.execute("DROP TABLE notes")',
        f"ALTER ROLE {ROLE} SUPERUSER", serious=SKIPPED,
    ),
    "LATIN1": Brought(
        ADDS,
        'CREATE TABLE "stra\u00dfe" ("gr\u00f6\u00dfe" int DEFAULT 1); COMMENT ON TABLE items IS \'\u00e9\';'
        f'ALTER TABLE "stra\u00dfe" OWNER TO {ROLE}',
        create="ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'",
    ),
    "a filled materialized view": Brought(
        ADDS + '\nop.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY seen")'
        '\nop.execute("CREATE TABLE had AS SELECT * FROM seen")',
        "CREATE MATERIALIZED VIEW base AS SELECT id FROM items; CREATE MATERIALIZED VIEW seen AS SELECT id FROM base;"
        f"CREATE UNIQUE INDEX ON seen (id); ALTER MATERIALIZED VIEW base OWNER TO {ROLE};"
        f"ALTER MATERIALIZED VIEW seen OWNER TO {ROLE}",
    ),
    "a refusal that the revision catches": Brought(
        "try:\n    with op.get_bind().begin_nested():\n"
        '        op.get_bind().execute(sa.text("ALTER TABLE nothing ADD c int"))\n'
        "except sa.exc.ProgrammingError:\n    pass\n" + ADDS
    ),
    "estimated rows": Brought(
        DROPS.format("SELECT reltuples > 0 FROM pg_class WHERE relname = 'items'"), "ANALYZE", NOT_KNOWN
    ),
    "a size": Brought(DROPS.format("SELECT pg_total_relation_size('items') > 20000"), serious=NOT_KNOWN),
    "statistics": Brought(
        DROPS.format("SELECT count(*) FROM pg_stat_user_tables WHERE n_live_tup > 100"), serious=NOT_KNOWN
    ),
    "a setting": Brought(DROPS.format("SHOW max_connections"), serious=NOT_KNOWN | {"destructive": "fail"}),
    "large objects": Brought(
        DROPS.format("SELECT count(*) FROM pg_largeobject_metadata"), "SELECT lo_create(77)", NOT_KNOWN
    ),
    "rows by a function": Brought(
        DROPS.format("SELECT length(query_to_xml('SELECT id FROM items', true, true, '')::text) > 200"),
        serious=NOT_KNOWN | {"statement-opaque": "unknown"},
    ),
    "a sequence": Brought(
        DROPS.format("SELECT last_value > 1 FROM s"), f"CREATE SEQUENCE s; ALTER SEQUENCE s OWNER TO {ROLE}", NOT_KNOWN
    ),
    "COPY of the driver": Brought(
        'with op.get_bind().connection.cursor() as cursor, cursor.copy("COPY notes FROM STDIN") as rows:\n'
        "    rows.write_row((9, None))\n" + ADDS,
        serious=NOT_KNOWN,
    ),
    "a parameter's mark in a text": Brought(
        "op.get_bind().execute(sa.text(\"DELETE FROM items WHERE label = '$1' AND id = :n\"), {'n': 7})\n" + ADDS
    ),
    "a DO block": Brought(
        ADDS + '\nop.execute("DO $$ BEGIN IF now() > now() THEN ALTER TABLE notes ADD extra int; END IF; END $$")',
        serious={"statement-opaque": "unknown"},
    ),
    "a DO block that says all that it runs": Brought(
        ADDS + '\nop.execute("DO $$ BEGIN ALTER TABLE notes ADD extra int; END $$")'
    ),
    "a kind without a rule": Brought(
        ADDS + '\nop.execute("ALTER PUBLICATION p ADD TABLE notes")',
        f"CREATE PUBLICATION p; ALTER PUBLICATION p OWNER TO {ROLE}", {"statement-unruled": "unknown"},
    ),
    "a subscription": Brought(
        ADDS + '\nop.execute("ALTER SUBSCRIPTION s DISABLE")',
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 password=SUBPASS' PUBLICATION p WITH (connect = false);"
        f"ALTER ROLE {ROLE} SUPERUSER; ALTER SUBSCRIPTION s OWNER TO {ROLE}",
        SKIPPED | {"trace-refused": "unknown"},
    ),
    "a message that looks like a statement": Brought(
        ADDS + "\nop.get_bind().execute(sa.text(\"SELECT noted()\")).close()",
        "CREATE FUNCTION noted() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'statement: DROP TABLE items';"
        " RAISE LOG 'ai_agent_trace locks [[\"public\", \"notes\", \"AccessExclusiveLock\"]]'; END $$",
        {"statement-opaque": "unknown"},
    ),
    "a sequence that has come far": Brought(
        ADDS + '\nop.execute("ALTER SEQUENCE s MAXVALUE 100")',
        f"CREATE SEQUENCE s; SELECT setval('s', 501); ALTER SEQUENCE s OWNER TO {ROLE}",
        SKIPPED | {"trace-refused": "unknown"},
    ),
    "a foreign server with a login": Brought(
        ADDS + '\nop.execute("INSERT INTO abroad VALUES (99)")',
        "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');"
        f"CREATE USER MAPPING FOR {ROLE} SERVER far OPTIONS (user 'postgres', password 'SUBPASS');"
        f"CREATE FOREIGN TABLE abroad (id bigint) SERVER far; ALTER FOREIGN TABLE abroad OWNER TO {ROLE};"
        f"GRANT USAGE ON FOREIGN SERVER far TO {ROLE}",
        SKIPPED | {"trace-refused": "unknown"},
    ),
    "an event trigger that writes": Brought(
        ADDS,
        "CREATE TABLE audit (x text); GRANT ALL ON audit TO PUBLIC; CREATE FUNCTION noted() RETURNS event_trigger"
        " LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (tg_tag); END $$;"
        "CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted()",
        {"data-unknown": "unknown"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROUGHT)
def test_what_an_outsider_brought(name: str, tmp_path: Path) -> None:
    brought = BROUGHT[name]
    settings: dict[str, t.Any] = dict(brought.settings)
    with running(CHOSEN[-1], **settings) as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
            admin.execute(f"CREATE DATABASE app OWNER {ROLE} {brought.create}")
        with psycopg.connect(server.url("app") + "?options=-csearch_path%3Dpublic", autocommit=True) as connection:
            connection.execute(SCHEMA + OWNED)
            for statement in filter(None, brought.setup.split(";\n" if "$$" in brought.setup else ";")):
                connection.execute(statement)
        url = server.url("app", ROLE, PASSWORD) + brought.options
        folder = project(tmp_path / "project", brought.body)
        verdict = ask(
            folder, url, trace=True, trace_postgresql=str(server.folder / "programs/bin"),
            migrator_sets_lock_timeout=True,
        )  # fmt: skip
    serious = {key: value for key, value in verdict.serious.items() if key not in OF_THE_SERVER}
    assert serious == brought.serious, [item for item in verdict.findings if item["id"] in serious]
    assert "SUBPASS" not in str(verdict.result)
    assert PASSWORD not in str(verdict.result)


def test_a_lock_in_the_way_of_the_copy_is_waited_for_no_longer_than_told(tmp_path: Path) -> None:
    with running(CHOSEN[-1]) as server, psycopg.connect(server.url()) as holder:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(SCHEMA + "CREATE TABLE unrelated (id int)")
        holder.execute("LOCK TABLE unrelated IN ACCESS EXCLUSIVE MODE")
        folder = project(tmp_path / "project", ADDS)
        programs = str(server.folder / "programs/bin")
        verdict = ask(folder, server.url(), trace=True, trace_postgresql=programs, lock_timeout_ms=200)
    assert "timeout" in verdict.said("trace-skipped")


def test_what_a_revision_leaves_running_ends_with_the_trace(tmp_path: Path) -> None:
    with running(CHOSEN[-1]) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(SCHEMA)
        left = "import subprocess; subprocess.Popen(['sleep', '61.25'], start_new_session=True)\n"
        folder = project(tmp_path / "project", ADDS + "\n" + left)
        verdict = ask(folder, server.url(), trace=True, trace_postgresql=str(server.folder / "programs/bin"))
    assert verdict.result["trace"]["revisions"], verdict.findings
    deadline = time.monotonic() + 10
    while _running("sleep 61.25"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _running(words: str) -> list[str]:
    """Processes with these words on their command line; a bare machine has no pgrep."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if words in (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(place.name)
    return found
