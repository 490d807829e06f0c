"""What will be deployed, read from the rendered manifests, and what is deployed now. Pure: objects in, facts out."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import (
    PodGroup,
    Volume,
    groups,
    quantity,
    volumes,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release import autoscaling
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT, Server, servers
from ansible_collections.ai_platform.agent.plugins.module_utils._release.references import OWN_NAME

Object = dict[str, t.Any]

# chart/templates/migration-job.yaml: migration.timeout, what the migration itself may take in the hook, which `helm
# template` does not render. The deadline of the hook's Job is longer by migration.startTimeout.
DEADLINE_ANNOTATION = "ai-agent/hook-deadline-seconds"
# Environment of the agent's container: threads that hold a connection each (docs/agent-image.md), and the processes of
# uvicorn and gunicorn, https://www.uvicorn.org/settings/#production.
POOL_VARIABLE, PROCESS_VARIABLE = "WORKER_THREADS", "WEB_CONCURRENCY"


@dataclasses.dataclass(frozen=True)
class Container:
    """One container: full image, literal environment (ConfigMaps of the same manifests included), and Secrets by name.

    :param secrets: variable -> (Secret, key)
    :param opaque: whether a source of environment could not be resolved
    :param spec: the container as in the manifest
    """

    image: str
    pull_policy: str | None
    env: dict[str, str]
    secrets: dict[str, tuple[str, str]]
    opaque: bool
    spec: Object = dataclasses.field(repr=False)

    @property
    def database_secret(self) -> tuple[str, str] | None:
        """Secret and key of the database's URL, also where the image wants it under a name of its own."""
        return self.secrets.get(f"{OWN_NAME}DATABASE_URL") or self.secrets.get("DATABASE_URL")


@dataclasses.dataclass(frozen=True)
class Planned:
    """The release as the rendered manifests describe it.

    :param migration: container of the migration Job, None where the chart has none (then the agent's stands in: they
        run the same image)
    :param migration_pod: its pod spec, None likewise
    :param migration_seconds: what the migration may take in the upgrade's hook, None without one
    :param replicas: pods wanted at first
    :param most_replicas: also by the autoscaler
    :param surge: further pods while it rolls
    :param pool: connections a process may open, None where the image is not told
    :param processes: of a pod
    :param servers: StatefulSets
    :param made: kind and name of what the release itself brings
    :param labels: those that the values give every object
    :param annotations: those that the values give every object
    """

    agent: Container
    agent_pod: Object
    agent_template: Object
    migration: Container | None
    migration_pod: Object | None
    migration_seconds: int | None
    replicas: int
    most_replicas: int
    surge: int
    processes: int
    pool: int | None
    servers: tuple[Server, ...]
    pods: tuple[PodGroup, ...]
    volumes: tuple[Volume, ...]
    kinds: frozenset[tuple[str, str]]
    made: frozenset[tuple[str, str]] = frozenset()
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    annotations: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def database(self) -> str | None:
        """StatefulSet of the primary PostgreSQL, None where it is external."""
        return next((item.name for item in self.servers if item.chart == "postgresql"), None)

    @property
    def migrator(self) -> Container:
        """The container whose image holds the migrations."""
        return self.migration or self.agent

    @property
    def migrator_pod(self) -> Object:
        """Spec of the pod of `migrator`."""
        return self.migration_pod or self.agent_pod

    @property
    def check_resources(self) -> Object:
        """Requests and limits of a pod that runs the migrator's image for a moment.

        They are the migrator's, with the larger CPU limit of it and the agent: most of what such a pod does is to start
        Python, and whatever admits the release admits that.
        """
        resources: Object = dict(self.migrator.spec.get("resources") or {})
        limits: Object = resources.get("limits") or {}
        other = ((self.agent.spec.get("resources") or {}).get("limits") or {}).get("cpu")
        if "cpu" in limits and other is not None and quantity(other) > quantity(limits["cpu"]):
            resources["limits"] = limits | {"cpu": other}
        return resources

    @property
    def version_table(self) -> str:
        """Alembic's version table, `table` or `schema.table`."""
        return self.migrator.env.get("SCHEMA_VERSION_TABLE", "alembic_version")

    @property
    def database_secret(self) -> tuple[str, str] | None:
        """Secret and key of the migrator's database URL."""
        return self.migrator.database_secret

    @property
    def tool(self) -> t.Literal["alembic", "command", "none"]:
        """What migrates (migration.tool of the chart), by the program that holds the agent's pods."""
        gates = [item for item in self.agent_pod.get("initContainers") or () if item["name"] == "wait-for-schema"]
        words = [word for item in gates for word in item.get("command") or ()]
        if "/migration/first_pod.py" in words:
            return "none"
        return "command" if "/migration/command_migration.py" in words else "alembic"


