"""Findings about the server as it is now, whatever the statements: pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts, SessionRow

# The oldest major version that is supported after 2026-11-12: https://www.postgresql.org/support/versioning/
OLDEST_SUPPORTED = 15
# The newest of those that the truth tests run on, which are 14 to 18.
NEWEST_KNOWN = 18
# What the judgement of statements reads of a server, where none was asked.
NO_SERVER: t.Final = t.cast("ServerFacts", {
    "version": NEWEST_KNOWN * 10000, "lock_timeout": "0", "may_create": True, "may_create_in_database": True,
    "superuser": False, "role": "", "schema": "public", "sessions": [], "timezone": "UTC", "maintenance_kib": -1,
})  # fmt: skip


def judge_server(facts: ServerFacts, limits: Thresholds, connections_needed: int | None) -> list[Finding]:
    """Findings from the answer of live_facts.server.

    :param connections_needed: None leaves them to judge_release.py
    """
    return [
        *_itself(facts),
        *_sessions(facts, limits),
        *(_connections(facts, limits, connections_needed) if connections_needed is not None else ()),
        *_replication(facts, limits),
    ]


def _itself(facts: ServerFacts) -> t.Iterator[Finding]:
    major = facts["version"] // 10000
    if major < OLDEST_SUPPORTED:
        words = f"The server is PostgreSQL {major}; {OLDEST_SUPPORTED} is the oldest that is still supported."
        yield finding("server-version-old", words)
    if major > NEWEST_KNOWN:
        words = f"The server is PostgreSQL {major}; the rules are known up to {NEWEST_KNOWN}."
        yield finding("server-version-new", words)
    yield from judge_recovery(facts)
    if facts["read_only"]:
        words = f"Transactions of the role {facts['role']} only read, by default_transaction_read_only: this fails."
        yield finding("database-read-only", words)
    if facts["pooled"]:
        words = "A connection pooler answers: the process that serves the session is not the one it was announced as."
        yield finding("pgbouncer-transaction", words)


def judge_recovery(facts: ServerFacts) -> list[Finding]:
    """Holds with nothing pending as well: a standby may not have seen yet what its primary has."""
    if not facts["in_recovery"]:
        return []
    return [finding("in-recovery", "The server is in recovery (a standby): nothing can be migrated on it.")]


def _sessions(facts: ServerFacts, limits: Thresholds) -> t.Iterator[Finding]:
    hidden = sum(session["state"] is None for session in facts["sessions"])
    if hidden and not facts["sees_all"]:
        words = f"{hidden} sessions of other roles cannot be looked into: long transactions among them stay unseen."
        yield finding("fact-not-visible", words)
    for session in facts["sessions"]:
        if session["here"]:
            yield from _session(session, limits)
    for prepared in facts["prepared"]:
        if prepared["seconds"] >= limits.idle_transaction_seconds:
            words = f"The prepared transaction {prepared['gid']} has been open for {prepared['seconds']:.0f} s."
            yield finding("transaction-idle", words)
    for migrator in facts["migrators"]:
        doing = "holds" if migrator["granted"] else "waits for"
        yield finding("migrator-active", f"Process {migrator['pid']} {doing} the migrators' advisory lock.")


def _session(session: SessionRow, limits: Thresholds) -> t.Iterator[Finding]:
    state, age, since = session["state"], session["transaction_seconds"], session["state_seconds"] or 0
    if state is None or age is None:
        return
    who = f"Process {session['pid']} ({session['user']}, {session['application'] or 'no application name'})"
    if state.startswith("idle in transaction") and since >= limits.idle_transaction_seconds:
        yield finding("transaction-idle", f"{who} has been idle in a transaction for {since:.0f} s.")
    elif age >= limits.long_transaction_seconds:
        yield finding("transaction-long", f"{who} has had a transaction open for {age:.0f} s.")


def _connections(facts: ServerFacts, limits: Thresholds, needed: int) -> t.Iterator[Finding]:
    used, most, reserved = len(facts["sessions"]), facts["max_connections"], facts["reserved"]
    left = most - reserved - used
    if left < needed + limits.connections_left:
        words = f"{used} of {most} connections are in use ({reserved} reserved); {left} are left, {needed} are needed."
        yield finding("connections-scarce", words)


def _replication(facts: ServerFacts, limits: Thresholds) -> t.Iterator[Finding]:
    for replica in facts["replicas"]:
        if (replica["lag_seconds"] or 0) >= limits.replication_lag_seconds:
            lag = f"{replica['lag_seconds']:.0f} s ({size(replica['lag_bytes'] or 0)})"
            yield finding("replication-lag", f"Standby {replica['application']} is {lag} behind.")
    for slot in facts["slots"]:
        kept = slot["kept_bytes"] or 0
        if not slot["active"] and kept >= limits.slot_bytes:
            words = f"The inactive slot {slot['name']} keeps {size(kept)} of WAL."
            yield finding("replication-slot-inactive", words)


def judge_backup(last: str | None, now: datetime.datetime, limits: Thresholds, *, needed: bool) -> list[Finding]:
    """Whether there is a recent backup to go back to.

    :param last: ISO 8601 time of the last verified backup, where a record exists; without a zone it is UTC
    :param needed: something is destroyed or rewritten
    """
    if not last:
        severity: t.Literal["warn", "info"] = "warn" if needed else "info"
        return [finding("backup-unknown", "No record of a verified backup was given.", severity=severity)]
    when = datetime.datetime.fromisoformat(last)
    hours = (now - (when if when.tzinfo else when.replace(tzinfo=datetime.UTC))).total_seconds() / 3600
    if hours <= limits.backup_hours:
        return []
    words = f"The last verified backup is {hours:.0f} h old; at most {limits.backup_hours} h are allowed."
    return [finding("backup-old", words)]


__all__ = ("NEWEST_KNOWN", "NO_SERVER", "judge_backup", "judge_recovery", "judge_server")
