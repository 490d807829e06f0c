"""The real upgrade on a copy of the schema: what becomes known, what stays unknown; nothing else is reached."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import typing as t
from pathlib import Path

import psycopg
import pytest

from dev.postgresql import running
from tests.integration.preflight.asking import BOTH_MODES, OF_THE_SERVER, ask, migrate
from tests.integration.preflight.conftest import CHOSEN, Servers
from tests.unit.plugins.module_utils._in_pod.project import Project

SCHEMA = """
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('r0');
CREATE TABLE items (id bigint PRIMARY KEY, label varchar(20), amount int);
CREATE TABLE notes (id bigint PRIMARY KEY, item bigint REFERENCES items);
INSERT INTO items SELECT n, 'c4n4ry', n FROM generate_series(1, 500) n;
"""
ROLE = "migrator"


class Place(t.NamedTuple):
    """A live database with its URL for the role that migrates, and PostgreSQL's programs of its version."""

    url: str
    programs: Path


@pytest.fixture(params=CHOSEN, ids=str, scope="module")
def place(request: pytest.FixtureRequest, servers: Servers) -> t.Iterator[Place]:
    server = servers(request.param).server
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'p4ss'")
        admin.execute(f"CREATE DATABASE traced OWNER {ROLE}")
        with psycopg.connect(server.url("traced", ROLE, "p4ss"), autocommit=True) as connection:
            connection.execute(SCHEMA)
        yield Place(server.url("traced", ROLE, "p4ss"), server.folder / "programs" / "bin")
        admin.execute("DROP DATABASE traced WITH (FORCE)")
        admin.execute(f"DROP ROLE {ROLE}")


def project(folder: Path, *bodies: str, env: str = BOTH_MODES) -> Path:
    """An Alembic directory whose revisions r1, r2, … have these bodies."""
    made, before = Project(folder, env), "r0"
    made.add("r0", None)
    for number, body in enumerate(bodies, 1):
        text = "    import sqlalchemy as sa\n" + textwrap.indent(textwrap.dedent(body), "    ")
        made.add(f"r{number}", before, body=text)
        before = f"r{number}"
    return folder


def traced(folder: Path, place: Place, **more: t.Any) -> t.Any:
    return ask(
        folder, place.url, trace=True, trace_postgresql=str(place.programs), migrator_sets_lock_timeout=True, **more
    )


LOOKS = """
if "extra" not in [column["name"] for column in sa.inspect(op.get_bind()).get_columns("items")]:
    {}
"""


@dataclasses.dataclass(frozen=True)
class Situation:
    """Revisions, and what is said of them.

    :param serious: severity by id of what keeps the verdict from safe, that of backups aside
    :param shown: a piece of the SQL in the report
    """

    bodies: tuple[str, ...]
    serious: dict[str, str]
    shown: str = ""


