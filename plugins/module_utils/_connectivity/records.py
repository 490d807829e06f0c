"""What the probes recorded, put in order: the details of a report. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.causes import cause_of
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import summary

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import (
        Facts,
        HttpRecord,
        Observation,
        PhaseRecord,
        ReachRecord,
        RoundsRecord,
    )

# The entries of a report.
Entry = dict[str, t.Any]
POSITIVE = frozenset({"direct", "agent", "probe"})
# The name under which an agent's pod tries what its egress policy forbids.
FORBIDDEN = "api-server"
# Names under which it tries addresses outside of the cluster, and what they are.
OUTSIDE: t.Final[dict[str, str]] = {"metadata": "the cloud's metadata service", "outside": "an address outside"}
# What a driver's import takes says nothing about the network.
_UNTIMED = frozenset({"driver", "url"})


def _records(observation: Observation, kind: str, **wanted: str) -> list[t.Any]:
    """The records of a kind whose fields are as `wanted`."""
    return [
        record
        for record in observation["records"]
        if record["record"] == kind and all(record.get(name) == value for name, value in wanted.items())
    ]


def phases(observation: Observation, **wanted: str) -> list[PhaseRecord]:
    """The phases in order, those of one `dependency` or of one name (`phase`) where that is given."""
    return _records(observation, "phase", **wanted)


def rounds(observation: Observation, dependency: str) -> list[RoundsRecord]:
    """The rounds with a dependency, none where no connection was had."""
    return _records(observation, "rounds", dependency=dependency)


def http_answers(observation: Observation) -> list[HttpRecord]:
    """The agent's paths that were asked."""
    return _records(observation, "http")


def attempts(observation: Observation) -> list[ReachRecord]:
    """The connections that should not be had."""
    return _records(observation, "reach")


def dependency_names(observation: Observation) -> list[str]:
    """The dependencies an observation speaks of, in order."""
    return list(dict.fromkeys(record["dependency"] for record in phases(observation)))


def kind_of(name: str) -> str:
    """The kind of a dependency: postgresql, replica, redis or model."""
    return "replica" if name.endswith("-replica") else name


def first_failure(observation: Observation, dependency: str) -> PhaseRecord | None:
    """The phase at which a dependency failed."""
    return next((item for item in phases(observation, dependency=dependency) if not item["ok"]), None)


def from_inside(facts: Facts) -> list[Observation]:
    """The observations from where everything should work."""
    return [item for item in facts["observations"] if item["from"] in POSITIVE]


def details(facts: Facts, negatives: list[Entry]) -> Entry:
    """`dependencies`, `agent`, `negatives` and `pods` of a report."""
    return {
        "dependencies": [
            _dependency(observation, name)
            for observation in from_inside(facts)
            for name in dependency_names(observation)
        ],
        "agent": [_http(item, record) for item in facts["observations"] for record in http_answers(item)],
        "negatives": negatives,
        "pods": [_pod(observation) for observation in facts["observations"]],
    }


def _dependency(observation: Observation, name: str) -> Entry:
    every = [_phase(record, name) for record in phases(observation, dependency=name)]
    shown = [item for item in every if item["name"] not in _UNTIMED or item["status"] == "fail"]
    form: Entry = {"name": name, "pod": observation["pod"], "node": observation["node"], "phases": shown}
    for item in rounds(observation, name):
        samples = item["samples_ms"]
        form["rounds"] = {"count": item["wanted"], "failed": item["failed"], **summary(samples), "samples_ms": samples}
    return form


def _phase(record: PhaseRecord, name: str) -> Entry:
    detail = {key: value for key, value in record["facts"].items() if value is not None}
    form: Entry = {
        "name": record["phase"],
        "ms": record["ms"],
        "status": "pass" if record["ok"] else "fail",
        "detail": detail,
    }
    if not record["ok"]:
        form |= {"finding": cause_of(kind_of(name), record), "error": record["error"].get("text", "")}
    return form


def _http(observation: Observation, record: HttpRecord) -> Entry:
    form: Entry = {
        "from": observation["from"],
        "pod": observation["pod"],
        "path": record["path"],
        "via": record["name"],
    }
    form |= {"http_status": record["status"], "ms": record["ms"], "status": "pass" if is_good(record) else "fail"}
    return form | ({"error": record["error"]["text"]} if "error" in record else {})


def is_good(record: HttpRecord) -> bool:
    """Whether an HTTP answer is a good one, as the kubelet sees it."""
    return record["status"] is not None and 200 <= record["status"] < 400


def _pod(observation: Observation) -> Entry:
    end = _records(observation, "end")
    form: Entry = {"name": observation["pod"], "node": observation["node"], "from": observation["from"]}
    form |= {"ms": end[0]["ms"], "peak_kib": end[0]["peak_kib"]} if end else {"ms": None, "peak_kib": None}
    return form | {"problem": observation["problem"]}


__all__ = (
    "FORBIDDEN",
    "OUTSIDE",
    "POSITIVE",
    "Entry",
    "attempts",
    "dependency_names",
    "details",
    "first_failure",
    "from_inside",
    "http_answers",
    "is_good",
    "kind_of",
    "phases",
    "rounds",
)  # fmt: skip
