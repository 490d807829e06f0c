"""What the page shows of a report, and in which order."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report
from ansible_collections.ai_platform.agent.plugins.module_utils._page import view

Json = dict[str, t.Any]


def _reports(*findings: t.Any, kind: str = "migration_preflight") -> Json:
    return {kind: report(kind, "s", findings, {})}


@pytest.mark.parametrize(("status", "told"), [("pass", "Shown since"), ("fail", "Check host, port")])
def test_what_a_verification_has_shown_is_not_asked_for_any_more(status: str, told: str) -> None:
    seen = {"dependencies": [{"name": "postgresql", "phases": [{"name": "tcp", "status": status}]}]}
    reports = _reports(finding("database-unreachable", "1.")) | {"connectivity_test": {"findings": [], **seen}}
    [group] = view.groups(reports, "https://e.example/r")
    assert group.hint.startswith(told)


def test_findings_of_one_id_are_one_group_and_the_worst_comes_first() -> None:
    found = [
        finding("lock-brief", "1."), finding("index-invalid", "2."), finding("rename", "3.", table="public.a"),
        finding("index-invalid", "4."), finding("statement-opaque", "5.", revision="0007", statement=2),
        finding("rename", "6.", accepted="inventory: agreed"), finding("index-invalid", "7.", severity="info"),
    ]  # fmt: skip
    groups = view.groups(_reports(*found), "https://e.example/r")
    assert [(group.id, group.severity, len(group.messages), group.accepted) for group in groups] == [
        ("rename", "fail", 1, False), ("statement-opaque", "unknown", 1, False), ("index-invalid", "warn", 2, False),
        ("lock-brief", "info", 1, False), ("index-invalid", "info", 1, False), ("rename", "fail", 1, True),
    ]  # fmt: skip
    assert groups[0].runbook == "https://e.example/r#rename"
    assert [message.where for group in groups[:2] for message in group.messages] == [
        "public.a", "revision 0007, statement 2",
    ]  # fmt: skip
    assert groups[-1].messages[0].accepted == "inventory: agreed"


def test_pods_that_saw_the_same_are_named_or_counted() -> None:
    items = [
        {"id": "x", "severity": "warn", "message": "m", "pods": [f"pod-{n}" for n in range(count)]}
        for count in (1, 3, 9)
    ]
    [group] = view.groups({"connectivity_test": {"findings": items}}, "")
    assert [message.where for message in group.messages] == [
        "pod-0", "pod-0, pod-1, pod-2", "pod-0, pod-1, 7 more pods",
    ]  # fmt: skip


def test_many_messages_are_folded_and_none_is_lost() -> None:
    [group] = view.groups(_reports(*(finding("rename", f"{number}.") for number in range(12))), "")
    assert (len(group.first), len(group.others)) == (view.SHOWN_MESSAGES, 12 - view.SHOWN_MESSAGES)
    assert group.first + group.others == group.messages


def test_a_severity_that_is_not_known_counts_as_unknown() -> None:
    [group] = view.groups({"k": {"findings": [{"id": "x", "severity": "splendid"}]}}, "")
    assert (group.severity, group.messages[0].text, group.source) == ("unknown", "", "k")


def _lock(mode: str, size: float, **more: t.Any) -> Json:
    return {"mode": mode, "table": f"public.t{size:.0f}", "total_bytes": size, "rows": 1234567.0} | more


def _revision(name: str, *statements: list[Json], **more: t.Any) -> Json:
    forms = [
        {"statement": number, "sql": "x", "risk": "low", "locks": locks} for number, locks in enumerate(statements)
    ]
    return {"revision": name, "title": f"Title {name}", "risk": "low", "statements": forms} | more


def test_a_revision_is_known_by_the_lock_that_its_report_calls_the_strongest() -> None:
    locks = [_lock("ACCESS EXCLUSIVE", 5), _lock("ACCESS EXCLUSIVE", 7 << 20, rewrite=True)]
    first = _revision("1", locks, strongest_lock=locks[1])
    shown = view.migrations({"pending": [first, _revision("2", strongest_lock=None)]}, released=False)
    assert shown is not None
    assert shown.revisions[0].strongest == view.Lock(
        "ACCESS EXCLUSIVE", "public.t7340032", "7.0 MiB", "1\u202f234\u202f567", "rewrites"
    )
    assert shown.revisions[1].strongest is None
    assert not shown.applied


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (_lock("SHARE", 5, rows=-1), ("5 B", "never analysed", "")),
        (_lock("SHARE", 5, new=True, scan=True), ("new", "1\u202f234\u202f567", "scans")),
        ({"mode": "SHARE", "table": "t"}, ("", "", "")),
    ],
)
def test_the_figures_of_a_lock(lock: Json, words: tuple[str, str, str]) -> None:
    shown = view.migrations({"pending": [_revision("1", [lock])]}, released=True)
    assert shown is not None
    [only] = shown.revisions[0].statements[0].locks
    assert (only.size, only.rows, only.work) == words
    assert shown.applied


def test_what_is_left_out_is_counted() -> None:
    pending = [_revision(str(number), *[[]] * 4) for number in range(130)]
    shown = view.migrations({"pending": pending, "statements_omitted": 11, "pending_count": 200}, released=False)
    assert shown is not None
    kept = sum(len(revision.statements) for revision in shown.revisions)
    assert (len(shown.revisions), shown.left_out) == (view.SHOWN_REVISIONS, 100)
    assert (kept, shown.statements_left_out) == (view.SHOWN_STATEMENTS, 130 * 4 - view.SHOWN_STATEMENTS + 11)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"statements": 1, "seconds": 0.0049, "locks": [], "rewrites": []}, "in less than 0.01 s"),
        (
            {
                "statements": 3,
                "seconds": 1.25,
                "locks": [{"table": f"public.t{number}", "mode": "SHARE"} for number in range(4)],
                "rewrites": ["public.t1", "public.t2"],
            },
            "in 1.25 s; locks SHARE on public.t0, SHARE on public.t1, SHARE on public.t2 and 1 more; "
            "writes public.t1, public.t2 anew",
        ),
    ],
)
def test_what_a_trace_saw_is_told_of_its_revision(seen: Json, words: str) -> None:
    report = {"pending": [_revision("1"), _revision("2")], "trace": {"revisions": [seen | {"revision": "2"}]}}
    shown = view.migrations(report, released=False)
    assert shown is not None
    assert [revision.traced for revision in shown.revisions] == ["", words]


def test_without_a_verdict_there_are_no_migrations() -> None:
    assert view.migrations(None, released=True) is None
    assert view.migrations({"findings": []}, released=True) is None


def test_of_several_attempts_the_worst_is_shown() -> None:
    tried = [
        {"from": "agent", "to": "api-server", "got": got, "expected": "refused or timeout", "ms": 3, "status": status}
        for got, status in [("timeout", "pass"), ("reached", "fail"), ("no-name", "skip")]
    ]
    tried.append({"from": "stranger", "to": "redis", "got": "timeout", "ms": None, "status": "pass"})
    shown = view.negatives({"negatives": tried})
    assert shown is not None
    assert shown.columns == ("to api-server", "to redis")
    (first, cells), (second, others) = shown.rows
    assert (first, second) == ("Agent pods", "Pod without the client label")
    assert cells == (view.Cell("reached", "fail", "refused or timed out", 3.0), None)
    assert others == (None, view.Cell("timed out", "pass", "", None))


def test_answers_of_the_agent_are_told_by_pod() -> None:
    answers = [
        {"from": "agent" if via == "pod" else "stranger", "pod": pod, "path": "/ready", "via": via, "http_status": code,
         "ms": 2.0, "status": status, **more}
        for pod, via, code, status, more in [
            ("a", "pod", 200, "pass", {}), ("a", "service", 200, "pass", {}), ("b", "pod", 503, "fail", {}),
            ("b", "service", None, "fail", {"error": "connection refused"}),
        ]
    ]  # fmt: skip
    shown = view.answers({"agent": answers})
    assert shown is not None
    assert [(who, [cell.got for cell in cells if cell]) for who, cells in shown.rows] == [
        ("Pod without the client label", ["connection refused"]), ("b", ["503"]), ("a", ["200"]),
    ]  # fmt: skip


@pytest.mark.parametrize("made", [view.negatives, view.answers])
def test_nothing_tried_is_no_table(made: t.Callable[[Json], view.Matrix | None]) -> None:
    assert made({}) is None
    assert made({"negatives": [], "agent": None}) is None


def test_changes_list_what_is_known() -> None:
    run = {"chart": {"after": "2"}, "images": {"before": {"redis": "r"}, "after": {"agent": "a", "redis": "r"}}}
    assert [(item.what, item.changed) for item in view.changes(run)] == [
        ("Chart", True), ("Image agent", True), ("Image redis", False),
    ]  # fmt: skip
    assert view.changes({"chart": None, "revision": {"before": 3}}) == [view.Change("Helm revision", "3", "")]
