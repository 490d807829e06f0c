"""Percentiles of round trips."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import typing as t

PERCENTILES = (50, 95, 99)


def percentile(samples: t.Sequence[float], share: float) -> float:
    """The smallest sample that `share` per cent of them do not exceed (nearest rank): always one that was measured."""
    return sorted(samples)[max(1, math.ceil(share / 100 * len(samples))) - 1]


def summary(samples: t.Sequence[float]) -> dict[str, float | None]:
    """p50, p95, p99 and worst, each None without samples."""
    found: dict[str, float | None] = {
        f"p{share}": percentile(samples, share) if samples else None for share in PERCENTILES
    }
    return found | {"worst": max(samples, default=None)}


__all__ = ("PERCENTILES", "percentile", "summary")
