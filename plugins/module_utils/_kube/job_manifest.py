"""One program in a Job: what it runs, and the manifests of its Job and of the policy that shuts its pod off.

All of it is pure; `job` creates, watches and removes what is described here.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube import job_failures, shared

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Object

# On Job, pod and policy: a value of its own for each run. No policy or Service of a release selects by it.
RUN_LABEL = "ai-agent/run"
GATE = "ai-agent/policy"
KEEP_SECONDS = 60
# Input that a program gets after its pod was made: an annotation of the pod, which kubelet writes into a file within a
# second of a change (measured 0.5 to 0.8 s, Kubernetes 1.34). The program finds the file's name in its environment.
INPUT_ANNOTATION = "ai-agent/told"
INPUT_VARIABLE = "AI_AGENT_TOLD"
INPUT_FOLDER = "/etc/ai-agent-check"
# A folder in memory that the containers of one pod share.
SHARED_FOLDER = "/ai-agent"
# Fields that the Job's pod copies from the given pod spec: placement, pull secrets, name resolution.
PLACEMENT = (
    "imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName",
    "runtimeClassName", "schedulerName", "hostAliases", "dnsPolicy", "dnsConfig",
)  # fmt: skip

# What every object has that a run of this collection makes by itself.
MANAGER: t.Final = "app.kubernetes.io/managed-by"
OWN_MANAGER: t.Final = "ai_platform.agent"
_CLOSED: t.Final[Object] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclasses.dataclass(frozen=True)
class Task:
    """What the Job runs.

    :param purpose: part of its name
    :param env: as in a container
    :param labels: besides those of its own
    :param annotations: of Job and pod
    :param pod: a pod spec whose placement, user, pull secrets and service account it shares
    :param container: one of it, whose volumes and sources of environment it shares
    :param absent: objects that both name and that are not there yet
    :param before: containers of the same pod that end before this one begins: name, image, command and what else is
        their own; all share SHARED_FOLDER
    :param beside: the same of containers that run beside it
    :param isolated: it starts under a policy that lets nothing in or out, and neither account, volume nor source brings
        it a secret
    :param start_seconds: until the container runs
    :param pull_seconds: the same where the node pulls the image for so long
    :param run_seconds: from then on, or from when it got its input (INPUT_ANNOTATION)
    :param input_seconds: how long it may wait for that input, None where it needs none
    """

    namespace: str
    release: str
    purpose: str
    image: str
    command: t.Sequence[str] = dataclasses.field(repr=False)
    env: t.Sequence[Object] = ()
    labels: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    annotations: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    pod: Object = dataclasses.field(default_factory=dict)
    container: Object = dataclasses.field(default_factory=dict)
    absent: t.Collection[shared.Named] = ()
    before: t.Sequence[Object] = ()
    beside: t.Sequence[Object] = ()
    pull_policy: str | None = None
    resources: Object = dataclasses.field(default_factory=dict)
    isolated: bool = False
    start_seconds: float = 60
    pull_seconds: float = 600
    run_seconds: float = 30
    input_seconds: float | None = None


def manifest(task: Task, run: str) -> Object:
    """The Job of a task; `run` tells it from others."""
    labels = {
        **task.labels,
        "app.kubernetes.io/name": "ai-agent-check",
        "app.kubernetes.io/component": task.purpose,
        MANAGER: OWN_MANAGER,
        RUN_LABEL: run,
    }
    spec: Object = {name: task.pod[name] for name in PLACEMENT if task.pod.get(name)}
    # Clouds put a token of the account into its pods, whether Kubernetes' own is mounted or not.
    if not task.isolated and (account := shared.account(task.pod, task.absent)):
        spec["serviceAccountName"] = account
    volumes, _mounts = shared.volumes(task.pod, task.container, task.absent, closed=task.isolated)
    about = {"labels": labels} | ({"annotations": dict(task.annotations)} if task.annotations else {})
    spec |= {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        # A Python that is process 1 does not hear SIGTERM.
        "terminationGracePeriodSeconds": 1,
        "securityContext": (task.pod.get("securityContext") or {})
        | {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        # The node starts them in this order: when the task's own runs, so do the others.
        "containers": [*(_further(item) for item in task.beside), _container(task)],
        "volumes": [{"name": "tmp", "emptyDir": {}}, *volumes],
    }
    if others := [*task.before, *task.beside]:
        spec["volumes"] += [{"name": f"tmp-{item['name']}", "emptyDir": {}} for item in others]
        spec["volumes"].append({"name": "shared", "emptyDir": {"medium": "Memory"}})
        spec["containers"][-1]["volumeMounts"].append({"name": "shared", "mountPath": SHARED_FOLDER})
    if task.before:
        spec["initContainers"] = [_further(item) for item in task.before]
    if task.isolated:
        spec["schedulingGates"] = [{"name": GATE}]
    if task.input_seconds is not None:
        field = {"fieldPath": f"metadata.annotations['{INPUT_ANNOTATION}']"}
        spec["volumes"].append({"name": "told", "downwardAPI": {"items": [{"path": "told", "fieldRef": field}]}})
    seconds = task.start_seconds + task.run_seconds + (task.input_seconds or 0)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{task.release}-{task.purpose}-{run}", **about},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": math.ceil(seconds) + 5,
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "template": {"metadata": about, "spec": spec},
        },
    }


def _further(container: Object) -> Object:
    mounts = [
        {"name": f"tmp-{container['name']}", "mountPath": "/tmp"},  # noqa: S108 - a folder of the pod
        {"name": "shared", "mountPath": SHARED_FOLDER},
        *(container.get("volumeMounts") or ()),
    ]
    context = _CLOSED | (container.get("securityContext") or {})
    return container | {"securityContext": context, "volumeMounts": mounts}


def _container(task: Task) -> Object:
    _volumes, mounts = shared.volumes(task.pod, task.container, task.absent, closed=task.isolated)
    container: Object = {
        "name": job_failures.CONTAINER,
        "image": task.image,
        "command": list(task.command),
        "env": list(task.env),
        "resources": dict(task.resources),
        "securityContext": _CLOSED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, *mounts],  # noqa: S108 - a folder of the pod
    }
    if sources := shared.env_from(task.container, task.absent, closed=task.isolated):
        container["envFrom"] = sources
    if folder := task.container.get("workingDir"):
        container["workingDir"] = folder
    if task.input_seconds is not None:
        container["env"].append({"name": INPUT_VARIABLE, "value": f"{INPUT_FOLDER}/told"})
        container["volumeMounts"].append({"name": "told", "mountPath": INPUT_FOLDER, "readOnly": True})
    return container | ({"imagePullPolicy": task.pull_policy} if task.pull_policy else {})


def policy(job: Object, run: str) -> Object:
    """Nothing in, nothing out, for the pod of this run; it goes when the Job goes."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": job["metadata"]["name"],
            "labels": job["metadata"]["labels"],
            "ownerReferences": [owner],
        },
        "spec": {"podSelector": {"matchLabels": {RUN_LABEL: run}}, "policyTypes": ["Ingress", "Egress"]},
    }


__all__ = (
    "GATE",
    "INPUT_ANNOTATION",
    "INPUT_FOLDER",
    "INPUT_VARIABLE",
    "MANAGER",
    "OWN_MANAGER",
    "RUN_LABEL",
    "SHARED_FOLDER",
    "Task",
    "manifest",
    "policy",
)
