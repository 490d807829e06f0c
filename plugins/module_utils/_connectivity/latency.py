"""Percentiles of round trips, and what became of them since the last report."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import typing as t

PERCENTILES = (50, 95, 99)
ENOUGH = {50: 1, 95: 20, 99: 100}
"""Samples from which on a percentile is another figure than the worst of them: of ten, p95 is the slowest one."""


def percentile(samples: t.Sequence[float], share: float) -> float:
    """The smallest sample that `share` per cent of them do not exceed (nearest rank): always one that was measured."""
    return sorted(samples)[max(1, math.ceil(share / 100 * len(samples))) - 1]


def summary(samples: t.Sequence[float]) -> dict[str, float | None]:
    """p50, p95, p99 and worst, each None without enough samples for it."""
    found: dict[str, float | None] = {
        f"p{share}": percentile(samples, share) if len(samples) >= ENOUGH[share] else None for share in PERCENTILES
    }
    return found | {"worst": max(samples, default=None)}


def judged_figure(figures: t.Mapping[str, t.Any]) -> str:
    """The figure that is held against the threshold of p95: the median where there are too few samples for it."""
    return "p50" if figures.get("p95") is None else "p95"


def medians(dependencies: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, float]:
    """The median of each dependency's round trips, of the pod with the largest; from `dependencies` of a report."""
    found: dict[str, float] = {}
    for item in dependencies:
        if (median := (item.get("rounds") or {}).get("p50")) is not None:
            found[str(item["name"])] = max(found.get(str(item["name"]), 0.0), float(median))
    return found


def worse(before: t.Mapping[str, float], now: t.Mapping[str, float], factor: float, least_ms: float) -> list[str]:
    """The dependencies whose median is more than `factor` times that of before, and `least_ms` more."""
    return [
        name
        for name, median in now.items()
        if name in before and median > factor * before[name] and median - before[name] > least_ms
    ]


__all__ = ("ENOUGH", "PERCENTILES", "judged_figure", "medians", "percentile", "summary", "worse")
