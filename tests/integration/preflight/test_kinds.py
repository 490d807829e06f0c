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


@dataclasses.dataclass(frozen=True)
class Kind:
    """A directory and the answer. `found`: id and severity. `verdicts`: those that are right."""

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


KINDS = {
    "a column more is safe": Kind(_second("ALTER TABLE ledger ADD COLUMN note text"), {"safe", "warn"}),
    "a buffer of its own": Kind(_own_file, {"unsafe"}, {"destructive": "fail"}, env=OWN_FILE),
    "no revision": Kind(lambda _project: None, {"unknown", "unsafe"}, {"revisions-none": "unknown"}, upgrade=None),
    "pyproject.toml": Kind(_pyproject, {"safe", "warn"}, upgrade=None),
    "COMMIT by hand": Kind(
        _second("COMMIT", "CREATE INDEX CONCURRENTLY late ON ledger (amount)"),
        {"unknown", "unsafe"},
        {"revision-not-static": "unknown"},
        upgrade="ActiveSqlTransaction",
    ),
    "an early return": Kind(
        _second(
            body="    import os\n    if not os.environ.get('APP'):\n        return\n    op.execute('DROP TABLE ledger')"
        ),
        {"unknown", "unsafe"},
        {"revision-not-static": "unknown"},
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
    answer = ask(project.folder, database, **kind.arguments)
    assert answer.verdict in kind.verdicts, answer.findings or answer.message
    assert kind.found.items() <= answer.serious.items(), answer.findings
    assert not kind.absent & answer.ids
    if kind.upgrade is not None:
        ended = migrate(project.folder, database)
        assert (kind.upgrade in ended) if kind.upgrade else not ended, ended
