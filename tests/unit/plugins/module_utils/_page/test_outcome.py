"""The outcome of a run, and its document."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import inline, report
from ansible_collections.ai_platform.agent.plugins.module_utils._page.outcome import STEPS, outcome, steps_of
from ansible_collections.ai_platform.agent.plugins.module_utils._page.run import (
    document,
    report_of,
    same_but_for_times,
)

from tests.unit.plugins.module_utils._page.runs import ALL, HOSTILE, NOON, connectivity, preflight, run

Json = dict[str, t.Any]


def test_a_step_lasts_until_the_next_begins() -> None:
    steps = steps_of({"guard": 10.0, "release": 12.5}, 20.0, failed=False)
    assert [(step.name, step.state, step.seconds) for step in steps] == [
        ("guard", "done", 2.5), ("preflight", "not chosen", None), ("credentials", "not chosen", None),
        ("release", "done", 7.5), ("verify", "not chosen", None),
    ]  # fmt: skip


def test_a_run_may_have_no_steps() -> None:
    assert {step.state for step in steps_of({}, 3.0, failed=False)} == {"not chosen"}
    assert {step.state for step in steps_of({}, 3.0, failed=True)} == {"not chosen"}


def test_the_step_begun_last_is_the_one_that_failed() -> None:
    steps = steps_of({"guard": 1.0, "credentials": 2.0}, 3.0, failed=True)
    assert [step.state for step in steps] == ["done", "not chosen", "failed", "not reached", "not reached"]


def _outcome(
    changes: Json, *began: str, reports: Json | None = None, failed: str | None = None, check: bool = False
) -> tuple[str, str, str]:
    about = run(**changes)
    if failed is not None:
        about["failure"] = {"task": "t", "message": failed}
    steps = steps_of({name: float(place) for place, name in enumerate(began or STEPS)}, 9.0, failed=failed is not None)
    said = outcome(about, steps, reports or {}, check_mode=check)
    return said.word, said.level, said.sentence


VERIFIED = {"connectivity_test": connectivity()}


@pytest.mark.parametrize(
    ("said", "word", "level", "sentence"),
    [
        (_outcome({}, reports=VERIFIED), "Upgraded", "good",
         "agent-prod in prod was upgraded (Helm revision 8), and its 3 pods reach what they need."),
        (_outcome({"revision": {"after": 1}}, reports={"connectivity_test": connectivity(1)}), "Installed", "good",
         "agent-prod in prod was installed (Helm revision 1), and its pod reaches what it needs."),
        (_outcome({"changed": False}), "Unchanged", "good",
         "agent-prod in prod was already as the inventory wants it, nothing was changed, and passed its test."),
        (_outcome({}, "guard", "release"), "Upgraded", "good",
         "agent-prod in prod was upgraded (Helm revision 8), and was not verified."),
        (_outcome({"changed": False}, "guard", "preflight"), "Checked", "good",
         "Nothing was deployed: agent-prod in prod was looked at."),
        (_outcome({}, check=True), "Rehearsed", "neutral",
         "Check mode changed nothing: agent-prod in prod would change."),
        (_outcome({}, "guard", failed="No password."), "Stopped", "bad",
         "Nothing was changed: guard stopped agent-prod in prod. No password."),
        (_outcome({}, "guard", "preflight", failed="x", reports={"migration_preflight": {"message": "Two heads."}}),
         "Blocked", "bad", "Nothing was changed: preflight stopped agent-prod in prod. Two heads."),
        (_outcome({}, *STEPS[:4], failed="No image"), "Failed", "bad",
         "agent-prod in prod failed in the step release. No image."),
        (_outcome({}, failed=""), "Not verified", "bad",
         "agent-prod in prod is deployed, but did not pass its verification. The run's output says why."),
        # The task alone knows whether it was rolled back.
        (_outcome({}, *STEPS, "soak", failed="1 finding. It was rolled back.",
                  reports={"release_soak": {"message": "1 finding."}}), "Not passed", "bad",
         "agent-prod in prod was deployed, and did not pass its soak. 1 finding. It was rolled back."),
        (_outcome({"release": None, "environment": None}, failed="x" * 999), "Not verified", "bad",
         f"agent-prod is deployed, but did not pass its verification. {'x' * 600} …"),
    ],
)  # fmt: skip
def test_the_outcome(said: tuple[str, str, str], word: str, level: str, sentence: str) -> None:
    assert said == (word, level, sentence)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["lock-brief", "fact-not-visible"], None),
        (["rename"], "1 failing finding wants a look."),
        (["rename", "statement-opaque", "type-change", "type-change"],
         "1 failing finding, 1 unknown and 2 warnings want a look."),
        (["type-change", "type-change"], "2 warnings want a look."),
    ],
)  # fmt: skip
def test_what_the_policy_let_through_is_said(ids: list[str], words: str | None) -> None:
    found = [finding(name, "m.") for name in ids] + [finding("rename", "m.", accepted="inventory: agreed")]
    _word, level, sentence = _outcome({}, reports={"migration_preflight": report("k", "s", found, {})})
    assert level == ("warn" if words else "good")
    assert sentence.endswith(words or "passed its test.")


@pytest.mark.parametrize("name", ALL)
def test_a_document_is_plain_json_with_an_outcome(name: str) -> None:
    full = ALL[name]()
    assert json.loads(json.dumps(full, allow_nan=False)) == full
    assert full["form"] == "ai_platform.agent/deployment/1"
    assert set(full["outcome"]) == {"word", "level", "sentence"}
    assert full["outcome"]["sentence"].endswith((".", "…"))
    assert "s3cr%40t" not in json.dumps(full)
    text = json.dumps(full, ensure_ascii=False)
    assert not {"\x00", "\x1b", "\ud800", "\ufffe"} & set(text)
    text.encode()


def test_arguments_of_a_module_are_not_reported() -> None:
    result = preflight() | {"changed": False, "failed": True, "msg": "m.", "invocation": {"module_args": {"x": 1}}}
    result |= {"_ansible_no_log": False, "warnings": [], "summary": ["line"]}
    kept = report_of("migration_preflight", result, None)
    assert kept == preflight() | {"message": "m."}


@pytest.mark.parametrize("result", [{}, {"skipped": True, "changed": False}, {"changed": False, "failed": False}])
def test_a_module_that_did_not_run_has_no_report(result: Json) -> None:
    assert report_of("connectivity_test", result, preflight()) is None


def test_a_module_without_a_verdict_has_its_one_finding() -> None:
    one = finding("database-auth", "Wrong password.").as_dict()
    kept = report_of("migration_preflight", {"failed": True, "msg": "Wrong password.", "findings": [one]}, None)
    assert kept == {
        "kind": "migration_preflight",
        "subject": "",
        "verdict": "none",
        "findings": [one],
        "message": "Wrong password.",
    }


def test_the_whole_report_is_taken_for_a_shortened_result_of_the_same_run_only() -> None:
    found = [finding("rename", f"{number}.") for number in range(130)]
    whole = report("migration_preflight", "h:5432/d", found, {"pending": [], "state": "behind"})
    short = inline(whole) | {"statements_omitted": 3, "pending_count": 0}
    kept = report_of("migration_preflight", short, whole)
    assert kept is not None
    assert (len(kept["findings"]), kept["findings_omitted"], kept["statements_omitted"]) == (130, 0, 0)
    older = whole | {"verdict": "safe"}
    kept = report_of("migration_preflight", short, older)
    assert kept is not None
    assert (len(kept["findings"]), kept["findings_omitted"], kept["verdict"]) == (100, 30, "unsafe")


def _document(began: float, message: str, verdict: str = "warn") -> Json:
    full = report("connectivity_test", "s", [finding("replication-lag", message)], {"verdict": verdict})
    full["dependencies"] = [{"name": "redis", "rounds": {"count": 5, "p95": began, "samples_ms": [began]}}]
    steps = {"guard": began, "verify": began + began / 7}
    return document(run(steps=steps), {"connectivity_test": full}, ended=began * 2, check_mode=False)


def test_documents_that_differ_in_times_only_are_the_same() -> None:
    one = _document(100.0, "The standby is 31.5 s behind; p95 took 12 ms.")
    other = _document(777.0, "The standby is 40 s behind; p95 took 7.25 ms.")
    assert one != other
    assert same_but_for_times(one, other)
    assert not same_but_for_times(one, _document(100.0, "The standby is gone; p95 took 12 ms."))
    assert not same_but_for_times(one, _document(100.0, "The standby is 31.5 s behind; p95 took 12 ms.", "unsafe"))
    assert not same_but_for_times(None, one)


def test_a_password_in_a_message_is_hidden() -> None:
    about = run(failure={"task": "t", "message": HOSTILE[4]})
    sentence = document(about, {}, ended=NOON + 99, check_mode=False)["outcome"]["sentence"]
    assert "postgresql://agent_user:***@db.example.com:5432/agent refused." in sentence
