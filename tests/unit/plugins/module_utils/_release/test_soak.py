"""What a soak concludes from the metrics of pods: the texts are those that prometheus_client itself writes."""

from __future__ import annotations

import math
import typing as t

import prometheus_client
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import soak, soak_metrics
from ansible_collections.ai_platform.agent.plugins.module_utils._release.soak import Limits, Seen, judge

NAMES = soak_metrics.Names("agent_requests_total", "status", "agent_request_seconds")
QUICK, SLOW = 0.02, 0.9


def metrics(answers: t.Mapping[int, int], seconds: float = QUICK, *, buckets: t.Sequence[float] | None = None) -> str:
    """The text of a pod that answered so many requests with each status, each in so many seconds."""
    registry = prometheus_client.CollectorRegistry()
    requests = prometheus_client.Counter(NAMES.requests, "Requests", ["route", "status"], registry=registry)
    bounds = tuple(buckets or prometheus_client.Histogram.DEFAULT_BUCKETS)
    histogram = prometheus_client.Histogram(NAMES.seconds, "Time", ["route"], registry=registry, buckets=bounds)
    for status, number in answers.items():
        requests.labels("/v1/chat", status).inc(number)
        for _each in range(number):
            histogram.labels("/v1/chat").observe(seconds)
    return prometheus_client.generate_latest(registry).decode()


def counts(answers: t.Mapping[int, int], seconds: float = QUICK) -> soak_metrics.Counts:
    return soak_metrics.read(metrics(answers, seconds), NAMES)


def seen(uid: str, answers: t.Mapping[int, int] | None = None, seconds: float = QUICK, **more: t.Any) -> Seen:
    found = None if answers is None else counts(answers, seconds)
    given: dict[str, t.Any] = {"name": uid, "image": "i", "restarts": 0, "ready": True, "problem": ""} | more
    return Seen(uid=uid, counts=found, **given)


BEFORE = [seen("old-1", {200: 990, 500: 1}), seen("old-2", {200: 1000})]


def ids(before: list[Seen], *looks: list[Seen], **limits: t.Any) -> list[str]:
    return [item.id for item in judge(before, looks, Limits(**limits)).findings]


@pytest.mark.parametrize(
    ("looks", "limits", "found"),
    [
        # As good as before, and a little worse within the limits.
        ([[seen("new-1", {200: 300})]], {}, []),
        ([[seen("new-1", {200: 1000, 500: 9})]], {}, []),
        ([[seen("new-1", {200: 1000, 500: 12})]], {}, ["soak-errors"]),
        ([[seen("new-1", {200: 1000, 500: 12})]], {"success_fall": 2.0}, []),
        # The share is large, and it is a handful.
        ([[seen("new-1", {200: 98, 503: 4})]], {}, []),
        ([[seen("new-1", {200: 98, 503: 4})]], {"failures": 3}, ["soak-errors"]),
        # A pod that answers hides none that does not.
        ([[seen("new-1", {200: 500}), seen("new-2", {502: 20})]], {}, ["soak-errors"]),
        # A client's mistake is no failure of the version; many of them are told.
        ([[seen("new-1", {200: 90, 404: 20})]], {}, ["soak-refusals"]),
        ([[seen("new-1", {200: 300}, SLOW)]], {}, ["soak-slow"]),
        ([[seen("new-1", {200: 300}, SLOW)]], {"p95_factor": 100.0}, []),
        ([[seen("new-1", {200: 300}, SLOW)]], {"p95_rise": 1.0}, []),
        ([[seen("new-1", {200: 10, 500: 90}, SLOW)]], {}, ["soak-errors", "soak-slow"]),
        # Too few are never good, and never a breach.
        ([[seen("new-1", {200: 99})]], {}, ["soak-few"]),
        ([[seen("new-1", {500: 99})]], {}, ["soak-few"]),
        ([[seen("new-1", {})]], {}, ["soak-few"]),
        ([[seen("new-1", None, problem="HTTP 404")]], {}, ["soak-unread"]),
        ([[seen("new-1", {200: 300}), seen("new-2", None, problem="HTTP 404")]], {}, ["soak-unread"]),
        ([[seen("new-1", {200: 300})], [seen("new-1", {200: 310}, restarts=1)]], {}, ["soak-restarts"]),
        ([[seen("new-1", {200: 300})], [seen("new-1", {200: 310}, restarts=1)]], {"restarts": 1}, []),
        # What was before the first look was told by the release.
        ([[seen("new-1", {200: 300}, restarts=2)], [seen("new-1", {200: 310}, restarts=2)]], {}, []),
        ([[seen("new-1", {200: 300}), seen("new-2", {200: 1})], [seen("new-1", {200: 301})]], {}, ["soak-replaced"]),
        ([[seen("new-1", {200: 300})], [seen("new-1", {200: 300}, ready=None)]], {}, ["soak-replaced"]),
        # One look may meet a moment.
        ([[seen("new-1", {200: 300})], [seen("new-1", {200: 300}, ready=False)]], {}, []),
        ([[seen("new-1", {200: 300})], *[[seen("new-1", {200: 300}, ready=False)]] * 2], {}, ["soak-unready"]),
        # One that is new and still begins was never ready.
        ([[seen("new-1", {200: 300}), seen("new-2", {}, ready=False)]] * 3, {}, []),
    ],
)  # fmt: skip
def test_verdicts(looks: list[list[Seen]], limits: dict[str, t.Any], found: list[str]) -> None:
    assert ids(BEFORE, *looks, **limits) == found


