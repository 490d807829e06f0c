"""Who gets the page, and with which headers; tests/integration/chat_page opens it in a browser."""

from __future__ import annotations

import re

import pytest

from agent.page import FOLDER, wants_page
from tests.unit.images.agent.test_callers import TOKENS, client

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML;q=1", True),
        ("*/*", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_browser_is_known_by_what_it_wants(accept: str, wanted: bool) -> None:
    assert wants_page(accept) is wanted
    answer = client().request("GET", "/", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/html" if wanted else "application/json")
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("path", ["/", "/chat.js", "/chat.css"])
def test_each_file_has_the_headers(path: str) -> None:
    answer = client(api_tokens=TOKENS).request("GET", path, headers={"Accept": BROWSER})
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    text = (FOLDER / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    for file in FOLDER.iterdir():
        assert "//" not in re.sub(r"(?m)^\s*//.*$", "", file.read_text()), file
    script = (FOLDER / "chat.js").read_text()
    assert not re.search(
        r"innerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage|sessionStorage|cookie", script
    )


def test_the_page_can_be_switched_off() -> None:
    agent = client(chat_page=False)
    assert agent.request("GET", "/", headers={"Accept": BROWSER}).json()["name"] == "ai-agent"
    assert agent.get("/chat.js").status_code == 404
