"""Kinds of Alembic directories that were once judged wrongly: the right answer of the real module for each."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

Build = t.Callable[[Project], object]

TABLES = """
CREATE TABLE ledger (id int PRIMARY KEY, label varchar(40), amount int, state varchar(8));
INSERT INTO ledger SELECT n, 'label ' || n, n, 'open' FROM generate_series(1, 200000) n;
CREATE INDEX ledger_folded ON ledger (lower(label));
CREATE INDEX ledger_open ON ledger (id) WHERE state = 'open';
ANALYZE ledger;
"""


APART = TABLES.replace(
    "ANALYZE", "CREATE SCHEMA ops; CREATE TABLE ops.done AS SELECT varchar(32) '0001' AS version_num; ANALYZE"
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A directory and the answer.

    :param found: id and severity
    :param verdicts: those that are right
    """

    build: Build
    verdicts: set[str | None]
    found: dict[str, str] = dataclasses.field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    env: str = BOTH_MODES
    setup: str = TABLES
    revision: str | None = "0001"
    arguments: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    # A word of the error with which the real upgrade ends; empty where it succeeds; None where it is not run.
    upgrade: str | None = ""


def _second(*sql: str, body: str = "") -> Build:
    return lambda project: project.add("0002", "0001", *sql, body=body)


def _own_file(project: Project) -> None:
    project.add("0002", "0001", "ALTER TABLE ledger DROP COLUMN amount")


OWN_FILE = BOTH_MODES.replace("    with context", "    context.configure(dialect_name='postgresql', output_buffer="
    "open('own.sql', 'w'))\n    with context", 1)  # fmt: skip


