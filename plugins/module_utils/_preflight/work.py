"""How much pending statements read and write, and how long that takes at cautious speeds."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds

Statement = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Work:
    """Bytes that pending statements read, and bytes that they write anew, at most."""

    scanned: int
    written: int

    def seconds(self, limits: Thresholds) -> float:
        """How long that takes at the cautious speeds of the thresholds."""
        seconds: float = self.scanned / limits.scan_bytes_per_second + self.written / limits.write_bytes_per_second
        return seconds


def work(statements: t.Iterable[Statement]) -> Work:
    """What these statements read and write. Where the planner decides, the whole table is counted; new tables are
    empty.

    :param statements: those of _preflight/judge.py's Judgement
    """
    scanned = written = 0
    for lock in (lock for item in statements for lock in item["locks"]):
        total = max(lock.get("total_bytes", 0), lock.get("bytes", 0))
        if lock["rewrite"] or (lock["rule"] == "write" and lock["scan"] is not False):
            written += total
        elif lock["rule"] in {"create-index", "reindex"} and lock["scan"]:
            written += lock.get("bytes", 0)
        elif lock["scan"] is not False:
            scanned += lock.get("bytes", 0)
    return Work(scanned, written)


__all__ = ("Work", "work")
