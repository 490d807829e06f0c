"""Alembic directories as they come: rendered, cut by revision, or refused with one sentence and an id."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess, Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Reader, statements

from tests.unit.plugins.module_utils._in_pod.project import ENV, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "app").add("0001", None, "CREATE TABLE t (id int)")


def graph(project: Project, target: str = "heads", timeout: float = 30) -> Graph:
    with AlembicProcess(project.folder / "alembic.ini", target, timeout) as alembic:
        return alembic.graph()


def render(project: Project, *heads: str, target: str = "heads") -> Rendered:
    with AlembicProcess(project.folder / "alembic.ini", target, 30) as alembic:
        alembic.graph()
        return alembic.render(heads)


def test_parts_make_the_whole(project: Project) -> None:
    names = [f"{number:04}" for number in range(1, 121)]
    for down, name in itertools.pairwise(names):
        project.add(name, down, f"SELECT 'ü{name}'", "SELECT 2")
    reader, parts = Reader(), []

    def each(sql: str, segments: list[Segment]) -> None:
        parts.append((sql, len(segments)))
        reader.feed(sql, segments)

    with AlembicProcess(project.folder / "alembic.ini", "heads", 30) as alembic:
        alembic.graph()
        whole = alembic.render([], each)
    assert [count for _sql, count in parts] == [50, 50, 20]
    assert "".join(sql for sql, _count in parts) == whole.sql
    assert [segment.revision for segment in whole.segments] == names
    expected = [(item.revision, item.sql, item.transaction) for item in statements(whole)]
    assert [(item.revision, item.sql, item.transaction) for item in reader.found] == expected
    assert expected[-2:] == [("0120", "SELECT 'ü0120'", 120), ("0120", "SELECT 2", 120)]


def test_a_colon_that_sqlalchemy_takes_for_a_parameter(project: Project) -> None:
    """Rendered it would be NULL, and with a connection it is refused: a quote does not keep it from being one."""
    project.add("0001", None, "SELECT 'a:b', '10:30', 'c::text', '\\:x'").add("0002", "0001", "SELECT ':who'")
    valued = "op.get_bind().execute(sa.text('SELECT :x'), {'x': 1})"
    project.add("0003", "0002", body=f"    import sqlalchemy as sa\n    {valued}\n    op.execute('SELECT 3')")
    with AlembicProcess(project.folder / "alembic.ini", "heads", 300) as alembic:
        alembic.graph()
        rendered = alembic.render([])
    first, second, third = rendered.segments
    assert first.error is None
    assert "a value is required for the parameter 'who'" in (second.error or "")
    assert "0002.py, line" in (second.error or "")
    assert third.error is None
    assert "parameters of op.get_bind().execute()" in (third.inspects or "")
    assert "SELECT 3" in rendered.sql


def refused(project: Project, target: str = "heads", timeout: float = 30) -> tuple[str, str]:
    with pytest.raises(FindingError) as caught:
        graph(project, target, timeout)
    assert "Traceback" not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.id, caught.value.message


def test_the_graph(project: Project) -> None:
    project.add("0002", "0001").add("x1", None, branch_labels=("extra",), depends_on=("0001",))
    found = graph(project)
    assert sorted(found.heads) == sorted(found.targets) == ["0002", "x1"]
    assert found.nodes["0002"] == {"down": ["0001"], "depends": [], "labels": [], "title": "Revision 0002."}
    assert found.nodes["x1"]["depends"] == ["0001"]
    assert found.nodes["x1"]["labels"] == ["extra"]
    assert (found.version_table, found.version_table_schema) == ("alembic_version", None)


def test_a_version_table_of_ones_own(tmp_path: Path) -> None:
    env = ENV.replace("literal_binds=True", "version_table='revisions', version_table_schema='ops'")
    found = graph(Project(tmp_path, env).add("0001", None))
    assert (found.version_table, found.version_table_schema) == ("revisions", "ops")


def test_statements_belong_to_revisions_and_transactions(project: Project) -> None:
    body = "    with op.get_context().autocommit_block():\n        op.execute('CREATE INDEX CONCURRENTLY i ON t (id)')"
    project.add("0002", "0001", "ALTER TABLE t ADD a int", body=body).add("0003", "0002", "SELECT 'ü;'", "SELECT 2")
    found = statements(render(project))
    assert [(item.revision, item.sql.partition(" (")[0], item.transaction) for item in found] == [
        ("0001", "CREATE TABLE t", 1),
        ("0002", "ALTER TABLE t ADD a int", 2),
        ("0002", "CREATE INDEX CONCURRENTLY i ON t", None),
        ("0003", "SELECT 'ü;'", 4),
        ("0003", "SELECT 2", 4),
    ]


def test_only_what_is_pending_is_rendered(project: Project) -> None:
    project.add("0002", "0001", "SELECT 2").add("0003", "0002", "SELECT 3")
    assert [item.revision for item in render(project, "0001").segments] == ["0002", "0003"]
    assert [item.revision for item in render(project, "0001", target="0002").segments] == ["0002"]
    assert render(project, "0003").segments == []


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("    if context.is_offline_mode():\n        return", "context.is_offline_mode()"),
        ("    op.get_bind()", "op.get_bind()"),
        ("    if False:\n        op.get_bind()", "get_bind in line 7"),
        ("    op.get_context().connection", "connection in line 6"),
    ],
)
def test_a_revision_that_looks_at_the_database_is_not_static(project: Project, body: str, asked: str) -> None:
    project.add("0002", "0001", body=body)
    first, second = render(project).segments
    assert (first.inspects, second.inspects) == (None, asked)


# What Alembic's command line renders of a bind, and what it does not or where an answer decides.
BOUND = "    import sqlalchemy as sa\n"
RENDERED_OF_A_BIND = {
    "a type": "    sa.Enum('a', 'b', name='kind').create(op.get_bind(), checkfirst=True)",
    "a type by a name": "    bind = op.get_bind()\n    sa.Enum('a', name='kind').drop(bind=bind, checkfirst=True)",
    "a table with a type": "    m = sa.MetaData()\n    sa.Table('x', m, sa.Column('k', sa.Enum('a', name='kind')))\n"
    "    m.create_all(op.get_bind())",
    "statements": "    bind = op.get_bind()\n    bind.execute(sa.text('UPDATE t SET id = 1'))\n"
    "    if bind.dialect.name == 'postgresql':\n        bind.execute(sa.text('SELECT 1'))",
}
ASKED_OF_A_BIND = {
    "an answer": "    if op.get_bind().execute(sa.text('SELECT 1')):\n        op.execute('SELECT 2')",
    "rows": "    for row in op.get_bind().execute(sa.text('SELECT 1')):\n        op.execute('SELECT 2')",
    "parameters": "    op.get_bind().execute(sa.text('UPDATE t SET id = :n').bindparams(n=1), {'n': 2})",
    "a plain text": "    op.get_bind().execute('SELECT 1')",
    "a method of one's own": "    class Own:\n        def create(self, bind):\n"
    "            if bind.execute(sa.text('SELECT 1')):\n                op.execute('SELECT 2')\n"
    "    Own().create(op.get_bind())",
    "another method of one's own": "    class Own:\n        def create(self, bind):\n"
    "            bind.in_transaction()\n    Own().create(op.get_bind())",
    "a driver": "    op.get_bind().connection.dbapi_connection.autocommit = True",
}


@pytest.mark.parametrize("name", RENDERED_OF_A_BIND)
def test_what_alembic_renders_of_a_bind_is_known(project: Project, name: str) -> None:
    project.add("0002", "0001", body=BOUND + RENDERED_OF_A_BIND[name])
    words = [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"]
    done = subprocess.run(words, cwd=project.folder, capture_output=True, text=True, check=True)
    found = render(project)
    assert found.segments[1].error is None
    assert found.segments[1].inspects is None
    theirs = statements(Rendered(done.stdout, [Segment("all", 0, len(done.stdout), "", "", None, None)]))
    ours = statements(found)
    assert {item.sql for item in ours} <= {item.sql for item in theirs}
    assert len(ours) > 1
    assert [item.looks_first for item in ours[1:]] == [name != "statements"] * (len(ours) - 1)


@pytest.mark.parametrize("name", ASKED_OF_A_BIND)
def test_what_is_asked_of_a_bind_is_noted(project: Project, name: str) -> None:
    project.add("0002", "0001", body=BOUND + ASKED_OF_A_BIND[name])
    segment = render(project).segments[1]
    assert segment.error or segment.inspects


# What asks the database for another dialect only, or for a downgrade.
HELPERS = """
def counted():
    bind = op.get_bind()
    return bind.execute(sa.text('SELECT 1')).scalar()