@dataclasses.dataclass(frozen=True)
class Live:
    """What is there now, as the API server shows it. Without a Deployment nothing was installed yet.

    None in `quotas`, `limit_ranges`, `storage_classes` or `claims`: they may not be read.

    :param pods: those of the component agent
    :param metrics: whether the cluster tells pods' CPU and memory, None: not known
    :param checks: pods of this collection that have not ended; they are gone before anything is deployed
    """

    deployment: Object | None = None
    pods: tuple[Object, ...] = ()
    statefulsets: tuple[Object, ...] = ()
    autoscaler: Object | None = None
    claims: tuple[Object, ...] | None = ()
    quotas: tuple[Object, ...] | None = ()
    limit_ranges: tuple[Object, ...] | None = ()
    storage_classes: tuple[Object, ...] | None = ()
    metrics: bool | None = None
    checks: tuple[Object, ...] = ()

    @property
    def template(self) -> Object | None:
        """Pod template of the Deployment."""
        return self.deployment["spec"]["template"] if self.deployment else None

    @property
    def image(self) -> str | None:
        """Image of the deployed agent."""
        return _named(self.template["spec"], "agent")["image"] if self.template else None

    @property
    def replicas(self) -> int:
        """Pods that the Deployment asks for."""
        return int(self.deployment["spec"].get("replicas", 1)) if self.deployment else 0

    @property
    def available(self) -> int:
        """Pods that serve: with any of them, an old version is running."""
        return int((self.deployment.get("status") or {}).get("availableReplicas") or 0) if self.deployment else 0

    @property
    def serving(self) -> tuple[Object, ...]:
        """The ready pods that are not about to go, those of the deployed image first, then the oldest first.

        While a rollout is stuck there are such pods of the image before it.
        """
        ready = [pod for pod in self.pods if not pod["metadata"].get("deletionTimestamp") and shared.is_ready(pod)]
        return tuple(
            sorted(
                ready,
                key=lambda pod: (
                    not self._is_deployed(pod),
                    str(pod["metadata"].get("creationTimestamp")),
                    pod["metadata"]["name"],
                ),
            )
        )

    @property
    def ready_pods(self) -> tuple[str, ...]:
        """Names of those that run the deployed image."""
        return tuple(pod["metadata"]["name"] for pod in self.serving if self._is_deployed(pod))

    def _is_deployed(self, pod: Object) -> bool:
        return bool(_named(pod["spec"], "agent")["image"] == self.image)


