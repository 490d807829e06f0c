"""Memory check for a program that is started by exec in somebody else's container, as a guest.

The guest stays within the memory that the container has left, or does not begin.

Since Kubernetes 1.28 the kubelet sets memory.oom.group (cgroup v2): when a container reaches its limit, all of its
processes end, whichever of them grew, and whatever their oom_score_adj says. A guest must never be the one to reach it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
# Memory that is left free for the agent to grow into while the guest runs.
RESERVE_BYTES = 16 << 20
_MIB = 1 << 20


def bytes_left() -> int | None:
    """What this container may still use; None where there is no limit, or none that can be read.

    Inactive page cache counts as free, as in the kubelet's working set: the kernel drops it before it ends a process.
    """
    for limit, usage, folder in (
        ("memory.max", "memory.current", CGROUPS),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", CGROUPS / "memory"),
    ):
        # "max" is no number.
        with contextlib.suppress(OSError, ValueError):
            most = int((folder / limit).read_text(encoding="ascii"))
            used = int((folder / usage).read_text(encoding="ascii"))
            lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
            pages = dict(line.split() for line in lines)
            idle = int(pages.get("total_inactive_file", pages.get("inactive_file", "0")))
            return max(0, most - max(0, used - idle))
    return None


def confine(most: int, least: int | None = None) -> str | None:
    """Limit this process to `most` bytes of data; with `least`, also to what the container has left beyond the reserve.

    Returns why it must not begin, None where it may: less than `least` is left.
    """
    if least is not None and (left := bytes_left()) is not None:
        most = min(most, left - RESERVE_BYTES)
        if most < least:
            return f"has {left // _MIB} MiB left of its memory limit, and asking from inside takes {least // _MIB} MiB"
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    return None


__all__ = ("bytes_left", "confine")
