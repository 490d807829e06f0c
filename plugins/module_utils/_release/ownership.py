"""Fields of living objects that somebody else set otherwise than what will be deployed, and how to take them. Pure.

Server-side apply refuses to change a field that another manager set (Kubernetes' documentation, Server-Side Apply,
Conflicts): `kubectl scale`, `kubectl edit`, an autoscaler that is off again. `helm upgrade --force-conflicts` would
take over every such field of every object; here it is those that the chart sets, of the objects that people change.

kubernetes.core.helm runs helm only where values or chart differ from the last revision's. Where they do not, each
entry's `definition` sets the fields again, and nothing else.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import covers

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Container, Iterable, Iterator, Sequence

Object = dict[str, t.Any]
Path = tuple[str, ...]

HELM = "helm"


def conflicts(
    planned: Iterable[Object], live: Iterable[Object], scaled: Container[tuple[str, str]] = ()
) -> list[Object]:
    """The objects of which others set fields otherwise than what is planned.

    The number of pods of the objects in `scaled` (`autoscaling.scaled_by_others`) is left to their autoscaler.

    An entry for each object: `kind`, `api_version` and `name`; a `sentence` that names managers and fields;
    `server_side`, whether Helm applies it on the server, which then refuses; `patch`, a JSON Patch (RFC 6902) that
    takes the fields from their managers and changes no value, empty where nothing is refused; and `definition`, an
    object that sets the fields as they are planned: what Helm's apply of the last revision set and these, for a
    server-side apply, or these alone, for a strategic merge patch.
    """
    wanted = {(item["kind"], item["metadata"]["name"]): item for item in planned}
    wanted = {key: _without_replicas(item) if key in scaled else item for key, item in wanted.items()}
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
                    "server_side": _applied(item) is not None,
                    "patch": _patch(wanted[key], item),
                    "definition": _definition(wanted[key], item, [path for paths in taken.values() for path in paths]),
                }
            )
    return found


def _without_replicas(item: Object) -> Object:
    return item | {"spec": {name: value for name, value in item["spec"].items() if name != "replicas"}}


def _entries(live: Object) -> Sequence[Object]:
    """What managers of an object own."""
    entries: Sequence[Object] = live["metadata"].get("managedFields") or ()
    return entries


def _applied(live: Object) -> Object | None:
    """What Helm owns of an object by server-side apply, as fieldsV1; None where it does not apply on the server."""
    ours = {"manager": HELM, "operation": "Apply"}
    return next((item.get("fieldsV1") or {} for item in _entries(live) if ours.items() <= item.items()), None)


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
    """Operations on managedFields, the last entry first: a removed one then shifts only those already handled."""
    operations: list[Object] = []
    if _applied(live) is None:
        return operations
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


def _definition(planned: Object, live: Object, paths: Iterable[Path]) -> Object:
    """`live` as far as Helm applied it, with the values of `planned` at `paths`."""
    fields = copy.deepcopy(_applied(live) or {})
    source = copy.deepcopy(live)
    for path in paths:
        inner: Object = fields
        one: t.Any = planned
        other: t.Any = source
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            one, other = _inside(one, part), _inside(other, part)
        inner[path[-1]] = {}
        kind, _colon, name = path[-1].partition(":")
        if kind == "f":
            other[name] = one[name]
        else:
            other[other.index(_member(other, name))] = _member(one, name)
    found: Object = _part(fields, source)
    identity = {name: live["metadata"][name] for name in ("name", "namespace") if name in live["metadata"]}
    return found | {
        "apiVersion": planned["apiVersion"],
        "kind": planned["kind"],
        "metadata": found.get("metadata", {}) | identity,
    }


def _inside(value: t.Any, part: str) -> t.Any:
    """The field or the item of a list that a part of a path names."""
    kind, _colon, name = part.partition(":")
    return value[name] if kind == "f" else _member(value, name)


def _part(fields: Object, value: t.Any) -> t.Any:
    """`value` as far as `fields` names it; a leaf as a whole, and of a list's item also the keys that identify it."""
    if not fields:
        return value
    if isinstance(value, dict):
        names = {key.partition(":")[2]: inner for key, inner in fields.items() if key.startswith("f:")}
        return {name: _part(inner, value[name]) for name, inner in names.items() if name in value}
    found = []
    for key, inner in fields.items():
        kind, _colon, name = key.partition(":")
        if kind == "k" and (item := _member(value, name)) is not None:
            found.append(json.loads(name) | _part(inner, item))
        elif kind == "v" and json.loads(name) in value:
            found.append(json.loads(name))
    return found


def _spelled(path: Path) -> str:
    """A path as the API server writes it: .spec.replicas, .spec.template.spec.containers[name="agent"].image."""
    words = []
    for part in path:
        kind, _colon, name = part.partition(":")
        if kind == "k":
            words.append("[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(name).items()) + "]")
        else:
            words.append(f".{name}")
    return "".join(words)


__all__ = ("conflicts",)
