"""Why a pod of a Job does not run: pure functions over the pod, the Job's events, and whether time is up."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubelet_reasons
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.events import when

Object = dict[str, t.Any]

PULL = kubelet_reasons.IMAGE
# The last two are reasons of a container that ended.
START = kubelet_reasons.CONFIGURATION | {"StartError", "ContainerCannotRun"}
# The one whose end is the program's; others in the pod were put there by somebody else.
CONTAINER = "main"
# What the kubelet says of a pull, pkg/kubelet/images/image_manager.go and pkg/kubelet/events/event.go.
_OF_PULLS = {"Pulling", "Pulled", "Failed", "BackOff", "ErrImageNeverPull"}
# Kubernetes makes this account soon after the namespace, and the Job tries again.
TRANSIENT = 'serviceaccount "default" not found'


def refusal(events: t.Iterable[Object], namespace: str) -> FindingError | None:
    """Why the Job cannot have a pod at all, from its events."""
    said = [_line(event.get("message")) for event in events if event.get("reason") == "FailedCreate"]
    said = [text for text in said if TRANSIENT not in text]
    if not said:
        return None
    text = said[-1].partition("is forbidden: ")[2] or said[-1]
    # LimitRanges speak of "usage per Container".
    if "quota" in text or "usage per" in text:
        return FindingError("quota-exceeded", f"A quota of namespace {namespace} stands in the way of a pod: {text}.")
    return FindingError("pod-refused", f"Namespace {namespace} refuses the pod: {text}.")


def states(pod: Object, *, others: bool = False) -> list[Object]:
    """The state of our container, or those of the others; none before there is one."""
    status = pod.get("status") or {}
    found = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return [item.get("state") or {} for item in found if (item["name"] == CONTAINER) != others]


def failure(pod: Object, image: str) -> FindingError | None:
    """Why the pod cannot start any more, or never ran, None where it may still."""
    status = pod.get("status") or {}
    node = _node(pod)
    own = states(pod)
    for state in own:
        waiting = state.get("waiting") or {}
        reason, text = waiting.get("reason"), _line(waiting.get("message"))
        if reason in PULL:
            return FindingError("image-pull", f"The image {image} cannot be pulled on {node} ({reason}): {text}.")
        if reason in START:
            return FindingError("image-start", f"The image {image} does not start ({reason}): {text}.")
    if error := _exit_of_image(own, image) or _injected_container(pod, own):
        return error
    if status.get("phase") == "Failed" and not any("terminated" in state for state in own):
        reason, text = status.get("reason") or "no reason", _line(status.get("message")) or "no message"
        error_id = "pod-timeout" if reason == "DeadlineExceeded" else "pod-refused"
        return FindingError(error_id, f"The pod on {node} was ended ({reason}): {text}.")
    return None


def exit_error(pod: Object, image: str) -> FindingError | None:
    """What was wrong with the end of a pod that ran; None where it has not ended, or ended well."""
    if error := failure(pod, image):
        return error
    for state in states(pod):
        code = (state.get("terminated") or {}).get("exitCode")
        if code:
            return FindingError("image-start", f"The program in the image {image} ended with exit code {code}.")
    return None


def _injected_container(pod: Object, own: t.Sequence[Object]) -> FindingError | None:
    """Another container of the pod, perhaps one that admission added, that cannot start, while ours waits for it."""
    if any(state.keys() & {"running", "terminated"} for state in own):
        return None
    status = pod.get("status") or {}
    for item in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = (item.get("state") or {}).get("waiting") or {}
        if item["name"] != CONTAINER and waiting.get("reason") in PULL | START:
            where = f"the container {item['name']} (image {item.get('image') or 'not told'})"
            words = f"In the pod {where} does not start ({waiting['reason']})"
            return FindingError("pod-refused", f"{words}: {_line(waiting.get('message'))}.")
    return None


def _exit_of_image(states: t.Iterable[Object], image: str) -> FindingError | None:
    for state in states:
        ended = state.get("terminated") or {}
        reason, code = ended.get("reason"), ended.get("exitCode")
        if reason == "OOMKilled":
            return FindingError("pod-memory", f"The pod of image {image} reached its memory limit and was ended.")
        if reason in START or code in {126, 127, 128}:
            text = _line(ended.get("message")) or f"exit code {code}"
            return FindingError("image-start", f"The image {image} does not start ({reason}): {text}.")
    return None


def pulling(pod: Object, events: t.Iterable[Object] | None) -> bool:
    """Whether the node pulls an image for the pod.

    The kubelet says so in events alone. Without them a pod counts that has its network and nothing in it: what it then
    waits for is an image.

    :param events: of the pod, None where they may not be read
    """
    status = pod.get("status") or {}
    if events is not None:
        told = [(when(item), item.get("reason") != "Pulling") for item in events if item.get("reason") in _OF_PULLS]
        return bool(told) and not max(told)[1]
    waiting = [state["waiting"].get("reason") for state in states(pod) if "waiting" in state]
    network = {"type": "PodReadyToStartContainers", "status": "True"}
    return waiting == ["ContainerCreating"] and any(
        network.items() <= condition.items() for condition in status.get("conditions") or ()
    )


def slow_pull_error(pod: Object, image: str, seconds: float, why: str = "") -> FindingError:
    """What to say of an image that was still being pulled when there was no more time for it, `why` there was none."""
    words = f"The image {image} was still being pulled on {_node(pod)} after {seconds:g} s"
    return FindingError("image-pull-slow", f"{words}{why and f', and {why}'}.")


def not_started_error(pods: t.Sequence[Object], namespace: str, seconds: float) -> FindingError:
    """What to say of pods that have not started within `seconds`."""
    after = f"within {seconds:g} s"
    if not pods:
        words = f"The Job in namespace {namespace} got no pod {after}; look at its events and at the Job controller."
        return FindingError("pod-refused", words)
    status = pods[0].get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            words = f"No node takes the pod {after}: {_line(condition.get('message')) or condition.get('reason')}."
            return FindingError("pod-unschedulable", words)
    waits = [state["waiting"].get("reason") for state in states(pods[0]) if "waiting" in state]
    reason = next(iter(waits), "no reason given")
    return FindingError(
        "pod-timeout", f"The pod on {_node(pods[0])} did not start {after} ({reason}); look at that node."
    )


def _node(pod: Object) -> str:
    return (pod.get("spec") or {}).get("nodeName") or "no node yet"


def _line(text: str | None) -> str:
    """One line of at most 300 characters, without a full stop."""
    return " ".join((text or "").split())[:300].rstrip(".")


__all__ = ("CONTAINER", "exit_error", "failure", "not_started_error", "pulling", "refusal", "slow_pull_error", "states")
