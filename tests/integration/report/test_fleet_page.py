"""The page of a fleet on a phone and on a desktop: whole, calm, and the worst at the top."""

from __future__ import annotations

import itertools

import pytest

from tests.integration.report.conftest import SIZES, Open, Scheme
from tests.integration.report.looked_at import accessible, sound
from tests.unit.plugins.module_utils._page.fleets import ALL

LOOKS = list(itertools.product(ALL, SIZES, ("light", "dark")))


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS)
def test_a_page(opened: Open, name: str, size: str, scheme: Scheme) -> None:
    accessible(sound(opened, f"fleet-{name}", size, scheme))


@pytest.mark.parametrize("size", SIZES)
def test_the_worst_of_a_hundred_is_seen_first(opened: Open, size: str) -> None:
    page = opened("fleet-hundred", size)
    assert page.locator(".fleet > li").count() == 100
    assert page.locator(".fleet h3").first.inner_text() == "agent-007"
