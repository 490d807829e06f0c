"""What a killed run left has one right remedy, which the history decides."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.halfway import remedy, stuck_servers

Object = dict[str, t.Any]


def history(*states: str) -> list[Object]:
    return [
        {"revision": number, "status": status, "updated": "2026-11-29T13:05:10.123Z", "description": "told"}
        for number, status in enumerate(states, 1)
    ]


@pytest.mark.parametrize(
    ("states", "kind", "revision"),
    [
        ((), "none", 0),
        (("deployed",), "none", 0),
        (("superseded", "deployed"), "none", 0),
        (("deployed", "failed"), "none", 0),
        (("failed",), "none", 0),
        # Rolled back, an install that nobody saw finished would be called deployed.
        (("pending-install",), "uninstall", 0),
        (("superseded", "uninstalling"), "uninstall", 0),
        (("deployed", "pending-upgrade"), "rollback", 1),
        (("superseded", "deployed", "failed", "pending-upgrade"), "rollback", 2),
        (("deployed", "failed", "pending-rollback"), "rollback", 1),
        (("superseded", "superseded", "failed", "pending-rollback"), "rollback", 2),
        # An upgrade over an install that failed: there is nothing to go back to.
        (("failed", "pending-upgrade"), "uninstall", 0),
    ],
)
def test_the_remedy_of_each_state(states: tuple[str, ...], kind: str, revision: int) -> None:
    found = remedy(history(*states), "demo")
    assert (found.kind, found.revision) == (kind, revision)
    assert bool(found.words) == (kind != "none")


def test_it_says_what_happened_and_when() -> None:
    found = remedy(history("deployed", "pending-upgrade"), "demo")
    assert found.happened == (
        "The upgrade of release demo to revision 2, begun 2026-11-29T13:05:10, did not come to its end; "
        "revision 1 was deployed before."
    )
    assert "told" in remedy(history("deployed", "failed"), "demo").happened


def server(**spec: t.Any) -> Object:
    template = {"spec": {"containers": [{"name": "postgresql", "image": "postgresql:15"}]}}
    status = spec.pop("status", {"updateRevision": "new"})
    metadata = {"name": "demo-postgresql"}
    return {"kind": "StatefulSet", "metadata": metadata, "spec": {"template": template} | spec, "status": status}


def pod(image: str = "postgresql:15", reason: str | None = "ImagePullBackOff", revision: str = "new") -> Object:
    state = {"waiting": {"reason": reason}} if reason else {"running": {}}
    owner = {"kind": "StatefulSet", "name": "demo-postgresql"}
    return {
        "metadata": {
            "name": "demo-postgresql-0",
            "labels": {"controller-revision-hash": revision},
            "ownerReferences": [owner],
        },
        "spec": {"containers": [{"name": "postgresql", "image": image}]},
        "status": {"containerStatuses": [{"name": "postgresql", "state": state}]},
    }


def test_a_pod_of_an_old_template_that_was_never_ready_is_stuck() -> None:
    [found] = stuck_servers([server()], [pod(revision="old")])
    assert found.name == "demo-postgresql"
    assert "demo-postgresql-0" in found.happened
    assert "ImagePullBackOff" in found.happened
    assert not found.refusal


def test_so_is_one_whose_image_the_next_manifests_change() -> None:
    wrong = pod(image="postgresql:15-typo")
    assert stuck_servers([server()], [wrong]) == []
    assert stuck_servers([server()], [wrong], [server()])


@pytest.mark.parametrize(
    ("item", "its_pod"),
    [
        (server(podManagementPolicy="Parallel"), pod(revision="old")),
        (server(status={"updateRevision": "new", "readyReplicas": 1}), pod(revision="old")),
        (server(), pod()),
        # It may become ready yet, or its node is lost: then the pod is not what is wrong.
        (server(), pod(reason=None, revision="old")),
        (server(), pod(reason="ContainerCreating", revision="old")),
        (server(), pod(revision="old") | {"metadata": {"name": "another"}}),
    ],
)
def test_everything_else_is_left_alone(item: Object, its_pod: Object) -> None:
    assert stuck_servers([item], [its_pod], [server()]) == []


def test_a_server_that_takes_its_volumes_along_is_never_deleted() -> None:
    keeps_nothing = server(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    [found] = stuck_servers([keeps_nothing], [pod(revision="old")])
    assert "Retain" in found.refusal
