"""How long helm waits, and how long a release may take."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.waits import longest, seconds


@pytest.mark.parametrize(
    ("duration", "expected"), [("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m5s", 5405), ("1m1m", 120), ("0s", 0)]
)
def test_durations(duration: str, expected: int) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["", "600", "10 m", "10m ", "1.5h", "-1m", "1d", "m"])
def test_what_is_no_duration(duration: str) -> None:
    with pytest.raises(ValueError, match="no duration such as 10m"):
        seconds(duration)


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        ("", 0),
        ("kind: Deployment\nspec:\n  progressDeadlineSeconds: 600\n", 600),
        ('metadata:\n  annotations:\n    ai-agent/hook-deadline-seconds: "900"\n', 900),
        ('spec:\n  progressDeadlineSeconds: 60\n---\n    ai-agent/hook-deadline-seconds: "240"\n', 240),
        ("data:\n  text: say progressDeadlineSeconds: 900\n", 0),
    ],
)
def test_what_a_release_may_take(manifests: str, expected: int) -> None:
    assert longest(manifests) == expected
