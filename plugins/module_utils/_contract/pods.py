"""What a pod of a trial says of itself. Pure: the object as the API has it goes in."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_failures import PULL, START

Object = dict[str, t.Any]

# A container that ended so often will not get better: the first end may be a database that was not there yet.
ENDS = 2
# State LISTEN in /proc/net/tcp, include/net/tcp_states.h of Linux.
_LISTENS = "0A"


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _own(pod: Object) -> list[Object]:
    return list((pod.get("status") or {}).get("containerStatuses") or ())[:1]


def running(pod: Object) -> bool:
    """Whether its first container runs."""
    return any("running" in (item.get("state") or {}) for item in _own(pod))


def restarts(pod: Object) -> int:
    """The restarts of a pod's first container."""
    return sum(int(item.get("restartCount") or 0) for item in _own(pod))


def exit_code(pod: Object, container: str | None = None) -> int | None:
    """The exit code of a pod's first container or of a named one, None where it did not end."""
    for item in _own(pod) if container is None else _statuses(pod):
        if container in (None, item["name"]) and (end := (item.get("state") or {}).get("terminated")):
            return int(end["exitCode"])
    return None


def hopeless(pod: Object) -> str:
    """Why it will not get ready any more; empty where it still may."""
    for item in _statuses(pod):
        waiting = (item.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in PULL | START:
            return f"{waiting['reason']}: {' '.join(str(waiting.get('message') or '').split())[:300]}"
        if int(item.get("restartCount") or 0) >= ENDS:
            code = ((item.get("lastState") or {}).get("terminated") or {}).get("exitCode")
            return f"container {item['name']} ended {item['restartCount']} times, with exit code {code}"
    status = pod.get("status") or {}
    if status.get("phase") == "Failed" and not any((item.get("state") or {}).get("terminated") for item in _own(pod)):
        return f"{status.get('reason') or 'it failed'}: {' '.join(str(status.get('message') or '').split())[:300]}"
    return ""


def reason(pod: Object) -> str:
    """What it waits for, in a word or two."""
    for item in _statuses(pod):
        state = item.get("state") or {}
        if "waiting" in state:
            return str(state["waiting"].get("message") or state["waiting"].get("reason") or "waiting")[:300]
    for item in (pod.get("status") or {}).get("conditions") or ():
        if item.get("status") == "False" and item.get("message"):
            return str(item["message"])[:300]
    return "it runs, and its probes are not answered" if running(pod) else "there is no pod"


def container_of(pod: Object) -> str:
    """Name of the container that stands in the way: an init container that does not end well, or the first one."""
    for item in (pod.get("status") or {}).get("initContainerStatuses") or ():
        if ((item.get("state") or {}).get("terminated") or {}).get("exitCode") != 0:
            return str(item["name"])
    spec = pod.get("spec") or {}
    return str((spec.get("containers") or [{"name": ""}])[0]["name"])


def user(lines: t.Sequence[str]) -> tuple[int | None, int | None]:
    """Effective user and group in the lines of /proc/<process>/status."""
    found: dict[str, int] = {}
    for line in lines:
        name, _colon, rest = line.partition(":")
        if name in {"Uid", "Gid"} and name not in found and len(rest.split()) > 1:
            found[name] = int(rest.split()[1])
    return found.get("Uid"), found.get("Gid")


def ports(lines: t.Sequence[str]) -> tuple[int, ...]:
    """On which somebody listens, in the lines of /proc/net/tcp and tcp6."""
    found = set()
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[3] == _LISTENS and ":" in words[1]:
            found.add(int(words[1].rpartition(":")[2], 16))
    return tuple(sorted(found))


__all__ = ("container_of", "exit_code", "hopeless", "ports", "reason", "restarts", "running", "user")
