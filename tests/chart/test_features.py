"""What can be turned on, and servers of one's own."""

from __future__ import annotations

import kubernetes_validate
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.chart.cluster import Cluster
from tests.chart.conftest import ENVIRONMENTS, RELEASE, Object, Render, Rendered, RenderError, containers
from tests.chart.test_migration import SERVING, hooks
from tests.chart.test_secrets import KEYS, live_secret

SCALED: Object = {"agent": {"autoscaling": {"enabled": True}}}
EXTERNAL: Object = {
    "postgresql": {"enabled": False},
    "redis": {"enabled": False},
    "externalDatabase": {
        "host": "192.0.2.1",
        "port": 6432,
        "username": "o'hara",
        "database": "d",
        "password": "p/@",
        "parameters": "sslmode=require&connect_timeout=5",
    },
    "externalCache": {
        "host": "192.0.2.2",
        "port": 6380,
        "username": "u",
        "password": "c d",
        "database": 2,
        "tls": True,
    },
}
# Without them a closed release lets no Prometheus in.
SCRAPERS: Object = {"networkPolicy": {"scrapers": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]}}


# Autoscaling


def test_autoscaler_sets_the_number_of_pods(render: Render) -> None:
    made = render(SCALED)
    assert "replicas" not in made.one("Deployment")["spec"]
    spec = made.one("HorizontalPodAutoscaler")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": RELEASE}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    (metric,) = spec["metrics"]
    assert metric["containerResource"]["container"] == "agent"
    assert render().names("HorizontalPodAutoscaler") == []


def managed(manager: str, **entry: str) -> Object:
    """Return a live Deployment of 4 pods, the number set by a manager."""
    fields = {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}, **entry}
    metadata = {"name": RELEASE, "managedFields": [fields]}
    return SERVING | {"metadata": metadata, "spec": {"replicas": 4}}


def scaled_after(operation: str, by: str = "kube-controller-manager") -> Object:
    """Return the same, scaled by another manager after Helm, by its way of applying, had set it."""
    live = managed(by, operation="Update", subresource="scale")
    own = {"manager": "helm", "operation": operation, "fieldsV1": {"f:spec": {"f:template": {}}}}
    return live | {"metadata": live["metadata"] | {"managedFields": [*live["metadata"]["managedFields"], own]}}


@pytest.mark.parametrize(
    ("live", "replicas"),
    [
        # Left out by its only owner, the number would be 1 until the autoscaler looks.
        (managed("helm"), 4),
        (managed("kube-controller-manager", subresource="scale"), None),
        # Helm 3 keeps the number in its last manifest, and would delete what the next one leaves out.
        (scaled_after("Update"), 4),
        (scaled_after("Apply"), None),
        (scaled_after("Update", by="kubectl"), 4),
        (SERVING, None),
    ],
)
def test_turning_the_autoscaler_on_does_not_drop_to_one_pod(
    render: Render, cluster: Cluster, live: Object, replicas: int | None
) -> None:
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(live)
    assert render(SCALED, cluster=cluster).one("Deployment")["spec"].get("replicas") == replicas


def autoscaler(name: str, target: str = RELEASE, release: str = "", **labels: str) -> Object:
    """Return a live HorizontalPodAutoscaler, Helm's where a release is told."""
    annotations = {"meta.helm.sh/release-name": release} if release else {}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    metadata = {"name": name, "namespace": "test", "annotations": annotations, "labels": labels}
    spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 9}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("live", "scaler", "replicas"),
    [
        (scaled_after("Apply"), autoscaler("keda-hpa-agent"), None),
        (scaled_after("Apply"), autoscaler(RELEASE), None),
        # As Helm 3 applies, what is left out is deleted.
        (scaled_after("Update"), autoscaler("keda-hpa-agent"), 4),
        (scaled_after("Apply"), autoscaler("theirs", release="another"), None),
        # The chart's own is on its way out, or it scales something else: the values count.
        (scaled_after("Apply"), autoscaler(RELEASE, release=RELEASE), 1),
        (scaled_after("Apply"), autoscaler(f"keda-hpa-{RELEASE}", release=RELEASE, **{"helm.sh/chart": "ai-agent"}), 1),
        # Made of an object of extraObjects, which has no labels of the chart.
        (scaled_after("Apply"), autoscaler(f"keda-hpa-{RELEASE}", release=RELEASE), None),
        (scaled_after("Apply"), autoscaler("keda-hpa-other", target="other"), 1),
        (scaled_after("Apply", by="kubectl"), autoscaler("keda-hpa-agent"), 1),
    ],
)
def test_an_autoscaler_of_somebody_else_keeps_its_number(
    render: Render, cluster: Cluster, live: Object, scaler: Object, replicas: int | None
) -> None:
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(live)
    cluster.add(scaler)
    assert render(cluster=cluster).one("Deployment")["spec"].get("replicas") == replicas


