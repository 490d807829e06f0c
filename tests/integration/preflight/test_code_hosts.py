"""What a pull request shows: each statement at the line of the revision that writes it."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from tests.integration.preflight.asking import ask, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

HELPER = "from alembic import op\n\n\ndef dropped(table):\n    op.drop_table(table)\n"
REVISION = '''"""Second."""
import helper
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column(  # 1
        "ledger",
        sa.Column("note", sa.Text()),
    )
    for name in ("a", "b"):
        op.execute(f"ALTER TABLE ledger RENAME COLUMN {name} TO {name}_old")  # 2 3
    helper.dropped("old")  # 4
    op.execute("""
        -- a comment first; and a semicolon
        UPDATE ledger SET id = id;
        SELECT FRO M ledger;
        DELETE FROM ledger
    """)  # 5 6 7
    op.execute("ALTER TABLE ledger ALTER COLUMN id TYPE bigint")  # 8


def downgrade():
    pass
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = Project(tmp_path / "a repository" / "services" / "app")
    project.add("0001", None)
    (project.folder / "helper.py").write_text(HELPER)
    (project.folder / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\n"
    )
    (project.versions / "0002_second.py").write_text(REVISION)
    subprocess.run(["git", "init", "--quiet", tmp_path / "a repository"], check=True)
    return project.folder


@pytest.fixture
def forms(folder: Path, database: str, tmp_path: Path) -> dict[str, t.Any]:
    prepare(
        database, "CREATE TABLE ledger (id int PRIMARY KEY, a int, b int)", "CREATE TABLE old (x int)", revision="0001"
    )
    paths = {name: str(tmp_path / name) for name in ("sarif_path", "annotations_path", "markdown_path", "report_path")}
    answer = ask(folder, database, annotations="github", **paths)
    assert answer.verdict == "unsafe", answer.message
    return {name: Path(path).read_text() for name, path in paths.items()} | {"result": answer.result}


def test_each_statement_has_its_line(forms: dict[str, t.Any]) -> None:
    lines = REVISION.splitlines()
    (revision,) = forms["result"]["pending"]
    assert revision["source"] == "migrations/versions/0002_second.py"
    marks = {item["statement"]: lines[item["line"] - 1].partition("  # ")[2] for item in revision["statements"]}
    # A call over several lines counts from its first, or from where its arguments end, as Python has it.
    assert marks.keys() == set(range(1, 9))
    for number in (1, 2, 3, 4, 8):
        assert str(number) in marks[number].split(), (number, marks)
    begin = next(number for number, line in enumerate(lines) if 'op.execute("""' in line)
    end = next(number for number, line in enumerate(lines) if '""")' in line)
    for number in (5, 6, 7):
        line = next(item["line"] for item in revision["statements"] if item["statement"] == number)
        assert begin <= line - 1 <= end


def test_sarif_and_annotations_name_file_and_line(forms: dict[str, t.Any]) -> None:
    file = "services/app/migrations/versions/0002_second.py"
    results = json.loads(forms["sarif_path"])["runs"][0]["results"]
    found = {
        (item["ruleId"], where["artifactLocation"]["uri"], where["region"]["startLine"])
        for item in results
        for where in [item["locations"][0]["physicalLocation"]]
    }
    assert ("rename", file, 16) in found
    commands = forms["annotations_path"].splitlines()
    assert any(line.startswith(f"::error file={file},line=16,title=rename::") for line in commands)
    # What is about the server and no revision stands at the configuration.
    assert {uri for _, uri, _ in found} <= {file, "services/app/alembic.ini"}
    assert f"{file}:16".replace("_", "\\_") in forms["markdown_path"]


def test_the_files_are_the_owners_alone(folder: Path, database: str, tmp_path: Path) -> None:
    path = tmp_path / "report.sarif"
    ask(folder, database, sarif_path=str(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_run_without_a_verdict_is_shown_too(folder: Path, tmp_path: Path) -> None:
    (folder / "migrations" / "env.py").write_text("raise RuntimeError('no')\n")
    path = tmp_path / "annotations"
    answer = ask(folder, "postgresql://u:p@127.0.0.1:1/x", annotations="github", annotations_path=str(path))
    assert answer.verdict is None
    assert path.read_text().startswith("::error file=services/app/alembic.ini,line=1,title=")
