"""The newest of events, whoever wrote them and in whichever field their time stands."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import job_failures
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.events import when
from ansible_collections.ai_platform.agent.plugins.module_utils._release import diagnosis

Object = dict[str, t.Any]
MADE = {"metadata": {"creationTimestamp": "2026-11-29T18:00:00Z"}}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (MADE | {"series": {"lastObservedTime": "2026-11-29T18:09:00.123456Z"}, "lastTimestamp": "2026-11-29T18:01:00Z",
                 "eventTime": "2026-11-29T18:01:00.000000Z"}, "2026-11-29T18:09:00Z"),
        (MADE | {"lastTimestamp": "2026-11-29T18:01:00Z", "eventTime": None}, "2026-11-29T18:01:00Z"),
        (MADE | {"lastTimestamp": None, "eventTime": "2026-11-29T18:02:00.500000Z"}, "2026-11-29T18:02:00Z"),
        (MADE, "2026-11-29T18:00:00Z"),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_last_time(event: Object, said: str) -> None:
    assert when(event) == said


def _event(reason: str, **times: t.Any) -> Object:
    about = {"kind": "Pod", "name": "r-1"}
    return MADE | {"type": "Warning", "reason": reason, "message": reason, "involvedObject": about} | times


def test_an_event_that_repeats_is_as_new_as_its_last_time() -> None:
    """The three that read events agree: a series that goes on is newer than what came after its beginning."""
    series = _event("FailedScheduling", series={"lastObservedTime": "2026-11-29T18:09:00.5Z"},
                    eventTime="2026-11-29T17:00:00.5Z")  # fmt: skip
    once = _event("Unhealthy", lastTimestamp="2026-11-29T18:05:00Z")
    pod = {"metadata": {"name": "r-1", "labels": {}}, "status": {"phase": "Pending"}}
    told = diagnosis.diagnose("r", [pod], [once, series], "")
    lines = [line for line in told.details if line.startswith("event ")]
    assert [line.split(": ")[1] for line in lines] == ["FailedScheduling", "Unhealthy"]

    pulls = [_event("Pulling", series={"lastObservedTime": "2026-11-29T18:09:00Z"}),
             _event("Failed", lastTimestamp="2026-11-29T18:05:00Z")]  # fmt: skip
    assert job_failures.pulling({"status": {}}, pulls)