def test_what_was_failing_before_is_no_breach() -> None:
    failing = [seen("old-1", {200: 500, 500: 500})]
    assert ids(failing, [seen("new-1", {200: 500, 500: 505})]) == []


def test_without_a_version_before_restarts_alone_are_judged() -> None:
    assert ids([], [seen("new-1", {500: 900})]) == ["soak-first"]
    looks = [seen("new-1", {})], [seen("new-1", {}, restarts=3)]
    assert ids([], *looks) == ["soak-restarts", "soak-first"]
    assert judge([], looks, Limits()).breaches == {"soak-restarts"}


def test_too_few_before_says_so() -> None:
    verdict = judge([seen("old-1", {200: 3})], [[seen("new-1", {200: 500})]], Limits())
    assert [(item.id, item.severity) for item in verdict.findings] == [("soak-few", "unknown")]
    assert "before the release counted 3 requests" in verdict.findings[0].message


def test_a_version_before_that_tells_nothing() -> None:
    unread = seen("old-1", None, problem="HTTP 404")
    assert ids([unread], [seen("new-1", {200: 500})]) == ["soak-unread"]
    # One of several that was about to start tells nothing, and the others do.
    assert ids([unread, *BEFORE], [seen("new-1", {200: 500})]) == []


def test_counters_that_begin_anew_lose_nothing_that_was_seen() -> None:
    looks = [[seen("new-1", {200: 300, 500: 20})], [seen("new-1", {200: 40}, restarts=1)]]
    looks.append([seen("new-1", {200: 100}, restarts=1)])
    verdict = judge(BEFORE, looks, Limits())
    assert verdict.figures["after"]["requests"] == 420
    assert verdict.figures["after"]["failed"] == 20
    assert {item.id for item in verdict.findings} == {"soak-restarts", "soak-errors"}


def test_a_pod_that_went_away_still_counts() -> None:
    looks = [[seen("new-1", {500: 200})], [seen("new-2", {200: 200})]]
    verdict = judge(BEFORE, looks, Limits())
    assert verdict.figures["after"]["requests"] == 400
    assert verdict.breaches == {"soak-errors"}
    assert verdict.figures["replaced"] == 1


def test_a_pod_that_stayed_is_not_new() -> None:
    look = [seen("old-1", {200: 1}), seen("new-1", {200: 2})]
    assert [each.uid for each in soak.new_ones(BEFORE, look)] == ["new-1"]


def test_a_breach_ends_the_soak_when_it_was_seen_twice() -> None:
    bad = judge(BEFORE, [[seen("new-1", {500: 200})]], Limits())
    good = judge(BEFORE, [[seen("new-1", {200: 200})]], Limits())
    again = judge(BEFORE, [[seen("new-1", {200: 1})], [seen("new-1", {200: 1}, restarts=1)]], Limits())
    assert not soak.over([bad])
    assert not soak.over([bad, good])
    assert not soak.over([good, bad])
    assert soak.over([good, bad, bad])
    assert soak.over([again])


