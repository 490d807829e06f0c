"""Fields that Kubernetes does not change, as manifests say them and as the API server shows them."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.immutable import refusals

Object = dict[str, t.Any]
SELECTOR = {"matchLabels": {"app.kubernetes.io/name": "ai-agent"}}
DEPLOYMENT: Object = {"kind": "Deployment", "metadata": {"name": "demo"}, "spec": {"selector": SELECTOR}}
CLAIM: Object = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Gi"}}},
}
SET: Object = {
    "kind": "StatefulSet",
    "metadata": {"name": "db"},
    "spec": {"selector": SELECTOR, "serviceName": "db-hl", "volumeClaimTemplates": [CLAIM]},
}


def living(item: Object) -> Object:
    """With what the API server fills in."""
    found = copy.deepcopy(item)
    if item["kind"] == "StatefulSet":
        found["spec"]["podManagementPolicy"] = found["spec"].get("podManagementPolicy", "OrderedReady")
        for claim in found["spec"]["volumeClaimTemplates"]:
            claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}
            claim["spec"]["volumeMode"] = claim["spec"].get("volumeMode", "Filesystem")
    return found


def changed(item: Object, path: str, value: t.Any) -> Object:
    found = copy.deepcopy(item)
    *folders, last = path.split("/")
    inside: t.Any = found["spec"]
    for name in folders:
        inside = inside[int(name)] if name.isdigit() else inside[name]
    inside[last] = value
    return found


CHANGES: list[tuple[Object, str, t.Any, str]] = [
    (
        DEPLOYMENT,
        "selector/matchLabels",
        {"app.kubernetes.io/name": "x"},
        "want app.kubernetes.io/name=x (nameOverride)",
    ),
    (DEPLOYMENT, "replicas", 3, ""),
    (SET, "selector/matchLabels", {"app": "x"}, "The selector of StatefulSet db"),
    (SET, "serviceName", "other", "The serviceName of StatefulSet db is db-hl, and these values want other"),
    (SET, "podManagementPolicy", "Parallel", "is OrderedReady, and these values want Parallel"),
    (SET, "podManagementPolicy", "OrderedReady", ""),
    (SET, "updateStrategy", {"type": "OnDelete"}, ""),
    (SET, "volumeClaimTemplates/0/spec/accessModes", ["ReadWriteOncePod"], "other accessModes"),
    (SET, "volumeClaimTemplates/0/spec/volumeMode", "Block", "other volumeMode"),
    (SET, "volumeClaimTemplates/0/spec/volumeMode", "Filesystem", ""),
    (SET, "volumeClaimTemplates/0/spec/selector", {"matchLabels": {"a": "b"}}, "other selector"),
    (SET, "volumeClaimTemplates/0/spec/dataSource", {"kind": "VolumeSnapshot", "name": "s"}, "other dataSource"),
    (SET, "volumeClaimTemplates/0/metadata", {"name": "data", "annotations": {"a": "b"}}, "other annotations"),
    (SET, "volumeClaimTemplates/0/metadata", {"name": "data", "labels": {"a": "b"}}, "would get other labels"),
    (SET, "volumeClaimTemplates/0/metadata", {"name": "data", "labels": {}, "annotations": None}, ""),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_a_field_that_cannot_change(number: int) -> None:
    item, path, value, words = CHANGES[number]
    then = changed(item, path, value)
    found = refusals([then], [living(item)])
    assert len(found) == bool(words), found
    assert not words or words in found[0]
    # What is made so stays so.
    assert refusals([then], [living(then)]) == []


def test_an_agent_of_another_name() -> None:
    other = DEPLOYMENT | {"metadata": {"name": "x"}}
    (found,) = refusals([other], [living(DEPLOYMENT)], "demo")
    assert found.startswith("The agent of this release is Deployment demo; fullnameOverride names it otherwise")
    assert refusals([DEPLOYMENT], [living(DEPLOYMENT)], "demo") == []
    assert refusals([DEPLOYMENT], [], None) == []
