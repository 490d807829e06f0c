"""From the phase that failed to the finding that names its cause: tables over what the probe recorded. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.database_causes import FINDING_OF_CAUSE
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.model_causes import (
    MODEL,
    is_expired,
    model_cause,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import PhaseRecord

# socket.gaierror: there is no such name, as opposed to a name service that does not answer.
_NO_NAME = frozenset({-2, -5})
_ANY_SERVER = {"driver": "driver-missing", "large": "large-messages-lost"}
_DATABASE_LAYERS = {
    "url": "database-url-invalid",
    "name": "database-host-unknown",
    "refused": "database-connection-refused",
    "filtered": "database-filtered",
    "tls": "database-tls",
}
_CACHE_LAYERS = {
    "url": "cache-url-invalid",
    "name": "cache-host-unknown",
    "refused": "cache-connection-refused",
    "filtered": "cache-filtered",
    "tls": "cache-tls",
}
_DATABASE_AUTH = FINDING_OF_CAUSE | {
    "starting": "in-recovery",
    "standby": "in-recovery",
    "stopping": "database-refused",
    "read-only": "database-read-only",
    "parameter": "database-url-invalid",
    "protocol": "database-not-postgresql",
    "timeout": "database-silent",
}
_DATABASE_WRITE = {
    "25006": "database-read-only",
    "42501": "database-write-denied",
    "53100": "database-disk-full",
}
_CACHE = {
    "password": "cache-wrongpass",
    "password-missing": "cache-noauth",
    "password-unwanted": "cache-wrongpass",
    "permission": "cache-permission",
    "key-permission": "cache-permission",
    "parameter": "cache-url-invalid",
    "tls": "cache-tls",
    "certificate": "cache-tls",
    "client-certificate": "cache-tls",
    "connections": "cache-connections-exhausted",
    "protocol": "cache-not-redis",
    "closed": "cache-not-redis",
    "timeout": "cache-silent",
    "starting": "cache-loading",
    "memory": "cache-out-of-memory",
    "read-only": "cache-read-only",
    "disk": "cache-disk",
    "refused": "cache-connection-refused",
}
_CACHE_TYPES = {"OutOfMemoryError": "cache-out-of-memory", "SentinelError": "cache-not-redis"}
# A full packet, of Ethernet or of a tunnel; jumbo frames are larger, and seldom what a pod has.
_PACKET_BYTES = 1500
# A handshake that did not come about for a reason that is none of TLS.
_NO_HANDSHAKE = {
    "timeout": {"redis": "cache-silent", "postgresql": "database-silent"},
    "protocol": {"redis": "cache-not-redis", "postgresql": "database-not-postgresql"},
    "closed": {"redis": "cache-refused", "postgresql": "database-refused"},
}
# A pooler's or a disk's trouble may come at any question.
_ANY_QUESTION = frozenset({"connections", "disk", "pooler"})
_WITHOUT_TLS = "the server lets nobody in without TLS: sslmode=require"
# What the words of a server or a driver mean here, where they leave that open.
_MEANING = {
    "pooler": "a pooler answers, and cannot log in at the PostgreSQL behind it",
    "startup-parameter": "the URL has it (options), and a pooler takes none such: ALTER ROLE … SET instead",
    "tls-wanted": _WITHOUT_TLS,
    "resp3": "this redis-py speaks RESP3 and the server does not: put ?protocol=2 behind the URL",
    "key-permission": "this test's own key begins with ai_platform.agent:connectivity:, the agent's may be allowed",
}
# What says that the server is a node of a Redis Cluster: the probe's own error, after INFO told it; where the user may
# not call INFO, what redis-py raises at the write. Only the type is read: the words name another node, or a number.
_CLUSTER = {"ClusterNodeError", "MovedError", "AskError", "ClusterDownError", "ClusterCrossSlotError", "TryAgainError"}
# What each layer's failure means, before anything is known of its cause.
LAYERS: t.Final[dict[str, str]] = {
    "driver": "the driver cannot be imported",
    "url": "the URL cannot be used",
    "dns": "name resolution failed",
    "tcp": "no TCP connection",
    "tls": "the TLS handshake failed",
    "auth": "no session",
    "query": "no answer to a question",
    "write": "a write failed",
    "schema": "the version table cannot be read",
    "large": "64 KiB do not get there and back, which small messages do",
    "proxy": "the proxy does not lead there",
    "models": "no list of models",
}


def cause_of(kind: str, phase: PhaseRecord) -> str:
    """The id of the finding for a failed phase of a dependency of `kind` postgresql, replica, redis or model."""
    if kind == MODEL:
        return model_cause(phase)
    if is_expired(phase):
        return "certificate-expired"
    of_layer = _of_layer(kind, phase)
    if of_layer:
        return of_layer
    return _of_cache(phase) if kind == "redis" else _of_database(phase)


def _of_layer(kind: str, phase: PhaseRecord) -> str | None:
    """The finding of a layer below the server's own words, None where these decide."""
    name, error = phase["phase"], phase["error"]
    if _is_slow(phase):
        return "large-messages-slow"
    if name in _ANY_SERVER:
        return _ANY_SERVER[name]
    side = "redis" if kind == "redis" else "postgresql"
    if name == "tls" and (without := _NO_HANDSHAKE.get(str(error.get("cause")))):
        return without[side]
    of_side = _CACHE_LAYERS if kind == "redis" else _DATABASE_LAYERS
    of_layer = {
        **of_side,
        "dns": of_side["name"] if error.get("errno") in _NO_NAME else "dns-unavailable",
        "tcp": of_side["refused" if error.get("errno") == errno.ECONNREFUSED else "filtered"],
    }
    if name == "auth" and (phase["facts"].get("speaks_tls") or _wants_tls(phase)):
        return of_side["tls"]
    return of_layer.get(name)


