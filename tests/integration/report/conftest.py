"""Pages in a real browser."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet import fleet
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet_page import fleet_page
from ansible_collections.ai_platform.agent.plugins.module_utils._page.page import page as report_page
from ansible_collections.ai_platform.agent.plugins.module_utils._page.plan_page import plan_page
from playwright.sync_api import Browser, Page, ViewportSize

from tests.unit.plugins.module_utils._page.fleets import ALL as FLEETS
from tests.unit.plugins.module_utils._page.plans import ALL as PLANS
from tests.unit.plugins.module_utils._page.runs import ALL

PHONE, DESKTOP = ViewportSize(width=375, height=812), ViewportSize(width=1280, height=900)
SIZES = {"phone": PHONE, "desktop": DESKTOP}
Scheme = t.Literal["light", "dark"]
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of each run, of each fleet and of each plan."""
    folder = tmp_path_factory.mktemp("pages")
    for name, make in ALL.items():
        text = report_page(make(), "https://github.com/ai-platform/agent/blob/main/docs/runbook.md")
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    for name, records in FLEETS.items():
        text = fleet_page(fleet(records(), "deployed"), str(folder), ended=1795262400.0)
        (folder / f"fleet-{name}.html").write_text(text, encoding="utf-8")
    for name, plan in PLANS.items():
        (folder / f"plan-{name}.html").write_text(plan_page(plan()), encoding="utf-8")
    return folder


@pytest.fixture
def opened(browser: Browser, pages: Path) -> Iterator[Open]:
    """Open a page; `page.asked`, `page.refused`, `page.complaints`: what it wanted, did not get, and what was said."""
    contexts = []

    def look(name: str, size: str, scheme: Scheme = "light") -> Page:
        context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        refused: list[tuple[str, str | None]] = []
        page.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((pages / f"{name}.html").as_uri())
        page.asked, page.refused, page.complaints = asked, refused, complaints  # type: ignore[attr-defined]
        return page

    yield look
    for context in contexts:
        context.close()
