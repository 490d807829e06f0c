"""The documentation's site as people read it: in a browser, on a phone too, without any other server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from dev import site
from tests.integration.report.conftest import SIZES

# A busy machine takes long over a page of 3,000 lines.
LOAD_MS = 120_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site; Sphinx takes every warning for an error, a link to a heading that is not there too."""
    return site.build(tmp_path_factory.mktemp("site") / "site")


def opened(browser: Browser, file: Path, size: str, asked: list[str]) -> Page:
    """A page of it; *asked* gets the addresses that it wanted."""
    page = browser.new_page(viewport=SIZES[size])
    page.set_default_timeout(LOAD_MS)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_asks_nobody_else(built: Path, browser: Browser, size: str) -> None:
    files = sorted(built.rglob("*.html"))
    assert len(files) > 50
    for file in files:
        asked: list[str] = []
        page = opened(browser, file, size, asked)
        assert {address.partition(":")[0] for address in asked} == {"file"}, file
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], file
        assert "ERROR:" not in page.inner_text("article"), file
        page.close()


def test_every_module_and_variable_is_there(built: Path) -> None:
    role = (built / "collection" / "ai_agent_role.html").read_text(encoding="utf-8")
    assert "ai_agent_preflight_trace" in role
    for name in ("migration_preflight", "connectivity_test", "release_deploy"):
        assert (built / "collection" / f"{name}_module.html").exists()


def test_a_search_finds_the_runbook_s_section(built: Path, browser: Browser) -> None:
    page = opened(browser, built / "search.html", "desktop", [])
    page.goto((built / "search.html").as_uri() + "?q=lock-blocks-reads")
    found = page.locator("#search-results a").first
    found.wait_for()
    places = page.locator("#search-results a").evaluate_all("items => items.map(item => item.href)")
    assert any("docs/runbook.html" in place for place in places)
    page.close()
