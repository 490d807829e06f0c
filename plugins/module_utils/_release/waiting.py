"""What a release is waiting for right now: which pod, which container, and why. Pure: Kubernetes objects in, words out.

`watch.py` reads it every few seconds, and `diagnosis.py` once afterwards, for the cause.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.ai_platform.agent.plugins.module_utils._common.log_line import spoken
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.events import when
from ansible_collections.ai_platform.agent.plugins.module_utils._release.pod_states import (
    CONFIGURATION_REASONS,
    IMAGE_REASONS,
    Container,
    containers,
    created,
    is_fine,
    is_migration,
    name,
    short,
    superseded,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Iterator, Sequence

Object = dict[str, t.Any]

# Events of the kubelet and of the controllers for volumes and networks that say why a pod has not begun
# (pkg/kubelet/events/event.go; the attach-detach controller has the second).
_HINDERED: t.Final = frozenset(
    {"FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "NetworkNotReady"}
)
_OF_PULLS: t.Final = frozenset({"Pulling", "Pulled", "Failed", "BackOff"})


@dataclass(frozen=True)
class Wait:
    """One thing that is waited for.

    :param reason: why, without its subject
    :param pod: empty where there is none
    :param container: whose log tells more, empty where none does
    """

    subject: str
    reason: str
    pod: str = ""
    container: str = ""

    @property
    def sentence(self) -> str:
        """Subject and reason as one line."""
        return printable(f"{self.subject} {self.reason}")


@dataclass(frozen=True)
class Scene:
    """The release as the API shows it.

    :param workloads: Deployments, StatefulSets and Jobs, each with its kind
    :param events: of the namespace, of all kinds
    :param now: seconds since 1970
    """

    workloads: Sequence[Object]
    pods: Sequence[Object]
    events: Sequence[Object]
    now: float


def waits(scene: Scene) -> list[Wait]:
    """What is not there yet, migrations first."""
    found: list[Wait] = []
    jobs = [item for item in scene.workloads if item["kind"] == "Job" and not _ended(item)]
    for item in [*jobs, *(item for item in scene.workloads if item["kind"] != "Job")]:
        found += _of_workload(item, scene)
    return found


def _ending(pod: Object, own: Sequence[Object], now: float) -> str:
    """How long a pod is ending. On a lost node it never ends, and its Job waits for it (docs/runbook.md#node-lost).

    :param own: the events about it
    """
    since = _since(pod["metadata"]["deletionTimestamp"], now)
    if not any(event.get("reason") == "NodeNotReady" for event in own):
        return f"ends ({since})"
    node = pod["spec"]["nodeName"]
    return (
        f"cannot end, because its node {node} does not answer ({since}): bring the node back, or, where it is lost,"
        f" `kubectl delete node {node}` (docs/runbook.md#node-lost)"
    )


def of_pod(pod: Object, events: Sequence[Object], now: float) -> Wait | None:
    """Why a pod is not ready, None where it is.

    :param events: of its namespace
    """
    if is_fine(pod):
        return None
    own = [event for event in events if _about(event, "Pod", name(pod))]
    subject = f"pod {name(pod)}"
    if pod["metadata"].get("deletionTimestamp"):
        return Wait(subject, _ending(pod, own, now), name(pod))
    if words := _unplaced(pod, now):
        return Wait(subject, words, name(pod))
    for container in containers([pod]):
        if words := _of_container(container, own, now, first=container.name in _first(pod)):
            running = "running" in (container.status.get("state") or {}) or container.terminated
            log = container.name if running else ""
            return Wait(f"{subject}, container {container.name}:", words, name(pod), log)
    return Wait(
        subject, _hindered(own) or _gates(pod) or f"is being made ready ({_since(created(pod), now)})", name(pod)
    )


def _of_workload(item: Object, scene: Scene) -> Iterator[Wait]:
    pods = [pod for pod in scene.pods if _owned(pod, item)]
    waiting = [found for pod in pods if (found := of_pod(pod, scene.events, scene.now))]
    if item["kind"] == "Job":
        running = [pod for pod in pods if not superseded(pod, list(scene.pods))]
        yield from (_of_job(item, pod, scene) for pod in running)
        if not running:
            yield Wait(f"Job {name(item)}", _no_pod(item, scene))
        return
    status, wanted = item.get("status") or {}, (item["spec"].get("replicas") or 0)
    subject = f"{item['kind']} {name(item)}:"
    seen = int(status.get("observedGeneration") or 0)
    if seen < int(item["metadata"].get("generation") or 0):
        yield Wait(subject, "its controller has not seen the change yet")
        return
    new, ready = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    if (item["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        # Pods under OnDelete are replaced when a person deletes them, so Helm does not wait for that.
        new = int(status.get("replicas") or 0)
    left = int(status.get("replicas") or 0) - new
    if new >= wanted and ready >= wanted and left <= 0:
        return
    if item["spec"].get("paused"):
        yield Wait(subject, "is paused: `kubectl rollout resume` lets it go on")
        return
    if waiting:
        yield from waiting
    elif new < wanted and (words := _refused(item, scene)):
        yield Wait(subject, words)
    else:
        old = f", {left} old {'pod ends' if left == 1 else 'pods end'}" if left > 0 else ""
        yield Wait(subject, f"{min(new, ready)} of {wanted} new pods ready{old}")


def _of_job(item: Object, pod: Object, scene: Scene) -> Wait:
    what = "migration" if is_migration(pod) else f"Job {name(item)}"
    found = of_pod(pod, scene.events, scene.now)
    running = next((each for each in containers([pod]) if "running" in (each.status.get("state") or {})), None)
    if running and (found is None or found.container == running.name):
        began = running.status["state"]["running"].get("startedAt")
        return Wait(f"{what}, pod {name(pod)}:", f"runs ({_since(began, scene.now)})", name(pod), running.name)
    if found is None:
        return Wait(f"{what}, pod {name(pod)}:", "has ended", name(pod))
    return Wait(f"{what}, {found.subject}", found.reason, found.pod, found.container)


def _unplaced(pod: Object, now: float) -> str:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            if condition.get("reason") == "SchedulingGated":
                return "is held back by a scheduling gate"
            since = _since(condition.get("lastTransitionTime"), now)
            return f"is on no node ({since}): {short(condition.get('message') or 'no reason given')}"
    if not (pod.get("spec") or {}).get("nodeName") and not containers([pod]):
        return f"is on no node yet ({_since(created(pod), now)})"
    return ""


def _of_container(container: Container, events: Sequence[Object], now: float, *, first: bool) -> str:
    """Why a container keeps its pod from being ready, empty where it does not.

    :param first: whether others wait for its end
    """
    state: Object = container.status.get("state") or {}
    reason = str(container.waiting.get("reason") or "")
    said = short(container.waiting.get("message") or "")
    if reason in IMAGE_REASONS:
        return f"its image {container.image} cannot be pulled ({reason}){said and f': {said}'}"
    if reason in CONFIGURATION_REASONS:
        return f"cannot be created ({reason}){said and f': {said}'}"
    if reason == "CrashLoopBackOff" or (container.exit_code and "running" not in state):
        return f"stops again and again ({container.end}, {container.status.get('restartCount') or 0} restarts)"
    if reason in {"ContainerCreating", "PodInitializing"} or "waiting" in state:
        return "" if reason == "PodInitializing" else _begins(container, events, now)
    if "running" in state and not container.status.get("ready"):
        return _unready(container, events, now, first=first)
    return ""


def _begins(container: Container, events: Sequence[Object], now: float) -> str:
    if words := _hindered(events):
        return words
    place = f"{{{container.name}}}"
    own = [event for event in events if event.get("reason") in _OF_PULLS and place in _field(event)]
    newest = max(own, key=when, default=None)
    if newest and newest.get("reason") == "Pulling":
        return f"its node pulls the image {container.image} ({_since(when(newest), now)})"
    return "is being created"


def _unready(container: Container, events: Sequence[Object], now: float, *, first: bool) -> str:
    since = _since(container.status["state"]["running"].get("startedAt"), now)
    probe = max((event for event in events if event.get("reason") == "Unhealthy"), key=when, default=None)
    if probe and (not _field(probe) or f"{{{container.name}}}" in _field(probe)):
        again = f", {container.status['restartCount']} restarts" if container.status.get("restartCount") else ""
        return f"{short(probe.get('message') or 'its probe fails')} (runs {since}{again})"
    if first:
        return f"runs before the others and has not ended ({since})"
    kind = "startup" if container.status.get("started") is False else "readiness"
    return f"its {kind} probe has not succeeded yet (runs {since})"


def _hindered(events: Sequence[Object]) -> str:
    newest = max((event for event in events if event.get("reason") in _HINDERED), key=when, default=None)
    return f"{newest['reason']}: {short(newest.get('message') or '')}" if newest else ""


def _gates(pod: Object) -> str:
    there = {each["type"]: each.get("status") for each in (pod.get("status") or {}).get("conditions") or ()}
    gates = [each["conditionType"] for each in (pod.get("spec") or {}).get("readinessGates") or ()]
    open_ = [gate for gate in gates if there.get(gate) != "True"]
    return f"waits for its readiness gate {', '.join(open_)}" if open_ else ""


def _no_pod(item: Object, scene: Scene) -> str:
    return _refused(item, scene) or f"has no pod yet ({_since(created(item), scene.now)})"


def _refused(item: Object, scene: Scene) -> str:
    """Why a pod cannot be made at all, from the controller's events; empty where it can."""
    own = [
        event
        for event in scene.events
        if event.get("reason") == "FailedCreate"
        and _involved(event)[1].startswith(name(item))
        and _involved(event)[0] in {"ReplicaSet", "StatefulSet", "Job"}
    ]
    newest = max(own, key=when, default=None)
    return f"no pod can be made: {short(newest.get('message') or '')}" if newest else ""


def _owned(pod: Object, item: Object) -> bool:
    """Whether the workload's selector chooses the pod, or the Job made it."""
    labels = (pod["metadata"].get("labels") or {}).items()
    owners = pod["metadata"].get("ownerReferences") or ()
    if item["kind"] == "Job":
        names = {"job-name", "batch.kubernetes.io/job-name"}
        return any(each.get("uid") == item["metadata"].get("uid", "") for each in owners) or any(
            key in names and value == name(item) for key, value in labels
        )
    # A Job's pods may have all labels of the agent but its component.
    if any(each.get("kind") == "Job" for each in owners):
        return False
    wanted = ((item["spec"].get("selector") or {}).get("matchLabels") or {}).items()
    return bool(wanted) and wanted <= labels


def _first(pod: Object) -> set[str]:
    """Init containers that end before others begin; a sidecar goes on."""
    found = (pod.get("spec") or {}).get("initContainers") or ()
    return {item["name"] for item in found if item.get("restartPolicy") != "Always"}


def _ended(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(each.get("type") in {"Complete", "Failed"} and each.get("status") == "True" for each in conditions)


def _involved(event: Object) -> tuple[str, str]:
    found = event.get("involvedObject") or event.get("regarding") or {}
    return str(found.get("kind") or ""), str(found.get("name") or "")


def _field(event: Object) -> str:
    return str((event.get("involvedObject") or {}).get("fieldPath") or "")


def _about(event: Object, kind: str, name: str) -> bool:
    return _involved(event) == (kind, name)


def _since(moment: t.Any, now: float) -> str:
    """How long ago that was: `34 s`, `5 min`."""
    try:
        began = datetime.datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        return "for how long is not known"
    seconds = max(0, round(now - began))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def line(found: Iterable[Wait], elapsed: float, limit: float, last: str = "", *, most: int = 3) -> str:
    """One line for who waits.

    :param elapsed: seconds since it began
    :param limit: seconds after which Helm gives up
    :param last: the last line of a log, empty for none
    """
    sentences = list(dict.fromkeys(each.sentence for each in found))
    more = f"; and {len(sentences) - most} more" if len(sentences) > most else ""
    what = "; ".join(sentences[:most]) or "helm: nothing of the release is left to wait for"
    said = f' It says: "{short(printable(spoken(last)))}"' if last.strip() else ""
    return f"[{elapsed:.0f} s of {limit:.0f} s] waits for {what}{more}.{said}"


__all__ = ("Scene", "Wait", "line", "of_pod", "waits")
