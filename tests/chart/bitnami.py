"""What other objects may rely on in a rendered PostgreSQL and Redis: Bitnami's charts and the embedded ones compared.

`python -m tests.chart.bitnami HELM FOLDER` records fixtures/bitnami.yaml from Bitnami's charts in FOLDER, one folder
each, with their own dependency `common` in charts/ (git tags postgresql/12.12.10 with common/2.12.0, redis/17.17.1 with
common/2.9.0). The record holds facts (names, labels, ports, keys); nothing of Bitnami's templates is kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import yaml

Object = dict[str, t.Any]

FIXTURE = Path(__file__).parent / "fixtures" / "bitnami.yaml"
ENVIRONMENT = ("PGDATA", "POSTGRES_", "POSTGRESQL_PORT", "POSTGRESQL_VOLUME", "REDIS_")

_COMMON: Object = {
    "image": {"tag": "recorded"},
    "commonLabels": {"app": "{{ .Release.Name }}"},
    "serviceAccount": {"create": True},
}
_POSTGRESQL: Object = {**_COMMON, "auth": {"username": "agent_user", "database": "agent_db"}}
_PORTS: Object = {"primary": {"service": {"ports": {"postgresql": 5433}}}}
CASES: dict[str, tuple[str, str, Object]] = {
    "postgresql standalone": ("postgresql", "my-agent", {**_POSTGRESQL, "architecture": "standalone"}),
    "postgresql replication": (
        "postgresql",
        "my-agent",
        {**_POSTGRESQL, **_PORTS, "architecture": "replication", "readReplicas": {"replicaCount": 2}},
    ),
    "postgresql in a release of its name": ("postgresql", "my-postgresql-db", _POSTGRESQL),
    "postgresql overrides": (
        "postgresql",
        "my-agent",
        {**_POSTGRESQL, "architecture": "replication", "nameOverride": "db", "primary": {"name": "main"}},
    ),
    "postgresql superuser only": ("postgresql", "my-agent", _COMMON),
    "redis standalone": ("redis", "my-agent", {**_COMMON, "architecture": "standalone"}),
    "redis replication": (
        "redis",
        "my-agent",
        {**_COMMON, "architecture": "replication", "replica": {"replicaCount": 2}},
    ),
    "redis in a release of its name": ("redis", "redis-x", {**_COMMON, "architecture": "standalone"}),
    "redis overrides": ("redis", "my-agent", {**_COMMON, "architecture": "replication", "fullnameOverride": "cache"}),
}
"""Name of the case to chart, release and values."""


def facts(objects: t.Iterable[Object]) -> dict[str, Object]:
    """Return what may be relied on, by kind and name of the object."""
    found: dict[str, Object] = {}
    for item in objects:
        spec = item.get("spec", {})
        fact: Object
        if item["kind"] == "Service":
            fact = {
                "ports": [[port["name"], port["port"], port["targetPort"]] for port in spec["ports"]],
                "selector": spec["selector"],
                "headless": spec.get("clusterIP") == "None",
                "publishNotReadyAddresses": bool(spec.get("publishNotReadyAddresses")),
            }
        elif item["kind"] == "StatefulSet":
            fact = _server(spec)
        elif item["kind"] == "Secret":
            fact = {"keys": sorted(item["data"])}
        elif item["kind"] == "ServiceAccount":
            fact = {}
        else:
            continue
        found[f"{item['kind']}/{item['metadata']['name']}"] = fact
    return dict(sorted(found.items()))


def _server(spec: Object) -> Object:
    pod = spec["template"]
    container = pod["spec"]["containers"][0]
    context = container["securityContext"]
    # A password may come from the environment or from a file: the name without its end is what both have.
    env = {each["name"].removesuffix("_FILE"): each.get("value") for each in container["env"]}
    secret = {name for name in env if name.endswith("PASSWORD") and name != "ALLOW_EMPTY_PASSWORD"}
    labels = pod["metadata"]["labels"]
    return {
        "replicas": spec["replicas"],
        "serviceName": spec["serviceName"],
        "selector": spec["selector"]["matchLabels"],
        "pod labels": {key: labels[key] for key in sorted(labels) if key not in OWN_LABELS},
        "container": container["name"],
        "ports": [[port["name"], port["containerPort"]] for port in container["ports"]],
        "ids": [context["runAsUser"], context["runAsGroup"], pod["spec"]["securityContext"]["fsGroup"]],
        "passwords": sorted(secret),
        "environment": {
            name: value
            for name, value in sorted(env.items())
            if name.startswith(ENVIRONMENT) and name not in secret | LEFT_OUT
        },
        "claims": [
            {"name": claim["metadata"]["name"], "labels": claim["metadata"].get("labels", {})}
            for claim in spec["volumeClaimTemplates"]
        ],
        "mounts": sorted(
            mount["mountPath"]
            for mount in container["volumeMounts"]
            if mount["name"] in {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
        ),
    }


OWN_LABELS = {"app.kubernetes.io/version", "helm.sh/chart"}
# TLS, which the embedded charts refuse.
LEFT_OUT = {"REDIS_TLS_ENABLED"}


def render(helm: str, chart: Path, release: str, values: Object) -> list[Object]:
    """Render a chart with values."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(values, file)
        file.flush()
        command = [helm, "template", release, str(chart), "--namespace", "test", "-f", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item]


def record(helm: str, folder: Path) -> None:
    """Write the fixture."""
    found = {
        name: facts(render(helm, folder / chart, release, values)) for name, (chart, release, values) in CASES.items()
    }
    head = "# Recorded by `python -m tests.chart.bitnami` from Bitnami's postgresql 12.12.10 and redis 17.17.1.\n"
    FIXTURE.write_text(head + yaml.dump(found, sort_keys=False, Dumper=_NoAliases, width=120), encoding="utf-8")


class _NoAliases(yaml.SafeDumper):
    """Every fact in its place, and lists as yamllint wants them."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]))
