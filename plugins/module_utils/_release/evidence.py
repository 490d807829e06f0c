"""release_evidence: why a release is not as it should be, and what a person needs to see for it, kept in files.

What pods, events and logs say may hold a password: the values of the Secrets that the pods have are taken out of it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.files import write
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import HIDDEN, without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.events import when
from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    applied_manifests,
    diagnosis,
    leased_helm,
    plan_look,
    waiting,
    watch,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.pod_states import Container, containers, name
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Iterable

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

Row = dict[str, t.Any]

# Lines of a log that are shown, and kept; events, containers with logs, characters of a line that are kept.
_SHOWN, _KEPT, _EVENTS, _LOGS, _WIDTH = 20, 100, 200, 12, 500

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "helm_binary": {"type": "path", "default": "helm"},
    "helm_error": {"type": "str", "default": ""},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "path": {"type": "path"},
    "manifests_path": {"type": "path"},
    "max_bytes": {"type": "int", "default": 262144},
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it fails by an error alone.

    :param params: the module's arguments
    :raises FindingError: the API server does not answer, nor Helm where its manifests are wanted; a file cannot be
        written
    """
    cluster = connect(params)
    release, namespace = params["release_name"], params["release_namespace"]
    there = watch.scene(cluster, release, namespace, every=True)
    known = [*params["secrets"], *plan_look.secrets_of(cluster, [*there.workloads, *there.pods], namespace)]
    hidden = pattern(known)

    def clean(text: str) -> str:
        return printable(without_named(hidden.sub(HIDDEN, text)))

    found = diagnosis.diagnose(
        release, list(there.pods), list(there.events), params["helm_error"], list(there.workloads)
    )
    log = _log(cluster, namespace, found.log_pod, found.log_container, _SHOWN)
    found = diagnosis.with_log(found, log)
    details = [clean(line) for line in (*found.details, *(f"log: {line}" for line in log))]
    told = {"sentence": clean(found.sentence), "runbook": diagnosis.runbook(found), "details": details}
    result: Row = {"cause": found.cause, **told, "path": "", "manifests_path": ""}
    if params["path"]:
        text = _file(cluster, params, there, clean, [result["sentence"], *details])
        write(params["path"], text)
        result["path"] = params["path"]
    if params["manifests_path"]:
        with leased_helm.of(params | {"lease": ""}, cluster) as helm:
            write(params["manifests_path"], applied_manifests.applied(helm, clean))
        result["manifests_path"] = params["manifests_path"]
    return result, None


def _log(cluster: Cluster, namespace: str, pod: str, container: str, number: int) -> list[str]:
    if not pod or not container:
        return []
    found: list[str] = []
    # What stopped again says more in its run before.
    for previous in (True, False):
        try:
            found += watch.last_lines(cluster, namespace, pod, container, number, previous=previous)
        except FindingError:
            continue
    return found[-number:]


def _file(
    cluster: Cluster, params: Row, there: waiting.Scene, clean: Callable[[str], str], first: Iterable[str]
) -> str:
    """The file, the most telling first: what is too much is cut at its end."""
    release, namespace = params["release_name"], params["release_namespace"]
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(there.now))
    head = f"Release {release} in namespace {namespace} of {cluster.address}, {when}"
    sections: list[tuple[str, list[str]]] = [
        (head, list(first)),
        ("Waited for", [each.sentence for each in waiting.waits(there)]),
        ("Pods", [line for pod in there.pods for line in _pod(pod)]),
        ("Workloads", [_workload(item) for item in there.workloads]),
        ("Events, the newest first", _events(there, release)),
        ("Helm's revisions", _history(cluster, params)),
        *_logs(cluster, namespace, there),
    ]
    lines = [line for title, body in sections for line in (f"== {title}", *(body or ["none"]), "")]
    text = "\n".join(clean(line)[:_WIDTH] for line in lines)
    encoded = text.encode()
    if len(encoded) <= params["max_bytes"]:
        return text
    cut = encoded[: params["max_bytes"]].decode(errors="ignore")
    return f"{cut.rpartition(chr(10))[0]}\n(cut at {params['max_bytes']} bytes)\n"


def _pod(pod: Row) -> list[str]:
    status = pod.get("status") or {}
    node = (pod.get("spec") or {}).get("nodeName") or "no node"
    found = [
        f"{name(pod)}: {status.get('phase', 'Unknown')} on {node}, made {pod['metadata'].get('creationTimestamp')}"
    ]
    for each in status.get("conditions") or ():
        if each.get("status") != "True":
            found.append(
                f"    {each.get('type')} is {each.get('status')}: {each.get('reason')} {each.get('message', '')}"
            )
    return found + [f"    {_container(each)}" for each in containers([pod])]


def _container(found: Container) -> str:
    state: Row = found.status.get("state") or {}
    kind = next(iter(state), "not begun")
    told = state.get(kind) or {}
    words = [
        str(told[field]) for field in ("reason", "message", "exitCode", "startedAt") if told.get(field) is not None
    ]
    last = f"; its run before: {found.end}" if (found.status.get("lastState") or {}).get("terminated") else ""
    ready = "ready" if found.status.get("ready") else "not ready"
    restarts = found.status.get("restartCount") or 0
    return f"{found.name} ({found.image}): {kind} {' '.join(words)}, {ready}, {restarts} restarts{last}"


def _workload(item: Row) -> str:
    status = item.get("status") or {}
    numbers = [f"{field} {value}" for field, value in sorted(status.items()) if isinstance(value, int)]
    said = [
        f"{each.get('type')}={each.get('status')} ({each.get('reason')})" for each in status.get("conditions") or ()
    ]
    wanted = item["spec"].get("replicas")
    return f"{item['kind']} {name(item)}: wants {wanted}; " + ", ".join([*numbers, *said])


def _events(there: waiting.Scene, release: str) -> list[str]:
    own = [
        event
        for event in there.events
        if str((event.get("involvedObject") or {}).get("name") or "").startswith(release)
    ]
    found = []
    for event in sorted(own, key=when, reverse=True)[:_EVENTS]:
        involved = event["involvedObject"]
        count = f" x{event['count']}" if (event.get("count") or 1) > 1 else ""
        about = f"{involved.get('kind')} {involved.get('name')}"
        message = " ".join(str(event.get("message") or "").split())
        found.append(f"{when(event)} {event.get('type')} {about}: {event.get('reason')}{count}: {message}")
    return found


def _history(cluster: Cluster, params: Row) -> list[str]:
    try:
        with leased_helm.of(params | {"lease": ""}, cluster) as helm:
            fields = ("revision", "status", "updated", "chart", "description")
            return [" ".join(str(each.get(field)) for field in fields) for each in helm.history()[-10:]]
    except FindingError as error:
        return [error.message]


def _logs(cluster: Cluster, namespace: str, there: waiting.Scene) -> list[tuple[str, list[str]]]:
    """The logs of containers; those of containers that are not as they should be come first."""
    begun = {"running", "terminated"}
    every = [
        each for each in containers(list(there.pods)) if begun & set(each.status.get("state") or {}) or each.terminated
    ]
    every.sort(key=lambda each: bool(each.status.get("ready")))
    found = []
    for each in every[:_LOGS]:
        lines = _log(cluster, namespace, each.pod, each.name, _KEPT)
        found.append((f"Log of {each.pod}, container {each.name}, the last {_KEPT} lines", lines))
    return found


__all__ = ("ARGUMENTS", "execute")
