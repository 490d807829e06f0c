"""What would run online is what was judged, or it is said to be unknown: env.py and revisions that hide SQL."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import alembic_online
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.executed_text import ends_transaction
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import revisions
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess, Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.env_findings import env_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revision_findings import position_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered

from tests.unit.plugins.module_utils._in_pod.project import ENV, Project


def asked(folder: Path, ini: str = "alembic.ini") -> tuple[Graph, Rendered]:
    with AlembicProcess(folder / ini, "heads", 60) as alembic:
        graph = alembic.graph()
        return graph, alembic.render([])


OWN_BUFFERS = {
    "a file": 'with open("main.sql", "w") as own:',
    "a file by pathlib": 'from pathlib import Path\nwith (Path(__file__).parent / "main.sql").open("w") as own:',
    "memory": "import io\nwith io.StringIO() as own:",
}


@pytest.mark.parametrize("kind", OWN_BUFFERS)
def test_sql_that_env_py_writes_elsewhere_is_judged_and_no_file_is_made(tmp_path: Path, kind: str) -> None:
    env = f"""
from alembic import context
{OWN_BUFFERS[kind]}
    context.configure(dialect_name="postgresql", literal_binds=True, output_buffer=own)
    with context.begin_transaction():
        context.run_migrations()
"""
    project = Project(tmp_path / "app", env).add("0001", None, "DROP TABLE t")
    before = sorted(project.folder.rglob("*"))
    assert "DROP TABLE t" in asked(project.folder)[1].sql
    assert sorted(project.folder.rglob("*")) == before


def test_several_databases_are_no_verdict(tmp_path: Path) -> None:
    env = """
