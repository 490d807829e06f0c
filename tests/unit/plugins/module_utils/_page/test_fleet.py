"""What a fleet says of itself: the verdict of all, who is on what, and the page."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet import Fleet, Phase, fleet, lines
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet_module import execute
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet_page import fleet_page

from tests.unit.plugins.module_utils._page.fleets import (
    ALL,
    NEW,
    OLD,
    deployed,
    failed,
    hostile,
    hundred,
    report,
    unchanged,
    waiting,
)
from tests.unit.plugins.module_utils._page.test_page import Read


def hosts(found: Fleet) -> list[str]:
    return [one.host for one in found.releases]


def test_the_worst_come_first() -> None:
    found = fleet(hundred(), "deployed")
    assert hosts(found)[:5] == ["agent-007", "agent-008", "agent-009", "agent-004", "agent-024"]
    assert hosts(found)[-1] == "agent-098"
    levels = [one.level for one in found.releases]
    assert levels == sorted(levels, key=["bad", "warn", "neutral", "good"].index)


def test_a_stop_says_how_many_are_where() -> None:
    found = fleet(hundred(), "deployed")
    assert (found.level, found.word) == ("bad", "Stopped")
    assert found.counts == {
        "failed": 2, "unfinished": 1, "waiting": 66, "deployed": 21, "unchanged": 9, "left out": 1,
    }  # fmt: skip
    words = "agent-007 (failed, wave 2), agent-008 (not verified, wave 2), agent-009 (not finished, wave 2) stopped"
    assert found.sentence.startswith(words)
    assert "2 failed, 1 not finished, 66 not begun, 21 deployed, 9 unchanged, 1 left out" in found.sentence
    assert "run again" in found.sentence
    assert "agent-007: Failed, for a reason." in found.problem


def test_who_is_on_what() -> None:
    found = fleet(hundred(), "deployed")
    known = {(one.chart, one.image.rpartition(":")[2]): len(one.hosts) for one in found.versions}
    # One failed half-way and one was lost: neither is said to be on anything. One was deployed and not verified.
    assert known == {(OLD, "1.3.2"): 66, (NEW, "1.4.0"): 31, ("", ""): 2}
    assert sum(known.values()) == 99
    told = lines(found)
    assert told[0].startswith(f"chart {OLD}, image registry.example.com/agent:1.3.2: agent-024, ")
    assert told[0].endswith("and 61 more")
    assert any(line.startswith("agent-008: Not verified.") for line in told)


@pytest.mark.parametrize("word", ["Stopped", "Blocked", "Failed"])
def test_what_guard_or_preflight_stopped_is_on_what_it_was(word: str) -> None:
    stopped = failed(word, chart={"before": OLD, "after": ""})
    [one] = fleet({"a": stopped}, "judged").releases
    assert (one.chart, one.wanted) == (OLD, NEW)


WAITS, SAME, BLOCKED = waiting(), unchanged(), failed("Blocked")
STOP = "Nothing was changed: 1 of 2 releases stop the fleet: b"


@pytest.mark.parametrize(
    ("records", "check", "word", "sentence"),
    [
        ({"a": WAITS, "b": SAME}, False, "Ready", "All 2 releases may be deployed, 1 of them will change"),
        ({"a": WAITS, "b": SAME}, True, "Rehearsed", "Check mode changed nothing: 1 of 2 releases would change (a)"),
        ({"a": SAME, "b": SAME}, False, "Unchanged", "All 2 releases were already as the inventory wants"),
        ({"a": SAME}, True, "Rehearsed", "Check mode changed nothing: 0 of 1 releases would change."),
        ({"a": WAITS, "b": BLOCKED}, False, "Stopped", f"{STOP} (blocked)."),
        ({"a": WAITS, "b": {"state": "begun"}}, False, "Stopped", f"{STOP} (not finished)."),
        ({"a": WAITS, "b": {}}, False, "Ready", "All 1 releases"),
    ],
)
def test_the_verdict_before_anything_changes(records: dict[str, t.Any], check: bool, word: str, sentence: str) -> None:
    found = fleet(records, "judged", check_mode=check)
    assert found.word == word
    assert found.sentence.startswith(sentence)
    assert bool(found.problem) == (word == "Stopped")
    if found.problem:
        assert "ai_agent_fleet_skip" in found.problem


def test_a_fleet_between_two_waves_is_no_problem_and_not_done() -> None:
    found = fleet({"a": deployed(), "b": waiting()}, "deployed")
    assert (found.word, found.problem) == ("Under way", "")
    assert (fleet({"a": deployed(), "b": unchanged()}, "deployed").word) == "Deployed"


def test_what_is_begun_is_no_failure_yet() -> None:
    records = {"a": waiting() | {"state": "begun", "wave": 1}, "b": waiting()}
    assert fleet(records, "begun").problem == ""
    assert "at work" in fleet(records, "begun").releases[0].sentence
    assert "not known" in fleet(records, "deployed").releases[0].sentence
    assert fleet(records, "deployed").problem


def test_findings_that_want_a_look_are_counted() -> None:
    found = fleet({"a": deployed(level="warn"), "b": deployed()}, "deployed")
    assert (found.level, found.word) == ("warn", "Deployed")
    assert "1 of them wants a look." in found.sentence


@pytest.mark.parametrize("phase", ["judged", "begun", "deployed"])
@pytest.mark.parametrize("name", ALL)
def test_the_page_needs_nothing_but_itself(name: str, phase: Phase) -> None:
    read = Read(fleet_page(fleet(ALL[name](), phase), "/reports", ended=1795262400.0))
    assert not {"script", "img", "iframe", "object", "form", "base"} & {element for element, _ in read.elements}
    assert not [key for _, attributes in read.elements for key in attributes if key.startswith("on") or key == "style"]
    assert "alert(1)" not in str([attributes for element, attributes in read.elements if element != "a"])
    assert "s3cret" not in read.text
    assert len(read.all("li")) == len(ALL[name]())


def test_a_release_leads_to_its_own_page_where_it_has_one() -> None:
    records = {
        "a b": {"state": "deployed", "report": report("Upgraded") | {"path": "/reports/a b/report.html"}},
        "c": {"state": "deployed", "report": report("Upgraded") | {"path": "/elsewhere/c/report.html"}},
    }
    read = Read(fleet_page(fleet(records, "deployed"), "/reports", ended=0))
    assert [item["href"] for item in read.all("a")] == ["a%20b/report.html"]


def test_passwords_of_urls_are_in_nothing_that_is_said() -> None:
    assert "s3cret" not in str(fleet(hostile(), "deployed"))


def test_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    arguments = {"folder": str(folder), "phase": "deployed", "records": hundred()}
    rehearsed = execute(arguments, check_mode=True)
    assert (rehearsed["path"], folder.exists()) == ("", False)
    done = execute(arguments, check_mode=False)
    assert done["path"] == str(folder / "fleet.html")
    written = json.loads((folder / "fleet.json").read_text())
    assert (written["form"], written["word"], len(written["releases"])) == ("ai_platform.agent/fleet/1", "Stopped", 100)
    assert written["counts"] == done["counts"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert execute(arguments | {"folder": None}, check_mode=False)["sentence"] == done["sentence"]


@pytest.mark.parametrize("record", [{"state": "happy"}, {"wave": 1}, "deployed"])
def test_a_record_that_nobody_makes_is_refused(record: t.Any) -> None:
    with pytest.raises(FindingError, match="records: a must have a state"):
        execute({"folder": None, "phase": "judged", "records": {"a": record}}, check_mode=False)
