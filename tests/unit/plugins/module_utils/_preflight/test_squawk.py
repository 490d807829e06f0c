"""squawk beside the preflight, over the statements whose cost the truth tests prove on a PostgreSQL 18.

_sql/squawk.py says of every statement on which the two differ who is right; this keeps that list true.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.plugins.module_utils._sql import squawk


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[squawk.Difference]:
    return squawk.differences(tmp_path_factory.mktemp("statements"))


def test_every_difference_has_one_reason(found: list[squawk.Difference]) -> None:
    told = [(sql, reason.question) for reason in squawk.REASONS for sql in reason.statements]
    assert sorted(told) == sorted({(one.sql, one.question) for one in found}), f"correct REASONS in {squawk.__file__}"


def test_reasons_are_told_once() -> None:
    whys = [reason.why for reason in squawk.REASONS]
    assert len(whys) == len(set(whys))


def test_the_table_is_generated(found: list[squawk.Difference]) -> None:
    assert squawk.TABLE.read_text() == squawk.table(found), f"run `python -m {squawk.__name__}`"


@pytest.mark.parametrize("rules", [squawk.SLOW, squawk.BREAKING])
def test_the_rules_exist(rules: set[str], tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("SELECT 1;")
    for rule in rules:
        # squawk ends with 2 for a rule that it does not know.
        done = subprocess.run([squawk.SQUAWK, "--exclude", rule, tmp_path / "x.sql"], capture_output=True, check=False)
        assert done.returncode == 0, rule
