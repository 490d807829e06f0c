"""The Job of a release's backup: who reads what, and that no secret stands in it."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._database.backup_record import in_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import BACKUP, bundle
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import manifest

Object = dict[str, t.Any]
REQUEST: Object = {"state": "backup", "name": None, "jobs": 2, "retention": {}}


def deployment() -> Object:
    env = [
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "a-secret", "key": "database-url"}}},
        {"name": "MODEL", "value": "x"},
    ]
    agent = {"name": "agent", "image": "agent:1", "env": env, "imagePullPolicy": "Always"}
    spec = {"containers": [agent], "securityContext": {"runAsUser": 1000, "fsGroup": 1000}, "nodeSelector": {"a": "b"}}
    return {
        "metadata": {"name": "a", "namespace": "n", "labels": {"app.kubernetes.io/instance": "a"}},
        "spec": {"template": {"metadata": {"labels": {}}, "spec": spec}},
    }


def made(**options: t.Any) -> Object:
    found = deployment()
    agent = found["spec"]["template"]["spec"]["containers"][0]
    own = backup_cluster.Options(namespace="n", release="a", claim="backups", **options)
    task = backup_cluster.described(own, found, agent, ("pg:15", 1001), ("a-secret", "database-url"), REQUEST)
    return manifest(task, "r")


def test_both_containers_share_user_and_volumes() -> None:
    pod = made()["spec"]["template"]["spec"]
    assert {name: pod["securityContext"][name] for name in ("runAsUser", "runAsGroup", "fsGroup", "runAsNonRoot")} == {
        "runAsUser": 1001, "runAsGroup": 1001, "fsGroup": 1001, "runAsNonRoot": True,
    }  # fmt: skip
    beside, own = pod["containers"]
    assert (beside["image"], own["image"]) == ("pg:15", "agent:1")
    for path in ("/backups", "/work", "/ai-agent"):
        names = {next(m["name"] for m in item["volumeMounts"] if m["mountPath"] == path) for item in (beside, own)}
        assert len(names) == 1
    volumes = {item["name"]: item for item in pod["volumes"]}
    assert volumes["backups"]["persistentVolumeClaim"] == {"claimName": "backups"}
    assert "emptyDir" in volumes["work"]
    again = {item["name"]: item for item in made(work_claim="w")["spec"]["template"]["spec"]["volumes"]}
    assert again["work"]["persistentVolumeClaim"] == {"claimName": "w"}


def test_policies_let_it_reach_the_database() -> None:
    template = made()["spec"]["template"]
    assert template["metadata"]["labels"]["a-db-client"] == "true"
    assert template["spec"]["nodeSelector"] == {"a": "b"}


def test_secrets_are_named_and_only_where_python_runs() -> None:
    beside, own = made(key=("k", "age"))["spec"]["template"]["spec"]["containers"]
    assert "env" not in beside
    named = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in own["env"] if "valueFrom" in item}
    assert named == {
        "DATABASE_URL": {"name": "a-secret", "key": "database-url"},
        "BACKUP_KEY": {"name": "k", "key": "age"},
    }


def test_the_command_fits_into_a_manifest() -> None:
    """etcd takes 1.5 MiB in all, Linux 128 KiB for one word."""
    assert len(bundle(BACKUP, REQUEST)) < 100_000


@pytest.mark.parametrize(
    ("config_map", "wanted"),
    [
        (None, None),
        ({"data": {"backups.json": "no JSON"}}, None),
        (
            {"data": {"backups.json": json.dumps([{"verified": True, "time": "2026-11-29T03:00:00+00:00"}])}},
            "2026-11-29",
        ),
    ],
)
def test_the_record_of_a_release(config_map: Object | None, wanted: str | None) -> None:
    objects = {("configmaps", "a-backup-record"): config_map} if config_map else {}

    class Cluster:
        def get(self, _version: str, plural: str, name: str, _namespace: str) -> Object | None:
            return objects.get((plural, name))

    found = in_cluster(t.cast("t.Any", Cluster()), "n", "a")
    assert (found or "")[:10] == (wanted or "")


def test_an_external_database_needs_an_image() -> None:
    class Cluster:
        def get(self, *_: t.Any) -> Object:
            return deployment()

        def list(self, *_: t.Any, **__: t.Any) -> list[Object]:
            return []

    options = backup_cluster.Options(namespace="n", release="a", claim="backups")
    with pytest.raises(FindingError, match="postgresql_image"):
        backup_cluster.task(t.cast("t.Any", Cluster()), options, REQUEST)