SITUATIONS: dict[str, Situation] = {
    "inspects, then adds": Situation(
        (LOOKS.format('op.execute("ALTER TABLE items ADD extra int")'),), {}, "ADD extra int"
    ),
    "inspects, then drops": Situation(
        (LOOKS.format('op.execute("DROP TABLE notes")'),), {"destructive": "fail"}, "DROP TABLE notes"
    ),
    "inspects, then widens": Situation(
        (LOOKS.format('op.alter_column("items", "amount", type_=sa.BigInteger())'),), {"type-change": "warn"}, "BIGINT"
    ),
    # pglast's printer cannot write it.
    "an enumeration without a value": Situation(('op.execute("CREATE TYPE mood AS ENUM ()")',), {}, "ENUM ()"),
    "a scalar of the catalogue": Situation(
        (
            """
            found = op.get_bind().execute(sa.text("SELECT to_regclass('nothing')")).scalar()
            if found is None:
                op.create_table("nothing", sa.Column("id", sa.BigInteger(), primary_key=True))
            """,
        ),
        {},
        "CREATE TABLE nothing",
    ),
    "parameters": Situation(
        ('op.get_bind().execute(sa.text("DELETE FROM notes WHERE id = :n"), {"n": 7})',), {}, "id = "
    ),
    "the version is asked": Situation(
        ('if op.get_bind().dialect.server_version_info >= (12,): op.execute("ALTER TABLE notes ADD extra int")',),
        {},
        "ADD extra",
    ),
    "rows are read": Situation(
        (
            """
            for row in op.get_bind().execute(sa.text("SELECT id FROM items")).fetchall():
                op.execute(f"DELETE FROM items WHERE id = {row.id}")
            """,
        ),
        {"revision-not-static": "unknown"},
    ),
    "a table without rows is read": Situation(
        (
            """
            if not op.get_bind().execute(sa.text("SELECT id FROM notes")).fetchall():
                op.execute("ALTER TABLE notes ADD extra int")
            """,
        ),
        {},
        "ADD extra",
    ),
    "rows of its own are read": Situation(
        (
            """
            op.create_table("kinds", sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False))
            op.execute("INSERT INTO kinds VALUES (7)")
            """,
            """
            for row in op.get_bind().execute(sa.text("SELECT id FROM kinds")).fetchall():
                op.execute(f"ALTER TABLE notes ADD extra_{row.id} int")
            """,
        ),
        {},
        "ADD extra_7",
    ),
    "rows are returned": Situation(
        (
            """
            if op.get_bind().execute(sa.text("UPDATE items SET amount = 1 RETURNING id")).first():
                op.execute("DROP TABLE items")
            """,
        ),
        {"revision-not-static": "unknown"},
    ),
    "a function of the user's": Situation(
        (
            """
            op.execute("CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM notes RETURNING 1'")
            op.get_bind().execute(sa.text("SELECT wipe()")).scalar()
            """,
        ),
        {"statement-opaque": "unknown"},
    ),
    "the server refuses what nobody could render": Situation(
        (LOOKS.format('op.execute("ALTER TABLE items ADD label text")'),),
        {"trace-refused": "fail", "revision-not-rendered": "unknown"},
    ),
    "the role may not": Situation(
        (LOOKS.format('op.execute("CREATE ROLE another")'),),
        {"trace-refused": "fail", "revision-not-rendered": "unknown"},
    ),
    "it fails for want of rows": Situation(
        ('op.get_bind().execute(sa.text("SELECT amount FROM items")).one()',),
        {"trace-failed": "unknown", "revision-not-rendered": "unknown"},
    ),
    "a row that only the copy lacks": Situation(
        (LOOKS.format('op.execute("INSERT INTO notes VALUES (1, 1)")'),),
        {"trace-refused": "unknown", "revision-not-rendered": "unknown"},
    ),
    "online it is another": Situation(
        (
            """
            if not op.get_context().config.cmd_opts.sql:
                op.execute("DROP TABLE notes")
            else:
                op.execute("SELECT 1")
            """,
        ),
        {"trace-differs": "unknown"},
    ),
    "a block outside the transaction": Situation(
        (
            """
            sa.inspect(op.get_bind()).get_columns("items")
            with op.get_context().autocommit_block():
                op.execute("CREATE INDEX CONCURRENTLY on_label ON items (label)")
            op.execute("ALTER TABLE notes ADD extra int")
            """,
        ),
        {"concurrently-lock-timeout": "warn", "revision-half-committed": "warn"},
        "CONCURRENTLY",
    ),
    "one that cannot be rendered between two": Situation(
        (
            'op.execute("ALTER TABLE items ADD one int")',
            LOOKS.format('op.execute("ALTER TABLE items ADD extra int")'),
            'op.execute("ALTER TABLE items RENAME COLUMN one TO two")',
        ),
        {"rename": "fail"},
        "RENAME",
    ),
    "what is known already": Situation(('op.execute("CREATE INDEX on_amount ON items (amount)")',), {}, "CREATE INDEX"),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_becomes_known(name: str, place: Place, tmp_path: Path) -> None:
    situation = SITUATIONS[name]
    folder = project(tmp_path / "project", *situation.bodies)
    verdict = traced(folder, place)
    serious = {key: value for key, value in verdict.serious.items() if key not in OF_THE_SERVER}
    assert serious == situation.serious, [item for item in verdict.findings if item["id"] in serious]
    sql = [item["sql"] for each in verdict.result["pending"] for item in each["statements"]]
    assert situation.shown in " ".join(sql)
    assert "c4n4ry" not in str(verdict.result)
    assert "p4ss" not in str(verdict.result)


def test_what_it_refuses_the_real_upgrade_refuses(place: Place, tmp_path: Path) -> None:
    for name, situation in SITUATIONS.items():
        if situation.serious.get("trace-refused") == "fail":
            folder = project(tmp_path / name, *situation.bodies)
            (said,) = [item["message"] for item in traced(folder, place).findings if item["id"] == "trace-refused"]
            assert said.partition("refuses it: ")[2].partition(" (")[0] in migrate(folder, place.url)


CREATOR = "creator=lambda: __import__('psycopg').connect({url!r}),"
PLAIN = "create_engine('postgresql+psycopg://', "
ELSEWHERE = {
    "a URL of its own": BOTH_MODES.replace('os.environ["DATABASE_URL"]', "{url!r}"),
    "parameters of its own": BOTH_MODES.replace("create_engine(url,", PLAIN + "connect_args={given!r},"),
    "a creator": BOTH_MODES.replace(
        "create_engine(url,", PLAIN + "creator=lambda: __import__('psycopg').connect({url!r}),"
    ),
}


@pytest.mark.parametrize("how", ELSEWHERE)
def test_env_py_that_names_a_database_of_its_own_is_led_to_the_copy(how: str, tmp_path: Path) -> None:
    with running(CHOSEN[-1], log_connections="on") as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(SCHEMA)
        place = Place(server.url(), server.folder / "programs" / "bin")
        given = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": "postgres",
            "password": server.password,
            "dbname": "postgres",
        }
        env = ELSEWHERE[how].replace("{url!r}", repr(server.url())).replace("{given!r}", repr(given))
        body = f"""
        import psycopg
        if not context.is_offline_mode():
            psycopg.connect({server.url()!r}, autocommit=True).execute("DROP TABLE notes")
        op.get_bind().execute(sa.text("DROP TABLE IF EXISTS items CASCADE")).close()
        """
        folder = project(tmp_path / "project", body, env=env)
        verdict = traced(folder, place)
        assert verdict.result["trace"]["revisions"], verdict.findings
        with psycopg.connect(server.url()) as connection:
            found = connection.execute("SELECT count(*) FROM items").fetchone()
            connection.execute("SELECT FROM notes")
        assert found == (500,)