# KEDA

KEDA: Object = {"agent": {"autoscaling": {"enabled": True, "keda": {"enabled": True}}}}


def test_keda_scales_in_place_of_the_charts_autoscaler(render: Render) -> None:
    trigger = {
        "type": "prometheus",
        "metadata": {"serverAddress": "http://prometheus:9090", "query": "q", "threshold": "4"},
    }
    own = {"minReplicas": 3, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}
    kedas: Object = {
        "triggers": [trigger],
        "fallback": {"failureThreshold": 3, "replicas": 4},
        "annotations": {"a": "b"},
    }
    made = render(KEDA, {"agent": {"autoscaling": own | {"keda": kedas}}})
    scaler = made.one("ScaledObject", RELEASE)
    spec = scaler["spec"]
    assert not made.names("HorizontalPodAutoscaler")
    assert "replicas" not in made.one("Deployment")["spec"]
    assert scaler["metadata"]["annotations"] == {"a": "b"}
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": RELEASE}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"], spec["fallback"]) == (3, 10, kedas["fallback"])
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == own["behavior"]
    cpu = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70", "containerName": "agent"}}
    assert spec["triggers"] == [cpu, trigger]


def test_kedas_triggers_alone_are_enough(render: Render) -> None:
    trigger = {
        "type": "cron",
        "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "5"},
    }
    none: Object = {"targetCPUUtilizationPercentage": 0, "keda": {"triggers": [trigger]}}
    assert render(KEDA, {"agent": {"autoscaling": none}}).one("ScaledObject")["spec"]["triggers"] == [trigger]


