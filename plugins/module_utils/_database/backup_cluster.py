"""A release's backups: a Job of the deployed image, with PostgreSQL's programs beside it, and a volume."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_store
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_pod import SIBLING
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import answers, shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import BACKUP, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import SHARED_FOLDER, Task
from ansible_collections.ai_platform.agent.plugins.module_utils._release import living_urls
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import servers

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

Row = dict[str, t.Any]
BACKUPS_FOLDER: t.Final = "/backups"
WORK_FOLDER: t.Final = "/work"
# The user id of `postgres` in the official image of PostgreSQL and in Debian-based ones.
USER: t.Final = 999
# For each of the two containers: a namespace with a quota refuses pods without resources.
RESOURCES: t.Final[Row] = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}
_URL: t.Final = "DATABASE_URL"


@dataclasses.dataclass(frozen=True)
class Options:
    """How the Job is made.

    :param claim: the PersistentVolumeClaim with the backups, None where none is kept
    :param work_claim: one for the throw-away server, None for the node's own disk
    :param image: with PostgreSQL's programs, None for that of the release's own server
    :param user: the user id as which both containers run, None for the server's own
    :param url: Secret and key with the database's URL, None for the agent's
    :param key: Secret and key with age's secret key, None where nothing is encrypted
    :param secrets: Secret and key of further variables, by their names
    :param program: of bundle.py
    :param programs: whether a container with PostgreSQL's programs runs beside
    :param aside: whether those of a server that was set aside will do
    :param purpose: part of the Job's name, and a label by which a policy selects its pod
    :param start_seconds: until the pod runs
    :param pull_seconds: the same where the node pulls an image
    :param run_seconds: from then on
    """

    namespace: str
    release: str
    claim: str | None = None
    work_claim: str | None = None
    image: str | None = None
    user: int | None = None
    url: tuple[str, str] | None = None
    key: tuple[str, str] | None = None
    secrets: t.Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    program: tuple[str, ...] = BACKUP
    programs: bool = True
    aside: bool = False
    purpose: str = "backup"
    start_seconds: float = 60
    pull_seconds: float = 600
    run_seconds: float = 3600


def run(cluster: Cluster, options: Options, request: Row) -> Row:
    """The answer of _in_pod/backup_pod.py.

    :param request: its request, without the folders and the image
    :raises FindingError: there is none, or it is an error
    """
    with JobRun(cluster, task(cluster, options, request)) as job:
        return answers.last_of_job(job, broken=f"{options.purpose}-failed", most=1000)


def task(cluster: Cluster, options: Options, request: Row) -> Task:
    """The Job of a release.

    :raises FindingError: the release is not there, or its database or an image is not known
    """
    where = f"{options.namespace}/{options.release}"
    deployment = cluster.get("apps/v1", "deployments", options.release, options.namespace)
    if deployment is None:
        raise FindingError("release-missing", f"There is no release {where}; correct its name or namespace.")
    spec = deployment["spec"]["template"]["spec"]
    agent = shared.agent_container(spec)
    url = options.url or living_urls.reference(deployment, _URL)
    if url is None:
        words = f"The container of {where} does not take {_URL} from a Secret; name one in database_secret."
        raise FindingError("database-url-invalid", words)
    server = _server(cluster, options) if options.programs else None
    return described(options, deployment, agent, server, url, request)


def _server(cluster: Cluster, options: Options) -> tuple[str, int]:
    """The image with PostgreSQL's programs, and its user."""
    if options.image:
        return options.image, USER if options.user is None else options.user
    labels = f"app.kubernetes.io/instance={options.release}"
    sets = cluster.list("apps/v1", "statefulsets", options.namespace, labels=labels)
    found = next((item for item in servers(sets, aside=options.aside) if item.chart == "postgresql"), None)
    if found is None:
        words = "The database is none of this release: name an image with PostgreSQL's programs in postgresql_image."
        raise FindingError("backup-failed", words)
    pod = found.template["spec"]
    container = pod["containers"][0]
    contexts = [item.get("securityContext") or {} for item in (container, pod)]
    user = next((item["runAsUser"] for item in contexts if "runAsUser" in item), USER)
    return container["image"], user if options.user is None else options.user


def described(  # noqa: PLR0917 - one caller
    options: Options,
    deployment: Object,
    agent: Object,
    server: tuple[str, int] | None,
    url: tuple[str, str],
    request: Row,
) -> Task:
    """The Job from what was found. Pure.

    :param server: image and user of the container beside, None where there is none
    """
    spec = deployment["spec"]["template"]["spec"]
    volumes = [
        {"name": "work", **({"persistentVolumeClaim": {"claimName": options.work_claim}}
                            if options.work_claim else {"emptyDir": {}})},
    ]  # fmt: skip
    mounts = [{"name": "work", "mountPath": WORK_FOLDER}]
    if options.claim:
        volumes.insert(0, {"name": "backups", "persistentVolumeClaim": {"claimName": options.claim}})
        mounts.insert(0, {"name": "backups", "mountPath": BACKUPS_FOLDER})
    pod = spec | {"volumes": [*(spec.get("volumes") or ()), *volumes]}
    beside: list[Object] = []
    if server:
        image, user = server
        # What one container writes the other one reads, and PostgreSQL's folders are closed for everybody else.
        context = {"runAsUser": user, "runAsGroup": user, "fsGroup": user}
        pod["securityContext"] = (spec.get("securityContext") or {}) | context
        beside.append(
            {
                "name": "postgresql",
                "image": image,
                "command": ["sh", "-c", SIBLING, "sh", SHARED_FOLDER],
                "resources": RESOURCES,
                "volumeMounts": mounts,
            }
        )
    secrets = {_URL: url} | dict(options.secrets) | ({"BACKUP_KEY": options.key} if options.key else {})
    known = {_URL, "BACKUP_KEY", backup_store.ACCESS_KEY, backup_store.SECRET_KEY, *secrets}
    env = [item for item in shared.environment(agent, ()) if item["name"] not in known]
    env += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, (secret, key) in secrets.items()
    ]
    client = {"app.kubernetes.io/instance": options.release, f"{options.release}-db-client": "true"}
    own = {"path": BACKUPS_FOLDER, "work": WORK_FOLDER, "shared": SHARED_FOLDER, "image": agent["image"]}
    return Task(
        namespace=options.namespace,
        release=options.release,
        purpose=options.purpose,
        image=agent["image"],
        command=command(bundle(options.program, request | own)),
        env=env,
        labels=shared.given_labels(deployment, options.release) | client,
        annotations=shared.given_annotations(deployment["metadata"]),
        pod=pod,
        container={
            **{name: value for name, value in agent.items() if name == "envFrom"},
            "volumeMounts": [*(agent.get("volumeMounts") or ()), *mounts],
        },
        beside=beside,
        pull_policy=agent.get("imagePullPolicy"),
        resources=RESOURCES,
        start_seconds=options.start_seconds,
        pull_seconds=options.pull_seconds,
        run_seconds=options.run_seconds,
    )


__all__ = ("Options", "described", "run", "task")
