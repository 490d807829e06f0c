"""How long a command will still take: from the last run of the same kind in this cache, else from shipped figures."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.paths import CACHE

FIRST, COMPILED, BUILT, THERE = "first", "compiled", "built", "there"
"""Kinds of runs: nothing is there yet, the programs are, their images as well, the cluster is."""

RECORDS = CACHE / "durations.json"

SHIPPED: Mapping[str, Mapping[str, float]] = {
    FIRST: {
        "engine": 10,
        "helm": 480,
        "tools": 30,
        "registry-image": 45,
        "images": 150,
        "registry": 10,
        "kubernetes": 390,
        "calico": 60,
        "programs": 60,
        "system": 90,
        "parts": 40,
        "node": 40,
        "cluster": 75,
        "join": 5,
        "deploy": 60,
        "ask": 3,
    },
    COMPILED: {
        "engine": 5,
        "registry-image": 45,
        "images": 150,
        "registry": 10,
        "system": 60,
        "parts": 40,
        "node": 40,
        "cluster": 75,
        "join": 5,
        "deploy": 60,
        "ask": 3,
    },
    BUILT: {"registry": 10, "cluster": 75, "join": 5, "deploy": 60, "ask": 3},
    THERE: {"deploy": 20, "ask": 3},
}
"""Seconds by kind of run and step, on two cores; a step that is not named takes one second."""


@dataclass(frozen=True)
class Plan:
    """The steps of one command, those that each of them needs, and the seconds that each is expected to take."""

    needs: Mapping[str, Collection[str]]
    expected: Mapping[str, float]
    source: str

    def remaining(self, done: Collection[str], running: Mapping[str, float]) -> float:
        """Seconds until the last step ends: the longest way through what is left.

        :param done: names of the steps that ended
        :param running: seconds since the start of each that did not
        """

        @cache
        def end(name: str) -> float:
            if name in done:
                return 0.0
            own = max(self.expected.get(name, 1.0) - running.get(name, 0.0), 0.0)
            return own + max((end(other) for other in self.needs[name]), default=0.0)

        return max((end(name) for name in self.needs), default=0.0)

    def late(self, running: Mapping[str, float]) -> list[str]:
        """The running steps that have taken more than was expected of them, and half a minute more."""
        return [name for name, seconds in running.items() if seconds > self.expected.get(name, 1.0) + 30]


def plan(kind: str, needs: Mapping[str, Collection[str]], records: Path = RECORDS) -> Plan:
    """What is known of a run of this kind."""
    last = _read(records).get(kind, {})
    if set(needs) <= set(last):
        return Plan(needs, last, "as the last time")
    return Plan(needs, {**SHIPPED[kind], **last}, "on two idle cores")


def record(kind: str, durations: Mapping[str, float], records: Path = RECORDS) -> None:
    """Keep the seconds of the steps of a run that ended well."""
    known = _read(records)
    known[kind] = {**known.get(kind, {}), **{name: round(seconds, 1) for name, seconds in durations.items()}}
    records.parent.mkdir(parents=True, exist_ok=True)
    fresh = records.with_suffix(".new")
    fresh.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    fresh.replace(records)


def _read(records: Path) -> dict[str, dict[str, float]]:
    # What another version of the lab or half a disk left there is worth no failure.
    with suppress(OSError, ValueError, TypeError, AttributeError):
        known = json.loads(records.read_text())
        return {
            str(kind): {str(name): float(seconds) for name, seconds in steps.items()} for kind, steps in known.items()
        }
    return {}
