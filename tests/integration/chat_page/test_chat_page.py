"""The chat page as a person uses it: by mouse, by keyboard, on a phone, with a token and with what goes wrong."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.integration.chat_page.agents import Agent

PHONE, DESKTOP = ViewportSize(width=375, height=812), ViewportSize(width=1280, height=900)
SCREENS = Path(__file__).resolve().parents[3] / ".lab" / "reports" / "screens"
TOKEN = "token-of-a-test-that-is-long"
Start = t.Callable[..., Agent]


@pytest.fixture
def opened(browser: Browser) -> t.Iterator[t.Callable[..., Page]]:
    """Open an agent's page; `page.asked` has what it loaded, `page.complaints` what the console said."""
    contexts = []

    def look(agent: Agent, size: ViewportSize = DESKTOP, scheme: t.Literal["light", "dark"] = "light") -> Page:
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        # A machine that does much else is slow.
        page.set_default_timeout(60_000)
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(agent.url)
        page.asked, page.complaints = asked, complaints  # type: ignore[attr-defined]
        return page

    yield look
    for context in contexts:
        context.close()


def said(page: Page, role: str) -> t.Any:
    return page.locator(f"li.{role}")


def ready(page: Page) -> None:
    """Until the answer is complete."""
    expect(page.get_by_role("button", name="Send")).to_be_enabled(timeout=60_000)


def test_a_conversation_by_keyboard_alone(agent: Start, opened: t.Callable[..., Page]) -> None:
    one = agent(BUILTIN_TOKEN_DELAY_MS="20")
    page = opened(one)
    # The message's field has the focus from the beginning.
    page.keyboard.type("first")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    expect(said(page, "user")).to_contain_text("first\nsecond line")
    # It grows while it comes.
    expect(page.locator("li.assistant.writing")).to_be_visible(timeout=60_000)
    ready(page)
    expect(said(page, "assistant")).to_contain_text("You said: first second line")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type("again")
    page.keyboard.press("Enter")
    expect(said(page, "assistant")).to_have_count(2, timeout=60_000)
    ready(page)
    asked = [url.removeprefix(one.url) for url in page.asked]  # type: ignore[attr-defined]
    assert asked == ["/", "/chat.css", "/chat.js", "/v1/chat/stream", "/v1/chat/stream"]
    assert page.complaints == []  # type: ignore[attr-defined]
    page.get_by_role("button", name="New conversation").press("Enter")
    expect(page.locator("li")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_it_fits_and_axe_has_nothing_to_say(
    agent: Start, opened: t.Callable[..., Page], size: ViewportSize, scheme: t.Literal["light", "dark"]
) -> None:
    page = opened(agent(), size, scheme)
    page.get_by_label("Message", exact=True).fill("A long word: " + "x" * 300)
    page.get_by_role("button", name="Send").click()
    expect(said(page, "assistant")).to_contain_text("You said", timeout=60_000)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is None or (box["width"] >= 44 and box["height"] >= 44)
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"chat-{'phone' if size is PHONE else 'desktop'}-{scheme}.png")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_token_is_asked_for_and_kept_in_memory_alone(agent: Start, opened: t.Callable[..., Page]) -> None:
    page = opened(agent(API_TOKENS=TOKEN))
    expect(page.get_by_label("Token", exact=True)).to_be_hidden()
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("asks for a token: enter it below")
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    # What was written is not lost.
    expect(page.get_by_label("Message", exact=True)).to_have_value("hello")
    page.screenshot(path=SCREENS / "chat-token.png")
    page.keyboard.type("wrong-token-of-a-test")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This token is not known")
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(said(page, "assistant")).to_contain_text("You said: hello", timeout=60_000)
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    assert TOKEN not in kept + page.content()
    page.reload()
    page.get_by_label("Message", exact=True).fill("once more")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("asks for a token: enter it below")


def test_too_often_is_said_with_when_to_come_back(agent: Start, opened: t.Callable[..., Page]) -> None:
    page = opened(agent(RATE_LIMIT_PER_MINUTE="1"))
    for words in ("one", "two"):
        page.get_by_label("Message", exact=True).fill(words)
        page.get_by_role("button", name="Send").click()
        ready(page)
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"you ask too often: try again in \d+ s"))
    expect(page.get_by_label("Message", exact=True)).to_have_value("two")


def test_a_model_that_is_away_is_said(agent: Start, opened: t.Callable[..., Page]) -> None:
    page = opened(agent(LLM_BASE_URL="http://127.0.0.1:9/v1"))
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the model endpoint cannot be reached")
    expect(page.get_by_role("alert")).to_contain_text("(request ")


def test_an_agent_that_dies_half_way_is_said(agent: Start, opened: t.Callable[..., Page]) -> None:
    one = agent(BUILTIN_TOKEN_DELAY_MS="300")
    page = opened(one)
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.locator("li.assistant.writing")).to_be_visible()
    one.stop()
    expect(page.get_by_role("alert")).to_contain_text("The answer broke off")
    expect(page.locator("li.assistant.broken")).to_be_visible()
    page.keyboard.type("still there?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.get_by_label("Message", exact=True)).to_have_value("still there?")


def test_an_answer_is_stopped_by_escape(agent: Start, opened: t.Callable[..., Page]) -> None:
    page = opened(agent(BUILTIN_TOKEN_DELAY_MS="300"))
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.locator("li.assistant.writing")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_contain_text("You stopped the answer.")
    ready(page)


def test_markup_stays_text(agent: Start, opened: t.Callable[..., Page]) -> None:
    page = opened(agent())
    page.get_by_label("Message", exact=True).fill("<img src=x onerror=alert(1)><b>bold</b>")
    page.get_by_role("button", name="Send").click()
    expect(said(page, "assistant")).to_contain_text("<b>bold</b>", timeout=60_000)
    assert page.locator("li img, li b").count() == 0
    assert page.complaints == []  # type: ignore[attr-defined]