from alembic import context
for name in ("main", "other"):
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations(engine_name=name)
"""
    project = Project(tmp_path / "app", env).add("0001", None, "SELECT 1")
    with pytest.raises(FindingError, match="2 times") as caught:
        asked(project.folder)
    assert caught.value.id == "alembic-several-databases"


NOT_KNOWN = {
    "it returns early": "    if not SETTING:\n        return\n    op.execute('DROP TABLE t')",
    "it asks the environment": "    import os\n    if os.environ.get('X'): pass\n    op.execute('SELECT 1')",
    "it asks in another way": "    from os import getenv\n    op.execute(f'SELECT {len(getenv(str()) or str())}')",
    "a generator that nobody runs": "    (op.execute('DROP TABLE t') for _ in ())",
    "COMMIT": "    op.execute('COMMIT')\n    op.execute('CREATE INDEX CONCURRENTLY i ON t (id)')",
    "rollback, in a longer text": "    op.execute('SELECT 1; rollback work; SELECT 2')",
    "COMMIT as a construct": "    import sqlalchemy as sa\n    op.execute(sa.text(' COMMIT ;'))",
    "COMMIT by the context": "    op.get_context().execute('COMMIT')",
}
KNOWN = {
    "it passes": "    pass",
    "a docstring": "    'Nothing to do.'",
    "an early return of nothing": "    return",
    "autocommit_block": "    with op.get_context().autocommit_block(): op.execute('VACUUM t')",
    "COMMIT in a procedure": "    op.execute('CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN x; COMMIT; END $$')",
    "COMMIT in quotes and comments": "    op.execute(\"INSERT INTO t VALUES ('; COMMIT;') -- ; COMMIT\")",
    "a name that begins so": "    op.execute('COMMENT ON TABLE t IS NULL'); op.execute('SELECT 1; SELECT commit_id')",
    "a prepared transaction": "    op.execute(\"SELECT 1; COMMIT PREPARED 'x'\")",
}


@pytest.mark.parametrize("kind", NOT_KNOWN)
def test_a_revision_whose_sql_is_not_all(tmp_path: Path, kind: str) -> None:
    project = Project(tmp_path / "app").add("0001", None, body=NOT_KNOWN[kind], SETTING=False)
    [segment] = asked(project.folder)[1].segments
    assert segment.inspects is not None


@pytest.mark.parametrize("kind", KNOWN)
def test_a_revision_whose_sql_is_all(tmp_path: Path, kind: str) -> None:
    project = Project(tmp_path / "app").add("0001", None, body=KNOWN[kind])
    [segment] = asked(project.folder)[1].segments
    assert (segment.inspects, segment.error) == (None, None)


@pytest.mark.parametrize(("text", "word"), [("COMMIT AND CHAIN", "COMMIT"), ("abort;", "ABORT"), ("SAVEPOINT s", None)])
def test_the_end_of_a_transaction(text: str, word: str | None) -> None:
    assert ends_transaction(text) == word


@pytest.mark.parametrize("rows", [None, (), ("0001",)])
def test_no_revision_is_never_safe(tmp_path: Path, rows: tuple[str, ...] | None) -> None:
    graph, _rendered = asked(Project(tmp_path / "app").folder)
    position = revisions.position(graph, revisions.Live(rows, has_tables=bool(rows)))
    found = {item.id: item.severity for item in position_findings(graph, rows, position)}
    assert found["revisions-none"] == "unknown"


def test_revisions_of_a_folder_that_only_env_py_knows_are_not_safe(tmp_path: Path) -> None:
    env = "from alembic import context\ncontext.script.version_locations = ['/elsewhere']\n" + ENV
    graph, _rendered = asked(Project(tmp_path / "app", env).folder)
    found = position_findings(graph, None, revisions.position(graph, revisions.Live(None, has_tables=False)))
    assert [item.id for item in found] == ["revisions-none"]


@pytest.mark.parametrize("setting", ['"%(here)s/migrations"', '"migrations"'])
def test_a_script_folder_that_pyproject_names(tmp_path: Path, setting: str) -> None:
    """What `alembic init -t pyproject` makes, with an alembic.ini for logging only."""
    project = Project(tmp_path / "app").add("0001", None, "SELECT 1")
    (project.folder / "alembic.ini").write_text("[loggers]\nkeys = root\n")
    (project.folder / "pyproject.toml").write_text(f"[tool.alembic]\nscript_location = {setting}\n")
    assert "SELECT 1" in asked(project.folder)[1].sql


def test_what_env_py_imports_is_imported_where_nothing_interrupts_it(tmp_path: Path) -> None:
    env = ENV.replace("context.configure(", "loaded = context.is_offline_mode() or sys.loaded\nsys.loaded = loaded\n"
                      "context.configure(").replace("from alembic", "import sys\nfrom alembic")  # fmt: skip
    graph = asked(Project(tmp_path / "app", env).add("0001", None, "SELECT 1").folder)[0]
    assert graph.online
    assert graph.online.problem is None


@pytest.mark.parametrize("busy", [True, False])
def test_who_computes_gets_more_time_than_who_waits(monkeypatch: pytest.MonkeyPatch, busy: bool) -> None:
    clock = itertools.count() if busy else itertools.repeat(0)
    monkeypatch.setattr(alembic_online, "SECONDS", 0.05)
    monkeypatch.setattr(alembic_online, "ROUNDS", 10_000)
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    with contextlib.ExitStack() as stack:
        if not busy:
            stack.enter_context(pytest.raises(alembic_online.TimeIsUp))
        stack.enter_context(alembic_online._limited())
        time.sleep(0.3)


@pytest.mark.parametrize("late", [True, False])
def test_an_asynchronous_engine_is_seen_wherever_it_is_imported(tmp_path: Path, late: bool) -> None:
    line = "from sqlalchemy.ext.asyncio import create_async_engine"
    env = f"""
import asyncio
from alembic import context
{"" if late else line}
def migrate(connection):
    context.configure(connection=connection, version_table="elsewhere")
    with context.begin_transaction():
        context.run_migrations()
async def online():
    {line if late else ""}
    async with create_async_engine("postgresql+asyncpg://a@b.invalid/c").connect() as connection:
        await connection.run_sync(migrate)
if context.is_offline_mode():
    context.configure(dialect_name="postgresql")
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online())
"""
    graph = asked(Project(tmp_path / "app", env).add("0001", None, "SELECT 1").folder)[0]
    assert graph.online
    assert (graph.online.problem, graph.online.driver, graph.version_table) == (None, "asyncpg", "elsewhere")


ONLINE = """
from alembic import context
from sqlalchemy import create_engine, event, text
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine("postgresql+psycopg://a@b.invalid/c")
    {before}
    with engine.{opened}() as connection:
        {inside}
        context.configure(connection=connection{options})
        with context.begin_transaction():
            context.run_migrations()
        {after}
