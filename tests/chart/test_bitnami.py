"""The embedded charts make what Bitnami's make, as far as other objects, people and volumes rely on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart.bitnami import CASES, FIXTURE, facts, render

RECORDED = yaml.safe_load(FIXTURE.read_text(encoding="utf-8"))


def test_every_case_is_recorded() -> None:
    assert RECORDED.keys() == CASES.keys()


@pytest.mark.parametrize("case", CASES)
def test_same_facts(helm: str, subcharts: Path, case: str) -> None:
    name, release, values = CASES[case]
    assert facts(render(helm, subcharts / name, release, values)) == RECORDED[case]
