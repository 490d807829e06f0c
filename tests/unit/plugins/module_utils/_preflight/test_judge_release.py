"""What a release and its namespace make of the findings."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_identity import judge_identity
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_namespace import (
    additions,
    judge_limit_ranges,
    judge_quotas,
    judge_storage,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_release import (
    Work,
    adjust_severities,
    judge_autoscaler,
    judge_connections,
    judge_disk,
    judge_timeout,
    work,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.release_findings import of_namespace
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned, planned
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rights import (
    Access,
    judge_permissions,
    needed,
    not_granted,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts

from tests.unit.plugins.module_utils._release.manifests import living, release

LIMITS = Thresholds()
GIB = 1 << 30


def plan(**options: t.Any) -> Planned:
    return planned(release(**options), "demo")


def live(objects: list[dict[str, t.Any]] | None = None, *, available: int = 2, **more: t.Any) -> Live:
    objects = objects or release()
    return Live(
        deployment=living(objects, "Deployment", availableReplicas=available),
        statefulsets=(living(objects, "StatefulSet"),),
        **more,
    )


def said(found: list[Finding]) -> list[tuple[str, str]]:
    return [(item.id, item.severity) for item in found]


# Connections


def server(most: int, own: int = 0, others: int = 0, **more: t.Any) -> ServerFacts:
    """Of a server, what is read here."""
    sessions = [{"user": "agent", "here": True}] * own + [{"user": "report", "here": True}] * others
    facts = {"max_connections": most, "reserved": 3, "role": "agent", "sessions": sessions, "database_bytes": 0}
    return t.cast("ServerFacts", facts | more)


@pytest.mark.parametrize(
    ("most", "others", "wanted"),
    [
        # (2 + 1 pods) x (4 + 1) + 1 migrator = 16, and 5 that should stay free
        (24, 0, []),
        (23, 0, [("connections-scarce", "warn")]),
        (19, 0, [("connections-scarce", "warn")]),
        (18, 0, [("connections-scarce", "fail")]),
        (100, 77, [("connections-scarce", "warn")]),
    ],
)
def test_connections(most: int, others: int, wanted: list[tuple[str, str]]) -> None:
    assert said(judge_connections(plan(), server(most, own=10, others=others), LIMITS)) == wanted


def test_the_autoscalers_most_warns_and_what_is_wanted_at_first_fails() -> None:
    scaled = plan(most=10)
    (found,) = judge_connections(scaled, server(50), LIMITS)
    assert found.severity == "warn"
    assert "may open 56 connections (10 + 1 pods x 1 process x 4 pooled" in found.message
    assert "has 47 for it (50 less 3 reserved and 0 of others)" in found.message


def test_a_pool_that_is_not_told_is_one() -> None:
    (found,) = judge_connections(plan(WORKER_THREADS=""), server(10), LIMITS)
    assert "may open 7 connections" in found.message
    assert "WORKER_THREADS is not set" in found.message


# The time that migrations take


def lock(rule: str, size: int, *, rewrite: bool = False, scan: bool | None = False) -> dict[str, t.Any]:
    return {"rule": rule, "rewrite": rewrite, "scan": scan, "bytes": size, "total_bytes": 2 * size}


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (lock("add-column", GIB), Work(0, 0)),
        (lock("add-column-rewrite", GIB, rewrite=True), Work(0, 2 * GIB)),
        (lock("set-not-null", GIB, scan=True), Work(GIB, 0)),
        (lock("create-index", GIB, scan=True), Work(0, GIB)),
        (lock("write", GIB, scan=None), Work(0, 2 * GIB)),
        (lock("write", GIB), Work(0, 0)),
        (lock("read", GIB, scan=None), Work(GIB, 0)),
        ({"rule": "create-table", "rewrite": False, "scan": True}, Work(0, 0)),
    ],
)
def test_what_counts_as_work(one: dict[str, t.Any], wanted: Work) -> None:
    assert work([{"locks": [one]}]) == wanted


def test_timeout() -> None:
    # 16 MiB a second: 240 s are 3.75 GiB.
    assert judge_timeout(plan(), live(), Work(0, 3 * GIB), LIMITS) == []
    (found,) = judge_timeout(plan(), live(), Work(GIB, 4 * GIB), LIMITS)
    assert said([found]) == [("timeout-short", "warn")]
    assert "about 276 s" in found.message
    assert "after 240 s" in found.message
    assert judge_timeout(plan(), live(available=0), Work(GIB, 4 * GIB), LIMITS) == []


# The disk


def claim(size: str) -> dict[str, t.Any]:
    return {"metadata": {"name": "data-demo-postgresql-0"}, "status": {"capacity": {"storage": size}}}


@pytest.mark.parametrize(
    ("capacity", "largest", "wanted"),
    [
        ("10Gi", 0, []),
        ("10Gi", 2 * GIB, []),
        ("10Gi", 3 * GIB, [("disk-headroom", "warn")]),
        ("10Gi", 6 * GIB, [("disk-headroom", "fail")]),
        (None, GIB, [("disk-headroom", "skip")]),
    ],
)
def test_disk(capacity: str | None, largest: int, wanted: list[tuple[str, str]]) -> None:
    now = live(claims=(claim(capacity),) if capacity else None)
    assert said(judge_disk(plan(), now, server(100, database_bytes=5 * GIB), largest)) == wanted


def test_the_disk_of_an_external_database_is_not_seen() -> None:
    outside = planned([item for item in release() if item["kind"] != "StatefulSet"], "demo")
    assert said(judge_disk(outside, live(), server(100), GIB)) == [("disk-headroom", "skip")]


# What breaks the version still running


def test_nobody_is_broken_where_nobody_serves() -> None:
    found = [finding("rename", "It renames."), finding("destructive", "It drops.", table="a.b")]
    serving, idle = (adjust_severities(found, plan(), now, empty=False) for now in (live(), live(available=0)))
    assert said(serving) == [("rename", "fail"), ("destructive", "fail")]
    assert "2 pods of agent:1 serve on the new schema until replaced" in serving[0].message
    assert said(idle) == [("rename", "info"), ("destructive", "fail")]
    assert "No pod of this release serves now" in idle[0].message
    assert serving[1] == idle[1] == found[1]
    assert said(adjust_severities(found, plan(), Live(), empty=True)) == said(idle)


def test_what_is_not_known_harms_no_empty_database() -> None:
    found = [finding("revision-not-static", "It asks."), finding("statement-unparsed", "It is refused.")]
    assert said(adjust_severities(found, plan(), Live(), empty=False)) == said(found)
    assert said(adjust_severities(found, plan(), Live(), empty=True)) == [
        ("revision-not-static", "info"),
        ("statement-unparsed", "unknown"),
    ]


# Quotas


def quota(**hard: str) -> dict[str, t.Any]:
    used = dict.fromkeys(hard, "0")
    return {"metadata": {"name": "compute"}, "spec": {"hard": hard}, "status": {"hard": hard, "used": used}}


def test_a_first_install_adds_everything() -> None:
    added = additions(plan(), Live())
    assert {name: float(added[name]) for name in ("requests.cpu", "pods", "persistentvolumeclaims")} == {
        "requests.cpu": 2 * 0.5 + 0.25 + 0.05,
        "pods": 4,
        "persistentvolumeclaims": 1,
    }
    assert added["requests.storage"] == 10 * GIB


def test_an_unchanged_release_adds_nothing() -> None:
    now = live(claims=(claim("10Gi"),))
    assert {name for name, amount in additions(plan(), now).items() if amount} == set()


def test_an_upgrade_adds_a_surge_and_the_migration() -> None:
    now = live(claims=(claim("10Gi"),))
    added = additions(plan(image="agent:2"), now)
    assert (float(added["requests.cpu"]), float(added["pods"])) == (0.55, 2.0)


def test_quota() -> None:
    now = live(claims=(claim("10Gi"),), quotas=(quota(**{"requests.cpu": "500m", "pods": "2"}),))
    (found,) = judge_quotas(plan(image="agent:2"), now)
    assert said([found]) == [("quota-exceeded", "fail")]
    assert found.message.startswith("Quota compute leaves 500m of requests.cpu, where 550m are needed,")
    assert judge_quotas(plan(), now) == []
    scoped = now.quotas[0] | {"spec": {"scopes": ["BestEffort"]}}  # type: ignore[index]
    assert judge_quotas(plan(image="agent:2"), live(quotas=(scoped,))) == []
    assert said(judge_quotas(plan(), live(quotas=None))) == [("quota-exceeded", "skip")]


def test_the_preflight_s_own_pods_leave_room_again() -> None:
    full = quota(**{"requests.cpu": "600m", "pods": "3"})
    full["status"]["used"] = {"requests.cpu": "100m", "pods": "2"}
    own = {"spec": {"containers": [{"name": "check", "resources": {"requests": {"cpu": "50m"}}}]}}
    now = live(claims=(claim("10Gi"),), quotas=(full,))
    (found,) = judge_quotas(plan(image="agent:2"), now)
    assert "leaves 1 of pods, where 2 are needed; 500m of requests.cpu, where 550m are needed" in found.message
    assert judge_quotas(plan(image="agent:2"), dataclasses.replace(now, checks=(own,))) == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"type": "Container", "max": {"cpu": "2"}}, None),
        ({"type": "Container", "max": {"cpu": "500m"}}, "container agent of demo: cpu 1 is above 500m"),
        (
            {"type": "Container", "min": {"cpu": "100m"}},
            "container migrate of demo-db-migrate-1: cpu 50m is below 100m",
        ),
        ({"type": "Pod", "max": {"memory": "512Mi"}}, "pods of demo: memory 1Gi is above 512Mi"),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "5Gi"}}, "claim data-demo-postgresql-0: storage 10Gi"),
    ],
)
def test_limit_range(limit: dict[str, t.Any], words: str | None) -> None:
    found = judge_limit_ranges(plan(), live(limit_ranges=({"metadata": {"name": "l"}, "spec": {"limits": [limit]}},)))
    if words is None:
        assert found == []
    else:
        assert said(found) == [("limit-range", "fail")]
        assert words in found[0].message


def storage_class(name: str, *, default: bool = False) -> dict[str, t.Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else None
    return {"metadata": {"name": name, "annotations": annotations}}


def test_storage_class() -> None:
    default = (storage_class("standard", default=True),)
    assert judge_storage(plan(), Live(storage_classes=default)) == []
    (found,) = judge_storage(plan(), Live(storage_classes=(storage_class("fast"),)))
    assert "no default StorageClass for data-demo-postgresql-0; the cluster has fast" in found.message
    named = release()
    named[2]["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = "slow"
    assert said(judge_storage(planned(named, "demo"), Live(storage_classes=default))) == [
        ("storage-class-missing", "fail")
    ]
    assert judge_storage(planned(named, "demo"), live(claims=(claim("10Gi"),), storage_classes=())) == []
    assert said(judge_storage(plan(), Live(storage_classes=None))) == [("storage-class-missing", "skip")]


# The autoscaler

SCALER = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "demo"},
          "spec": {"scaleTargetRef": {"name": "demo"}, "minReplicas": 2, "maxReplicas": 4}}  # fmt: skip


def scaling(**condition: str) -> dict[str, t.Any]:
    return SCALER | {"status": {"conditions": [{"type": "ScalingActive", **condition}]}}


@pytest.mark.parametrize(
    ("metrics", "scaler", "words"),
    [
        (True, None, None),
        (None, None, None),
        (False, None, "serves no metrics of pods"),
        (True, scaling(status="True"), None),
        (True, scaling(status="False", reason="FailedGetResourceMetric", message="unable to\nget cpu"), "get cpu"),
        (True, scaling(status="False", reason="ScalingDisabled"), None),
    ],
)
def test_autoscaler_without_figures(metrics: bool | None, scaler: dict[str, t.Any] | None, words: str | None) -> None:
    scaled = planned([*release(), SCALER], "demo")
    found = judge_autoscaler(scaled, live(metrics=metrics, autoscaler=scaler))
    if words is None:
        assert found == []
    else:
        assert said(found) == [("autoscaler-blind", "warn")]
        assert words in found[0].message
    assert judge_autoscaler(plan(), live(metrics=False)) == []


def test_keda_needs_figures_as_well() -> None:
    kedas = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "demo"},
             "spec": {"scaleTargetRef": {"name": "demo"}, "minReplicaCount": 2, "maxReplicaCount": 4}}  # fmt: skip
    scaled = planned([*release(), kedas], "demo")
    assert (scaled.replicas, scaled.most_replicas) == (2, 4)
    assert said(judge_autoscaler(scaled, live(metrics=False))) == [("autoscaler-blind", "warn")]


# Permissions


def test_permissions() -> None:
    wanted = needed(plan())
    assert {
        Access("create", "apps", "deployments"),
        Access("patch", "apps", "statefulsets"),
        Access("get", "", "pods/log"),
        Access("delete", "", "secrets"),
    } <= set(wanted)
    everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    assert not_granted(wanted, everything) == ()
    rules = [
        {"verbs": ["*"], "apiGroups": ["", "batch", "coordination.k8s.io"], "resources": ["*"]},
        {"verbs": ["get", "list", "watch", "create", "update", "patch"], "apiGroups": ["apps"], "resources": ["*"]},
        {"verbs": ["delete"], "apiGroups": ["apps"], "resources": ["statefulsets"], "resourceNames": ["other"]},
    ]
    missing = not_granted(wanted, rules)
    assert set(missing) == {Access("delete", "apps", "deployments"), Access("delete", "apps", "statefulsets")}
    (found,) = judge_permissions(missing, "prod")
    assert found.message == (
        "The account lacks rights in namespace prod: deployments.apps: delete; statefulsets.apps: delete."
    )
    assert judge_permissions((), "prod") == []


def test_a_subresource_by_its_wildcard() -> None:
    wanted = [Access("get", "", "pods/log")]
    assert not_granted(wanted, [{"verbs": ["get"], "apiGroups": [""], "resources": ["*/log"]}]) == ()
    assert not_granted(wanted, [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]) == tuple(wanted)


# Identity


def test_another_database_and_other_volumes() -> None:
    assert judge_identity(plan(), live()) == []
    renamed = release()
    for item in renamed:
        if item["kind"] == "StatefulSet":
            item["metadata"]["name"] = "demo-postgresql-primary"
    assert said(judge_identity(planned(renamed, "demo"), live())) == [("another-database", "fail")]
    grown = release()
    for item in grown:
        if item["kind"] == "StatefulSet":
            item["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] = "20Gi"
    assert said(judge_identity(planned(grown, "demo"), live())) == [("volume-differs", "fail")]
    assert said(of_namespace(planned(renamed, "demo"), live(), (), "demo"))[0] == ("another-database", "fail")


@pytest.mark.parametrize(
    ("now", "then", "image", "wanted"),
    [
        ("emptyDir", "emptyDir", "postgresql:15", [("database-unkept", "warn")]),
        ("emptyDir", "emptyDir", "postgresql:15.4", [("database-lost", "fail")]),
        ("", "emptyDir", "postgresql:15", [("database-unkept", "warn")]),
        ("persistentVolumeClaim", "persistentVolumeClaim", "postgresql:15.4", []),
        (
            "persistentVolumeClaim",
            "emptyDir",
            "postgresql:15",
            [("another-database", "fail"), ("database-unkept", "warn")],
        ),
    ],
)
def test_a_database_without_a_volume(now: str, then: str, image: str, wanted: list[tuple[str, str]]) -> None:
    def stored(kind: str, image: str) -> list[dict[str, t.Any]]:
        objects = release()
        [database] = [item for item in objects if item["kind"] == "StatefulSet"]
        del database["spec"]["volumeClaimTemplates"]
        pod = database["spec"]["template"]["spec"]
        pod["volumes"] = [{"name": "data", kind: {"claimName": "a"} if kind.startswith("persistent") else {}}]
        pod["containers"][0]["image"] = image
        return objects

    there = live(stored(now, "postgresql:15")) if now else Live()
    assert said(judge_identity(planned(stored(then, image), "demo"), there)) == wanted
