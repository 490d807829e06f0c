"""From the rendered chart to what is made in the throw-away namespace. Pure: objects go in, objects come out.

Everything is as the chart renders it, so what is tried is what would be deployed. Only the Services of database and
cache lead to the desk (_in_pod/contract_desk.py), which passes on to them and can take them away.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import copy
import dataclasses
import typing as t
from urllib.parse import urlsplit

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

Object = dict[str, t.Any]

DESK: t.Final = "check-image-desk"
DESK_LABELS: t.Final = {"ai-agent/check-image": "desk"}
FINALIZER: t.Final = "ai-agent/check-image"
# What is made as it was rendered: its API version and plural.
MADE: t.Final = {
    "ServiceAccount": ("v1", "serviceaccounts"),
    "ConfigMap": ("v1", "configmaps"),
    "Secret": ("v1", "secrets"),
    "Service": ("v1", "services"),
    "StatefulSet": ("apps/v1", "statefulsets"),
}
# Keys of the chart's Secret with the URLs of both, and the ports on which the desk stands before them.
_SERVERS: t.Final = {"database": ("database-url", 5432), "cache": ("redis-url", 6379)}
# Paths that other servers use for the same probes.
PATHS: t.Final = {
    "startup": ("/health", "/healthz", "/livez", "/api/health", "/v1/health", "/health/live", "/"),
    "liveness": ("/health", "/healthz", "/livez", "/live", "/api/health", "/v1/health", "/health/live", "/"),
    "readiness": ("/ready", "/readyz", "/health/ready", "/api/ready", "/v1/ready", "/health", "/healthz"),
}


@dataclasses.dataclass(frozen=True)
class Server:
    """A database or cache: the Service behind which it really is, its port, and the port of the desk before it."""

    service: str
    port: int
    desk_port: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is tried.

    :param objects: that are made first, in their order
    :param agent: metadata and spec of the agent's pod
    :param migration: the same of the migration's, None without one
    :param servers: database and cache, as far as the image uses them
    :param url: with which the desk asks the database
    :param missing: Secrets and ConfigMaps that the pods name and nobody makes
    """

    objects: list[Object] = dataclasses.field(repr=False)
    agent: Object
    migration: Object | None
    servers: dict[str, Server]
    url: str = dataclasses.field(repr=False)
    missing: list[str]

    @property
    def image(self) -> str:
        """The agent's image."""
        return str(self.container["image"])

    @property
    def container(self) -> Object:
        """The agent's container."""
        return t.cast("Object", self.agent["spec"]["containers"][0])

    @property
    def desk_image(self) -> str:
        """The image that has Python and the driver: the chart's own init container runs in it."""
        for item in self.agent["spec"].get("initContainers") or ():
            if item["name"] == "wait-for-schema":
                return str(item["image"])
        return self.image

    @property
    def pre_stop(self) -> float:
        """Seconds between the deletion of a pod and SIGTERM."""
        sleep = ((self.container.get("lifecycle") or {}).get("preStop") or {}).get("sleep") or {}
        return float(sleep.get("seconds") or 0)

    @property
    def grace(self) -> float:
        """Seconds between the deletion of a pod and SIGKILL."""
        return float(self.agent["spec"].get("terminationGracePeriodSeconds") or 30)

    @property
    def tool(self) -> str:
        """migration.tool, as it was rendered."""
        if self.migration is None:
            return "none"
        words = " ".join(map(str, self._migrator.get("command") or ()))
        return "command" if "command_migration.py" in words else "alembic"

    @property
    def version_table(self) -> str:
        """The name of Alembic's version table."""
        return self._told("SCHEMA_VERSION_TABLE") or "alembic_version"

    @property
    def ledger(self) -> str:
        """The table in which the chart remembers what a program migrated (chart/files/ledger.py), empty without one."""
        return self._told("SCHEMA_LEDGER")

    def _told(self, name: str) -> str:
        env = {item["name"]: item.get("value") for item in self._migrator.get("env") or ()}
        return str(env.get(name) or "")

    @property
    def _migrator(self) -> Object:
        return self.migration["spec"]["containers"][0] if self.migration else {}

    def probe(self, name: str) -> tuple[str, str, int]:
        """Kind, path and port of a probe: startup, liveness or readiness."""
        probe = self.container.get(f"{name}Probe")
        if probe is None:
            return "none", "", 0
        if "httpGet" in probe:
            return "http", probe["httpGet"].get("path") or "/", self._port(probe["httpGet"]["port"])
        if "tcpSocket" in probe:
            return "tcp", "", self._port(probe["tcpSocket"]["port"])
        return ("grpc" if "grpc" in probe else "exec"), "", 0

    def _port(self, port: int | str) -> int:
        named = {item.get("name"): item["containerPort"] for item in self.container.get("ports") or ()}
        return int(named.get(port, port))


