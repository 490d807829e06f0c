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
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Error, PhaseRecord

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
    "stopping": "database-refused",
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
    name, error = phase["phase"], phase["error"]
    if name in _ANY_SERVER:
        return _ANY_SERVER[name]
    of_side = _CACHE_LAYERS if kind == "redis" else _DATABASE_LAYERS
    of_layer = {
        **of_side,
        "dns": of_side["name"] if error.get("errno") in _NO_NAME else "dns-unavailable",
        "tcp": of_side["refused" if error.get("errno") == errno.ECONNREFUSED else "filtered"],
    }
    if name in of_layer:
        return of_layer[name]
    return _of_cache(name, error) if kind == "redis" else _of_database(name, error)


def _of_database(name: str, error: Error) -> str:
    cause, state = error.get("cause"), error.get("sqlstate")
    if name == "auth":
        return _DATABASE_AUTH.get(str(cause), "database-refused")
    if state is None:
        # The connection itself went: the server fell silent, ended the session, or the watchdog cut it.
        return "database-silent" if name == "query" or cause == "timeout" else "database-write-failed"
    if name == "write":
        return _DATABASE_WRITE.get(str(state), "database-write-failed")
    return "privilege-missing" if state == "42501" else "database-refused"


def _of_cache(name: str, error: Error) -> str:
    if error.get("type") in _CLUSTER:
        return "cache-cluster"
    found = _CACHE.get(str(error.get("cause")))
    if name == "write":
        return "cache-write-failed" if found in {None, "cache-not-redis"} else str(found)
    return found or "cache-refused"


__all__ = ("LAYERS", "cause_of")
