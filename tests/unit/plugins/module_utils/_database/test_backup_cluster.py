"""The Job of a release's backup: who reads what, and that no secret stands in it."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._database.backup_record import in_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._database.module import execute
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_store
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import api
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import BACKUP, bundle
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import manifest

from tests.integration.backup.asking import complete

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


def test_a_store_needs_no_claim_and_its_keys_are_named() -> None:
    found = deployment()
    agent = found["spec"]["template"]["spec"]["containers"][0]
    # Of the agent's own, under the same names: they are not the store's.
    agent["env"].append({"name": "BACKUP_STORE_ACCESS_KEY", "value": "of-the-agent"})
    secrets = {backup_store.ACCESS_KEY: ("s3", "id"), backup_store.SECRET_KEY: ("s3", "key")}
    own = backup_cluster.Options(namespace="n", release="a", secrets=secrets)
    task = backup_cluster.described(own, found, agent, ("pg:15", 1001), ("a-secret", "database-url"), REQUEST)
    pod = manifest(task, "r")["spec"]["template"]["spec"]
    assert "backups" not in {item["name"] for item in pod["volumes"]}
    beside, own_container = pod["containers"]
    assert "env" not in beside
    named = {item["name"]: item.get("valueFrom", {}).get("secretKeyRef") for item in own_container["env"]}
    assert named["BACKUP_STORE_ACCESS_KEY"] == {"name": "s3", "key": "id"}
    assert named["BACKUP_STORE_SECRET_KEY"] == {"name": "s3", "key": "key"}
    assert "of-the-agent" not in json.dumps(pod)


def test_the_store_of_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its prefix is the release's own, and the keys reach neither the request nor the command."""
    asked: list[t.Any] = []

    def run(*words: t.Any) -> Object:
        asked.append(words)
        return {"notes": []}

    monkeypatch.setattr(api, "connect", lambda _params: None)
    monkeypatch.setattr(backup_cluster, "run", run)
    s3: Object = {"bucket": "b", "endpoint": "https://s3.example.com", "path_style": True}
    secret = {"name": "keys", "access_key": "id", "secret_key": "key"}
    for given, prefix in (({}, "n/a"), ({"prefix": "/mine/"}, "mine"), ({"prefix": ""}, "")):
        execute(complete(release_name="a", release_namespace="n", s3=s3 | {"secret": secret} | given))
        _cluster, options, request = asked.pop()
        assert request["store"] == {
            "bucket": "b", "prefix": prefix, "endpoint": "https://s3.example.com", "region": None, "path_style": True,
            "ca_certificates": None,
        }  # fmt: skip
        assert dict(options.secrets) == {
            "BACKUP_STORE_ACCESS_KEY": ("keys", "id"),
            "BACKUP_STORE_SECRET_KEY": ("keys", "key"),
        }
        assert options.claim is None
    with pytest.raises(FindingError, match="AWS_ACCESS_KEY_ID"):
        execute(complete(state="records", s3=s3 | {"secret": secret}))


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

        def list(self, *_place: str, labels: str) -> list[Object]:
            assert labels.endswith("component=backup")
            return []

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
