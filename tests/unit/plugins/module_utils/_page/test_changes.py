"""What a run changed, read from what the role's tasks registered."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._page.changes import changes

MANIFESTS = """
kind: Deployment
metadata: {name: a}
spec: {template: {spec: {containers: [{name: agent, image: "agent:2"}, {name: sidecar, image: "s:1"}]}}}
---
kind: StatefulSet
metadata: {name: p}
spec: {template: {spec: {containers: [{name: postgresql, image: "pg:15"}]}}}
---
kind: Service
metadata: {name: s}
"""
FOUND = {
    "helm": {"release": {"chart": "ai-agent-1.0.0", "revision": "7"}},
    "statefulsets": [{"name": "p", "containers": [{"name": "postgresql", "image": "pg:14"}]}],
}
REGISTERED: dict[str, dict[str, t.Any] | None] = {
    "found": FOUND,
    "chart": {"manifests": MANIFESTS},
    "preflight": {"deployed_image": "agent:1"},
    "credentials": {"changed": False},
    "release": {"changed": True, "status": {"chart": "ai-agent-1.1.0", "revision": 8}},
}
ALL = ("guard", "preflight", "credentials", "release", "verify")


def test_upgrade() -> None:
    assert changes(REGISTERED, ALL) == {
        "chart": {"before": "1.0.0", "after": "1.1.0"},
        "images": {
            "before": {"postgresql": "pg:14", "agent": "agent:1"},
            "after": {"agent": "agent:2", "postgresql": "pg:15"},
        },
        "revision": {"before": 7, "after": 8},
        "changed": True,
    }


def test_a_soak_that_went_back_left_what_was_there_before_under_a_new_number() -> None:
    rolled = REGISTERED | {"rollback": {"chosen": 7, "revision": 9}}
    said = changes(rolled, (*ALL, "soak"))
    assert said["revision"] == {"before": 7, "after": 9}
    assert said["chart"] == {"before": "1.0.0", "after": "1.0.0"}
    assert said["images"]["after"] == said["images"]["before"]
    assert said["changed"]
    # A rollback that an earlier play made, or that stopped, says nothing of this run.
    assert changes(rolled, ALL) == changes(REGISTERED, ALL)
    assert changes(REGISTERED | {"rollback": {"chosen": 7}}, (*ALL, "soak")) == changes(REGISTERED, ALL)


def test_first_install_has_nothing_before() -> None:
    found: dict[str, t.Any] = {"helm": {"release": None, "problem": ""}, "statefulsets": []}
    said = changes(REGISTERED | {"found": found, "preflight": {}}, ALL)
    assert (said["chart"]["before"], said["images"]["before"], said["revision"]["before"]) == ("", {"agent": ""}, None)


@pytest.mark.parametrize("begun", [(), ("guard",), ("guard", "preflight")])
def test_what_an_earlier_play_left_counts_for_nothing(begun: tuple[str, ...]) -> None:
    said = changes(REGISTERED, begun)
    assert (said["changed"], said["revision"]["after"], said["images"]["after"]) == (False, None, {})
    assert said["revision"]["before"] == (7 if begun else None)


def test_a_run_that_ended_early_registered_nothing() -> None:
    assert changes({"found": None, "chart": {"msg": "no helm", "failed": True}}, ("guard",)) == {
        "chart": {"before": "", "after": ""},
        "images": {"before": {"agent": ""}, "after": {}},
        "revision": {"before": None, "after": None},
        "changed": False,
    }


def test_a_failed_release_has_no_revision_after() -> None:
    assert changes(REGISTERED | {"release": {"failed": True, "msg": "timed out"}}, ALL)["revision"]["after"] is None


def test_a_new_secret_alone_is_a_change() -> None:
    registered = REGISTERED | {"credentials": {"changed": True}, "release": {"changed": False}}
    assert changes(registered, ALL)["changed"]
