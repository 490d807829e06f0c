"""Revisions that SQLAlchemy cannot write as SQL: those that fail online as well are failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLE = "CREATE TABLE t (id int PRIMARY KEY, a text UNIQUE)"
# The body, whether it fails, and the verdict.
CASES = {
    "a constraint without a name": ("    op.drop_constraint(None, 't', type_='unique')", True, "unsafe"),
    "a colon that is a parameter": ("    op.execute('''UPDATE t SET a = ':n' ''')", True, "unsafe"),
    "a branch that is taken offline alone": (
        "    if context.is_offline_mode():\n        op.drop_constraint(None, 't', type_='unique')",
        False,
        "unknown",
    ),
    "a value that only a driver knows": (
        "    import sqlalchemy as sa\n    op.bulk_insert(sa.table('t', sa.column('a')), [{'a': object()}])",
        True,
        "unknown",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, database: str, tmp_path: Path) -> None:
    body, fails, verdict = CASES[name]
    prepare(database, TABLE, revision="0001")
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None).add("0002", "0001", body=body)
    answer = ask(project.folder, database)
    error = migrate(project.folder, database)
    assert bool(error) == fails, error
    assert answer.verdict == verdict, answer.findings