def test_the_figures() -> None:
    figures = judge(BEFORE, [[seen("new-1", {200: 150, 500: 50}, SLOW)]], Limits()).figures
    assert figures["before"]["pods"] == 2
    assert figures["before"]["success"] == pytest.approx(100 * (1 - 1 / 1991), abs=0.001)
    assert figures["after"]["success"] == 75.0
    assert 0.01 < figures["before"]["p95_seconds"] <= 0.025
    assert 0.75 < figures["after"]["p95_seconds"] <= 1.0


@pytest.mark.parametrize(
    ("buckets", "found"),
    [
        ({"0.1": 90.0, "0.5": 100.0, "inf": 100.0}, soak_metrics.Quantile(0.3, beyond=False)),
        ({"0.1": 10.0, "0.5": 50.0, "inf": 100.0}, soak_metrics.Quantile(0.5, beyond=True)),
        ({"0.1": 0.0, "inf": 0.0}, None),
        ({}, None),
        # Without the last bucket nobody knows how many there are.
        ({"0.1": 90.0}, None),
    ],
)
def test_quantiles(buckets: dict[str, float], found: soak_metrics.Quantile | None) -> None:
    value = soak_metrics.quantile(buckets, 0.95)
    assert (value is None) == (found is None)
    if value and found:
        assert value.beyond == found.beyond
        assert math.isclose(value.seconds, found.seconds)


def test_histograms_with_other_bounds_are_compared_by_what_they_share() -> None:
    one = soak_metrics.read(metrics({200: 100}, QUICK, buckets=(0.05, 0.1, 1.0)), NAMES)
    other = soak_metrics.read(metrics({200: 100}, SLOW, buckets=(0.1, 0.5, 1.0)), NAMES)
    both = soak_metrics.together([one, other])["buckets"]
    assert both == {"0.1": 100.0, "1.0": 200.0, "inf": 200.0}


def test_slower_than_the_largest_bucket() -> None:
    def pod(uid: str, seconds: float) -> Seen:
        return Seen(uid, uid, "i", 0, True, soak_metrics.read(metrics({200: 200}, seconds, buckets=(0.1, 1.0)), NAMES))

    beyond, near, quick = pod("new", 5.0), pod("old", 0.9), pod("older", 0.05)
    assert ids([quick], [beyond]) == ["soak-slow"]
    # That it is slower is certain, and how much is not.
    assert ids([near], [beyond]) == ["soak-unread"]
    assert ids([pod("oldest", 9.0)], [beyond]) == ["soak-unread"]


def test_metrics_of_another_image() -> None:
    names = soak_metrics.Names("http_requests_total", "code", "http_seconds")
    text = (
        '# TYPE http_requests_total counter\nhttp_requests_total{code="200"} 150\nhttp_requests_total{code="500"} 2\n'
    )
    found = soak_metrics.read(text, names)
    assert found == {"requests": {"200": 150.0, "500": 2.0}, "buckets": {}}
    # Without a histogram the time is not known, and the rest is judged.
    alike = Seen("new", "new", "i", 0, True, found)
    assert ids([Seen("old", "old", "i", 0, True, found)], [alike]) == ["soak-unread"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html>not here</html>", "."),
        ("", "is not among them"),
        ("# TYPE other counter\nother_total 1\n", "is not among them"),
        ("# TYPE agent_requests_total counter\nagent_requests_total 5\n", "has no label status"),
        ('# TYPE agent_requests_total counter\nagent_requests_total{status="200"} NaN\n', "is nan"),
        ('# TYPE agent_requests_total counter\nagent_requests_total{status="200"} -1\n', "is -1"),
    ],
)
def test_text_that_is_of_no_use(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        soak_metrics.read(text, NAMES)


def test_a_pod_that_answered_nothing_yet_counts_none() -> None:
    assert soak_metrics.read(metrics({}), NAMES) == {"requests": {}, "buckets": {}}
