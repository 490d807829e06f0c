# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.
"""Findings about the server as it is now, whatever the statements: pure functions over facts."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._policy import Thresholds

# Major versions under support in November 2026, and those the truth tests ran on. https://www.postgresql.org/support/versioning/
OLDEST_SUPPORTED, NEWEST_KNOWN = 15, 18


def size(number: float) -> str:
    """Bytes in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def judge_server(facts: dict[str, t.Any], limits: Thresholds, connections_needed: int) -> list[Finding]:
    """Findings from the answer of _live_facts.server."""
    found: list[Finding] = []
    major = facts["version"] // 10000
    if major < OLDEST_SUPPORTED:
        found.append(
            finding(
                "server-version-old",
                f"The server is PostgreSQL {major}; {OLDEST_SUPPORTED} is the oldest that is still supported.",
            )
        )
    if major > NEWEST_KNOWN:
        found.append(
            finding(
                "server-version-new", f"The server is PostgreSQL {major}; the rules are known up to {NEWEST_KNOWN}."
            )
        )
    if facts["in_recovery"]:
        found.append(finding("in-recovery", "The server is in recovery (a standby): nothing can be migrated on it."))
    if facts["pooled"]:
        found.append(
            finding(
                "pgbouncer-transaction",
                "A connection pooler answers instead of the server: the process of the connection is not the one that serves it.",
            )
        )
    hidden = 0
    for session in facts["sessions"]:
        if session["state"] is None:
            hidden += 1
        elif session["here"] and session["transaction_seconds"] is not None:
            found += _session(session, limits)
    if hidden and not facts["sees_all"]:
        found.append(
            finding(
                "fact-not-visible",
                f"{hidden} sessions of other roles cannot be looked into: long transactions among them stay unseen.",
            )
        )
    for prepared in facts["prepared"]:
        if prepared["seconds"] >= limits.idle_transaction_seconds:
            found.append(
                finding(
                    "transaction-idle",
                    f"The prepared transaction {prepared['gid']} has been open for {prepared['seconds']:.0f} s.",
                )
            )
    for migrator in facts["migrators"]:
        doing = "holds" if migrator["granted"] else "waits for"
        found.append(finding("migrator-active", f"Process {migrator['pid']} {doing} the migrators' advisory lock."))
    used = len(facts["sessions"])
    left = facts["max_connections"] - facts["reserved"] - used
    if left < connections_needed + limits.connections_left:
        found.append(
            finding(
                "connections-scarce",
                f"{used} of {facts['max_connections']} connections are in use ({facts['reserved']} reserved); {left} are left, {connections_needed} are needed.",
            )
        )
    for replica in facts["replicas"]:
        if (replica["lag_seconds"] or 0) >= limits.replication_lag_seconds:
            found.append(
                finding(
                    "replication-lag",
                    f"Standby {replica['application']} is {replica['lag_seconds']:.0f} s ({size(replica['lag_bytes'] or 0)}) behind.",
                )
            )
    for slot in facts["slots"]:
        if not slot["active"] and (slot["kept_bytes"] or 0) >= limits.slot_bytes:
            found.append(
                finding(
                    "replication-slot-inactive",
                    f"The inactive slot {slot['name']} keeps {size(slot['kept_bytes'])} of WAL.",
                )
            )
    return found


def _session(session: dict[str, t.Any], limits: Thresholds) -> list[Finding]:
    who = f"Process {session['pid']} ({session['user']}, {session['application'] or 'no application name'})"
    age = session["transaction_seconds"]
    if (
        session["state"].startswith("idle in transaction")
        and session["state_seconds"] >= limits.idle_transaction_seconds
    ):
        return [
            finding("transaction-idle", f"{who} has been idle in a transaction for {session['state_seconds']:.0f} s.")
        ]
    if age >= limits.long_transaction_seconds:
        return [finding("transaction-long", f"{who} has had a transaction open for {age:.0f} s.")]
    return []


def judge_backup(last: str | None, now: datetime.datetime, limits: Thresholds, *, needed: bool) -> list[Finding]:
    """`last`: ISO 8601 time of the last verified backup, where a record exists. `needed`: something is destroyed or rewritten."""
    if not last:
        severity: t.Literal["warn", "info"] = "warn" if needed else "info"
        return [finding("backup-unknown", "No record of a verified backup was given.", severity=severity)]
    when = datetime.datetime.fromisoformat(last)
    hours = (now - (when if when.tzinfo else when.replace(tzinfo=datetime.UTC))).total_seconds() / 3600
    if hours > limits.backup_hours:
        return [
            finding(
                "backup-old",
                f"The last verified backup is {hours:.0f} h old; at most {limits.backup_hours} h are allowed.",
            )
        ]
    return []


__all__ = ("judge_backup", "judge_server", "size")
