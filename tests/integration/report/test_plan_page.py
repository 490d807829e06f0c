"""The page of a plan on a phone and on a desktop: whole, calm, and readable with one hand."""

from __future__ import annotations

import itertools

import pytest

from tests.integration.report.conftest import SIZES, Open, Scheme
from tests.integration.report.looked_at import accessible, sound
from tests.unit.plugins.module_utils._page.plans import ALL

LOOKS = list(itertools.product(ALL, SIZES, ("light", "dark")))


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS)
def test_a_page(opened: Open, name: str, size: str, scheme: Scheme) -> None:
    accessible(sound(opened, f"plan-{name}", size, scheme))
