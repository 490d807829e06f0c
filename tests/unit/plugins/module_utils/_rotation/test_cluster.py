"""When the pods of a release have the Secret as it is now."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import is_rolled


def deployment(told: str = "new", *, seen: int = 2, **status: int) -> dict[str, t.Any]:
    counts = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2} | status
    return {
        "metadata": {"generation": 2},
        "spec": {"template": {"metadata": {"annotations": {"ai-agent/rotation-id": told}}}},
        "status": {"observedGeneration": seen, **counts},
    }


@pytest.mark.parametrize(
    ("given", "rolled"),
    [
        (deployment(), True),
        # What the inventory gives beside it stands behind the Secret's own id.
        (deployment("new-2026"), True),
        (deployment("old"), False),
        (deployment("newer"), False),
        (deployment(seen=1), False),
        (deployment(updatedReplicas=1), False),
        (deployment(availableReplicas=1), False),
        # An old pod is still there.
        (deployment(replicas=3), False),
    ],
)
def test_pods_that_have_the_new_secret(given: dict[str, t.Any], rolled: bool) -> None:
    assert is_rolled(given, "new") is rolled


def test_a_secret_without_an_id_is_in_no_pod() -> None:
    assert not is_rolled(deployment(""), "")
