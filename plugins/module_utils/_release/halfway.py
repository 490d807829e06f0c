"""What a killed run left of a release, and the remedy that is right for it. Pure: Helm's history and objects in.

Each rule was tried on a cluster. Helm would call a release deployed after a rollback, although it never was: such
a release is uninstalled instead. `helm rollback` to the last deployed revision touches no pod of it that runs, and
lets an upgrade begin.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubelet_reasons
from ansible_collections.ai_platform.agent.plugins.module_utils._release.references import containers_of

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Sequence

Object = dict[str, t.Any]

# States in which Helm refuses a further upgrade.
HALFWAY = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")
# Reasons of a container that a change of its template would end, and time alone may not.
_STUCK_REASONS = kubelet_reasons.IMAGE | kubelet_reasons.CONFIGURATION | {"CrashLoopBackOff"}


@dataclasses.dataclass(frozen=True)
class Remedy:
    """What is to be done for a release.

    :param kind: `none`, `rollback` to `revision`, or `uninstall`
    :param happened: one sentence
    :param words: what would be done about it, one sentence, empty with `none`
    """

    kind: t.Literal["none", "rollback", "uninstall"]
    happened: str = ""
    words: str = ""
    revision: int = 0


@dataclasses.dataclass(frozen=True)
class StuckServer:
    """A StatefulSet whose pod Kubernetes never replaces, whatever its template says.

    :param refusal: why it must not be deleted, empty where it may be
    """

    name: str
    happened: str
    refusal: str = ""


def remedy(history: Sequence[Object], release: str) -> Remedy:
    """What to do about the newest revision.

    :param history: entries of `helm history --output json`, the oldest first
    """
    if not history or history[-1]["status"] not in (*HALFWAY, "failed"):
        return Remedy("none")
    last = history[-1]
    status, number = last["status"], last["revision"]
    begun = f"begun {str(last.get('updated') or 'at an unknown time').partition('.')[0]}"
    if status == "failed":
        words = f"Revision {number} of release {release} failed ({_description(last)}); this run deploys over it"
        return Remedy("none", f"{words}.")
    if status == "uninstalling":
        happened = f"The removal of release {release}, {begun}, did not come to its end"
        return Remedy("uninstall", f"{happened}.", _uninstall(release))
    what = {"pending-install": "install", "pending-upgrade": "upgrade", "pending-rollback": "rollback"}[status]
    happened = f"The {what} of release {release} to revision {number}, {begun}, did not come to its end"
    if status == "pending-install":
        return Remedy("uninstall", f"{happened}; whether what it made works is not known.", _uninstall(release))
    good = _last_good(history[:-1])
    if good is None:
        words = f"{happened}, and no revision before it was ever deployed."
        return Remedy("uninstall", words, _uninstall(release))
    rollback = f"helm rollback {release} {good}: back to the last revision that was deployed; pods that serve stay"
    return Remedy("rollback", f"{happened}; revision {good} was deployed before.", f"{rollback}.", good)


def _uninstall(release: str) -> str:
    return f"helm uninstall {release}: what runs of it ends, its volumes and their data stay, and it is installed anew."


def _description(entry: Object) -> str:
    words = " ".join(str(entry.get("description") or "no reason is known").split())
    return words if len(words) <= 160 else f"{words[:159]}…"


def _last_good(history: Sequence[Object]) -> int | None:
    """The newest revision that Helm calls deployed, else the newest that once was."""
    for status in ("deployed", "superseded"):
        numbers = [int(entry["revision"]) for entry in history if entry["status"] == status]
        if numbers:
            return max(numbers)
    return None


def stuck_servers(
    sets: Iterable[Object], pods: Sequence[Object], planned: Iterable[Object] | None = None
) -> list[StuckServer]:
    """The StatefulSets of which no pod is ready and whose pod waits for what its template will never give it.

    With OrderedReady, the default and Bitnami's only way, Kubernetes waits for a pod to become ready before it replaces
    it (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).

    :param pods: of the namespace
    :param planned: objects of the manifests that will be deployed; None: only what waits already for its template
    """
    wanted = {item["metadata"]["name"]: item for item in planned or () if item["kind"] == "StatefulSet"}
    found = []
    for item in sets:
        name, spec, status = item["metadata"]["name"], item["spec"], item.get("status") or {}
        if spec.get("podManagementPolicy") == "Parallel" or status.get("readyReplicas"):
            continue
        for pod in (each for each in pods if _owned(each, item)):
            reason = _waits_for(pod)
            if reason and (_is_old(pod, status) or (name in wanted and _images(pod) != _images_of(wanted[name]))):
                words = f"Pod {pod['metadata']['name']} of StatefulSet {name} was never ready ({reason})"
                happened = f"{words}, and Kubernetes replaces it by no newer one."
                found.append(StuckServer(name, happened, _refusal(name, spec)))
                break
    return found


def _refusal(name: str, spec: Object) -> str:
    kept = (spec.get("persistentVolumeClaimRetentionPolicy") or {}).get("whenDeleted")
    if kept == "Delete":
        words = f"StatefulSet {name} takes its volumes along when it is deleted (whenDeleted: Delete)"
        return f"{words}: set it to Retain first."
    return ""


def _owned(pod: Object, item: Object) -> bool:
    references = pod["metadata"].get("ownerReferences") or ()
    return any(each["kind"] == "StatefulSet" and each["name"] == item["metadata"]["name"] for each in references)


def _is_old(pod: Object, status: Object) -> bool:
    """Whether its StatefulSet has a newer template than the one that the pod is made of."""
    revision = (pod["metadata"].get("labels") or {}).get("controller-revision-hash")
    return bool(status.get("updateRevision") and revision and revision != status["updateRevision"])


def _waits_for(pod: Object) -> str:
    """The reason for which a container of it does not run, empty where all do or may yet."""
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    reasons = [((each.get("state") or {}).get("waiting") or {}).get("reason") for each in containers]
    return next((reason for reason in reasons if reason in _STUCK_REASONS), "")


def _images(pod: Object) -> list[str]:
    return sorted(each["image"] for each in containers_of(pod["spec"]))


def _images_of(item: Object) -> list[str]:
    return sorted(each["image"] for each in containers_of(item["spec"]["template"]["spec"]))


__all__ = ("HALFWAY", "Remedy", "StuckServer", "remedy", "stuck_servers")