def parse(text: str) -> list[Object]:
    """The objects of `helm template`'s output.

    :raises FindingError: `manifests-unreadable`
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = [item for item in yaml.load_all(text, Loader=loader) if item]
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" in line {line + 1}"
        raise FindingError("manifests-unreadable", f"The rendered manifests are no YAML{where}.") from None
    if not all(isinstance(item, dict) and "kind" in item and "metadata" in item for item in found):
        raise FindingError(
            "manifests-unreadable", "The rendered manifests hold something that is no Kubernetes object."
        )
    return found


def planned(objects: t.Sequence[Object], release: str) -> Planned:
    """What these manifests deploy as `release`.

    :raises FindingError: `manifests-unreadable`: they hold no agent
    """
    ours = [item for item in objects if "helm.sh/hook" not in (item["metadata"].get("annotations") or {})]
    deployment = _component(objects, "Deployment", "agent", release)
    if deployment is None:
        words = f"The rendered manifests hold no Deployment of the release {release} with the component agent."
        raise FindingError("manifests-unreadable", words)
    maps = {item["metadata"]["name"]: item.get("data") or {} for item in objects if item["kind"] == "ConfigMap"}
    template = deployment["spec"]["template"]
    agent = container(_named(template["spec"], "agent"), maps)
    job = _component(objects, "Job", "migration", release)
    job_pod = job["spec"]["template"]["spec"] if job else None
    scaled = autoscaling.bounds(objects, deployment["metadata"]["name"])
    replicas = int(deployment["spec"].get("replicas") or (scaled[0] if scaled else 1))
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    return Planned(
        agent=agent,
        agent_pod=template["spec"],
        agent_template=template,
        migration=container(job_pod["containers"][0], maps) if job_pod else None,
        migration_pod=job_pod,
        migration_seconds=_deadline(job) if job else None,
        replicas=replicas,
        most_replicas=max(replicas, scaled[1]) if scaled else replicas,
        surge=_share(rolling.get("maxSurge", "25%"), replicas),
        processes=_whole(agent.env.get(PROCESS_VARIABLE)) or 1,
        pool=_whole(agent.env.get(POOL_VARIABLE)),
        servers=servers(objects),
        pods=groups(ours),
        volumes=volumes(ours),
        kinds=frozenset((item["apiVersion"], item["kind"]) for item in objects),
        made=frozenset((item["kind"], item["metadata"]["name"]) for item in objects),
        labels=shared.given_labels(deployment, release),
        annotations=shared.given_annotations(deployment["metadata"]),
    )


def container(spec: Object, maps: dict[str, dict[str, str]]) -> Container:
    """A container of a manifest. Later sources win, `env` wins over `envFrom`.

    :param maps: ConfigMaps by name
    """
    env: dict[str, str] = {}
    secrets: dict[str, tuple[str, str]] = {}
    opaque = False
    for source in spec.get("envFrom") or ():
        known = maps.get((source.get("configMapRef") or {}).get("name", ""))
        opaque |= known is None
        env |= {f"{source.get('prefix', '')}{name}": str(value) for name, value in (known or {}).items()}
    for item in spec.get("env") or ():
        name, origin = item["name"], item.get("valueFrom") or {}
        env.pop(name, None)
        secrets.pop(name, None)
        if key := origin.get("secretKeyRef"):
            secrets[name] = (key["name"], key["key"])
        elif (key := origin.get("configMapKeyRef")) and key["key"] in maps.get(key["name"], {}):
            env[name] = str(maps[key["name"]][key["key"]])
        elif origin:
            opaque = True
        else:
            env[name] = str(item.get("value") or "")
    return Container(spec["image"], spec.get("imagePullPolicy"), env, secrets, opaque, spec)


def same_migrations(plan: Planned, live: Live) -> bool:
    """Whether the deployed pods run, and waited for, exactly the migrations that would be deployed.

    An image that is pulled anew under the same name may be another one; so may what a variable from elsewhere says.
    """
    if live.template is None or plan.migrator.opaque:
        return False
    mutable = plan.migrator.pull_policy == "Always" and "@" not in plan.migrator.image
    gates = {item["name"]: item for item in plan.agent_pod.get("initContainers") or ()}
    gate = gates.get("wait-for-schema")
    now = {item["name"]: item for item in live.template["spec"].get("initContainers") or ()}.get("wait-for-schema")
    if mutable or gate is None or now is None or gate["image"] != plan.migrator.image:
        return False
    return all(covers(gate.get(field), now.get(field)) for field in ("image", "command", "args", "env", "envFrom"))


def unchanged(plan: Planned, live: Live) -> bool:
    """Whether deploying neither migrates nor replaces nor adds a pod, while pods of the deployed image serve."""
    most = live.autoscaler["spec"]["maxReplicas"] if live.autoscaler else live.replicas
    same = same_migrations(plan, live) and not rolls(plan, live) and plan.most_replicas == most
    return same and bool(live.ready_pods)


def rolls(plan: Planned, live: Live) -> bool:
    """Whether the deployment replaces pods: its template says something that the living one does not."""
    return live.template is not None and not covers(plan.agent_template, live.template)


def covers(wanted: t.Any, there: t.Any) -> bool:
    """Whether `there` holds all of `wanted`; what is empty may be missing, and quantities may be written otherwise."""
    if wanted in (None, "", {}, []):
        return there in (None, "", {}, []) or isinstance(wanted, dict)
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(covers(value, there.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(there, list)
            and len(there) == len(wanted)
            and all(covers(one, other) for one, other in zip(wanted, there, strict=True))
        )
    return bool(wanted == there) or _same_quantity(wanted, there)


def _same_quantity(one: t.Any, other: t.Any) -> bool:
    try:
        return bool(quantity(one) == quantity(other))
    except ValueError:
        return False


def _named(pod: Object, name: str) -> Object:
    """The container of this name, or the first one."""
    found: Object = next((item for item in pod["containers"] if item["name"] == name), pod["containers"][0])
    return found


def _component(objects: t.Sequence[Object], kind: str, component: str, release: str) -> Object | None:
    return next(
        (
            item
            for item in objects
            if item["kind"] == kind
            and (labels := item["metadata"].get("labels") or {}).get(COMPONENT) == component
            and labels.get("app.kubernetes.io/instance") == release
        ),
        None,
    )


def _deadline(job: Object) -> int | None:
    told = (job["metadata"].get("annotations") or {}).get(DEADLINE_ANNOTATION)
    return _whole(told) or job["spec"].get("activeDeadlineSeconds")


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() and int(text) > 0 else None


def _share(value: int | str, of: int) -> int:
    """maxSurge as a number of pods; a percentage is rounded up, as the Deployment controller does."""
    if isinstance(value, str) and value.endswith("%"):
        return -(-of * int(value[:-1]) // 100)
    return int(value)


__all__ = (
    "Container",
    "Live",
    "Planned",
    "container",
    "covers",
    "parse",
    "planned",
    "rolls",
    "same_migrations",
    "unchanged",
)
