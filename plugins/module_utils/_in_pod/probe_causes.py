"""What servers and drivers say of a failure, and the cause that it stands for. Of session.py and the probe."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The first entry whose words occur in a message decides. Where one message holds the words of two entries, the more
# exact one stands first: 'too many connections for role "r"', 'SSL error: certificate verify failed',
# 'database "SSL" does not exist', 'pg_hba.conf rejects connection for host "h", user "u", database "d"'.
_CAUSES = (
    ("authentication failed for user", "password"),
    ("password authentication failed", "password"),
    ("no password supplied", "password-missing"),
    ("no pg_hba.conf entry", "pg-hba"),
    ("pg_hba.conf rejects", "pg-hba"),
    ("remaining connection slots", "connections"),
    ("too many", "connections"),
    ("max number of clients", "connections"),
    ("starting up", "starting"),
    ("not yet accepting", "starting"),
    ("in recovery", "starting"),
    ("LOADING", "starting"),
    ("loading the dataset", "starting"),
    ("shutting down", "stopping"),
    ("invalid username-password", "password"),
    ("WRONGPASS", "password"),
    ("invalid password", "password"),
    ("without any password configured", "password-unwanted"),
    ("NOAUTH", "password-missing"),
    ("Authentication required", "password-missing"),
    ("HELLO must be called", "password-missing"),
    ("protected mode", "protected"),
    ("NOPERM", "permission"),
    ("no permissions", "permission"),
    ("maxmemory", "memory"),
    ("READONLY", "read-only"),
    ("read only replica", "read-only"),
    ("MISCONF", "disk"),
    ("NOREPLICAS", "replicas"),
    ("invalid response", "protocol"),
    ("Protocol Error", "protocol"),
    ("expected authentication request", "protocol"),
    ('role "', "role"),
    ("not currently accepting connections", "database-closed"),
    ('database "', "database"),
    ("has no TLS", "tls-none"),
    ("valid client certificate", "client-certificate"),
    ("alert certificate required", "client-certificate"),
    ("root certificate file", "root-certificate"),
    ("certificate", "certificate"),
    ("SSL", "tls"),
    ("refused", "refused"),
    ("timeout", "timeout"),
    ("timed out", "timeout"),
    ("Timeout", "timeout"),
    ("closed", "closed"),
)


def cause_of(message: str) -> str | None:
    """The cause that a message of PostgreSQL, libpq, Redis or redis-py names; None where it names none of ours."""
    return next((cause for words, cause in _CAUSES if words in message), None)


__all__ = ("cause_of",)
