"""Why a release did not become ready, told from its pods and events. Pure: Kubernetes objects in, sentences out."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.events import when
from ansible_collections.ai_platform.agent.plugins.module_utils._release import waiting
from ansible_collections.ai_platform.agent.plugins.module_utils._release.log_causes import heading
from ansible_collections.ai_platform.agent.plugins.module_utils._release.pod_states import (
    CONFIGURATION_REASONS,
    IMAGE_REASONS,
    containers,
    is_fine,
    is_migration,
    name,
    short,
    superseded,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Sequence

Object = dict[str, t.Any]

# Events that only repeat what another one says.
ECHOES = ("Error: ErrImagePull", "Error: ImagePullBackOff", "Back-off ")
# The container of a migration's pod that is the chart's.
MIGRATE = "migrate"
MAX_EVENTS = 5
# The heading of docs/runbook.md of each cause.
RUNBOOK = {
    "image": "image-not-found",
    "migration": "migration-failed",
    "configuration": "container-not-created",
    "unschedulable": "pod-unschedulable",
    "crash": "container-crashes",
    "not_ready": "not-ready",
    "no_pod": "pods-not-made",
    "helm": "helm-failed",
}


@dataclass
class Diagnosis:
    """What stopped a release.

    ``cause`` is one of image, migration, configuration, unschedulable, crash, not_ready, no_pod, helm, none.
    ``sentence`` says it to a person, ``details`` holds further lines, ``log_pod`` and ``log_container`` name the
    container whose log explains more (empty: none does).
    """

    cause: str
    sentence: str
    details: list[str] = field(default_factory=list)
    log_pod: str = ""
    log_container: str = ""


def diagnose(
    release: str, pods: list[Object], events: list[Object], helm_error: str, workloads: Sequence[Object] = ()
) -> Diagnosis:
    """Say why ``release`` is not ready.

    ``pods`` are the release's pods and ``events`` the namespace's warnings, as the API returns them; ``helm_error`` is
    what helm or its module said. ``workloads`` are its Deployments, StatefulSets and Jobs, each with its kind.
    """
    current = [pod for pod in pods if not superseded(pod, pods)]
    diagnosis = (
        _image(current)
        or _migration(current, helm_error)
        or _configuration(current)
        or _unschedulable(current)
        or _crash(current)
        or _not_ready(current, events)
        or _migration_without_pod(workloads, helm_error)
        or _without_pods(pods, events, workloads)
        or _helm(release, helm_error, [*pods, *workloads])
    )
    if diagnosis.cause != "helm" and helm_error:
        diagnosis.details.append(f"helm: {helm_line(helm_error)}")
    diagnosis.details += [f"pod {name(pod)}: {_summary(pod)}" for pod in current if not is_fine(pod)]
    diagnosis.details += _warnings(events, release, {name(pod) for pod in pods})
    return diagnosis


def with_log(diagnosis: Diagnosis, lines: list[str]) -> Diagnosis:
    """The diagnosis whose sentence leads to the cause that the last lines of its container name, if they name one."""
    cause = heading(lines)
    more = f" They name the cause: docs/runbook.md#{cause}." if cause else ""
    return replace(diagnosis, sentence=diagnosis.sentence + more)


def runbook(diagnosis: Diagnosis) -> str:
    """Where the runbook says what to do about a cause; empty where nothing is wrong."""
    return f"docs/runbook.md#{RUNBOOK[diagnosis.cause]}" if diagnosis.cause in RUNBOOK else ""


def as_dict(diagnosis: Diagnosis) -> Object:
    """Return ``diagnosis`` as plain data, without what would drive a terminal: pods have words of their own."""
    plain: Object = all_printable(asdict(diagnosis))
    return plain


def helm_line(text: str) -> str:
    """Return the last ``Error: ...`` of helm's output without its prefix, else the last line that is not empty."""
    errors = re.findall(r"Error: (.+)", text)
    lines = [line for line in text.splitlines() if line.strip()]
    line = errors[-1] if errors else (lines[-1] if lines else "no message")
    return short(line)


def _helm(release: str, helm_error: str, there: list[Object]) -> Diagnosis:
    """What is left where no object is to blame: Helm's own words, or where it was not asked, that nothing is wrong."""
    if helm_error:
        return Diagnosis("helm", f"Helm did not finish: {helm_line(helm_error)}.")
    seen = f"Nothing keeps {release} from being ready." if there else f"Nothing of {release} is there."
    return Diagnosis("none", seen)


def _image(pods: list[Object]) -> Diagnosis | None:
    missing = [c for c in containers(pods) if c.waiting.get("reason") in IMAGE_REASONS]
    if not missing:
        return None
    images = list(dict.fromkeys(c.image for c in missing))
    subject = f"The image {images[0]} does" if len(images) == 1 else f"The images {' and '.join(images)} do"
    return Diagnosis(
        "image",
        f"{subject} not exist or cannot be pulled ({missing[0].waiting['reason']} in pod {missing[0].pod}): "
        "correct ai_agent_images, or make it available to the cluster, and run again.",
    )


