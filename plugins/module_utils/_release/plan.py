"""What a deployment would change, as plain data: for a program, for a person, and to be compared with later. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import consequences
from ansible_collections.ai_platform.agent.plugins.module_utils._release.differences import (
    Difference,
    Redact,
    differences,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Container, Iterable, Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.plan_look import Look, State

Row = dict[str, t.Any]

KIND: t.Final = "release_plan"
# Labels that every version of a chart changes on every object, and that mean nothing to what runs.
_OF_THE_CHART: t.Final = ('.metadata.labels["helm.sh/chart"]', '.metadata.labels["app.kubernetes.io/version"]')
# What is compared between a plan and the deployment that follows it. The rest says when and by whom it was made.
BOUND: t.Final = (
    "release", "namespace", "cluster", "chart", "revision", "helm_runs", "preflight", "objects", "hooks", "pods",
    "volumes", "refused",
)  # fmt: skip
_OF_PREFLIGHT: t.Final = ("verdict", "live_revisions", "target_revisions", "pending_count", "pending_unknown")


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """What the role found out before.

    :param about: release, namespace, cluster and version of the chart
    :param helm_runs: whether Helm has something to do; where values and chart are those of the last revision it has
        not, and what others changed of objects stays but for the fields in `taken`
    :param taken: kind and name of objects of which fields are taken back from others
    :param secret: name of the Secret that the role writes and the keys that come or change, None where it writes none
    :param new_namespace: whether it makes the namespace
    :param preflight: its result, or only why there is none (`msg`)
    """

    about: Mapping[str, str]
    helm_runs: bool
    taken: Container[tuple[str, str]] = ()
    secret: Mapping[str, t.Any] | None = None
    new_namespace: bool = False
    preflight: Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


def plan(found: Look, known: Circumstances, redact: Redact, *, made: float) -> Row:
    """The plan, as JSON has it.

    :param redact: takes what is known as secret out of a text
    :param made: seconds since 1970
    """
    happens = [state for state in found.states if known.helm_runs or _identity(state) in known.taken]
    changes = [(state.before, state.after) for state in happens]
    objects = [*_beside(known), *(_entry(state, known, redact) for state in found.states)]
    steady = [after for before, after in changes if after and before and _has_pods(after) and _same_pods(before, after)]
    refused = [f"{name}: {redact(state.refused)}" for state in happens if state.refused for name in [_name(state)]]
    entry: Row = {
        "kind": KIND,
        "made": round(made, 3),
        "release": known.about["release"],
        "namespace": known.about["namespace"],
        "cluster": known.about["cluster"],
        "chart": {"before": found.chart, "after": known.about["chart"]},
        "revision": {"before": found.revision, "after": found.revision + (1 if known.helm_runs else 0)},
        "helm_runs": known.helm_runs,
        "preflight": {name: known.preflight[name] for name in _OF_PREFLIGHT if name in known.preflight},
        "stops": _stops(known.preflight, refused),
        "objects": objects,
        "hooks": [f"{event}: {item['kind']} {item['metadata']['name']}" for event, item in found.hooks]
        if known.helm_runs
        else [],
        "pods": consequences.pods(changes),
        "volumes": consequences.volumes(changes),
        "unseen": consequences.read_at_start(changes, steady),
        "refused": refused,
    }
    entry["changes"] = known.helm_runs or any(each["action"] in CHANGING for each in objects)
    return entry | {"digest": digest(entry)}


# What happens to an object that a deployment changes.
CHANGING: t.Final = ("added", "changed", "relabelled", "removed")


def _entry(state: State, known: Circumstances, redact: Redact) -> Row:
    item = state.after or state.before or {}
    found = differences(state.before or {}, state.after or {}, redact) if state.before and state.after else []
    gone = state.before is None and not known.helm_runs
    # What is hidden cannot be compared with a later plan; that somebody wrote it meanwhile can.
    seen = (state.before or {}).get("metadata", {}).get("resourceVersion", "") if item["kind"] == "Secret" else ""
    return ({"seen": seen} if seen else {}) | {
        "kind": item["kind"],
        "name": item["metadata"]["name"],
        "action": _action(state, found, known),
        "differences": [_row(each) for each in found],
        "notes": [redact(note) for note in (*state.notes, *(["somebody deleted it"] if gone else []))],
    }


def _action(state: State, found: Sequence[Difference], known: Circumstances) -> str:
    if state.kept:
        return "kept"
    if state.before and state.after and not found:
        return "unchanged"
    if not known.helm_runs and _identity(state) not in known.taken:
        # Helm compares values and chart with those of its last revision, and not the objects with either.
        return "drifted"
    if state.before is None:
        return "added"
    if state.after is None:
        return "removed"
    return "relabelled" if all(each.path in _OF_THE_CHART for each in found) else "changed"


def _row(found: Difference) -> Row:
    return {"path": found.path, "before": found.before, "after": found.after} | (
        {"lines": list(found.lines)} if found.lines else {}
    )


def _beside(known: Circumstances) -> list[Row]:
    """What the role itself makes."""
    found: list[Row] = []
    if known.new_namespace:
        found.append(_made("Namespace", known.about["namespace"], "added", []))
    if known.secret is not None:
        hidden = [{"path": f".data.{name}", "before": None, "after": "***"} for name in known.secret["missing"]]
        hidden += [{"path": f".data.{name}", "before": "***", "after": "***"} for name in known.secret["differing"]]
        action = "changed" if known.secret["exists"] else "added"
        found.append(_made("Secret", known.secret["name"], action, hidden if known.secret["exists"] else []))
    return found


def _made(kind: str, name: str, action: str, found: list[Row]) -> Row:
    return {"kind": kind, "name": name, "action": action, "differences": found, "notes": []}


def _stops(preflight: Mapping[str, t.Any], refused: Sequence[str]) -> list[str]:
    """Why a deployment would not come to its end."""
    said = preflight.get("msg")
    return ([f"The preflight stops it: {said}"] if said else []) + [
        f"It would be refused: {words}" for words in refused
    ]


def _identity(state: State) -> tuple[str, str]:
    item = state.after or state.before or {}
    return item["kind"], item["metadata"]["name"]


def _name(state: State) -> str:
    return " ".join(_identity(state))


def _has_pods(item: Row) -> bool:
    return item["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}


def _same_pods(before: Row, after: Row) -> bool:
    return bool(before["spec"]["template"] == after["spec"]["template"])


def digest(found: Row) -> str:
    """What names a plan: two that bind the same have the same."""
    bound = {name: found.get(name) for name in BOUND}
    text = json.dumps(bound, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def deviations(earlier: Row, now: Row) -> list[str]:
    """What of a plan no longer holds, a sentence each; empty where a deployment does what was planned."""
    found = [
        f"{name} was {_word(earlier.get(name))} and is {_word(now.get(name))}"
        for name in ("release", "namespace", "cluster", "chart", "revision", "helm_runs")
        if earlier.get(name) != now.get(name)
    ]
    then, since = (plan.get("preflight") or {} for plan in (earlier, now))
    found += [
        f"the preflight's {name} was {_word(then.get(name))} and is {_word(since.get(name))}"
        for name in _OF_PREFLIGHT
        if then.get(name) != since.get(name)
    ]
    for name in ("hooks", "pods", "volumes", "refused"):
        old, new = (plan.get(name) or [] for plan in (earlier, now))
        found += [f"{name}, planned and not any more: {each}" for each in old if each not in new]
        found += [f"{name}, not planned: {each}" for each in new if each not in old]
    return found + _other_objects(earlier, now)


def _other_objects(earlier: Row, now: Row) -> list[str]:
    old, new = ({(each["kind"], each["name"]): each for each in plan["objects"]} for plan in (earlier, now))
    found = []
    for key in [*old, *(key for key in new if key not in old)]:
        one, other = (_told(side.get(key)) for side in (old, new))
        name = " ".join(key)
        if len({(side.get(key) or {}).get("seen") for side in (old, new)}) > 1:
            found.append(f"{name} was written after the plan was made")
        if one[0] != other[0]:
            found.append(f"{name} was to be {one[0]}, and would be {other[0]}")
            continue
        paths = [*one[1], *(path for path in other[1] if path not in one[1])]
        found += [
            f"{name} {path}: planned {one[1].get(path, 'nothing')}, now {other[1].get(path, 'nothing')}"
            for path in paths
            if one[1].get(path) != other[1].get(path)
        ]
    return found


def _told(entry: Row | None) -> tuple[str, dict[str, str]]:
    if entry is None:
        return "left out", {}
    return entry["action"], {each["path"]: _change(each) for each in entry["differences"]}


def _change(each: Row) -> str:
    return "; ".join(each["lines"]) if each.get("lines") else f"{each['before']} -> {each['after']}"


def _word(value: t.Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def counts(objects: Iterable[Row]) -> dict[str, int]:
    """How many objects there are of each action."""
    found: dict[str, int] = {}
    for each in objects:
        found[each["action"]] = found.get(each["action"], 0) + 1
    return found


__all__ = ("BOUND", "CHANGING", "KIND", "Circumstances", "counts", "deviations", "digest", "plan")
