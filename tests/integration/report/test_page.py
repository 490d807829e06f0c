"""The report as people see it: on a phone and on a desktop, by day and by night, on paper, and read aloud."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.integration.report.conftest import SIZES, Open, Scheme
from tests.integration.report.looked_at import sound
from tests.unit.plugins.module_utils._page.runs import ALL

LOOKS = list(itertools.product(ALL, SIZES, ("light", "dark")))
MARKS = ("p50", "p95", "p99", "worst")
FOLDED = """[...document.querySelectorAll('details > :not(summary)')]
    .filter(e => !e.checkVisibility()).length"""


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS)
def test_a_page(opened: Open, name: str, size: str, scheme: Scheme) -> None:
    page = sound(opened, name, size, scheme)
    height = SIZES[size]["height"]
    word = page.locator("h1").bounding_box()
    sentence = page.locator(".sentence").bounding_box()
    assert word
    assert sentence
    assert word["y"] + word["height"] < height / 3
    if name != "hostile":
        assert sentence["y"] + sentence["height"] < height


@pytest.mark.parametrize(("name", "strips"), [("healthy", 6), ("troubled", 5), ("long", 26)])
@pytest.mark.parametrize("size", SIZES)
def test_the_plot(opened: Open, name: str, strips: int, size: str) -> None:
    page = opened(name, size)
    drawings = page.locator("svg.strip")
    assert drawings.count() == strips
    for number in range(strips):
        drawing = drawings.nth(number)
        frame = drawing.bounding_box()
        assert frame
        assert frame["width"] > 200
        for mark in MARKS:
            # Half of a mark may stand beyond the end of the axis, not more.
            box = drawing.locator(f".mark.{mark}").bounding_box()
            assert box
            assert frame["x"] - 8 <= box["x"] + box["width"] / 2 <= frame["x"] + frame["width"] + 8
        bars = drawing.locator("rect.bar")
        assert bars.count() >= 1
        assert min(box["height"] for box in _boxes(bars)) >= 3


def _boxes(locator: t.Any) -> list[dict[str, float]]:
    found: list[dict[str, float]] = locator.evaluate_all("all => all.map(e => e.getBoundingClientRect().toJSON())")
    return found


def test_a_slow_pod_stands_right_of_its_threshold(opened: Open) -> None:
    page = opened("troubled", "desktop")
    row = page.locator("tr.over").first
    limit, mark = row.locator("line.limit").bounding_box(), row.locator(".mark.worst").bounding_box()
    assert limit
    assert mark
    assert mark["x"] > limit["x"]
    quiet = page.locator("tr:not(.over) svg.strip").first
    inside, line = quiet.locator(".mark.p95").bounding_box(), quiet.locator("line.limit").bounding_box()
    assert inside
    assert line
    assert inside["x"] + inside["width"] < line["x"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["healthy", "troubled", "blocked", "without_verdict"])
def test_axe_finds_nothing(opened: Open, name: str, size: str, scheme: Scheme) -> None:
    page = opened(name, size, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], node["html"][:200], node["failureSummary"]) for rule in found for node in rule["nodes"]] == []


def test_the_policy_holds_back_what_somebody_might_smuggle_in(opened: Open) -> None:
    page = opened("healthy", "desktop")
    page.evaluate("""() => {
        const smuggled = '<img src="https://example.com/x.png"><p style="color: red">x</p>';
        document.body.insertAdjacentHTML('beforeend', smuggled);
        const script = document.createElement('script');
        script.textContent = 'document.title = "run"';
        document.body.append(script);
    }""")
    page.wait_for_timeout(200)
    assert page.refused == [("https://example.com/x.png", "csp")]  # type: ignore[attr-defined]
    assert page.title().startswith("Upgraded")
    assert len(page.complaints) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["healthy", "troubled"])
def test_on_paper_everything_is_unfolded_and_black_on_white(opened: Open, name: str) -> None:
    page = opened(name, "desktop", "dark")
    assert page.evaluate(FOLDED) > 0
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(FOLDED) == 0
    body = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert body[0] == "rgb(255, 255, 255)"
    assert max(int(part) for part in body[1].strip("rgb()").split(",")) < 60
    assert len(page.pdf(format="A4")) > 10_000