def _migration(pods: list[Object], helm_error: str) -> Diagnosis | None:
    for pod in pods:
        if not is_migration(pod):
            continue
        ended = [c for c in containers([pod]) if c.exit_code]
        # A mesh's proxy goes on beside a migration that failed, or is ended after it.
        own = [c for c in ended if c.name == MIGRATE]
        if not own and (pod.get("status") or {}).get("phase") != "Failed":
            continue
        codes = own or ended
        code = codes[0].end if codes else (pod["status"].get("reason") or "no exit code")
        return Diagnosis(
            "migration",
            f"The database migration failed ({code} in pod {name(pod)}).{_kept(helm_error)} Its last lines are above; "
            "repair the cause and run again.",
            log_pod=name(pod),
            log_container=codes[0].name if codes else "",
        )
    return None


def _kept(helm_error: str) -> str:
    return "" if "pre-upgrade" not in helm_error else " Nothing else was changed, the old version serves on."


def _migration_without_pod(workloads: Sequence[Object], helm_error: str) -> Diagnosis | None:
    """A migration whose Job failed and whose pod went with its node, or by somebody's hand, and its log with it."""
    for job in workloads:
        if job.get("kind") != "Job" or not is_migration(job):
            continue
        for condition in (job.get("status") or {}).get("conditions") or []:
            if condition.get("type") == "Failed" and condition.get("status") == "True":
                why = short(": ".join(filter(None, (condition.get("reason"), condition.get("message")))))
                return Diagnosis(
                    "migration",
                    f"The database migration failed (Job {name(job)}: {why}), and its pod is gone."
                    f"{_kept(helm_error)} Run again; what was committed stays.",
                )
    return None


def _configuration(pods: list[Object]) -> Diagnosis | None:
    for container in containers(pods):
        if container.waiting.get("reason") in CONFIGURATION_REASONS:
            message = short(container.waiting.get("message") or container.waiting["reason"])
            return Diagnosis(
                "configuration", f"Container {container.name} of pod {container.pod} cannot be created: {message}."
            )
    return None


def _unschedulable(pods: list[Object]) -> Diagnosis | None:
    for pod in pods:
        for condition in (pod.get("status") or {}).get("conditions") or []:
            if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
                return Diagnosis(
                    "unschedulable",
                    f"No node takes pod {name(pod)}: {short(condition.get('message') or 'no reason given')}.",
                )
    return None


def _crash(pods: list[Object]) -> Diagnosis | None:
    for container in containers(pods):
        if container.waiting.get("reason") == "CrashLoopBackOff" or (
            container.exit_code and not container.status.get("ready")
        ):
            return Diagnosis(
                "crash",
                f"Container {container.name} of pod {container.pod} stops again and again "
                f"({container.end}). Its last lines are above.",
                log_pod=container.pod,
                log_container=container.name,
            )
    return None


def _not_ready(pods: list[Object], events: list[Object]) -> Diagnosis | None:
    for pod in pods:
        if not is_fine(pod):
            running = [c for c in containers([pod]) if "running" in (c.status.get("state") or {})]
            found = waiting.of_pod(pod, events, time.time())
            why = f": {found.sentence}" if found else ""
            return Diagnosis(
                "not_ready",
                f"Pod {name(pod)} did not become ready in time{why}."
                + (" The last lines of what runs in it are above." if running else ""),
                log_pod=name(pod) if running else "",
                log_container=running[0].name if running else "",
            )
    return None


def _without_pods(pods: list[Object], events: list[Object], workloads: Sequence[Object]) -> Diagnosis | None:
    """Where every pod that there is is fine: those that a quota, an admission or a pause keeps from being made."""
    found = waiting.waits(waiting.Scene(workloads, pods, events, time.time()))
    return Diagnosis("no_pod", f"Not in time: {found[0].sentence}.") if found else None


def _summary(pod: Object) -> str:
    states = []
    for container in containers([pod]):
        state = container.status.get("state") or {}
        kind = next(iter(state), "waiting")
        reason = (state.get(kind) or {}).get("reason")
        if not container.status.get("ready") and reason != "Completed":
            states.append(f"{container.name} {kind}{f' ({reason})' if reason else ''}")
    return f"{(pod.get('status') or {}).get('phase', 'Unknown')}{', ' if states else ''}{', '.join(states)}"


def _warnings(events: list[Object], release: str, pods: set[str]) -> list[str]:
    """The newest warnings about pods of this release, or about what failed to create one."""
    lines: dict[str, None] = {}
    for event in sorted(events, key=when, reverse=True):
        if event.get("type") == "Normal":
            continue
        involved = event.get("involvedObject") or {}
        name = str(involved.get("name") or "")
        if not name.startswith(release) or (involved.get("kind") == "Pod" and name not in pods):
            continue
        message = short(event.get("message") or "")
        if message.startswith(ECHOES):
            continue
        lines.setdefault(f"event {involved.get('kind')}/{name}: {event.get('reason')}: {message}")
    return list(lines)[:MAX_EVENTS]


__all__ = ["RUNBOOK", "Diagnosis", "as_dict", "diagnose", "helm_line", "runbook", "with_log"]
