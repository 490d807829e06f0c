"""Findings about the server, whatever the statements, and about the backup to go back to."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common import policy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_server import (
    judge_backup,
    judge_server,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ServerFacts

SERVER: dict[str, t.Any] = {
    "version": 180006, "in_recovery": False, "read_only": False, "pooled": False, "sessions": [], "sees_all": True,
    "prepared": [], "migrators": [], "max_connections": 100, "reserved": 3, "replicas": [], "slots": [],
}  # fmt: skip
SESSION = {
    "pid": 1,
    "user": "u",
    "application": "",
    "here": True,
    "state": "active",
    "transaction_seconds": 1.0,
    "state_seconds": 1.0,
}


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, []),
        ({"version": 140023}, ["server-version-old"]),
        ({"version": 190000}, ["server-version-new"]),
        ({"in_recovery": True}, ["in-recovery"]),
        ({"read_only": True, "role": "m"}, ["database-read-only"]),
        ({"pooled": True}, ["pgbouncer-transaction"]),
        ({"sessions": [SESSION | {"transaction_seconds": 400.0}]}, ["transaction-long"]),
        ({"sessions": [SESSION | {"transaction_seconds": 400.0, "here": False}]}, []),
        ({"sessions": [SESSION | {"state": "idle in transaction", "state_seconds": 90.0}]}, ["transaction-idle"]),
        ({"sessions": [SESSION | {"state": None}], "sees_all": False}, ["fact-not-visible"]),
        ({"prepared": [{"gid": "x", "seconds": 100.0}]}, ["transaction-idle"]),
        ({"migrators": [{"pid": 4, "granted": True}]}, ["migrator-active"]),
        ({"max_connections": 8}, ["connections-scarce"]),
        ({"replicas": [{"application": "s", "lag_seconds": 31.0, "lag_bytes": 5.0}]}, ["replication-lag"]),
        ({"replicas": [{"application": "s", "lag_seconds": None, "lag_bytes": None}]}, []),
        ({"slots": [{"name": "s", "active": False, "kept_bytes": 2.0**31}]}, ["replication-slot-inactive"]),
        ({"slots": [{"name": "s", "active": True, "kept_bytes": 2.0**31}]}, []),
    ],
)
def test_the_server(facts: dict[str, t.Any], wanted: list[str]) -> None:
    found = judge_server(t.cast("ServerFacts", SERVER | facts), policy.Thresholds(), 1)
    assert [item.id for item in found] == wanted


NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("last", "needed", "wanted"),
    [
        (None, False, ("backup-unknown", "info")),
        (None, True, ("backup-unknown", "warn")),
        ("2026-11-20T11:00:00", True, ("backup-old", "fail")),
        ("2026-11-21T03:00:00+01:00", True, None),
    ],
)
def test_the_backup(last: str | None, needed: bool, wanted: tuple[str, str] | None) -> None:
    found = judge_backup(last, NOW, policy.Thresholds(), needed=needed)
    assert [(item.id, item.severity) for item in found] == ([wanted] if wanted else [])