def once_more(bind):
    return bind.execute(sa.text('SELECT 2')).scalar()
"""
FOR_OTHERS = {
    "a branch": "    bind = op.get_bind()\n    if bind.dialect.name == 'mysql':\n        once_more(bind)",
    "an early end": "    if op.get_bind().dialect.name == 'postgresql':\n"
    "        op.execute('SELECT 3')\n        return\n    once_more(op.get_bind())\n    counted()",
    "a compiled expression": "    op.execute(f'SELECT {sa.false().compile(op.get_bind())}')",
    "a mode that is printed": "    if context.is_offline_mode():\n        print('not with --sql')",
    "only a downgrade": "    op.execute('SELECT 3')",
}


@pytest.mark.parametrize("name", FOR_OTHERS)
def test_what_another_database_is_asked_is_not_asked_of_ours(project: Project, name: str) -> None:
    project.add("0002", "0001", body=FOR_OTHERS[name] + "\n    op.execute('SELECT 4')")
    file = project.versions / "0002.py"
    text = file.read_text().replace("def upgrade", f"import sqlalchemy as sa\n{HELPERS}def upgrade", 1)
    file.write_text(text + "    counted()\n")
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found = render(project)
    assert [segment.inspects or segment.error for segment in found.segments] == [None, None]
    ours = [item.sql for item in statements(found)]
    assert len(ours) > 1
    assert all(sql in done.stdout for sql in ours)


@pytest.mark.parametrize(
    "body",
    [
        "    bind = op.get_bind()\n    if bind.dialect.name == 'postgresql':\n        once_more(bind)",
        "    if op.get_bind().dialect.name != 'mysql':\n        counted()",
        "    if context.is_offline_mode():\n        print('x')\n        return",
        "    if context.is_offline_mode():\n        print('x')\n    else:\n        op.execute('SELECT 5')",
    ],
)
def test_what_ours_is_asked_is_noted(project: Project, body: str) -> None:
    project.add("0002", "0001", body=body)
    file = project.versions / "0002.py"
    file.write_text(file.read_text().replace("def upgrade", f"import sqlalchemy as sa\n{HELPERS}def upgrade", 1))
    segment = render(project).segments[1]
    assert segment.inspects or segment.error


def test_the_version_of_a_library_is_that_of_the_image(project: Project) -> None:
    body = "    import alembic\n    from packaging.version import Version\n"
    body += "    if Version(alembic.__version__) >= Version('1.7'):\n        op.execute('SELECT 2')"
    project.add("0002", "0001", body=body)
    assert render(project).segments[1].inspects is None


def test_a_revision_that_cannot_be_rendered_keeps_what_it_wrote(project: Project) -> None:
    project.add("0002", "0001", "SELECT 2", body="    raise ValueError('no')").add("0003", "0002", "SELECT 3")
    found = render(project)
    assert [bool(item.error) for item in found.segments] == [False, True, False]
    assert "0002.py, line" in (found.segments[1].error or "")
    assert [item.sql for item in statements(found)][1:] == ["SELECT 2", "SELECT 3"]


def test_foreign_code_sees_no_credentials_and_may_print(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    body = "    import os, sys\n    print('noise', flush=True)\n    os.write(1, b'noise')\n"
    body += "    op.execute('SELECT ' + repr(' '.join(sorted(os.environ))))"
    project.add("0002", "0001", body=body)
    text = render(project).sql
    assert "DATABASE_URL" in text
    assert "PGPASSWORD" not in text
    assert "HOME" not in text


@pytest.mark.parametrize(
    ("env", "error_id", "words"),
    [
        ("raise RuntimeError('no config')", "alembic-env-failed", "env.py, line 1: RuntimeError: no config"),
        ("import sys; sys.exit(3)", "alembic-env-failed", "exit code 3"),
        ("import os; os._exit(3)", "alembic-env-failed", "died without an answer"),
        ("pass", "alembic-env-failed", "never calls context.run_migrations()"),
        ("import nothing_like_it", "alembic-env-failed", "nothing_like_it"),
        ("def", "alembic-env-failed", "env.py, line 1"),
        (ENV.replace('"postgresql"', '"sqlite"'), "database-url-kind", "sqlite"),
    ],
)
def test_an_env_py_that_fails(tmp_path: Path, env: str, error_id: str, words: str) -> None:
    found, message = refused(Project(tmp_path, env).add("0001", None))
    assert found == error_id
    assert words in message
    assert str(tmp_path) in message


def test_a_folder_that_is_no_alembic_environment(tmp_path: Path, project: Project) -> None:
    with pytest.raises(FindingError) as caught:
        AlembicProcess(tmp_path / "alembic.ini", "heads", 5)
    assert caught.value.id == "alembic-not-an-environment"
    (project.folder / "migrations" / "env.py").unlink()
    assert refused(project)[0] == "alembic-not-an-environment"
    (project.folder / "alembic.ini").write_text("[alembic]\nscript_location = elsewhere\n")
    assert refused(project)[0] == "alembic-not-an-environment"
    (project.folder / "alembic.ini").write_text("nonsense")
    assert refused(project)[0] == "alembic-not-an-environment"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("revision = '0002'\ndown_revision = '0001'\ndef upgrade(:\n", "0002.py, line 3"),
        (
            "revision = '0002'\ndown_revision = '0009'\n",
            "the revision 0002 follows 0009 (down_revision), which no file",
        ),
        (
            "revision = '0002'\ndown_revision = '0001'\ndepends_on = '0009'\n",
            "the revision 0002 depends on 0009 (depends_on), which no file has",
        ),
        (
            "revision = '0001'\ndown_revision = None\n",
            "two files have the revision 0001 (0001.py, 0002.py), of which Alembic runs one only",
        ),
        ("import nothing_like_it\n", "nothing_like_it"),
        ("revision = '0001'\ndown_revision = '0001'\n", "cannot be loaded"),
    ],
)
def test_a_broken_revision_file(project: Project, text: str, words: str) -> None:
    (project.versions / "0002.py").write_text(text)
    found, message = refused(project)
    assert found == "alembic-revision-broken"
    assert words in message


def test_an_unknown_target(project: Project) -> None:
    assert refused(project, target="0009")[0] == "alembic-target-unknown"
    project.add("0002", "0001").add("0003", "0001")
    assert refused(project, target="head")[0] == "alembic-target-unknown"


def test_what_hangs_is_ended_in_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    found, message = refused(Project(tmp_path, "import time; time.sleep(60)").add("0001", None), timeout=3)
    assert found == "alembic-timeout"
    assert "3 s" in message
    assert time.monotonic() - begin < 10


def test_another_python(project: Project) -> None:
    with AlembicProcess(project.folder / "alembic.ini", "heads", 30, python=sys.executable) as alembic:
        assert alembic.graph().heads == ["0001"]
    with pytest.raises(FindingError) as caught:
        AlembicProcess(project.folder / "alembic.ini", "heads", 30, python="/nowhere/python")
    assert caught.value.id == "argument-invalid"


def test_half_of_a_character_is_a_fault_of_the_revision(project: Project) -> None:
    project.add("0002", "0001", "SELECT '\ud800'").add("0003", "0002", "SELECT '\U0001f600'")
    whole = render(project)
    assert [bool(segment.error) for segment in whole.segments] == [False, True, False]
    assert "SELECT '\ufffd'" in whole.sql
    assert "SELECT '\U0001f600'" in whole.sql
    whole.sql.encode()


def test_answers_that_are_none(project: Project) -> None:
    writing = "    with contextlib.suppress(OSError):\n        os.write(number, b'x')\n"
    env = f"import contextlib, os\nfor number in range(3, 20):\n{writing}"
    (project.folder / "migrations" / "env.py").write_text(env + ENV)
    assert refused(project)[0] == "alembic-env-failed"
