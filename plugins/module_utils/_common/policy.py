"""The thresholds of the findings, and from which severity on the module fails."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding

FAIL_ON: t.Final[dict[str, frozenset[str]]] = {
    "never": frozenset(),
    "fail": frozenset({"fail"}),
    "unknown": frozenset({"fail", "unknown"}),
    "warn": frozenset({"fail", "unknown", "warn", "skip"}),
}


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Limits of the preflight, beyond which a figure is a finding.

    :param small_table_bytes: a scan or rewrite of less is brief (16 MiB: well under a second from a cold disk of 50
        MB/s)
    :param long_transaction_seconds: an older transaction blocks
    :param idle_transaction_seconds: one that has been idle for longer blocks
    :param connections_left: fewer free ones warn
    :param replication_lag_seconds: a standby that is further behind is told
    :param slot_bytes: WAL kept by an inactive slot
    :param backup_hours: an older verified backup blocks
    :param scan_bytes_per_second: the same disk read from the start to the end
    :param write_bytes_per_second: a third of it, because a rewrite reads, writes, and writes WAL
    :param checked_rows_bytes: in production no larger table is read to see whether its rows fulfil a constraint
    :param facts_age_hours: an older file of facts warns; a nightly file stays below it unless a run is half a day late
    """

    small_table_bytes: int = 16 * 1024 * 1024
    long_transaction_seconds: int = 300
    idle_transaction_seconds: int = 60
    connections_left: int = 5
    replication_lag_seconds: int = 30
    slot_bytes: int = 1024 * 1024 * 1024
    backup_hours: int = 24
    scan_bytes_per_second: int = 50 * 1024 * 1024
    write_bytes_per_second: int = 16 * 1024 * 1024
    checked_rows_bytes: int = 1024 * 1024 * 1024
    facts_age_hours: int = 36


def failing(findings: t.Iterable[Finding], fail_on: str) -> list[Finding]:
    """The findings, none of them accepted, for which the module fails under this policy."""
    return [item for item in findings if item.accepted is None and item.severity in FAIL_ON[fail_on]]


def problem(verdict: str, found: t.Sequence[Finding], fail_on: str) -> str | None:
    """The sentence with which the module fails for these of `failing`; None without any."""
    if not found:
        return None
    ids = ", ".join(dict.fromkeys(item.id for item in found))
    many = f"{len(found)} findings reach" if len(found) > 1 else "1 finding reaches"
    return f"The verdict is {verdict}: {many} fail_on={fail_on} ({ids}); first: {found[0].message}"


__all__ = ("FAIL_ON", "Thresholds", "failing", "problem")
