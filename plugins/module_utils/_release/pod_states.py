"""Pods as the API shows them, read for those who say why they are not ready. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubelet_reasons
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.shared import is_ready

Object = dict[str, t.Any]

IMAGE_REASONS = kubelet_reasons.IMAGE
CONFIGURATION_REASONS = kubelet_reasons.CONFIGURATION
MAX_MESSAGE = 300


@dataclass(frozen=True)
class Container:
    """A container of a pod as its status has it."""

    pod: str
    name: str
    image: str
    status: Object

    @property
    def waiting(self) -> Object:
        """Why it does not run, empty where it does or did."""
        return t.cast(Object, (self.status.get("state") or {}).get("waiting") or {})

    @property
    def terminated(self) -> Object:
        """How the last run that ended did so, empty if none did."""
        for state in (self.status.get("state") or {}, self.status.get("lastState") or {}):
            if state.get("terminated"):
                return t.cast(Object, state["terminated"])
        return {}

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last run that ended, None if none did."""
        return t.cast("int | None", self.terminated.get("exitCode"))

    @property
    def end(self) -> str:
        """How the last run ended: ``exit code 137, OOMKilled``."""
        reason = self.terminated.get("reason")
        return f"exit code {self.exit_code}" + (f", {reason}" if reason and reason != "Error" else "")


def short(text: str) -> str:
    """One line of at most 300 characters, without a full stop."""
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"


def name(item: Object) -> str:
    """The name of an object."""
    return t.cast(str, item["metadata"]["name"])


def labels(pod: Object) -> dict[str, str]:
    """The labels of a pod."""
    return pod["metadata"].get("labels") or {}


def created(pod: Object) -> str:
    """When it was made, text that sorts."""
    return t.cast(str, pod["metadata"].get("creationTimestamp") or "")


def is_migration(pod: Object) -> bool:
    """Whether it migrates the database."""
    return labels(pod).get("job") == "migration"


def superseded(pod: Object, pods: list[Object]) -> bool:
    """Migration pods of earlier runs are kept as evidence: only the newest one tells about this run."""
    return is_migration(pod) and any(is_migration(other) and created(other) > created(pod) for other in pods)


def is_fine(pod: Object) -> bool:
    """Whether it is ready, or did its work."""
    return (pod.get("status") or {}).get("phase") == "Succeeded" or is_ready(pod)


def containers(pods: list[Object]) -> list[Container]:
    """The containers of which the statuses tell, init containers first."""
    return [
        Container(name(pod), status["name"], status.get("image") or "", status)
        for pod in pods
        for status in [
            *((pod.get("status") or {}).get("initContainerStatuses") or []),
            *((pod.get("status") or {}).get("containerStatuses") or []),
        ]
    ]


__all__ = (
    "CONFIGURATION_REASONS",
    "IMAGE_REASONS",
    "MAX_MESSAGE",
    "Container",
    "containers",
    "created",
    "is_fine",
    "is_migration",
    "labels",
    "name",
    "short",
    "superseded",
)
