"""What changes of objects mean for pods and volumes: which are replaced, added, removed, or lost. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import quantity
from ansible_collections.ai_platform.agent.plugins.module_utils._release.references import containers_of

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Iterator, Sequence

Object = dict[str, t.Any]
# An object as it is and as it would be: None where it is not there.
Change = tuple["Object | None", "Object | None"]

_WITH_PODS: t.Final = ("Deployment", "StatefulSet", "DaemonSet")
# Where Kubernetes' manifests say nothing.
_DEFAULT_UNAVAILABLE: t.Final = "25%"


def pods(changes: Iterable[Change]) -> list[str]:
    """A sentence for each workload whose pods are replaced, added or removed."""
    return [sentence for before, after in changes for sentence in _pods(before, after)]


def _pods(before: Object | None, after: Object | None) -> Iterator[str]:
    item = after or before
    if item is None or item["kind"] not in _WITH_PODS:
        return
    name = f"{item['kind']} {item['metadata']['name']}"
    if before is None:
        yield f"{name}: {_counted(_replicas(item))} start{'s' if _replicas(item) == 1 else ''}"
        return
    if after is None:
        yield f"{name}: its {_counted(_replicas(item))} end for good"
        return
    old, new = _replicas(before), _replicas(after)
    if item["kind"] != "DaemonSet" and old != new:
        yield f"{name}: {old} -> {_counted(new)}" + (": nobody serves any more" if not new else "")
    if old and new and before["spec"]["template"] != after["spec"]["template"]:
        yield f"{name}: {_replaced(after, new)}"


def _replaced(item: Object, number: int) -> str:
    spec = item["spec"]
    if item["kind"] == "Deployment":
        return _rolled(spec, number)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return "its pods stay as they are until somebody deletes them (updateStrategy OnDelete)"
    if item["kind"] == "DaemonSet":
        return "its pods are replaced, node by node"
    kept = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    due = max(0, number - kept)
    if due == number == 1:
        return "its one pod is replaced: what it serves is away until the new one is ready"
    stay = f"; {_counted(min(kept, number))} stay (partition {kept})" if kept else ""
    return f"{_counted(due)} {'is' if due == 1 else 'are'} replaced one after the other, the last one first{stay}"


def _rolled(spec: Object, number: int) -> str:
    strategy = spec.get("strategy") or {}
    if spec.get("paused"):
        return "is paused: its pods are replaced when somebody resumes it"
    if strategy.get("type") == "Recreate":
        return f"all {_counted(number)} end before new ones start: nobody serves meanwhile"
    rolling = strategy.get("rollingUpdate") or {}
    fewer = _share(rolling.get("maxUnavailable", _DEFAULT_UNAVAILABLE), number, up=False)
    more = _share(rolling.get("maxSurge", "25%"), number, up=True)
    serving = f"at least {number - fewer} of {number} ready meanwhile" if fewer else "never fewer ready than now"
    return f"{_counted(number)} {'is' if number == 1 else 'are'} replaced, up to {more} more meanwhile, {serving}"


def _replicas(item: Object) -> int:
    found = (item.get("spec") or {}).get("replicas")
    if item["kind"] == "DaemonSet":
        return int((item.get("status") or {}).get("desiredNumberScheduled") or 1)
    return 1 if found is None else int(found)


def _counted(number: int) -> str:
    return "1 pod" if number == 1 else f"{number} pods"


def _share(value: int | str, of: int, *, up: bool) -> int:
    """A number of pods; of a percentage, as the Deployment controller rounds it: surge up, unavailable down."""
    if isinstance(value, str) and value.endswith("%"):
        exact = of * int(value[:-1])
        return -(-exact // 100) if up else exact // 100
    return int(value)


def volumes(changes: Iterable[Change]) -> list[str]:
    """A sentence for each claim that comes, grows or goes."""
    return [sentence for before, after in changes for sentence in _volumes(before, after)]


def _volumes(before: Object | None, after: Object | None) -> Iterator[str]:
    item = after or before
    if item is None:
        return
    name = item["metadata"]["name"]
    if item["kind"] == "PersistentVolumeClaim":
        yield from _claim(name, before, after)
    if item["kind"] != "StatefulSet":
        return
    templates = [each["metadata"]["name"] for each in item["spec"].get("volumeClaimTemplates") or ()]
    if not templates:
        return
    old, new = (_replicas(each) if each else 0 for each in (before, after))
    policy = item["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    each = ", ".join(f"{template}-{name}-{number}" for number in range(*sorted((old, new))) for template in templates)
    if new > old:
        yield f"{each}: made, unless {'it is' if new - old == 1 and len(templates) == 1 else 'they are'} there already"
    elif new < old:
        deletes = policy.get("whenScaled" if after else "whenDeleted") == "Delete"
        yield f"{each}: {'DELETED WITH ITS DATA' if deletes else 'stays, with its data, without a pod'}"


def _claim(name: str, before: Object | None, after: Object | None) -> Iterator[str]:
    if before is None and after:
        yield f"{name}: made, {_size(after)}"
    elif after is None:
        yield f"{name}: DELETED, and its data with it unless its volume's reclaim policy is Retain"
    elif before and after and _size(before) != _size(after):
        grows = quantity(_size(after)) > quantity(_size(before))
        yield f"{name}: {_size(before)} -> {_size(after)}" + ("" if grows else ", which Kubernetes refuses")


def _size(claim: Object) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def read_at_start(changes: Sequence[Change], workloads: Iterable[Object]) -> list[str]:
    """ConfigMaps and Secrets whose content changes, with the workloads that read them only when a pod starts and whose
    pods are not replaced.

    :param workloads: as they would be; those whose template does not change
    """
    changed = {
        (item["kind"], item["metadata"]["name"])
        for before, item in changes
        if before and item and item["kind"] in {"ConfigMap", "Secret"}
        if any((before.get(part) or {}) != (item.get(part) or {}) for part in ("data", "binaryData", "stringData"))
    }
    found = []
    for workload in workloads:
        for kind, name in sorted(changed & set(_environment(workload["spec"]["template"]["spec"]))):
            whose = f"{workload['kind']} {workload['metadata']['name']}"
            found.append(f"{whose}: its pods go on with the old {kind} {name} until something restarts them")
    return found


def _environment(pod: Object) -> Iterator[tuple[str, str]]:
    for container in containers_of(pod):
        for source in container.get("envFrom") or ():
            yield from _references(source, "Ref")
        for variable in container.get("env") or ():
            yield from _references(variable.get("valueFrom") or {}, "KeyRef")


def _references(source: Object, ending: str) -> Iterator[tuple[str, str]]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if named := source.get(f"{field}{ending}"):
            yield kind, named["name"]


__all__ = ("Change", "pods", "read_at_start", "volumes")
