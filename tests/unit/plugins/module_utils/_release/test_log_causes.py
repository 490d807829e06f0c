"""What containers print while they cannot reach the database, as drivers of glibc and musl word it."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.log_causes import heading

from lab.paths import ROOT

WAITING = "Waiting for the database: "
SERVER = 'connection failed: connection to server at "10.96.1.2", port 5432 failed: '


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{WAITING}failed to resolve host 'db': [Errno -3] Temporary failure in name resolution", "dns-unavailable"),
        (f"{WAITING}failed to resolve host 'db': [Errno -3] Try again", "dns-unavailable"),
        (
            'could not translate host name "db" to address: Temporary failure in name resolution',
            "dns-unavailable",
        ),
        (f"{WAITING}failed to resolve host 'db': [Errno -2] Name or service not known", "database-host-unknown"),
        (f"{WAITING}failed to resolve host 'db': [Errno -2] Name does not resolve", "database-host-unknown"),
        (
            "psycopg.OperationalError: failed to resolve host 'db': [Errno -5] No address associated with hostname",
            "database-host-unknown",
        ),
        (f"{SERVER}Connection refused", "database-connection-refused"),
        (f'{SERVER}FATAL:  password authentication failed for user "agent"', "database-auth"),
        (f'{SERVER}FATAL:  database "agent" does not exist', "database-missing"),
        (f"{SERVER}FATAL:  sorry, too many clients already", "database-connections-exhausted"),
        (f"{SERVER}SSL error: certificate verify failed", "database-tls"),
        (f"{WAITING}connection timeout expired", "database-filtered"),
        # A migration that began.
        (
            'psycopg.errors.DiskFull: could not write to file "base/pgsql_tmp/1": No space left on device',
            "database-disk-full",
        ),
        ("Another migration is at work on this database; waiting for its end.", "migrator-active"),
        ("The migration lost 8 times against a lock held longer than 2s: end the long transaction", "lock-held"),
        ("The migration was ended by signal 9, as the kernel does: INFO Running upgrade", "migration-memory"),
        ("The migration was ended by signal 15: INFO Running upgrade", ""),
        # What an application says of other things, and what names no cause.
        ("the model's answer timed out", ""),
        (f"{WAITING}the schema is at 0001, this image needs 0002", ""),
        ("", ""),
    ],
)
def test_the_heading_of_a_line(line: str, expected: str) -> None:
    assert heading(["begin", line]) == expected
    if expected:
        assert f"\n### {expected}\n" in (ROOT / "docs" / "runbook.md").read_text()


def test_the_newest_line_that_names_a_cause_decides() -> None:
    refused, unknown = f"{SERVER}Connection refused", f"{WAITING}[Errno -2] Name or service not known"
    assert heading([refused, unknown, "Traceback (most recent call last):"]) == "database-host-unknown"
    assert heading([unknown, refused]) == "database-connection-refused"
    assert heading([]) == ""
