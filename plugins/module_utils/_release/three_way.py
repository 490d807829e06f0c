"""The patch that Helm sends where it does not apply on the server, as for releases that Helm 3 installed. Pure.

Helm compares what it deployed last with what it deploys now and with what lives: what it no longer has goes, what it
has comes, and what others added stays (helm.sh, Changes since Helm 2, "3-way strategic merge patches"). The living
object is the API server's part here: it merges the patch, in a dry run.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]

# Lists whose members are merged, by the field that tells them apart: `patchMergeKey` of k8s.io/api. A list that is not
# here is replaced as a whole.
_MERGED: t.Final = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "secrets": "name",
}
# A container's ports are merged by one field, a Service's by another.
_PORTS: t.Final = ("containerPort", "port")


def patch(last: Object | None, planned: Object, *, strategic: bool = True) -> Object:
    """All that is planned, and null for each field that the last deployment had and this one has not.

    :param last: the object as it was deployed last, None where it was not
    :param strategic: whether lists are merged by their members; else each is replaced
    """
    return _merged(last or {}, planned, strategic)


def _merged(last: Object, planned: Object, strategic: bool) -> Object:
    found: Object = {}
    for name, value in planned.items():
        before = last.get(name)
        if isinstance(value, dict):
            found[name] = _merged(before if isinstance(before, dict) else {}, value, strategic)
        elif strategic and isinstance(value, list) and (key := _merge_key(name, value)):
            found[name] = _members(before if isinstance(before, list) else [], value, key)
        else:
            found[name] = value
    for name, value in last.items():
        if name not in planned and value is not None:
            key = _merge_key(name, value) if strategic and isinstance(value, list) else None
            # Members that others added to the list stay.
            found[name] = _members(value, [], key) if key else None
    return found


def _members(last: list[Object], planned: list[Object], key: str) -> list[Object]:
    before = {item[key]: item for item in last if _told_by(item, key)}
    wanted = {item[key] for item in planned}
    found = [_merged(before.get(item[key], {}), item, True) for item in planned]
    return found + [{"$patch": "delete", key: name} for name in before if name not in wanted]


def _merge_key(name: str, value: list[t.Any]) -> str | None:
    keys = _PORTS if name == "ports" else (_MERGED.get(name),)
    return next((key for key in keys if key and all(_told_by(item, key) for item in value)), None)


def _told_by(item: t.Any, key: str) -> bool:
    return isinstance(item, dict) and isinstance(item.get(key), str | int)


__all__ = ("patch",)
