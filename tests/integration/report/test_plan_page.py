"""The page of a plan on a phone and on a desktop: whole, calm, and readable with one hand."""

from __future__ import annotations

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect

from tests.integration.report.conftest import SIZES, Open, Scheme
from tests.integration.report.test_page import OUTSIDE, SCREENS, SHOWN
from tests.unit.plugins.module_utils._page.plans import ALL

LOOKS = list(itertools.product(ALL, SIZES, ("light", "dark")))


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS)
def test_a_page(opened: Open, name: str, size: str, scheme: Scheme) -> None:
    page = opened(f"plan-{name}", size, scheme)
    SCREENS.mkdir(parents=True, exist_ok=True)
    tall = page.evaluate("document.documentElement.scrollHeight")
    clip = FloatRect(x=0, y=0, width=SIZES[size]["width"], height=min(tall, SHOWN))
    page.screenshot(path=SCREENS / f"plan-{name}-{size}-{scheme}.png", full_page=True, clip=clip)
    assert [url for url in page.asked if not url.startswith("data:")] == [page.url]  # type: ignore[attr-defined]
    assert page.complaints == []  # type: ignore[attr-defined]
    width = SIZES[size]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OUTSIDE, width) == []
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
