"""What the collectors recorded, put in order: the details of a report. Pure functions over facts.

The facts of a connectivity test are plain data, so that they can be recorded and judged again:

    observations  [{from: direct|agent|probe|stranger|elsewhere, pod, node, records: [the collector's], problem: a
                  sentence or None}]
    release       None without Kubernetes, else
                  {name, namespace, replicas, pods: [{name, node, ready, reason, labels}],
                  endpoints: {ready: [pod], unready: [pod]} or None where they may not be read,
                  servers: {name of a dependency: {host, port, ready: number or None, labels: of its pods,
                  memory_limit: of its container, as the pod writes it, or None}},
                  of those that are Services of the release; policies: [NetworkPolicy] or None; stranger_labels;
                  other_namespace: {name, labels} or None}
    untested      sentences about negative tests that could not be made
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.causes import cause_of
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import summary

Facts = dict[str, t.Any]
POSITIVE = frozenset({"direct", "agent", "probe"})
# The name under which an agent's pod tries what its egress policy forbids.
FORBIDDEN = "api-server"
# What a driver's import takes says nothing about the network.
_UNTIMED = frozenset({"driver", "url"})


def records(observation: Facts, kind: str, **wanted: str) -> list[Facts]:
    """The records of a kind whose fields are as `wanted`."""
    return [
        record
        for record in observation["records"]
        if record["record"] == kind and all(record.get(name) == value for name, value in wanted.items())
    ]


def dependency_names(observation: Facts) -> list[str]:
    """The dependencies an observation speaks of, in order."""
    return list(dict.fromkeys(record["dependency"] for record in records(observation, "phase")))


def kind_of(name: str) -> str:
    """The kind of a dependency: postgresql, replica or redis."""
    return "replica" if name.endswith("-replica") else name


def first_failure(observation: Facts, dependency: str) -> Facts | None:
    """The phase at which a dependency failed."""
    return next((item for item in records(observation, "phase", dependency=dependency) if not item["ok"]), None)


def from_inside(facts: Facts) -> list[Facts]:
    """The observations from where everything should work."""
    return [item for item in facts["observations"] if item["from"] in POSITIVE]


def details(facts: Facts, negatives: list[Facts]) -> Facts:
    """`dependencies`, `agent`, `negatives` and `pods` of a report."""
    return {
        "dependencies": [
            _dependency(observation, name)
            for observation in from_inside(facts)
            for name in dependency_names(observation)
        ],
        "agent": [_http(item, record) for item in facts["observations"] for record in records(item, "http")],
        "negatives": negatives,
        "pods": [_pod(observation) for observation in facts["observations"]],
    }


def _dependency(observation: Facts, name: str) -> Facts:
    phases = [_phase(record, name) for record in records(observation, "phase", dependency=name)]
    shown = [item for item in phases if item["name"] not in _UNTIMED or item["status"] == "fail"]
    form = {"name": name, "pod": observation["pod"], "node": observation["node"], "phases": shown}
    rounds = records(observation, "rounds", dependency=name)
    if rounds:
        samples = rounds[0]["samples_ms"]
        form["rounds"] = {"count": rounds[0]["wanted"], "failed": rounds[0]["failed"], **summary(samples)}
        form["rounds"]["samples_ms"] = samples
    return form


def _phase(record: Facts, name: str) -> Facts:
    detail = {key: value for key, value in record["facts"].items() if value is not None}
    form = {"name": record["phase"], "ms": record["ms"], "status": "pass" if record["ok"] else "fail", "detail": detail}
    if not record["ok"]:
        form |= {"finding": cause_of(kind_of(name), record), "error": record["error"].get("text", "")}
    return form


def _http(observation: Facts, record: Facts) -> Facts:
    error = record.get("error", {}).get("text")
    form = {"from": observation["from"], "pod": observation["pod"], "path": record["path"], "via": record["name"]}
    form |= {"http_status": record["status"], "ms": record["ms"], "status": "pass" if is_good(record) else "fail"}
    return form | ({"error": error} if error else {})


def is_good(record: Facts) -> bool:
    """Whether an HTTP answer is a good one."""
    return bool(record["status"] == 200)


def _pod(observation: Facts) -> Facts:
    end = records(observation, "end")
    form = {"name": observation["pod"], "node": observation["node"], "from": observation["from"]}
    form |= {"ms": end[0]["ms"], "peak_kib": end[0]["peak_kib"]} if end else {"ms": None, "peak_kib": None}
    return form | {"problem": observation["problem"]}


__all__ = (
    "FORBIDDEN",
    "POSITIVE",
    "Facts",
    "dependency_names",
    "details",
    "first_failure",
    "from_inside",
    "is_good",
    "kind_of",
    "records",
)  # fmt: skip
