"""Rows of `sa.table("t", sa.column("a"))`, whose columns have no types: judged, and inserted by Alembic."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.preflight.asking import BOTH_MODES, ask, migrate, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

TABLE = (
    "CREATE TABLE role (id serial PRIMARY KEY, name varchar(7) UNIQUE, active bool, made timestamptz, price numeric)"
)
BODY = """
    import datetime, decimal
    import sqlalchemy as sa
    role = sa.table("role", *map(sa.column, ("name", "active", "made", "price")))
    op.bulk_insert(role, [{rows}])
"""
ROW = "{'name': \"o'brien\", 'active': True, 'made': datetime.datetime(2026, 1, 1), 'price': decimal.Decimal('1.50')}"
EMPTY = "{'name': None, 'active': None, 'made': None, 'price': None}"
# The rows, and the verdicts that are right.
CASES = {
    "rows that fit": (f"{ROW}, {EMPTY}", {"safe", "warn"}),
    "a text that is too long": ("{'name': 'administrator'}", {"unsafe"}),
    "a text for a number": ("{'price': 'dear'}", {"unsafe"}),
    "a key twice": (f"{ROW}, {ROW}", {"unsafe", "unknown"}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, database: str, tmp_path: Path) -> None:
    rows, right = CASES[name]
    prepare(database, TABLE, revision="0001")
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    project.add("0002", "0001", body=BODY.replace("{rows}", rows))
    answer = ask(project.folder, database)
    error = migrate(project.folder, database)
    assert bool(error) == ("unsafe" in right), error
    assert answer.verdict in right, (answer.verdict, answer.findings)


def test_a_value_that_only_a_driver_knows(database: str, tmp_path: Path) -> None:
    prepare(database, TABLE, revision="0001")
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    project.add("0002", "0001", body=BODY.replace("{rows}", "{'name': {'a': 1}}"))
    assert ask(project.folder, database).verdict == "unknown"
    assert "cannot adapt type 'dict'" in migrate(project.folder, database)
