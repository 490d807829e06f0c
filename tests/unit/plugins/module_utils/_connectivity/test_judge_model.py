"""Certificates, answers of the model's endpoint and the last report, as tables of judgements."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import judge
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.last_report import (
    judge_latency,
    medians_before,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import medians
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.pod_finding import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import details

from tests.unit.plugins.module_utils._connectivity.test_judge import recorded

Facts = t.Any


def found(name: str, phase: str, limits: Thresholds | None = None, **facts: t.Any) -> list[tuple[str, str]]:
    """Ids and severities where the facts of a phase are others."""
    changed = recorded(name)
    for item in changed["observations"][0]["records"]:
        if item.get("phase") == phase:
            item["facts"] |= facts
    return [(item.id, item.severity) for item in judge(changed, limits or Thresholds())]


@pytest.mark.parametrize(
    ("left", "life", "days", "wanted"),
    [
        (30.0, 90.0, 14, []),
        (14.0, 90.0, 14, []),
        (13.9, 90.0, 14, [("certificate-expires", "warn")]),
        (13.9, 90.0, 7, []),
        # One of a week has always less than 14 days left: a third of its life counts.
        (3.0, 7.0, 14, []),
        (2.0, 7.0, 14, [("certificate-expires", "warn")]),
        (-0.1, 90.0, 14, [("certificate-expired", "warn")]),
        (-0.1, 90.0, 0, [("certificate-expired", "warn")]),
    ],
)
def test_days_left(left: float, life: float, days: int, wanted: list[tuple[str, str]]) -> None:
    limits = Thresholds(certificate_days=days)
    assert found("model-well", "tls", limits, days_left=left, lifetime_days=life) == wanted


@pytest.mark.parametrize("name", ["model-401", "model-429", "model-login-page"])
def test_the_certificate_is_judged_beside_what_the_endpoint_refused(name: str) -> None:
    ids = [item[0] for item in found(name, "tls", days_left=1.0, lifetime_days=90.0)]
    assert len(ids) == 2
    assert "certificate-expires" in ids


def test_a_certificate_without_an_end_is_no_finding() -> None:
    """As those recorded before days were."""
    assert found("postgresql-tls", "tls", not_after=None) == []


@pytest.mark.parametrize(
    ("status", "key", "wanted"),
    [
        (400, True, "model-refused"),
        (401, True, "model-key-refused"),
        (401, False, "model-key-missing"),
        (402, True, "model-refused"),
        (403, True, "model-forbidden"),
        (403, False, "model-forbidden"),
        (404, True, "model-path-unknown"),
        (405, True, "model-path-unknown"),
        (407, True, "model-proxy"),
        (410, True, "model-path-unknown"),
        (429, True, "model-rate-limited"),
        (301, True, "model-redirected"),
        (302, True, "model-redirected"),
        (500, True, "model-unavailable"),
        (502, True, "model-unavailable"),
        (529, True, "model-unavailable"),
        (418, True, "model-refused"),
        (None, True, "model-not-http"),
    ],
)
def test_each_status_has_its_finding(status: int | None, key: bool, wanted: str) -> None:
    assert [item[0] for item in found("model-500", "models", status=status, key=key)] == [wanted]


def test_the_details_name_what_was_found() -> None:
    phases = details(recorded("model-429"), [])["dependencies"][0]["phases"]
    assert [item["name"] for item in phases] == ["dns", "tcp", "tls", "models"]
    assert phases[-1]["finding"] == "model-rate-limited"
    assert phases[-1]["detail"]["retry_after"] == "20"


def entry(name: str, p50: float | None) -> dict[str, t.Any]:
    return {"name": name, "rounds": {"p50": p50}}


def test_the_median_of_the_slowest_pod_counts() -> None:
    known = [entry("redis", 0.4), entry("redis", 0.9), entry("postgresql", 2.0), {"name": "model"}, entry("x", None)]
    assert medians(known) == {"redis": 0.9, "postgresql": 2.0}


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        (10.0, 31.0, True),
        (10.0, 30.0, False),
        # Many times as slow, and still fast.
        (0.4, 9.0, False),
        (0.4, 20.5, True),
        (100.0, 150.0, False),
        (30.0, 10.0, False),
    ],
)
def test_much_worse_than_the_last_report(before: float, now: float, wanted: bool) -> None:
    told = judge_latency({"redis": before}, {"redis": now}, Thresholds())
    assert [item.id for item in told] == (["latency-worse"] if wanted else [])
    for item in told:
        assert f"{now:.1f} ms" in item.message
        assert f"{before:.1f} ms" in item.message


def test_a_server_that_the_last_report_did_not_know_is_not_compared() -> None:
    assert judge_latency({"redis": 1.0}, {"postgresql": 900.0}, Thresholds()) == []


REPORT = {"kind": "connectivity_test", "subject": "prod/a", "dependencies": [entry("redis", 0.5)]}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (json.dumps(REPORT), {"redis": 0.5}),
        (json.dumps(REPORT | {"subject": "prod/b"}), {}),
        (json.dumps(REPORT | {"kind": "migration_preflight"}), {}),
        (json.dumps({"kind": "connectivity_test", "subject": "prod/a"}), {}),
        (json.dumps(REPORT | {"dependencies": ["x"]}), {}),
        ("[]", {}),
        ("cut off {", {}),
    ],
)
def test_the_last_report_is_one_on_the_same_subject(tmp_path: Path, content: str, wanted: dict[str, float]) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    assert medians_before(str(path), "connectivity_test", "prod/a") == wanted


def test_without_a_last_report_nothing_is_compared(tmp_path: Path) -> None:
    assert medians_before(None, "connectivity_test", "prod/a") == {}
    assert medians_before(str(tmp_path / "none.json"), "connectivity_test", "prod/a") == {}
