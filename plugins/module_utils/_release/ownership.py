"""Fields of living objects that somebody else set otherwise than what will be deployed, and how to take them. Pure.

Server-side apply refuses to change a field that another manager set (Kubernetes' documentation, Server-Side Apply,
Conflicts): `kubectl scale`, `kubectl edit`, an autoscaler that is off again. `helm upgrade --force-conflicts` would
take over every such field of every object; here it is those that the chart sets, of the objects that people change.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import covers

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Iterator, Sequence

Object = dict[str, t.Any]
Path = tuple[str, ...]

HELM = "helm"


def conflicts(planned: Iterable[Object], live: Iterable[Object]) -> list[Object]:
    """What Helm's apply would be refused for.

    An entry for each object: `kind`, `api_version` and `name`, a `sentence` that names managers and fields, and
    `patch`, a JSON Patch (RFC 6902) that takes the fields from their managers and changes no value.
    """
    wanted = {(item["kind"], item["metadata"]["name"]): item for item in planned}
    found = []
    for item in live:
        key = (item.get("kind", ""), item["metadata"]["name"])
        if key in wanted and (taken := _taken(wanted[key], item)):
            who = "; ".join(f"{manager} set {', '.join(map(_spelled, paths))}" for manager, paths in taken.items())
            found.append(
                {
                    "kind": key[0],
                    "api_version": wanted[key]["apiVersion"],
                    "name": key[1],
                    "sentence": f"{key[0]} {key[1]}: {who}, which these values set otherwise",
                    "patch": _patch(wanted[key], item),
                }
            )
    return found


def _entries(live: Object) -> Sequence[Object]:
    """What managers of an object own; nothing where Helm does not apply on the server, and so meets no conflict."""
    entries: Sequence[Object] = live["metadata"].get("managedFields") or ()
    ours = {"manager": HELM, "operation": "Apply"}
    return entries if any(ours.items() <= item.items() for item in entries) else ()


def _taken(planned: Object, live: Object) -> dict[str, list[Path]]:
    """Paths by the managers that own them."""
    found: dict[str, list[Path]] = {}
    for entry in _entries(live):
        if entry.get("manager") != HELM and (paths := list(_differing(entry.get("fieldsV1") or {}, planned, live))):
            found.setdefault(str(entry.get("manager")), []).extend(paths)
    return found


def _differing(fields: Object, wanted: t.Any, there: t.Any, before: Path = ()) -> Iterator[Path]:
    """The leaves of `fields`, a part of fieldsV1, that `wanted` has, and otherwise than they are `there`."""
    for key, inner in fields.items():
        kind, _colon, name = key.partition(":")
        if kind == "f":
            known = isinstance(wanted, dict) and name in wanted
            one, other = (wanted[name], (there or {}).get(name)) if known else (None, None)
        elif kind == "k":
            one, other = _member(wanted, name), _member(there, name)
            known = one is not None
        else:
            continue  # the item itself, or a member of a set, of which there may be more
        if known and inner.keys() - {"."}:
            yield from _differing(inner, one, other, (*before, key))
        elif known and not covers(one, other):
            yield (*before, key)


def _member(items: t.Any, keys: str) -> Object | None:
    """The item of a list that has these keys, JSON."""
    if not isinstance(items, list):
        return None
    told = json.loads(keys)
    return next((item for item in items if isinstance(item, dict) and told.items() <= item.items()), None)


def _patch(planned: Object, live: Object) -> list[Object]:
    """From the last entry to the first, so that one that goes moves none that is still to come."""
    operations: list[Object] = []
    for number, entry in reversed(list(enumerate(_entries(live)))):
        fields = entry.get("fieldsV1") or {}
        paths = set(_differing(fields, planned, live)) if entry.get("manager") != HELM else set()
        if not paths:
            continue
        place = f"/metadata/managedFields/{number}"
        # Whoever wrote meanwhile may have moved the entries.
        operations.append({"op": "test", "path": f"{place}/manager", "value": entry["manager"]})
        left = _without(fields, paths)
        if left:
            operations.append({"op": "replace", "path": f"{place}/fieldsV1", "value": left})
        else:
            operations.append({"op": "remove", "path": place})
    return operations


def _without(fields: Object, paths: set[Path], before: Path = ()) -> Object:
    """`fields` less `paths`, and less what is empty then: an empty field would own all that is in it."""
    found: Object = {}
    for key, inner in fields.items():
        path = (*before, key)
        if path in paths:
            continue
        left = _without(inner, paths, path)
        if left or not inner:
            found[key] = left
    return {} if set(found) == {"."} and set(fields) != {"."} else found


def _spelled(path: Path) -> str:
    """As the API server writes it: .spec.replicas, .spec.template.spec.containers[name="agent"].image."""
    words = []
    for part in path:
        kind, _colon, name = part.partition(":")
        if kind == "k":
            words.append("[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(name).items()) + "]")
        else:
            words.append(f".{name}")
    return "".join(words)


__all__ = ("conflicts",)
