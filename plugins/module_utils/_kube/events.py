"""What an event of Kubernetes says of its time. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]


def when(event: Object) -> str:
    """The last time of an event, to the second: then times of the API are texts that sort.

    One that repeats has a series; older clients write lastTimestamp; newer ones eventTime, with a fraction that would
    sort `18:00:00.5Z` before `18:00:00Z` (k8s.io/api/core/v1, Event and MicroTime).
    """
    series = (event.get("series") or {}).get("lastObservedTime")
    made = (event.get("metadata") or {}).get("creationTimestamp")
    found = str(series or event.get("lastTimestamp") or event.get("eventTime") or made or "")
    whole, dot, _fraction = found.partition(".")
    return f"{whole}Z" if dot else found


__all__ = ("when",)
