"""What holds of every page, of a run, a fleet or a plan: it asks for nothing, complains of nothing, and fits."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Page

from lab.paths import LAB
from tests.integration.report.conftest import SIZES, Open, Scheme

# Pixels of a page that are kept: nobody looks at the end of a hostile one.
SHOWN = 8000
SCREENS = LAB / "reports" / "screens"
OUTSIDE = """width => [...document.querySelectorAll('main *:not(.hidden):not(.hidden *):not(svg *)')]
    .filter(e => e.getBoundingClientRect().right > width + 1 && e.checkVisibility())
    .map(e => e.outerHTML.slice(0, 200))"""


def sound(opened: Open, name: str, size: str, scheme: Scheme) -> Page:
    """The page, open; its picture is in :data:`SCREENS`."""
    page = opened(name, size, scheme)
    SCREENS.mkdir(parents=True, exist_ok=True)
    width = SIZES[size]["width"]
    tall = page.evaluate("document.documentElement.scrollHeight")
    clip = FloatRect(x=0, y=0, width=width, height=min(tall, SHOWN))
    page.screenshot(path=SCREENS / f"{name}-{size}-{scheme}.png", full_page=True, clip=clip)
    assert [url for url in page.asked if not url.startswith("data:")] == [page.url]  # type: ignore[attr-defined]
    assert page.complaints == []  # type: ignore[attr-defined]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Nothing sticks out of the page either, where overflow is hidden.
    assert page.evaluate(OUTSIDE, width) == []
    return page


def accessible(page: Page) -> None:
    """Axe finds nothing that keeps a person from reading it."""
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
