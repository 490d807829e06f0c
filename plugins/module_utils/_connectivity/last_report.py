"""The report that the one being made will replace: how fast the servers answered then."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import medians, worse

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.pod_finding import Thresholds

# A report of a hundred pods with a thousand samples each is not larger.
_MOST_BYTES = 64 << 20


def medians_before(path: str | None, kind: str, subject: str) -> dict[str, float]:
    """The medians in the last report on the same subject; none where there is no such report, or it cannot be read.

    :param path: where it is
    :param kind: the module that must have made it
    """
    try:
        if path is None or Path(path).stat().st_size > _MOST_BYTES:
            return {}
        report = json.loads(Path(path).read_text(encoding="utf-8"))
        if report["kind"] != kind or report["subject"] != subject:
            return {}
        return medians(report["dependencies"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def judge_latency(before: t.Mapping[str, float], now: t.Mapping[str, float], limits: Thresholds) -> list[Finding]:
    """A finding for each dependency that answers much slower than in the last report. Pure."""
    return [
        finding(
            "latency-worse",
            f"{name}: the median round trip takes {now[name]:.1f} ms and took {before[name]:.1f} ms in the last report;"
            f" allowed are {limits.worse_factor:g} times that or {limits.worse_ms:g} ms more.",
            dependency=name,
            layer="rounds",
        )
        for name in worse(before, now, limits.worse_factor, limits.worse_ms)
    ]


__all__ = ("judge_latency", "medians_before")
