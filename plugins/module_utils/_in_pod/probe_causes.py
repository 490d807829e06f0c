"""What servers and drivers say of a failure, and the cause that it stands for. Of session.py and the probe."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The first entry whose words occur in a message decides. Where one message holds the words of two entries, the more
# exact one stands first: 'too many connections for role "r"', 'SSL error: certificate verify failed',
# 'database "SSL" does not exist', 'pg_hba.conf rejects connection for host "h", user "u", database "d"'. A pooler
# repeats what its own login met: 'cached error: password authentication failed for user "u" (server_login_retry)'.
_CAUSES = (
    ("server_login_retry", "pooler"),
    ("pgbouncer cannot connect to server", "pooler"),
    ("query_wait_timeout", "connections"),
    ("unsupported startup parameter", "startup-parameter"),
    ("Endpoint ID is not specified", "endpoint"),
    ("No space left on device", "disk"),
    ("authentication failed for user", "password"),
    ("password authentication failed", "password"),
    ("SASL authentication failed", "password"),
    ("FATAL:  auth failed", "password"),
    ("no such user", "password"),
    ("Invalid Username specified", "password"),
    ("access token", "password"),
    ("Tenant or user not found", "password"),
    ("has no credentials for the role", "password"),
    ("no password supplied", "password-missing"),
    ("no pg_hba.conf entry", "pg-hba"),
    ("pg_hba.conf rejects", "pg-hba"),
    ("remaining connection slots", "connections"),
    ("too many", "connections"),
    ("max number of clients", "connections"),
    ("max clients reached", "connections"),
    ("Max client connections reached", "connections"),
    ("no more connections allowed", "connections"),
    ("connections exceeded", "connections"),
    ("starting up", "starting"),
    ("not yet accepting", "starting"),
    ("system is not accepting connections", "starting"),
    ("in recovery", "starting"),
    ("hot standby mode", "standby"),
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
    ("permissions to access", "key-permission"),
    ("NOPERM", "permission"),
    ("no permissions", "permission"),
    ("maxmemory", "memory"),
    ("session is read-only", "read-only"),
    ("MASTERDOWN", "read-only"),
    ("Link with MASTER is down", "read-only"),
    ("READONLY", "read-only"),
    ("read only replica", "read-only"),
    ("MISCONF", "disk"),
    ("NOREPLICAS", "replicas"),
    ("invalid response", "protocol"),
    ("Protocol Error", "protocol"),
    ("expected authentication request", "protocol"),
    ("command 'HELLO'", "resp3"),
    ("command `HELLO`", "resp3"),
    ("DB index is out of range", "parameter"),
    ("SELECT is not allowed", "parameter"),
    # libpq, of a parameter with a choice of words: 'invalid sslmode value: "required"'.
    (' value: "', "parameter"),
    ("invalid port number", "parameter"),
    ("could not match", "parameter"),
    ("permission denied for database", "connect-right"),
    ('role "', "role"),
    ("not currently accepting connections", "database-closed"),
    ('" is disabled', "database-closed"),
    ("no such database", "database"),
    ('database "', "database"),
    ("has no TLS", "tls-none"),
    ("connection is insecure", "tls-wanted"),
    ("weak sslmode", "tls"),
    ("private key file", "client-key"),
    ("valid client certificate", "client-certificate"),
    ("alert certificate required", "client-certificate"),
    ("root certificate file", "root-certificate"),
    ("CERTIFICATE_REQUIRED", "client-certificate"),
    ("certificate", "certificate"),
    ("SSL", "tls"),
    ("refused", "refused"),
    # A socket's file that is not there, as libpq and redis-py name it.
    ("Is the server running locally", "refused"),
    ("Error 2 connecting to", "refused"),
    ("timeout", "timeout"),
    ("timed out", "timeout"),
    ("Timeout", "timeout"),
    ("closed", "closed"),
)


def cause_of(message: str) -> str | None:
    """The cause that a message of PostgreSQL, libpq, Redis or redis-py names; None where it names none of ours."""
    return next((cause for words, cause in _CAUSES if words in message), None)


__all__ = ("cause_of",)