def _pyproject(project: Project) -> None:
    project.add("0002", "0001", "ALTER TABLE ledger ADD COLUMN note text")
    (project.folder / "alembic.ini").write_text("[loggers]\nkeys = root\n")
    (project.folder / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')


def _file(name: str, text: str) -> t.Callable[[Project], object]:
    def write(project: Project) -> None:
        path = project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def _with(*builds: Build) -> Build:
    return lambda project: [build(project) for build in builds]


ADDED = _second("ALTER TABLE ledger ADD COLUMN note text")
PERCENT = BOTH_MODES.replace(
    "if context", 'context.config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])\n\nif context', 1
)
CAREFUL = PERCENT.replace('["DATABASE_URL"])\n', '["DATABASE_URL"].replace("%", "%%"))\n', 1)
PLAIN = BOTH_MODES.replace('.replace("postgresql://", "postgresql+psycopg://", 1)', "")
ONLINE = "        context.configure(connection=connection, transaction_per_migration=True)"
ELSEWHERE = BOTH_MODES.replace(ONLINE, ONLINE.replace("True", "True, version_table='done', version_table_schema='ops'"))
ONE_TRANSACTION = BOTH_MODES.replace(ONLINE, ONLINE.replace("True", "False"))
COMMITTED = "        connection.commit()\n"
SEARCH_PATH = BOTH_MODES.replace(
    ONLINE, f"        connection.exec_driver_sql('SET search_path TO attic')\n{COMMITTED}{ONLINE}"
)
LOCKED_FIRST = BOTH_MODES.replace(
    ONLINE, f"        connection.exec_driver_sql('SELECT pg_advisory_lock(42)')\n{ONLINE}"
)
SCHEMA_FIRST = BOTH_MODES.replace(
    ONLINE,
    "        connection.exec_driver_sql('CREATE SCHEMA IF NOT EXISTS x')\n        connection.commit()\n" + ONLINE,
)
WAITING = BOTH_MODES.replace("    url = ", "    raise ConnectionError('the vault does not answer')\n    url = ")
TENANTS = BOTH_MODES.replace(
    ONLINE,
    "        for tenant in ('a', 'b'):\n            context.configure(connection=connection)\n"
    "            with context.begin_transaction():\n                context.run_migrations()\n" + ONLINE,
)
ASYNC = """
import asyncio, os
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)

def work(connection):
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()

async def online():
    engine = create_async_engine(URL)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()

if context.is_offline_mode():
    context.configure(url=URL, dialect_opts={"paramstyle": "named"}, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online())
"""
ARGUMENTS = BOTH_MODES.replace(
    "if context",
    "import sys\ntenant = context.get_x_argument(as_dictionary=True).get('tenant')\n"
    "if tenant != 'a' or context.config.cmd_opts.tag is not None:\n    sys.exit(9)\n\nif context",
    1,
)
NEEDS = "    from support import wanted\n    if wanted(op):\n        op.execute('DROP TABLE ledger')"
OWN_FOLDER = "from alembic import context\nimport pathlib\n" + (
    "context.script.version_locations = [str(pathlib.Path(__file__).parent / 'history')]\n" + BOTH_MODES
)
DIALECT = (
    "    bind = op.get_bind()\n    if bind.dialect.name == 'postgresql':\n"
    "        op.execute('ALTER TABLE ledger ADD n int')"
)
LOOKED_FOR = (
    "    import sqlalchemy as sa\n    from sqlalchemy.dialects import postgresql\n    bind = op.get_bind()\n"
    "    sa.Enum('open', 'paid', name='state_of').create(bind, checkfirst=True)\n"
    "    sa.Table('kept', sa.MetaData(), sa.Column('id', sa.Integer)).create(bind, checkfirst=True)\n"
    "    sa.Enum(name='never_there').drop(bind, checkfirst=True)\n"
    "    op.add_column('ledger', sa.Column('paid', postgresql.ENUM(name='state_of', create_type=False)))"
)
ALONE = (
    "    with op.get_context().autocommit_block():\n"
    "        op.execute('SET lock_timeout = 0|CREATE INDEX CONCURRENTLY late ON ledger (amount)')"
)
BOUND = (
    "    import sqlalchemy as sa\n    table = sa.table('ledger', sa.column('id', sa.Integer),"
    " sa.column('label', sa.String))\n"
    "    op.execute(table.insert().values(id=0, label='it''s'))"
)


def _history(project: Project) -> None:
    (project.folder / "migrations" / "history").mkdir()
    for path in project.versions.iterdir():
        path.rename(project.folder / "migrations" / "history" / path.name)


def _sub_folder(project: Project) -> None:
    (project.folder / "conf").mkdir()
    (project.folder / "alembic.ini").rename(project.folder / "conf" / "alembic.ini")
    (project.folder / "conf" / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")


def _toml_alone(project: Project) -> None:
    (project.folder / "alembic.ini").unlink()
    (project.folder / "pyproject.toml").write_text("[tool.alembic]\nscript_location = 'migrations'\n")


SAFE: set[str | None] = {"safe", "warn"}
UNSURE: set[str | None] = {"unknown", "unsafe"}
KINDS = {
    "a column more is safe": Kind(ADDED, SAFE),
    "a buffer of its own": Kind(_own_file, {"unsafe"}, {"destructive": "fail"}, env=OWN_FILE),
    "no revision": Kind(lambda _project: None, UNSURE, {"revisions-none": "unknown"}, upgrade=None),
    "pyproject.toml beside an ini": Kind(_pyproject, SAFE),
    "pyproject.toml alone": Kind(_with(ADDED, _toml_alone), SAFE),
    "a configuration in a sub-folder": Kind(
        _with(ADDED, _sub_folder), SAFE, arguments={"alembic_ini": "conf/alembic.ini"}, upgrade=None
    ),
    "a folder that env.py names": Kind(
        _with(_second("ALTER TABLE ledger DROP COLUMN label"), _history),
        {"unsafe"},
        {"destructive": "fail"},
        env=OWN_FOLDER,
    ),
    "a package named alembic": Kind(_with(ADDED, _file("alembic/__init__.py", "")), SAFE, upgrade=None),
    "a package named logging": Kind(_with(ADDED, _file("logging/__init__.py", "")), SAFE, upgrade=None),
    "COMMIT by hand": Kind(
        _second("COMMIT", "CREATE INDEX CONCURRENTLY late ON ledger (amount)"),
        UNSURE,
        {"revision-not-static": "unknown"},
        upgrade="ActiveSqlTransaction",
    ),
    "two statements in one execute, of which one wants to be alone": Kind(
        _second(body=ALONE.replace("|", "; ")),
        UNSURE,
        {"revision-not-static": "unknown"},
        upgrade="ActiveSqlTransaction",
    ),
    "both of them alone": Kind(
        _second(body=ALONE.replace("|", "')\n        op.execute('")), SAFE, absent=frozenset({"revision-not-static"})
    ),
    "an early return": Kind(
        _second(
            body="    import os\n    if not os.environ.get('APP'):\n        return\n    op.execute('DROP TABLE ledger')"
        ),
        UNSURE,
        {"revision-not-static": "unknown"},
    ),
    "a setting decides": Kind(
        _with(
            _second(
                body="    from settings import DROP\n    op.execute('SELECT 1')\n"
                "    if DROP:\n        op.drop_table('ledger')"
            ),
            _file("settings.py", "import os\nDROP = bool(os.environ.get('DROP'))\n"),
        ),
        UNSURE,
        {"revision-not-static": "unknown"},
        upgrade=None,
    ),
    "a helper asks for the mode": Kind(
        _with(
            _second("SELECT 1", body=NEEDS),
            _file("support.py", "from alembic import context\ndef wanted(op): return not context.is_offline_mode()\n"),
        ),
        UNSURE,
        {"revision-not-static": "unknown"},
        upgrade=None,
    ),
    "a helper asks as_sql": Kind(
        _with(
            _second("SELECT 1", body=NEEDS), _file("support.py", "def wanted(op): return not op.get_context().as_sql\n")
        ),
        UNSURE,
        {"revision-not-static": "unknown"},
        upgrade=None,
    ),
    "a helper asks the environment": Kind(
        _with(
            _second("SELECT 1", body=NEEDS),
            _file("support.py", "import os\ndef wanted(op): return os.getenv('DROP')\n"),
        ),
        UNSURE,
        {"revision-not-static": "unknown"},
        upgrade=None,
    ),
    "get_bind for its dialect": Kind(_second(body=DIALECT), SAFE, absent=frozenset({"revision-not-static"})),
    "a type that is looked for first": Kind(
        _second(body=LOOKED_FOR),
        SAFE,
        absent=frozenset({"revision-not-static", "object-exists"}),
        setup=TABLES + "CREATE TYPE state_of AS ENUM ('open', 'paid'); CREATE TABLE kept (id int);",
    ),
    "a type that nobody looks for": Kind(
        _second(body=LOOKED_FOR.replace("True", "False")),
        {"unsafe"},
        {"object-exists": "fail"},
        setup=TABLES + "CREATE TYPE state_of AS ENUM ('open', 'paid');",
        upgrade="already exists",
    ),
    "get_bind for more": Kind(
        _second(
            body=DIALECT.replace("bind.dialect.name", "bind.exec_driver_sql('SELECT 1').scalar() or bind.dialect.name")
        ),
        UNSURE,
        {"revision-not-rendered": "unknown"},
    ),
    "a bound parameter": Kind(_second(body=BOUND), SAFE, absent=frozenset({"statement-unparsed"})),
    "a percent sign in the URL": Kind(ADDED, {None}, {"alembic-env-failed": "fail"}, env=PERCENT, upgrade=None),
    "a percent sign that is doubled": Kind(ADDED, SAFE, env=CAREFUL),
    "a version table for online alone": Kind(
        ADDED,
        SAFE,
        {"env-branches-differ": "warn"},
        absent=frozenset({"state-unknown"}),
        env=ELSEWHERE,
        setup=APART,
        revision=None,
    ),
    "one transaction online": Kind(
        _with(
            _second("ALTER TABLE ledger ADD COLUMN note text"),
            lambda p: p.add("0003", "0002", "UPDATE ledger SET note = 'x'"),
        ),
        {"warn", "unsafe"},
        {"env-branches-differ": "warn", "lock-kept": "fail"},
        env=ONE_TRANSACTION,
    ),
    "SQL of env.py online": Kind(ADDED, UNSURE, {"env-online-statements": "unknown"}, env=SEARCH_PATH, upgrade=None),
    "SQL of env.py online that nobody commits": Kind(
        ADDED,
        {"unsafe"},
        {"env-online-statements": "fail"},
        env=SEARCH_PATH.replace(COMMITTED, ""),
        # Without its commit the schema that the search path leads to is not there either.
        upgrade="no schema has been selected",
    ),
    # The upgrade ends with exit code 0, and nothing of it is there.
    "a lock of env.py online that nobody commits": Kind(
        ADDED, {"unsafe"}, {"env-online-statements": "fail"}, env=LOCKED_FIRST, upgrade=""
    ),
    "a schema made beforehand": Kind(ADDED, SAFE, env=SCHEMA_FIRST),
    "online it waits": Kind(ADDED, UNSURE, {"env-online-unseen": "unknown"}, env=WAITING, upgrade="ConnectionError"),
    "several schemas online": Kind(ADDED, {None}, {"alembic-several-databases": "fail"}, env=TENANTS, upgrade=None),
    "asyncpg": Kind(ADDED, {"warn"}, {"lock-timeout-missing": "warn"}, env=ASYNC, upgrade=None),
    "-x and the command line": Kind(ADDED, SAFE, env=ARGUMENTS, arguments={"alembic_x": ["tenant=a"]}, upgrade=None),
    "postgres://": Kind(
        ADDED, {None}, {"alembic-env-failed": "fail"}, env=PLAIN, arguments={"scheme": "postgres"}, upgrade=None
    ),
    "postgres:// that env.py corrects": Kind(
        ADDED,
        SAFE,
        env=BOTH_MODES.replace('"postgresql://"', '"postgres://"'),
        arguments={"scheme": "postgres"},
        upgrade=None,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_answer(name: str, database: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    project = Project(tmp_path / "app", kind.env)
    if name != "no revision":
        project.add("0001", None)
    kind.build(project)
    prepare(database, kind.setup, revision=kind.revision)
    arguments = dict(kind.arguments)
    if scheme := arguments.pop("scheme", None):
        arguments["database_url"] = database.replace("postgresql://", f"{scheme}://", 1)
    answer = ask(project.folder, database, **arguments)
    assert answer.verdict in kind.verdicts, answer.findings or answer.message
    assert kind.found.items() <= answer.serious.items(), answer.findings
    assert not kind.absent & answer.ids
    if kind.upgrade is not None:
        ended = migrate(project.folder, database)
        assert (kind.upgrade in ended) if kind.upgrade else not ended, ended