def meaning(phase: PhaseRecord) -> str:
    """What the words of a failed phase mean here, to be put behind them; empty where they say it themselves."""
    if phase["phase"] == "auth" and phase["facts"].get("speaks_tls"):
        found: str | None = "the port speaks TLS: begin the URL with rediss://"
    elif _wants_tls(phase):
        found = _WITHOUT_TLS
    elif _is_slow(phase):
        facts = phase["facts"]
        share = f"{facts['passed'] / 1024:.0f} of {2 * facts['bytes'] / 1024:.0f} KiB, there and back together"
        found = f"in {phase['ms'] / 1000:.1f} s {share}, passed, and more was coming"
    else:
        found = _MEANING.get(str(phase["error"].get("cause")))
    return f"; {found}" if found else ""


def _is_slow(phase: PhaseRecord) -> bool:
    """Whether a large message did not come in time and was still on its way, by more than a packet that is full."""
    return phase["phase"] == "large" and phase["facts"].get("passed_late", 0) > _PACKET_BYTES


def may_be_well(phase: PhaseRecord) -> bool:
    """Whether what this test may not do may be allowed to the agent."""
    return phase["error"].get("cause") == "key-permission"


def _wants_tls(phase: PhaseRecord) -> bool:
    """Whether pg_hba.conf has lines for connections with TLS alone, and the URL rules TLS out.

    PostgreSQL 14 and later say «no encryption», earlier ones and Amazon RDS «SSL off».
    """
    error = phase["error"]
    plain = error.get("cause") == "pg-hba" and phase["facts"].get("plain")
    return bool(plain) and any(words in error.get("text", "") for words in ("no encryption", "SSL off"))


def _of_database(phase: PhaseRecord) -> str:
    name, error = phase["phase"], phase["error"]
    cause, state = error.get("cause"), error.get("sqlstate")
    if name == "auth":
        return _DATABASE_AUTH.get(str(cause), "database-refused")
    if state is None:
        # The connection itself went: the server fell silent, ended the session, or the watchdog cut it.
        return "database-silent" if name == "query" or cause == "timeout" else "database-write-failed"
    if cause in _ANY_QUESTION:
        return _DATABASE_AUTH[str(cause)]
    if name == "write":
        return _DATABASE_WRITE.get(str(state), "database-write-failed")
    return "privilege-missing" if state == "42501" else "database-refused"


def _of_cache(phase: PhaseRecord) -> str:
    name, error = phase["phase"], phase["error"]
    if error.get("type") in _CLUSTER:
        return "cache-cluster"
    if known := _CACHE_TYPES.get(str(error.get("type"))):
        return known
    found = _CACHE.get(str(error.get("cause")))
    if name == "write":
        return "cache-write-failed" if found in {None, "cache-not-redis"} else str(found)
    return found or "cache-refused"


__all__ = ("LAYERS", "cause_of", "may_be_well", "meaning")
