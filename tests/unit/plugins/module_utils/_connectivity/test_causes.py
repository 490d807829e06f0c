"""From a phase that failed to its finding: what decides beside the words of a server, and what they mean."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.causes import (
    cause_of,
    may_be_well,
    meaning,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds, judge

from tests.unit.plugins.module_utils._connectivity.test_judge import recorded

HBA = 'no pg_hba.conf entry for host "192.0.2.1", user "u", database "d"'
# Kind, phase, error and facts; the finding, and a word of what is said behind the server's own.
Case = tuple[str, str, dict[str, t.Any], dict[str, t.Any], str, str]
PLAIN = {"plain": True}
CASES: dict[str, Case] = {
    "TLS ruled out, and the server wants it": (
        "postgresql", "auth", {"cause": "pg-hba", "text": f"{HBA}, no encryption"}, PLAIN,
        "database-tls", "sslmode=require",
    ),
    "an older server says it so": (
        "postgresql", "auth", {"cause": "pg-hba", "text": f"{HBA}, SSL off"}, PLAIN,
        "database-tls", "sslmode=require",
    ),
    "TLS was asked for and the server has none": (
        "postgresql", "auth", {"cause": "pg-hba", "text": f"{HBA}, no encryption"}, {}, "database-refused", "",
    ),
    "TLS was used": (
        "postgresql", "auth", {"cause": "pg-hba", "text": f"{HBA}, SSL encryption"}, {}, "database-refused", "",
    ),
    "silent at the question for TLS": ("postgresql", "tls", {"cause": "timeout"}, {}, "database-silent", ""),
    "something else at the question for TLS": (
        "replica", "tls", {"cause": "protocol"}, {}, "database-not-postgresql", "",
    ),
    "closed at the question for TLS": ("postgresql", "tls", {"cause": "closed"}, {}, "database-refused", ""),
    "no TLS": ("postgresql", "tls", {"cause": "tls-none"}, {}, "database-tls", ""),
    "a pooler without its server": ("postgresql", "auth", {"cause": "pooler"}, {}, "database-pooler", "behind it"),
    "a pool that is taken": (
        "postgresql", "query", {"cause": "connections", "sqlstate": "08P01"}, {}, "database-connections-exhausted", "",
    ),
    "a parameter that a pooler does not take": (
        "postgresql", "auth", {"cause": "startup-parameter"}, {}, "database-url-invalid", "ALTER ROLE",
    ),
    "no right to connect": ("postgresql", "auth", {"cause": "connect-right"}, {}, "database-refused", ""),
    "a primary is wanted": ("postgresql", "auth", {"cause": "standby"}, {}, "in-recovery", ""),
    "a full disk at the login": ("postgresql", "auth", {"cause": "disk"}, {}, "database-disk-full", ""),
    "Redis with TLS alone": ("redis", "auth", {"cause": "closed"}, {"speaks_tls": True}, "cache-tls", "rediss://"),
    "Redis wants a client's certificate": ("redis", "auth", {"cause": "client-certificate"}, {}, "cache-tls", ""),
    "Redis is silent at the handshake": ("redis", "tls", {"cause": "timeout"}, {}, "cache-silent", ""),
    "Redis without RESP3": ("redis", "auth", {"cause": "resp3"}, {}, "cache-refused", "?protocol=2"),
    "a database beyond the last": ("redis", "auth", {"cause": "parameter"}, {}, "cache-url-invalid", ""),
    "the test's own key": ("redis", "write", {"cause": "key-permission"}, {}, "cache-permission", "connectivity:"),
    "a Sentinel": ("redis", "query", {"type": "SentinelError"}, {}, "cache-not-redis", ""),
    "Dragonfly's words for no memory": (
        "redis", "write", {"type": "OutOfMemoryError", "text": "Out of memory"}, {}, "cache-out-of-memory", "",
    ),
    "a slow way": (
        "redis", "large", {"cause": "timeout"}, {"bytes": 65536, "passed": 81920, "passed_late": 20480},
        "large-messages-slow", "80 of 128 KiB",
    ),
    "lost, after the small ones": (
        "redis", "large", {"cause": "timeout"}, {"bytes": 65536, "passed": 65600, "passed_late": 60},
        "large-messages-lost", "",
    ),
    "nobody counts": ("redis", "large", {"cause": "timeout"}, {"bytes": 65536}, "large-messages-lost", ""),
    "a model's answer that broke off": ("model", "models", {}, {"status": 200}, "model-unavailable", ""),
    "a model's server that wants a certificate": (
        "model", "models", {"cause": "client-certificate"}, {}, "model-tls", "",
    ),
}  # fmt: skip


def phase(name: str, error: dict[str, t.Any], facts: dict[str, t.Any]) -> t.Any:
    return {
        "phase": name,
        "ok": False,
        "ms": 5000.0,
        "error": {"type": "Error", "text": "words", **error},
        "facts": facts,
    }


@pytest.mark.parametrize("case", CASES)
def test_the_finding_and_what_the_words_mean(case: str) -> None:
    kind, name, error, facts, wanted, words = CASES[case]
    failed = phase(name, error, facts)
    assert cause_of(kind, failed) == wanted
    assert words in meaning(failed)
    assert bool(words) == bool(meaning(failed))


def test_what_the_test_alone_may_not_do_is_not_known_of_the_agent() -> None:
    assert may_be_well(phase("write", {"cause": "key-permission"}, {}))
    assert not may_be_well(phase("write", {"cause": "permission"}, {}))


@pytest.mark.parametrize(
    ("info", "wanted"),
    [
        ({"role": "active-replica"}, set()),
        ({"role": "slave"}, {"cache-read-only"}),
        ({"role": "replica"}, {"cache-read-only"}),
        ({"maxmemory": 100, "maxmemory_policy": "noeviction"}, set()),
        ({"maxmemory": "3.00GiB", "maxmemory_policy": "noeviction", "used_memory": 1}, set()),
        ({"maxmemory": 100, "maxmemory_policy": "noeviction", "used_memory": 95}, {"cache-memory-scarce"}),
        ({"maxmemory": 0, "maxmemory_policy": "noeviction", "used_memory": 95}, set()),
    ],
)
def test_info_of_redis_and_of_its_relatives(info: dict[str, t.Any], wanted: set[str]) -> None:
    facts = recorded("redis-well")
    for item in facts["observations"][0]["records"]:
        if item.get("phase") == "query":
            item["facts"] = info
    assert {item.id for item in judge(facts, Thresholds())} == wanted


@pytest.mark.parametrize(("encoding", "words"), [("LATIN1", "emoji"), ("SQL_ASCII", "bytes")])
def test_a_database_that_cannot_hold_every_text(encoding: str, words: str) -> None:
    facts = recorded("postgresql-latin")
    for item in facts["observations"][0]["records"]:
        if item.get("phase") == "query":
            item["facts"]["encoding"] = encoding
    found = judge(facts, Thresholds())
    assert [(item.id, item.severity) for item in found] == [("database-encoding", "warn")]
    assert encoding in found[0].message
    assert words in found[0].message
