"""The Job of a task whose pod has more than one container."""

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import SHARED_FOLDER, Task, manifest

LOGIN = {"name": "login", "image": "a", "command": ["x"]}
SERVER = {"name": "server", "image": "b", "command": ["y"], "securityContext": {"runAsUser": 1001}}


def pod(**more: t.Any) -> dict[str, t.Any]:
    """The pod spec of a task."""
    task = Task(namespace="n", release="r", purpose="p", image="i", command=["z"], **more)
    return t.cast("dict[str, t.Any]", manifest(task, "run")["spec"]["template"]["spec"])


def test_all_are_closed_and_share_one_folder_in_memory() -> None:
    spec = pod(before=[LOGIN], beside=[SERVER])
    assert [item["name"] for item in spec["initContainers"]] == ["login"]
    # The node starts them in this order, and `main` is the one that is waited for.
    assert [item["name"] for item in spec["containers"]] == ["server", "main"]
    for item in [*spec["initContainers"], *spec["containers"]]:
        assert item["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        } | ({"runAsUser": 1001} if item["name"] == "server" else {})
        folders = {mount["mountPath"]: mount["name"] for mount in item["volumeMounts"]}
        assert folders[SHARED_FOLDER] == "shared"
        assert folders["/tmp"] == ("tmp" if item["name"] == "main" else f"tmp-{item['name']}")  # noqa: S108 - the pod's
    assert {"name": "shared", "emptyDir": {"medium": "Memory"}} in spec["volumes"]
    assert len({volume["name"] for volume in spec["volumes"]}) == len(spec["volumes"]) == 4


def test_one_alone_shares_nothing() -> None:
    spec = pod()
    assert "initContainers" not in spec
    assert spec["volumes"] == [{"name": "tmp", "emptyDir": {}}]