def test_the_agents_own_metric_scales(render: Render) -> None:
    own = {
        "type": "Pods",
        "pods": {"metric": {"name": "agent_streams"}, "target": {"type": "AverageValue", "averageValue": "8"}},
    }
    made = render(SCALED, {"agent": {"autoscaling": {"targetCPUUtilizationPercentage": 0, "metrics": [own]}}})
    assert made.one("HorizontalPodAutoscaler")["spec"]["metrics"] == [own]
    kubernetes_validate.validate(made.one("HorizontalPodAutoscaler"), kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize(
    ("scaler", "refused"),
    [
        (autoscaler(RELEASE, release=RELEASE), True),
        (autoscaler("theirs"), True),
        (autoscaler(f"keda-hpa-{RELEASE}", release=RELEASE), False),
        (autoscaler("keda-hpa-other", target="other"), False),
    ],
)
def test_keda_is_not_given_what_another_one_scales(
    render: Render, cluster: Cluster, scaler: Object, refused: bool
) -> None:
    """KEDA's webhook would refuse it, but only after the migration."""
    cluster.add(live_secret(dict.fromkeys(KEYS, "same")))
    cluster.add(scaled_after("Apply"))
    cluster.add(scaler)
    if not refused:
        assert render(KEDA, cluster=cluster).one("ScaledObject")
        return
    with pytest.raises(RenderError, match=f"the HorizontalPodAutoscaler {scaler['metadata']['name']} scales the agent"):
        render(KEDA, cluster=cluster)


# Disruption


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, False),
        ({"agent": {"replicaCount": 2}}, True),
        (SCALED, True),
        ({"agent": {"autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 1}}}, False),
    ],
)
def test_budget_where_there_is_more_than_one_pod(render: Render, values: Object, there: bool) -> None:
    made = render(values)
    assert (RELEASE in made.names("PodDisruptionBudget")) is there


def test_budgets_of_the_environments(render: Render) -> None:
    found = {name: render(name).names("PodDisruptionBudget") for name in ENVIRONMENTS}
    assert found == {
        "dev": [],
        "staging": [RELEASE],
        "prod": [RELEASE, f"{RELEASE}-postgresql-read", f"{RELEASE}-redis-replicas"],
    }


def test_a_budget_selects_all_pods_of_one_kind_and_no_pod_has_two(environment: Rendered) -> None:
    selectors = [
        item["spec"]["selector"]["matchLabels"] for item in environment if item["kind"] == "PodDisruptionBudget"
    ]
    pods = {name: pod["metadata"]["labels"] for name, pod in environment.pods().items()}
    for selector in selectors:
        matching = [name for name, labels in pods.items() if selector.items() <= labels.items()]
        assert len(matching) == 1
    for labels in pods.values():
        assert sum(selector.items() <= labels.items() for selector in selectors) <= 1


# Monitoring


def test_monitoring_objects_come_on_request(render: Render) -> None:
    assert not {"ServiceMonitor", "PrometheusRule"} & {item["kind"] for item in render()}
    values: Object = {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}} | SCRAPERS
    made = render(values, {"prometheusRule": {"enabled": True, "errorPercent": 2.5}})
    monitor = made.one("ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    service = made.one("Service", RELEASE)
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    (group,) = made.one("PrometheusRule")["spec"]["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [
        "AgentDown",
        "AgentErrors",
        "AgentSlow",
        "AgentCacheDown",
        "AgentModelErrors",
    ]
    assert group["rules"][1]["expr"].endswith("> 2.5")
    for rule in group["rules"]:
        assert f'namespace="test", job="{RELEASE}"' in rule["expr"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


# Extras


def test_extras_reach_every_container_of_the_agents_image(render: Render) -> None:
    env = [{"name": "PGSSLROOTCERT", "value": "/ca/ca.crt"}]
    mounts, volumes = [{"name": "ca", "mountPath": "/ca"}], [{"name": "ca", "configMap": {"name": "ca"}}]
    sources = [{"secretRef": {"name": "more"}}]
    more = {"resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}, "image": "p:1"}
    values: Object = {
        "extraEnv": env,
        "extraEnvFrom": sources,
        "extraVolumes": volumes,
        "extraVolumeMounts": mounts,
        "sidecars": [{"name": "proxy", **more}],
        "initContainers": [{"name": "first", **more}],
    }
    made = render({"agent": values}).ours()
    for name, pod in made.pods().items():
        assert volumes[0] in pod["spec"]["volumes"], name
        for container in containers(pod):
            if container["name"] in {"proxy", "first"}:
                continue
            assert env[0] in container["env"], (name, container["name"])
            assert sources[0] in container["envFrom"], (name, container["name"])
            assert mounts[0] in container["volumeMounts"], (name, container["name"])
    pod = made.pods()[f"Deployment/{RELEASE}"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["first", "wait-for-schema"]
    assert [container["name"] for container in pod["containers"]] == ["agent", "proxy"]


def test_extras_without_migration(render: Render) -> None:
    first = {"name": "first", "image": "p:1", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
    volume = {"name": "ca", "configMap": {"name": "ca"}}
    values: Object = {"migration": {"enabled": False}, "agent": {"initContainers": [first], "extraVolumes": [volume]}}
    pod = render(values).one("Deployment")["spec"]["template"]["spec"]
    assert pod["initContainers"] == [first]
    assert [each["name"] for each in pod["volumes"]] == ["tmp", "ca"]


def test_token_only_for_the_agent_and_only_when_asked(render: Render) -> None:
    pods = render({"serviceAccount": {"automountServiceAccountToken": True}}).pods()
    assert [name for name, pod in pods.items() if pod["spec"]["automountServiceAccountToken"]] == [
        f"Deployment/{RELEASE}"
    ]


def test_common_labels_and_annotations_are_on_every_object_and_in_no_selector(render: Render) -> None:
    values: Object = {"commonLabels": {"cost": "42"}, "commonAnnotations": {"owner": "me"}}
    everything: Object = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}} | SCRAPERS
    made = render("prod", values, everything, SCALED).ours()
    for item in made:
        assert item["metadata"]["labels"]["cost"] == "42"
        assert item["metadata"]["annotations"]["owner"] == "me"
        assert "cost" not in str(item.get("spec", {}).get("selector"))
    for pod in made.pods().values():
        assert pod["metadata"]["labels"]["cost"] == "42"


# Servers of one's own


def test_external_servers_by_host(render: Render) -> None:
    made = render(EXTERNAL)
    assert made.names("StatefulSet") == []
    secret = made.secret()
    assert secret.keys() == {
        "password",
        "redis-password",
        "database-url",
        "migration-database-url",
        "redis-url",
        "rotation-id",
    }
    assert conninfo_to_dict(secret["database-url"]) == {
        "user": "o'hara",
        "password": "p/@",
        "host": "192.0.2.1",
        "port": "6432",
        "dbname": "d",
        "sslmode": "require",
        "connect_timeout": "5",
    }
    assert secret["migration-database-url"] == secret["database-url"]
    assert secret["redis-url"] == "rediss://u:c%20d@192.0.2.2:6380/2"
    assert made.one("Job")["spec"]["template"]["spec"]["containers"][0]["command"][-1] == "migrate"
    assert made.one("Deployment")["spec"]["template"]["spec"]["initContainers"][0]["name"] == "wait-for-schema"


def test_external_database_is_migrated_in_the_hook(render: Render, cluster: Cluster) -> None:
    cluster.add(live_secret(render(EXTERNAL).secret()))
    cluster.add(SERVING)
    found = hooks(render(EXTERNAL, cluster=cluster))
    assert found.keys() == {"Job", "Secret", "ConfigMap", "NetworkPolicy"}


def test_external_servers_by_existing_secret(render: Render) -> None:
    to = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    made = render(
        {"existingSecret": "kept", "postgresql": {"enabled": False}, "redis": {"enabled": False}},
        {"networkPolicy": {"database": {"to": to}, "cache": {"to": to}}},
    )
    assert made.names("Secret") == made.names("StatefulSet") == []
    assert made.names("Job")


def test_one_server_of_ones_own(render: Render) -> None:
    values = {key: EXTERNAL[key] for key in ("redis", "externalCache")}
    made = render(values)
    assert made.names("StatefulSet") == [f"{RELEASE}-postgresql"]
    assert made.secret()["redis-url"].startswith("rediss://")


def test_changed_password_of_an_external_server_reaches_the_pods(render: Render, cluster: Cluster) -> None:
    before = render(EXTERNAL).secret()
    cluster.add(live_secret(before))
    same = render(EXTERNAL, cluster=cluster).secret()
    assert same == before
    changed = render(EXTERNAL, {"externalDatabase": {"password": "new"}}, cluster=cluster)
    assert conninfo_to_dict(changed.secret()["database-url"])["password"] == "new"
    assert changed.secret()["rotation-id"] != before["rotation-id"]
    annotations = changed.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["ai-agent/rotation-id"] == changed.secret()["rotation-id"]


def test_password_of_an_external_server_need_not_be_given_twice(render: Render, cluster: Cluster) -> None:
    cluster.add(live_secret(render(EXTERNAL).secret()))
    kept = render(EXTERNAL, {"externalDatabase": {"password": ""}}, cluster=cluster)
    assert kept.secret()["password"] == "p/@"


# Names


@pytest.mark.parametrize("release", ["redis", "postgresql", "my-redis", "redis-x", "my-postgresql-db", "agent"])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_two_objects_have_one_name(render: Render, release: str, name: str) -> None:
    made = render(name, release=release)
    names = [(item["kind"], item["metadata"]["name"]) for item in made]
    assert len(names) == len(set(names))
    service = made.one("Service", made.names("Deployment")[0])
    assert service["spec"]["ports"][0]["port"] == 8000


@pytest.mark.parametrize(
    ("reason", "before", "after"),
    [
        ("NewReplicaSetAvailable", None, None),
        ("NewReplicaSetAvailable", "3", "3"),
        ("ProgressDeadlineExceeded", None, "1"),
        ("ProgressDeadlineExceeded", "3", "1"),
    ],
)
def test_stuck_rollout_begins_anew_and_a_quiet_one_is_left_alone(
    render: Render, cluster: Cluster, reason: str, before: str | None, after: str | None
) -> None:
    annotations = {"ai-agent/rollout-began": before} if before else {}
    live = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": RELEASE},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
        "status": {"conditions": [{"type": "Progressing", "reason": reason}, {"type": "Available"}]},
    }
    cluster.add(live)
    pods = render(cluster=cluster).one("Deployment")["spec"]["template"]
    assert pods["metadata"]["annotations"].get("ai-agent/rollout-began") == after


def redis_lines(rendered: Rendered) -> list[str]:
    """The lines of redis.conf that the master reads, of whichever ConfigMap."""
    maps = [item["data"] for item in rendered if item["kind"] == "ConfigMap" and "redis" in item["metadata"]["name"]]
    return [line for data in maps for text in data.values() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        ("256Mi", 161061273),
        ("1Gi", 644245094),
        ("1.5Gi", 966367641),
        ("500M", 300000000),
        (67108864, 40265318),
        # The rest of Kubernetes' grammar of quantities.
        ("1e9", 600000000),
        ("1E9", 600000000),
        ("15e+8", 900000000),
        ("128974848000m", 77384908),
        ("250000k", 150000000),
        ("1Ti", 659706976665),
    ],
)
def test_redis_evicts_before_its_limit_kills_it(render: Render, limit: str | int, most: int) -> None:
    resources = {"requests": {"memory": "1Mi"}, "limits": {"memory": limit}}
    lines = redis_lines(render({"redis": {"master": {"resources": resources}}}))
    assert f"maxmemory {most}" in lines
    assert "maxmemory-policy allkeys-lru" in lines


def test_redis_without_a_memory_limit_has_no_maxmemory(render: Render) -> None:
    lines = redis_lines(render({"redis": {"master": {"resources": {"limits": {"memory": None}}}}}))
    assert not [line for line in lines if line.startswith("maxmemory")]
    assert "appendonly yes" in lines
