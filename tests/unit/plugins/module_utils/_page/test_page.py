"""The page as text: it needs nothing but itself, and shows as text whatever it is told."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._page import page as page_module
from ansible_collections.ai_platform.agent.plugins.module_utils._page.latency_plot import SHOWN_PODS
from ansible_collections.ai_platform.agent.plugins.module_utils._page.page import duration, page

from tests.unit.plugins.module_utils._page.runs import ALL, HOSTILE, MARKUP, PICTURE, look_of

RUNBOOK = "https://example.com/runbook.md"
VOID = {"meta", "link", "br"}


class Read(html.parser.HTMLParser):
    """What a browser would make of a page: elements with their attributes, text, and whether all were closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        assert len({name for name, _value in attrs}) == len(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, part: str = "") -> list[dict[str, str]]:
        """Attributes of the elements `tag`, of those with the class `part` if one is given."""
        found = [attributes for name, attributes in self.elements if name == tag]
        return [item for item in found if not part or part in item.get("class", "").split()]


@pytest.fixture(scope="module", params=ALL)
def read(request: pytest.FixtureRequest) -> Read:
    """Each run's page."""
    return Read(page(ALL[request.param](), RUNBOOK))


def _of(name: str) -> Read:
    return Read(page(ALL[name](), RUNBOOK))


def test_nothing_is_loaded_and_nothing_is_run(read: Read) -> None:
    assert not {"script", "img", "iframe", "object", "form", "base"} & {name for name, _attributes in read.elements}
    for name, attributes in read.elements:
        assert not [key for key in attributes if key.startswith("on") or key in {"src", "style", "srcset"}], name
        target = attributes.get("href", "#i-")
        assert target == "data:," or target.startswith(("#i-", f"{RUNBOOK}#")), target
    links = {tuple(sorted(item.get("rel", "").split())) for item in read.all("a")}
    assert links <= {("noopener", "noreferrer")}


def test_the_policy_names_the_one_style_sheet() -> None:
    text = page(ALL["healthy"](), RUNBOOK)
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    [policy] = [item["content"] for item in Read(text).all("meta") if item.get("http-equiv")]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert style == Path(page_module.__file__).with_suffix(".css").read_text(encoding="utf-8")


def test_the_outcome_comes_first(read: Read) -> None:
    order = [name for name, _attributes in read.elements if name in {"h1", "h2", "h3"}]
    assert order[0] == "h1"
    assert order.count("h1") == 1
    assert read.all("header")[0]["class"].split()[-1] in {"good", "warn", "bad", "neutral"}


def test_what_comes_from_outside_is_shown_as_text() -> None:
    read = _of("hostile")
    assert MARKUP in read.text
    assert HOSTILE[1] in read.text
    assert "{{ 7 * 7 }}" in read.text
    assert "s3cr%40t" not in read.text


def test_findings_are_worst_first_with_what_to_do() -> None:
    full = ALL["troubled"]()
    read = Read(page(full, RUNBOOK))
    badges = [item["class"].split()[1] for item in read.all("span", "badge")]
    order = ["fail", "unknown", "warn"]
    shown = [order.index(name) for name in badges if name in order][: len(full["reports"])]
    assert shown == sorted(shown)
    hints = {item["hint"] for report in full["reports"].values() for item in report["findings"]}
    assert [hint for hint in hints if hint not in read.text] == []
    ids = {item["id"] for report in full["reports"].values() for item in report["findings"]}
    assert {item["href"] for item in read.all("a")} == {f"{RUNBOOK}#{name}" for name in ids}


def test_the_plot_has_every_pod_and_every_mark() -> None:
    read = _of("healthy")
    assert len(read.all("svg", "strip")) == 6
    for name in ("p50", "p95", "p99", "worst"):
        # One more is in the legend.
        assert (
            len(
                [
                    item
                    for item in read.all("path", "mark") + read.all("circle", "mark")
                    if name in item["class"].split()
                ]
            )
            == 7
        )
    assert len(read.all("line", "limit")) == 6 + 1
    for item in read.all("svg", "strip"):
        assert re.search(r"from agent-prod-\S+: p50 .*p95 .*p99 .*worst .*; threshold \d+ ms$", item["aria-label"])


def test_fifty_pods_and_a_hundred_findings_stay_readable() -> None:
    text = page(ALL["long"](), RUNBOOK)
    read = Read(text)
    assert len(text) < 500_000
    assert len(read.all("svg", "strip")) == 2 * (SHOWN_PODS + 1)
    assert "38 other pods" in read.text
    assert "\u00d7 25" in read.text
    assert "180 statements" in read.text


def test_a_run_without_any_check_says_so() -> None:
    read = _of("without_verdict")
    assert "No check came to a result in this run." in read.text
    assert "Stopped" in read.text
    assert "Stop without passwords" in read.text


def test_pending_becomes_applied_when_the_release_was_made() -> None:
    assert "These revisions were applied:" in _of("troubled").text
    assert "These revisions are pending:" in _of("blocked").text
    assert "Nothing is pending." in _of("unchanged").text


def test_what_nobody_asked_is_not_said_to_be_nothing() -> None:
    full = ALL["unchanged"]()
    full["reports"]["migration_preflight"] |= {"state": "absent", "live_revisions": [], "target_revisions": []}
    read = Read(page(full, RUNBOOK))
    assert "no database yet. What the release would migrate was not asked." in " ".join(read.text.split())
    assert "Nothing is pending." not in read.text


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("blocked", "What is pending is not known; these are all revisions of the image:"),
        ("troubled", "Which of them were applied is not known; these are all revisions of the image:"),
        ("unchanged", "What was applied is not known."),
    ],
)
def test_what_is_not_known_is_said_with_its_reason_and_never_counted(run: str, words: str) -> None:
    full = ALL[run]()
    unknown = {"state": "unknown", "live_revisions": [], "pending_unknown": "database-unreachable"}
    full["reports"]["migration_preflight"] |= unknown
    text = " ".join(Read(page(full, RUNBOOK)).text.split())
    assert "The database was not asked (database-unreachable)" in text
    assert words in text
    assert re.search(r"Not known migrations (pending|applied)", text)
    for claim in ("Nothing is pending", "These revisions"):
        assert claim not in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (0.04, "0.0 s"), (7.26, "7.3 s"), (41.5, "42 s"), (125.2, "2 min 05 s")]
)
def test_a_duration_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_a_badge_never_speaks_by_its_colour_alone(read: Read) -> None:
    assert len(read.all("use")) >= len(read.all("span", "badge"))


def test_every_class_of_the_page_has_a_rule_or_is_a_hook(read: Read) -> None:
    style = Path(page_module.__file__).with_suffix(".css").read_text(encoding="utf-8")
    hooks = {"p99", "not-reached", "not-chosen", "changed", "bar-cell", "state", "mark", "p50"}
    used = {name for _tag, attributes in read.elements for name in attributes.get("class", "").split()}
    assert not {name for name in used if f".{name}" not in style} - hooks


def test_the_picture_in_the_readme_shows_the_present_look() -> None:
    """After a change of the look: python -m tests.integration.report.picture"""
    picture = PICTURE.read_bytes()
    assert f"look\0{look_of()}".encode() in picture
    assert len(picture) < 200_000
    assert "docs/images/report.png" in (PICTURE.parents[2] / "README.md").read_text(encoding="utf-8")