def test_without_programs_the_rules_alone_judge(place: Place, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", *SITUATIONS["inspects, then adds"].bodies)
    verdict = ask(folder, place.url, trace=True, trace_postgresql="/nonexistent")
    assert verdict.serious["revision-not-rendered"] == "unknown"
    assert "is needed on this machine: there is none in /nonexistent" in verdict.said("trace-skipped")


def test_an_extension_that_is_not_here(tmp_path: Path) -> None:
    with running(CHOSEN[-1]) as server, psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(SCHEMA + "CREATE EXTENSION pg_trgm;")
        own = tmp_path / "programs"
        subprocess.run(["cp", "-a", server.folder / "programs", own], check=True)
        for path in own.rglob("pg_trgm.control"):
            path.unlink()
        tmp_path.chmod(0o755)
        closed = [folder for folder in own.parents if folder != Path("/") and not folder.stat().st_mode & 0o001]
        for each in closed:
            each.chmod(each.stat().st_mode | 0o011)
        folder = project(tmp_path / "project", *SITUATIONS["inspects, then adds"].bodies)
        verdict = traced(folder, Place(server.url(), own / "bin"))
        said = verdict.said("trace-skipped")
        # PostgreSQL 14 says it in the second way.
        assert 'extension "pg_trgm" is not available' in said or "could not open extension control file" in said


HOLDING = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import module

params = {name: each.get("default") for name, each in module.ARGUMENTS.items()} | json.loads(sys.argv[2])
module.execute(params)
"""


@pytest.mark.parametrize("after", [0.4, 0.9, 1.4, 1.9, 2.4])
def test_killed_it_leaves_nothing(after: float, place: Place, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", LOOKS.format("import time; time.sleep(60)"))
    given = {
        "alembic_dir": str(folder),
        "database_url": place.url,
        "trace": True,
        "trace_postgresql": str(place.programs),
    }
    given |= {"thresholds": None, "fail_on": "never"}
    root = Path(__file__).resolve().parents[3] / "collections"

    with tempfile.TemporaryDirectory() as temporary:
        # The server's user has to come in.
        Path(temporary).chmod(0o755)
        environment = os.environ | {"TMPDIR": temporary}
        process = subprocess.Popen([sys.executable, "-c", HOLDING, root, json.dumps(given)], env=environment)
        time.sleep(after)
        assert process.poll() is None
        _kill(process, Path(temporary), folder)


def test_killed_while_the_copy_waits_it_leaves_no_password(tmp_path: Path) -> None:
    with running(CHOSEN[-1]) as server, psycopg.connect(server.url()) as holder:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(SCHEMA)
        holder.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE")
        folder = project(tmp_path / "project", LOOKS.format("pass"))
        with tempfile.TemporaryDirectory() as temporary:
            Path(temporary).chmod(0o755)
            given = {"alembic_dir": str(folder), "database_url": server.url(), "trace": True, "lock_timeout_ms": 500}
            given |= {"trace_postgresql": str(server.folder / "programs/bin"), "thresholds": None, "fail_on": "never"}
            words = [sys.executable, "-c", HOLDING, str(Path(__file__).resolve().parents[3] / "collections")]
            process = subprocess.Popen([*words, json.dumps(given)], env=os.environ | {"TMPDIR": temporary})
            deadline = time.monotonic() + 20
            while not [*Path(temporary).rglob("service")]:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            _kill(process, Path(temporary), folder)


def _kill(process: subprocess.Popen[bytes], temporary: Path, folder: Path) -> None:
    """Kill it, and wait until nothing is left."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while left := [*temporary.iterdir(), *_programs(temporary, folder)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _programs(temporary: Path, folder: Path) -> list[str]:
    """Processes of this trace: in the project's folder, or of a throw-away server."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode(errors="replace")
            where = (place / "cwd").readlink()
        except OSError:
            continue
        if str(temporary) in words or where == folder:
            found.append(words[:80])
    return found
