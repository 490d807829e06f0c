"""The report in ten seconds, and as JUnit."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.junit import junit
from ansible_collections.ai_platform.agent.plugins.module_utils._common.report import report, without_verdict
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.table import summary

GIB = 1 << 30


def lock(mode: str, table: str, size: int, **more: t.Any) -> dict[str, t.Any]:
    return {"mode": mode, "table": table, "rewrite": False, "scan": False, "bytes": size, "total_bytes": size} | more


def revision(number: int, risk: str, *locks: dict[str, t.Any]) -> dict[str, t.Any]:
    statements = [{"locks": [item]} for item in locks]
    return {"revision": f"{number:04}", "title": f"step {number}", "risk": risk, "statements": statements}


def full(findings: list[Finding], *pending: dict[str, t.Any], state: str = "behind") -> dict[str, t.Any]:
    targets = [pending[-1]["revision"]] if pending else ["0006"]
    details = {"state": state, "live_revisions": ["0006"], "target_revisions": targets, "pending": list(pending)}
    return report("migration_preflight", "prod/agent", findings, details)


LONG = finding(
    "lock-blocks-reads", "Rewrites public.messages (3.1 GiB).", revision="0007", statement=2, table="public.messages"
)


def test_what_one_sees() -> None:
    shown = summary(
        full(
            [
                finding("backup-unknown", "No record."),
                LONG,
                finding("destructive", "It drops.", accepted="inventory: x"),
            ],
            revision(7, "high", lock("ACCESS EXCLUSIVE", "public.messages", 3 * GIB, rewrite=True)),
            revision(8, "none", lock("SHARE UPDATE EXCLUSIVE", "public.sessions", 2048), {"mode": "x", "table": "new"}),
        )
    )
    assert shown == [
        "UNSAFE  prod/agent: behind, 0006 -> 0008, 2 revisions",
        "  0007  high  ACCESS EXCLUSIVE on public.messages 3.0 GiB, rewrites it  step 7",
        "  0008  none  SHARE UPDATE EXCLUSIVE on public.sessions 2.0 KiB         step 8",
        "fail lock-blocks-reads (0007): Rewrites public.messages (3.1 GiB).",
        "     do: Expand and contract: NOT VALID first, VALIDATE in a later revision, backfill in batches.",
        "further: 1 accepted; in the report",
    ]


def test_nothing_to_do_is_one_line() -> None:
    assert summary(full([], state="current")) == ["SAFE  prod/agent: current at 0006, nothing to migrate"]


@pytest.mark.parametrize("reported", [True, False])
def test_what_is_left_out_is_in_the_report_or_named(*, reported: bool) -> None:
    findings = [finding("fact-not-visible", "a"), finding("exec-forbidden", "b"), finding("secret-missing", "c")]
    shown = summary(full(findings, state="current"), reported=reported)
    named = "2 skip; in the report" if reported else "2 skip (fact-not-visible, secret-missing)"
    assert shown[1:] == [f"further: {named}"]


def test_a_revision_that_is_not_known_is_not_worded_as_nothing_to_do() -> None:
    shown = summary(full([finding("revision-unknown", "x")], state="unknown") | {"pending_unknown": "revision-unknown"})
    assert shown[0] == "UNSAFE  prod/agent: unknown at 0006, what is pending is not known (revision-unknown)"


def test_it_never_exceeds_a_screen() -> None:
    findings = [finding("rename", "x" * 500, revision="0001") for _ in range(30)]
    findings += [finding("fact-not-visible", "hidden") for _ in range(3)]
    revisions = [
        revision(number, "high" if number in {3, 17} else "low", lock("SHARE", "t", GIB)) for number in range(40)
    ]
    shown = summary(full(findings, *revisions))
    assert len(shown) <= 15
    assert max(map(len, shown)) <= 150
    assert shown[1].split()[:2] == ["0000", "low"]
    assert {"0003", "0017"} <= {line.split()[0] for line in shown[1:6]}
    assert shown[6] == "  and 35 more, of risk low at most"
    assert shown[-1] == "further: 27 fail, 3 skip; in the report"


def test_the_widest_work_on_the_largest_table_is_named() -> None:
    (_, line) = summary(
        full(
            [],
            revision(
                1,
                "low",
                lock("ACCESS EXCLUSIVE", "a", 1024),
                lock("SHARE", "b", 1024, scan=True),
                lock("SHARE", "c", GIB, scan=True),
            ),
        )
    )
    assert "SHARE on c 1.0 GiB, reads it" in line


@pytest.mark.parametrize(("fail_on", "failed"), [("never", 0), ("fail", 1), ("unknown", 2), ("warn", 4)])
def test_junit(fail_on: str, failed: int) -> None:
    findings = [
        LONG,
        finding("statement-opaque", "\x00 <&> ü"),
        finding("server-version-old", "old"),
        finding("fact-not-visible", "hidden"),
        finding("destructive", "gone", accepted="inventory: read"),
        finding("lock-brief", "brief"),
    ]
    root = ET.fromstring(junit(full(findings, revision(7, "high")), fail_on))  # noqa: S314 - made one line before
    (suite,) = root
    cases = {item.get("name"): item for item in suite}
    assert suite.get("name") == "migration_preflight prod/agent"
    assert len(cases) == len(findings) + 1
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == failed
    assert int(suite.get("tests", "")) == len(findings) + 1
    hidden = "skipped" if fail_on != "warn" else "failure"
    assert cases["fact-not-visible"].find(hidden) is not None
    text = cases["lock-blocks-reads 0007 2 public.messages"].findtext("failure") or ""
    assert ("docs/runbook.md#lock-blocks-reads" in text) == (fail_on != "never")
    assert cases["statement-opaque"].findtext("system-out") == "\ufffd <&> ü"


def test_a_run_without_a_verdict_is_a_failed_case() -> None:
    error = finding("database-auth", "The server refuses the password.")
    ended = without_verdict("migration_preflight", "prod/agent", error.as_dict())
    assert (ended["verdict"], ended["counts"]["fail"]) == ("none", 1)
    (suite,) = ET.fromstring(junit(ended, "fail"))  # noqa: S314 - made one line before
    assert [item.get("name") for item in suite if item.find("failure") is not None] == ["database-auth"]
