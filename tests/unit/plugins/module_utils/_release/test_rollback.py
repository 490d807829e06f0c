"""A rollback goes to a version that can work with the schema that is there; what is not known is not called safe."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import records
from ansible_collections.ai_platform.agent.plugins.module_utils._release.records import Record
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rollback import (
    Candidate,
    choose,
    row,
    sentence,
    table,
)

Object = dict[str, t.Any]
BREAK = ("contract-phase on public.messages by revision 0007",)


@pytest.mark.parametrize(
    ("recorded", "live", "verdict", "words"),
    [
        # The same schema.
        ({1: Record("a", ("6",), ()), 2: Record("b", ("6",), ())}, ["6"], "safe", "is the live one"),
        # Ahead, by what was judged harmless, and by what was not.
        ({1: Record("a", ("6",), ()), 2: Record("b", ("7",), ())}, ["7"], "safe", "breaks no older version"),
        ({1: Record("a", ("6",), ()), 2: Record("b", ("7",), BREAK)}, ["7"], "unsafe", BREAK[0]),
        ({1: Record("a", ("6",), ()), 2: Record("b", ("7",), None, "opaque")}, ["7"], "unknown", "opaque"),
        # The migration of revision 2 never ran, or only in part.
        ({1: Record("a", ("6",), ()), 2: Record("b", ("7",), BREAK)}, ["6"], "safe", "is the live one"),
        ({1: Record("a", ("6",), ()), 2: Record("b", ("8",), ())}, ["7"], "unknown", "no record says"),
        # Two steps, of which the first breaks.
        (
            {1: Record("a", ("6",), ()), 2: Record("b", ("7",), BREAK), 3: Record("c", ("8",), ())},
            ["8"],
            "unsafe",
            "(revision 2)",
        ),
        # What comes after the live schema was reached counts for nothing.
        (
            {1: Record("a", ("6",), ()), 2: Record("b", ("7",), ()), 3: Record("c", ("8",), BREAK)},
            ["7"],
            "safe",
            "breaks no older version",
        ),
        ({2: Record("b", ("7",), ())}, ["7"], "unknown", "was not recorded"),
        ({1: Record("a", ("6",), ())}, ["7"], "unknown", "no record says"),
        ({1: Record("a", ("6",), ()), 3: Record("c", ("7",), ())}, ["7"], "unknown", "revision 2"),
        ({1: Record("a", None, None, "no preflight")}, ["7"], "unknown", "no preflight"),
        ({1: Record("a", ("6",), ()), 2: Record("b", ("7",), ())}, None, "unknown", "not known"),
    ],
)
def test_the_schema_decides(recorded: dict[int, Record], live: list[str] | None, verdict: str, words: str) -> None:
    found = records.schema(1, recorded, live)
    assert found[0] == verdict
    assert words in found[1]


def test_a_version_that_waits_for_a_newer_schema_is_no_way_back() -> None:
    """Revision 3 failed before it migrated, and revision 4 is a rollback to the version of revision 2."""
    six, seven = Record("b", ("6",), ()), Record("c", ("7",), BREAK)
    recorded = {1: Record("a", ("5",), ()), 2: six, 3: seven, 4: six}
    verdict, words = records.schema(3, recorded, ["6"])
    assert verdict == "unsafe"
    assert "older than the one it waits for (7)" in words
    assert records.schema(1, recorded, ["6"])[0] == "safe"


def test_after_a_rollback_an_old_version_is_judged_by_the_migrations_and_not_by_the_order_of_versions() -> None:
    """Revision 3 migrated, revision 4 is a rollback to the version of revision 2, and revision 5 migrates on."""
    six, seven, eight = Record("b", ("6",), ()), Record("c", ("7",), BREAK), Record("d", ("8",), ())
    recorded = {2: six, 3: seven, 4: six, 5: eight}
    assert records.schema(4, recorded, ["8"])[0] == "unsafe"
    assert records.schema(3, recorded, ["8"])[0] == "safe"


def result(**more: t.Any) -> Object:
    return {"verdict": "safe", "target_revisions": ["7"], "pending_count": 1, "findings": []} | more


def finding(name: str, severity: str = "fail", **more: t.Any) -> Object:
    return {"id": name, "severity": severity} | more


@pytest.mark.parametrize(
    ("preflight", "breaks"),
    [
        (result(), ()),
        (result(findings=[finding("lock-blocks-reads")]), ()),
        (result(findings=[finding("rename", table="public.t", revision="7")]), ("rename on public.t by revision 7",)),
        # Accepted is not harmless.
        (result(findings=[finding("destructive", accepted="known")]), ("destructive",)),
        (result(findings=[finding("statement-opaque", "unknown")]), None),
        (result(findings=[finding("statement-opaque", "unknown")], pending_count=0), ()),
        (result(pending_unknown="database-unreachable"), None),
        (result(findings_omitted=3), None),
        (result(target_revisions=[]), None),
        ({}, None),
        ({"msg": "no verdict"}, None),
    ],
)
def test_what_is_recorded_of_a_preflight(preflight: Object, breaks: tuple[str, ...] | None) -> None:
    made = records.of_preflight(preflight, "agent:1")
    assert made.breaks == breaks
    assert bool(made.why) == (breaks is None)
    assert records.read({"revision-3": made.text()}) == {3: made}


def test_what_others_wrote_into_the_records_is_left_out() -> None:
    good = Record("a", ("6",), ())
    data = {"revision-1": good.text(), "revision-2": "{", "note": "x", "revision-x": good.text(), "revision-3": "[]"}
    assert records.read(data | {"revision-4": json.dumps({"heads": []})}) == {1: good}


def candidate(**more: t.Any) -> Candidate:
    given: Object = {"number": 1, "status": "superseded", "updated": "2026-11-29T13:05:10.1Z", "chart": "ai-agent-1"}
    return Candidate(**given | {"image": "agent:1"} | more)


KNOWN = {1: Record("agent:1", ("6",), ())}


def pods(reason: str | None) -> list[Object]:
    state = {"waiting": {"reason": reason}} if reason else {"running": {}}
    status = {"name": "agent", "state": state, "imageID": "" if reason else "sha256:1"}
    spec = {"containers": [{"name": "agent", "image": "agent:1"}]}
    return [{"spec": spec, "status": {"containerStatuses": [status]}}]


@pytest.mark.parametrize(
    ("item", "running", "verdict", "words"),
    [
        (candidate(), [], "safe", "whether its image can still be pulled is not known"),
        (candidate(), pods(None), "safe", "a pod here runs its image"),
        (candidate(), pods("ImagePullBackOff"), "unsafe", "cannot pull"),
        (candidate(status="failed"), [], "unsafe", "never came to work"),
        (candidate(obstacles=("Secret demo/s lacks the keys k",)), [], "unsafe", "lacks the keys k"),
        (candidate(image=""), [], "unknown", "manifests"),
    ],
)
def test_the_table_has_a_reason_for_each(item: Candidate, running: list[Object], verdict: str, words: str) -> None:
    made = row(item, KNOWN, ["6"], running)
    assert made["verdict"] == verdict
    assert any(words in reason for reason in made["reasons"])
    assert any(words in line for line in table([made], 0))


@pytest.mark.parametrize(
    ("became", "words"),
    [
        (5, "was rolled back to revision 1 (agent:1); Helm counts it as revision 5."),
        (0, "would be rolled back to revision 1 (agent:1)."),
    ],
)
def test_one_sentence_says_what_became_of_the_release(became: int, words: str) -> None:
    made = row(candidate(), KNOWN, ["6"], [])
    said = sentence(made, {"release_name": "demo", "release_namespace": "prod"}, became)
    assert said == f"Release demo in namespace prod {words}"


def rows(*verdicts: str) -> list[Object]:
    """The newest first, as the module has them."""
    numbered = list(enumerate(verdicts, 1))
    return [{"revision": number, "verdict": verdict, "reasons": ["why"]} for number, verdict in reversed(numbered)]


def test_the_newest_safe_one_is_chosen() -> None:
    assert choose(rows("safe", "safe", "unknown", "unsafe"), 0, "", "demo")["revision"] == 2


@pytest.mark.parametrize(
    ("verdicts", "to", "accept", "words"),
    [
        ((), 0, "", "keeps no earlier revision"),
        (("unknown", "unsafe"), 0, "", "Revision 2 is unsafe: why."),
        (("safe",), 7, "", "Helm keeps 1"),
        (("unsafe", "safe"), 1, "", "unsafe"),
        # No reason makes what breaks work.
        (("unsafe", "safe"), 1, "it must be", "unsafe"),
        (("unknown", "safe"), 1, "", "ai_agent_rollback_accept"),
    ],
)
def test_the_others_are_refused(verdicts: tuple[str, ...], to: int, accept: str, words: str) -> None:
    with pytest.raises(FindingError) as error:
        choose(rows(*verdicts), to, accept, "demo")
    assert words in error.value.message
    assert error.value.id == "rollback-refused"


def test_one_that_is_not_known_may_be_taken_for_a_reason() -> None:
    assert choose(rows("unknown", "safe"), 1, "tried in staging", "demo")["revision"] == 1


FIRST = {records.key_of(1): records.of_preflight({"verdict": "safe"}, "agent:1").text()}
MET = {"verdict": "safe", "state": "behind", "live_revisions": ["0006"]}


def test_the_second_deployment_tells_of_the_first() -> None:
    more = records.learned(FIRST, 2, MET)
    assert records.read(more) == {1: records.Record("agent:1", ("0006",), ())}
    # What is known stays as it is.
    assert records.learned(more, 2, MET | {"live_revisions": ["0007"]}) == {}


@pytest.mark.parametrize(
    ("revision", "result"),
    [
        (3, MET),
        (2, MET | {"state": "ahead"}),
        (2, MET | {"state": "unknown"}),
        (2, MET | {"live_revisions": []}),
        (2, {}),
    ],
)
def test_what_tells_nothing_of_the_first(revision: int, result: dict[str, t.Any]) -> None:
    assert records.learned(FIRST, revision, result) == {}


def test_a_deployment_that_no_preflight_judged_inherits_what_the_same_image_migrated() -> None:
    """A rotation replaces the pods of a release and nothing else; the way back to them must be known."""
    before = {records.key_of(4): records.Record("agent:1", ("0006",), ("rename on messages",)).text()}
    assert records.inherited(before, 5, "agent:1") == records.Record("agent:1", ("0006",), ())
    assert records.inherited(before, 5, "agent:2") is None
    assert records.inherited(before, 6, "agent:1") is None
    assert records.inherited({records.key_of(4): records.Record("agent:1", why="x").text()}, 5, "agent:1") is None
