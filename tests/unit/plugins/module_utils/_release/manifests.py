"""A small release as manifests, and as the API server shows it when it runs."""

from __future__ import annotations

import copy
import typing as t

Object = dict[str, t.Any]


def labels(component: str, name: str = "ai-agent") -> dict[str, str]:
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/component": component,
    }


def _container(name: str, image: str, cpu: str, **more: t.Any) -> Object:
    resources = {"requests": {"cpu": cpu, "memory": "256Mi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}}
    return {"name": name, "image": image, "resources": resources, **more}


def _environment(key: str) -> list[Object]:
    return [
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "demo-secret", "key": key}}},
        {"name": "SCHEMA_VERSION_TABLE", "value": "alembic_version"},
        {"name": "EMPTY", "value": ""},
    ]


def release(image: str = "agent:1", *, replicas: int = 2, most: int | None = None, **env: str) -> list[Object]:
    """The manifests of a release.

    :param most: with an autoscaler up to so many pods
    :param env: the ConfigMap of the agent
    """
    data = {"WORKER_THREADS": "4"} | env
    gate = _container(
        "wait-for-schema", image, "20m", command=["python", "schema.py"], env=_environment("database-url")
    )
    agent = _container(
        "agent", image, "500m", env=_environment("database-url"), envFrom=[{"configMapRef": {"name": "demo-config"}}]
    )
    migrate = _container("migrate", image, "50m", env=_environment("migration-database-url"))
    deployment = {
        "replicas": replicas,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {"labels": labels("agent")},
            "spec": {"initContainers": [gate], "containers": [agent]},
        },
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
    }
    database = {
        "replicas": 1,
        "template": {"spec": {"containers": [_container("postgresql", "postgresql:15", "250m")]}},
        "volumeClaimTemplates": [claim],
    }
    objects = [
        _object("v1", "ConfigMap", "demo-config", {"data": data}),
        _object("apps/v1", "Deployment", "demo", {"spec": deployment}, labels("agent")),
        _object("apps/v1", "StatefulSet", "demo-postgresql", {"spec": database}, labels("primary", "postgresql")),
        _object(
            "batch/v1",
            "Job",
            "demo-db-migrate-1",
            {"spec": {"template": {"spec": {"containers": [migrate]}}}},
            labels("migration"),
            annotations={"ai-agent/hook-deadline-seconds": "240"},
        ),
        _object("v1", "Pod", "demo-test", {"spec": {}}, annotations={"helm.sh/hook": "test"}),
    ]
    if most:
        del deployment["replicas"]
        target = {"kind": "Deployment", "name": "demo"}
        spec = {"scaleTargetRef": target, "minReplicas": replicas, "maxReplicas": most}
        objects.append(_object("autoscaling/v2", "HorizontalPodAutoscaler", "demo", {"spec": spec}))
    return objects


def _object(
    version: str,
    kind: str,
    name: str,
    body: Object,
    labels: dict[str, str] | None = None,
    *,
    annotations: dict[str, str] | None = None,
) -> Object:
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def living(objects: list[Object], kind: str, **status: t.Any) -> Object:
    """The object of this kind as the API server returns it: with defaults, normalised quantities, no empty values."""
    found = copy.deepcopy(next(item for item in objects if item["kind"] == kind))
    template = found["spec"]["template"]
    template["spec"]["dnsPolicy"] = "ClusterFirst"
    for item in template["spec"]["containers"] + template["spec"].get("initContainers", []):
        item["resources"]["limits"]["cpu"] = "1"
        item["imagePullPolicy"] = "IfNotPresent"
        for variable in item.get("env", []):
            if variable.get("value") == "":
                del variable["value"]
    return found | {"status": status}