def plan(manifests: str, given_secrets: t.Mapping[str, t.Mapping[str, str]]) -> Plan:
    """What is made of the rendered chart.

    :param given_secrets: Secrets that the values name and the chart does not make: their data by their names
    :raises FindingError: `argument-invalid`: it is no rendering of this chart
    """
    import yaml

    rendered = [item for item in yaml.load_all(manifests, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if item]
    kept = [copy.deepcopy(item) for item in rendered if item["kind"] in MADE and not _is_hook(item)]
    kept += [_secret(name, data) for name, data in given_secrets.items()]
    agents = [item for item in rendered if item["kind"] == "Deployment" and _component(item) == "agent"]
    if not agents:
        raise FindingError(
            "argument-invalid", "There is no agent in the rendered chart: give it the values as they are."
        )
    jobs = [item for item in rendered if item["kind"] == "Job" and _component(item) == "migration"]
    migrations = [item for item in jobs if not _is_hook(item)] or jobs
    kept.sort(key=lambda item: list(MADE).index(item["kind"]))
    servers, extra, url = _servers(kept)
    agent, migration = _pod(agents[0]), _pod(migrations[0]) if migrations else None
    there = {(item["kind"], item["metadata"]["name"]) for item in kept}
    missing = sorted(
        {f"{kind} {name}" for kind, name in _named(agent) | _named(migration or {}) if (kind, name) not in there}
    )
    return Plan([*kept, *extra], agent, migration, servers, url, missing)


def _is_hook(item: Object) -> bool:
    return "helm.sh/hook" in (item["metadata"].get("annotations") or {})


def _component(item: Object) -> str:
    return str((item["metadata"].get("labels") or {}).get("app.kubernetes.io/component"))


def _secret(name: str, data: t.Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(data)}


def _pod(owner: Object) -> Object:
    """A pod as this Deployment or Job makes it."""
    template = copy.deepcopy(owner["spec"]["template"])
    template["spec"].pop("topologySpreadConstraints", None)
    return {"metadata": template.get("metadata") or {}, "spec": template["spec"]}


def _servers(kept: list[Object]) -> tuple[dict[str, Server], list[Object], str]:
    """Database and cache as the chart's URLs name them; their Services then lead to the desk."""
    urls: dict[str, str] = {}
    for item in kept:
        if item["kind"] == "Secret":
            data = {key: base64.b64decode(value).decode() for key, value in (item.get("data") or {}).items()}
            urls |= {name: data[key] for name, (key, _port) in _SERVERS.items() if key in data}
    found, extra = {}, []
    for name, url in urls.items():
        host = (urlsplit(url).hostname or "").partition(".")[0]
        for item in kept:
            if item["kind"] != "Service" or item["metadata"]["name"] != host:
                continue
            behind = copy.deepcopy(item)
            behind["metadata"]["name"] = f"check-image-{name}"
            spec, port = item["spec"], behind["spec"]["ports"][0]
            desk_port = _SERVERS[name][1]
            spec["selector"], spec["type"] = dict(DESK_LABELS), "ClusterIP"
            spec["ports"] = [{"name": port.get("name", name), "port": port["port"], "targetPort": desk_port}]
            extra.append(behind)
            found[name] = Server(behind["metadata"]["name"], int(port["port"]), desk_port)
    return found, extra, urls.get("database", "")


def _named(pod: Object) -> set[tuple[str, str]]:
    """Secrets and ConfigMaps without which the pod does not start."""
    found: set[tuple[str, str]] = set()
    spec = pod.get("spec") or {}
    kinds = {"secret": "Secret", "configMap": "ConfigMap"}
    for item in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        for source in item.get("envFrom") or ():
            found |= {
                (kind, source[f"{key}Ref"]["name"])
                for key, kind in kinds.items()
                if f"{key}Ref" in source and not source[f"{key}Ref"].get("optional")
            }
        for variable in item.get("env") or ():
            source = variable.get("valueFrom") or {}
            found |= {
                (kind, source[f"{key}KeyRef"]["name"])
                for key, kind in kinds.items()
                if f"{key}KeyRef" in source and not source[f"{key}KeyRef"].get("optional")
            }
    for volume in spec.get("volumes") or ():
        if "secret" in volume and not volume["secret"].get("optional"):
            found.add(("Secret", volume["secret"]["secretName"]))
        if "configMap" in volume and not volume["configMap"].get("optional"):
            found.add(("ConfigMap", volume["configMap"]["name"]))
    return found


def started(pod: Object, name: str, *, writable: bool = False, own_user: bool = False, kept: bool = False) -> Object:
    """The pod under a name.

    :param writable: its root file system can be written
    :param own_user: it runs as the image's own user
    :param kept: it stays until its end was seen; else it ends at once when it is deleted
    """
    made: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {**copy.deepcopy(pod["metadata"]), "name": name}}
    made["spec"] = copy.deepcopy(pod["spec"])
    if kept:
        made["metadata"]["finalizers"] = [FINALIZER]
    else:
        made["spec"]["terminationGracePeriodSeconds"] = 1
    for item in made["spec"]["containers"]:
        context = item.setdefault("securityContext", {})
        if writable:
            context["readOnlyRootFilesystem"] = False
        if not kept:
            item.pop("lifecycle", None)
    if own_user:
        # The init container of the chart stays as it is: it runs as whoever the values say.
        for item in made["spec"].get("initContainers") or ():
            item["securityContext"] = (made["spec"].get("securityContext") or {}).copy() | (
                item.get("securityContext") or {}
            )
            for key in ("fsGroup", "fsGroupChangePolicy", "supplementalGroups"):
                item["securityContext"].pop(key, None)
        for item in [made["spec"], *made["spec"]["containers"]]:
            for key in ("runAsUser", "runAsGroup", "runAsNonRoot"):
                (item.get("securityContext") or {}).pop(key, None)
    return made


def desk(plan_: Plan, image: str) -> Object:
    """The pod of the desk, which is gone after an hour at the latest."""
    spec = plan_.agent["spec"]
    placed = (
        "imagePullSecrets",
        "nodeSelector",
        "tolerations",
        "priorityClassName",
        "runtimeClassName",
        "serviceAccountName",
    )
    context = (spec.get("securityContext") or {}) | {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {
        "name": "desk",
        "image": image,
        "command": ["python", "-c", "import time; time.sleep(3600)"],
        "ports": [{"containerPort": server.desk_port} for server in plan_.servers.values()],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
            "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "64Mi"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": DESK, "labels": dict(DESK_LABELS)},
        "spec": {
            **{key: spec[key] for key in placed if spec.get(key)},
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": context,
            "containers": [container],
        },
    }


__all__ = ("DESK", "FINALIZER", "MADE", "PATHS", "Plan", "Server", "desk", "plan", "started")
