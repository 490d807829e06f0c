"""What can be wrong with a server, and the findings that must come of it: these, and nothing else.

tests/integration/connectivity sets each case up with real servers and asks the collector; the answers it recorded
(facts/) are what the unit tests judge.
"""

from __future__ import annotations

CASES: dict[str, frozenset[str]] = {
    "postgresql-well": frozenset(),
    "postgresql-odd-password": frozenset(),
    "postgresql-refused": frozenset({"database-connection-refused"}),
    "postgresql-filtered": frozenset({"database-filtered"}),
    "postgresql-silent": frozenset({"database-silent"}),
    "postgresql-frozen": frozenset({"database-silent"}),
    "postgresql-no-such-name": frozenset({"database-host-unknown"}),
    "postgresql-wrong-password": frozenset({"database-auth"}),
    "postgresql-password-named-password": frozenset({"database-auth"}),
    "postgresql-no-such-user": frozenset({"database-auth"}),
    "postgresql-no-such-database": frozenset({"database-missing"}),
    "postgresql-too-many-connections": frozenset({"database-connections-exhausted"}),
    "postgresql-few-connections-left": frozenset({"connections-scarce"}),
    "postgresql-standby": frozenset({"in-recovery"}),
    "postgresql-read-only": frozenset({"database-read-only"}),
    "postgresql-no-temporary": frozenset({"database-write-denied"}),
    "postgresql-no-version-table": frozenset({"schema-missing"}),
    "postgresql-url-malformed": frozenset({"database-url-invalid"}),
    "postgresql-not-postgresql": frozenset({"database-not-postgresql"}),
    "postgresql-without-tls": frozenset({"database-tls"}),
    "postgresql-tls": frozenset(),
    "postgresql-tls-other-name": frozenset({"database-tls"}),
    "postgresql-tls-unknown-authority": frozenset({"database-tls"}),
    "replica-well": frozenset(),
    "replica-down": frozenset({"database-connection-refused"}),
    "replica-behind": frozenset({"replica-behind"}),
    "replica-is-primary": frozenset({"replica-not-standby"}),
    "redis-well": frozenset(),
    "redis-odd-password": frozenset(),
    "redis-refused": frozenset({"cache-connection-refused"}),
    "redis-filtered": frozenset({"cache-filtered"}),
    "redis-silent": frozenset({"cache-silent"}),
    "redis-no-such-name": frozenset({"cache-host-unknown"}),
    "redis-noauth": frozenset({"cache-noauth"}),
    "redis-wrongpass": frozenset({"cache-wrongpass"}),
    "redis-out-of-memory": frozenset({"cache-out-of-memory"}),
    "redis-memory-scarce": frozenset({"cache-memory-scarce"}),
    "redis-replica": frozenset({"cache-read-only"}),
    "redis-no-permission": frozenset({"cache-permission"}),
    "redis-too-many-clients": frozenset({"cache-connections-exhausted"}),
    "redis-not-redis": frozenset({"cache-not-redis"}),
    "redis-slow": frozenset({"latency-high"}),
    "redis-without-tls": frozenset({"cache-tls"}),
    "redis-url-malformed": frozenset({"cache-url-invalid"}),
}
