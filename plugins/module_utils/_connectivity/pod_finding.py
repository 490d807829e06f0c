"""The limits of the connectivity test, and what one pod saw of them, before pods that say the same are put together."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Severity


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Limits beyond which a figure is a finding: milliseconds of round trips and of names, connections left free.

    :param certificate_days: days that a certificate should still be good for, or a third of its life where that is less
    :param worse_factor: how many times the median of the last report a median may be
    :param worse_ms: by how many milliseconds it must be more to count
    """

    p95_ms: float = 100.0
    p99_ms: float = 500.0
    dns_ms: float = 1000.0
    connections_left: int = 5
    certificate_days: int = 14
    worse_factor: float = 3.0
    worse_ms: float = 20.0


@dataclasses.dataclass(frozen=True)
class PodFinding:
    """One judgement from one pod."""

    id: str
    words: str
    dependency: str | None
    layer: str | None
    pod: str
    severity: Severity | None = None


__all__ = ("PodFinding", "Thresholds")
