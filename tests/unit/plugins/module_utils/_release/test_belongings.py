"""Whose an object is: ours by labels and annotations, and never by the beginning of a name."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import (
    KINDS,
    Kind,
    doomed_claims,
    found,
    of,
    own_labels,
)

Object = dict[str, t.Any]
KIND = {kind.name: kind for kind in KINDS}
HELM = {
    "app": "a",
    "app.kubernetes.io/instance": "a",
    "app.kubernetes.io/managed-by": "Helm",
    "helm.sh/chart": "ai-agent-1.0.0_abc",
}
APPLIED = {"meta.helm.sh/release-name": "a", "meta.helm.sh/release-namespace": "n"}
HOOK = {"helm.sh/hook": "pre-upgrade"}
KEEP = {"helm.sh/resource-policy": "keep"}
ROLES = {
    "app.kubernetes.io/instance": "a",
    "app.kubernetes.io/managed-by": "ansible",
    "app.kubernetes.io/component": "credentials",
}
SERVER = {"app.kubernetes.io/instance": "a", "app.kubernetes.io/component": "primary"}
OWNER = [{"controller": True, "kind": "X", "name": "x"}]


def item(name: str, labels: Object, annotations: Object | None = None, **metadata: t.Any) -> Object:
    return {"metadata": {"name": name, "labels": labels, "annotations": annotations or {}, **metadata}}


def run_of(release: str) -> Object:
    return manifest(Task("n", release, "trace", "i", []), "abcd1234")


CASES: dict[str, tuple[str, Object, str]] = {
    "applied by helm": ("Service", item("a", HELM, APPLIED), "helm"),
    "of another release of the name": (
        "Service",
        item("a", HELM, APPLIED | {"meta.helm.sh/release-namespace": "m"}),
        "others",
    ),
    "without helm's annotations": ("Service", item("a", HELM), "others"),
    "of another chart": ("Service", item("a", HELM | {"helm.sh/chart": "grafana-1.2.3"}, APPLIED), "others"),
    "kept by the chart, a Secret": ("Secret", item("a-secret", HELM, APPLIED | KEEP), "secret"),
    "kept by the chart, something else": ("ConfigMap", item("a", HELM, APPLIED | KEEP), "others"),
    "a hook": ("Job", item("a-m", HELM | {"app.kubernetes.io/component": "migration"}, HOOK), "hook"),
    "the chart's test": ("Pod", item("a-t", HELM | {"app.kubernetes.io/component": "test"}, HOOK), "hook"),
    "a hook of something else": ("Job", item("a-m", HELM, HOOK), "others"),
    "a hook of another kind": (
        "Service",
        item("a-m", HELM | {"app.kubernetes.io/component": "migration"}, HOOK),
        "others",
    ),
    "a hook of a chart below": (
        "Job",
        item("a-m", HELM | {"app.kubernetes.io/component": "test", "helm.sh/chart": "redis-1.0"}, HOOK),
        "others",
    ),
    "the role's Secret": ("Secret", item("a-secret", ROLES), "secret"),
    "its labels under another name": ("Secret", item("a-other", ROLES), "others"),
    "its name alone": ("Secret", item("a-secret", {"app.kubernetes.io/instance": "a"}), "others"),
    "kept by an operator": ("Secret", item("a-secret", ROLES, ownerReferences=OWNER), "others"),
    "kept by an operator without an owner": (
        "Secret",
        item("a-secret", ROLES, {"sealedsecrets.bitnami.com/managed": "true"}),
        "others",
    ),
    "the database": ("PersistentVolumeClaim", item("data-a-postgresql-0", SERVER), "postgresql-volume"),
    "a replica of it": (
        "PersistentVolumeClaim",
        item("data-a-postgresql-read-1", SERVER | {"app.kubernetes.io/component": "read"}),
        "postgresql-volume",
    ),
    "the cache": (
        "PersistentVolumeClaim",
        item("redis-data-a-redis-master-0", SERVER | {"app.kubernetes.io/component": "master"}),
        "redis-volume",
    ),
    "the database, owned by its StatefulSet": (
        "PersistentVolumeClaim",
        item("data-a-postgresql-0", SERVER, ownerReferences=OWNER),
        "postgresql-volume",
    ),
    "a claim with a name of its own": ("PersistentVolumeClaim", item("backup-a-0", SERVER), "others"),
    "a claim that helm applied": (
        "PersistentVolumeClaim",
        item("redis-data-a-0", SERVER | HELM, APPLIED),
        "helm",
    ),
    "a pod of a Job": ("Pod", item("a-1", HELM, ownerReferences=OWNER), "child"),
    "a pod of somebody's Deployment": (
        "Pod",
        item("b-1", {"app.kubernetes.io/instance": "a"}, ownerReferences=OWNER),
        "others",
    ),
    "another release": ("Service", item("ab", HELM | {"app.kubernetes.io/instance": "ab"}, APPLIED), "elsewhere"),
    "no label": ("ConfigMap", item("a-config", {}), "elsewhere"),
    "a run": ("Job", run_of("a"), "run"),
    "its pod": ("Pod", item("a-trace-abcd1234-x7k2p", run_of("a")["metadata"]["labels"]), "run"),
    "a run of a release that begins alike": ("Job", run_of("a-trace"), "elsewhere"),
    "labels of a run under another name": ("Job", item("a", run_of("a")["metadata"]["labels"]), "elsewhere"),
    "a kind that no run makes": ("Service", item("a-trace-abcd1234", run_of("a")["metadata"]["labels"]), "elsewhere"),
    "the release's lease": (
        "Lease",
        item("a", {"app.kubernetes.io/managed-by": "ai_platform.agent", "app.kubernetes.io/instance": "a"}),
        "run",
    ),
    "what deployments did": ("ConfigMap", item("a-deployments", own_labels("a")), "run"),
    "what another release's did": ("ConfigMap", item("ab-deployments", own_labels("ab")), "elsewhere"),
    "the record of backups, which stay": ("ConfigMap", item("a-backup-record", own_labels("a")), "elsewhere"),
    "somebody's lease": ("Lease", item("a", {"app.kubernetes.io/instance": "a"}), "others"),
}


@pytest.mark.parametrize("case", CASES)
def test_whose_it_is(case: str) -> None:
    kind, one, whose = CASES[case]
    assert found(KIND[kind], one, "a", "n").whose == whose


def test_the_order_of_removal() -> None:
    kinds = ("Secret", "Pod", "Job", "ConfigMap")
    made = [
        found(KIND[kind], item("a-m", HELM | {"app.kubernetes.io/component": "test"}, HOOK), "a", "n") for kind in kinds
    ]
    assert [each.kind.name for each in of(made, "hook")] == ["Job", "Pod", "ConfigMap", "Secret"]
    assert of(made, "run") == []


def told(kind: Kind, one: Object) -> list[str]:
    return [what for what, _why in doomed_claims([(kind, one)], "a", "n")]


def test_data_that_would_go_with_the_release() -> None:
    kept = item("a-postgresql", HELM | {"app.kubernetes.io/component": "primary"}, APPLIED)
    goes = kept | {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}}
    assert told(KIND["StatefulSet"], kept) == []
    assert told(KIND["StatefulSet"], goes) == ["postgresql-volume"]
    own = item("a-redis", HELM | {"app.kubernetes.io/component": "master"}, APPLIED)
    assert told(KIND["PersistentVolumeClaim"], own) == ["redis-volume"]
    # What nobody can name cannot be removed by its name either.
    assert told(KIND["PersistentVolumeClaim"], item("a", HELM, APPLIED)) == ["volume"]