"""
LISTENING = """
    @event.listens_for(engine, "connect")
    def listen(session, _record):
        with session.cursor() as cursor:
            cursor.execute("SET search_path TO ten")
"""


@pytest.mark.parametrize(
    ("parts", "severity"),
    [
        ({}, None),
        ({"inside": "connection.execute(text('SELECT pg_advisory_lock(42)'))"}, "fail"),
        ({"inside": "connection.execute(text('CREATE SCHEMA IF NOT EXISTS x'))"}, "fail"),
        ({"inside": "connection.execute(text('SELECT 1')); connection.commit()"}, None),
        ({"inside": "connection.execute(text('SELECT 1'))", "after": "connection.commit()"}, None),
        ({"opened": "begin"}, None),
        ({"before": LISTENING}, "unknown"),
        ({"options": ", on_version_apply=print"}, "unknown"),
    ],
    ids=str,
)
def test_what_env_py_does_with_its_connection(tmp_path: Path, parts: dict[str, str], severity: str | None) -> None:
    env = ONLINE.format(**{"before": "", "opened": "connect", "inside": "", "options": "", "after": ""} | parts)
    graph = asked(Project(tmp_path / "app", env).add("0001", None, "SELECT 1").folder)[0]
    assert graph.online
    assert graph.online.problem is None
    assert [item.severity for item in env_findings(graph.online)] == ([severity] if severity else [])
    held = parts.get("opened") == "begin" or "after" in parts or severity == "fail"
    assert bool([item for item in env_findings(graph.online, blocks=True) if item.severity == "fail"]) == held


def test_several_statements_for_a_driver_that_takes_one(tmp_path: Path) -> None:
    env = ONLINE.replace("+psycopg", "+asyncpg")
    env = env.format(before="", opened="connect", inside="", options="", after="")
    project = Project(tmp_path / "app", env).add("0001", None, "SELECT ';'; SELECT 2").add("0002", "0001", "SELECT 1;")
    assert [bool(segment.inspects) for segment in asked(project.folder)[1].segments] == [True, False]


def test_parameters_beside_several_statements(tmp_path: Path) -> None:
    project = Project(tmp_path / "app", ONLINE.format(before="", opened="connect", inside="", options="", after=""))
    bound = "    import sqlalchemy as sa; op.execute(sa.text({!r}).bindparams(a='x'))"
    project.add("0001", None, body=bound.format("SELECT :a; SELECT ';', :a"))
    project.add("0002", "0001", body=bound.format("SELECT ';', :a"))
    project.add("0003", "0002", "SELECT 1; SELECT 2")
    segments = asked(project.folder)[1].segments
    assert [bool(segment.inspects) for segment in segments] == [True, False, False]
    assert "which psycopg refuses" in str(segments[0].inspects)


@pytest.mark.parametrize("options", ["", ", dialect_opts={'paramstyle': 'named'}", ", dialect_opts={}"])
def test_a_percent_sign_is_the_one_of_the_revision(tmp_path: Path, options: str) -> None:
    env = ENV.replace("literal_binds=True", f"literal_binds=True{options}")
    bound = "    import sqlalchemy as sa; op.execute(sa.text('SELECT :a').bindparams(a='5%'))"
    project = Project(tmp_path / "app", env).add("0001", None, "SELECT 7 % 2, 'a%'", body=bound)
    sql = asked(project.folder)[1].sql
    assert "SELECT 7 % 2, 'a%'" in sql
    assert "SELECT '5%'" in sql


def test_settings_that_are_missing_are_named(tmp_path: Path) -> None:
    env = """
class Missing(ValueError):
    def errors(self):
        return [{"loc": ("secret_key",), "input": "not shown"}]
raise Missing("1 validation error for S")
"""
    with pytest.raises(FindingError, match=r"secret_key\); alembic_environment gives") as caught:
        asked(Project(tmp_path / "app", env).add("0001", None).folder)
    assert "not shown" not in caught.value.message
