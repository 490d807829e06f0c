"""The faults that are made under load name headings that exist and functions that make them; their page shows them."""

from __future__ import annotations

from pathlib import Path

from dev import faults
from lab.paths import ROOT

RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")


def test_each_has_its_heading_and_its_function() -> None:
    assert faults.problems(faults.read(), RUNBOOK, ROOT / "tests/integration/faults") == []


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "in_nothing.py").write_text("\ndef made(stage):\n")
    rows = [{"key": "made", "finding": "told"}, {"key": "unmade", "finding": "untold"}, {"key": "made", "finding": ""}]
    assert faults.problems(rows, "## told\n", tmp_path) == ["unmade: no heading untold", "unmade: no function"]


def test_all_nineteen_are_there() -> None:
    assert len({row["key"] for row in faults.read()}) == 19


def test_the_page_shows_them() -> None:
    text = faults.PAGE.read_text(encoding="utf-8")
    assert faults.updated(text) == text, "run `python -m dev.faults`"
