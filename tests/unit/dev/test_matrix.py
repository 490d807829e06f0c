"""The matrix of what is tested where names tests that exist, and the README shows it as it is."""

from __future__ import annotations

import pytest

from dev import matrix


def test_every_test_that_is_named_exists() -> None:
    assert matrix.problems(matrix.read()) == []


@pytest.mark.parametrize(
    "test",
    [
        "tests/unit/dev/test_matrix.py::test_that_nobody_wrote",
        "tests/unit/dev/test_nothing.py",
        "tests/unit/dev/test_nothing.py::test_x",
        "molecule/nothing",
        # A folder that is no scenario.
        "molecule/shared",
    ],
)
def test_one_that_does_not_is_told(test: str) -> None:
    row = {"name": "N", "upgrade": [test], "repaint": []}
    assert matrix.problems({"columns": ["upgrade"], "rows": [row]}) == ["N: no column repaint", f"N: no test {test}"]


def test_the_readme_shows_it() -> None:
    text = matrix.README.read_text()
    assert matrix.updated(text) == text, "run `python -m dev.matrix`"


def test_a_gap_is_an_empty_cell() -> None:
    rows = [{"name": "N", "stage": "s", "b": ["molecule/install", "tests/a/test_b.py::test_c", "tests/a/test_b.py"]}]
    assert matrix.table({"columns": ["a", "b"], "rows": rows}).splitlines()[2:] == [
        "| N (stage s) |  | [install](molecule/install), [b](tests/a/test_b.py) |"
    ]
