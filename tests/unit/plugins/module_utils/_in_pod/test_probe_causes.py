"""Messages of PostgreSQL, libpq, Redis and redis-py as they print them, and the cause that each names."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_causes import cause_of
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import session

# Of libpq 18 and PostgreSQL 18, after "connection to server at ... failed: "; of Redis 8.
CAUSES = {
    "SSL error: certificate verify failed: self-signed certificate": "certificate",
    'server certificate for "db.example.com" does not match host name "127.0.0.1"': "certificate",
    'root certificate file "/root/.postgresql/root.crt" does not exist': "root-certificate",
    "FATAL:  connection requires a valid client certificate": "client-certificate",
    "SSL error: tlsv13 alert certificate required": "client-certificate",
    "server does not support SSL, but SSL was required": "tls",
    "SSL error: unsupported protocol": "tls",
    "received invalid response to SSL negotiation: H": "protocol",
    'FATAL:  no pg_hba.conf entry for host "192.0.2.1", user "u", database "d", SSL encryption': "pg-hba",
    'FATAL:  pg_hba.conf rejects connection for host "192.0.2.1", user "u", database "d", no encryption': "pg-hba",
    'FATAL:  password authentication failed for user "SSL"': "password",
    'FATAL:  certificate authentication failed for user "u"': "password",
    'FATAL:  LDAP authentication failed for user "u"': "password",
    "fe_sendauth: no password supplied": "password-missing",
    'FATAL:  role "certificate" does not exist': "role",
    'FATAL:  role "u" is not permitted to log in': "role",
    'FATAL:  too many connections for role "u"': "connections",
    'FATAL:  too many connections for database "d"': "connections",
    "FATAL:  sorry, too many clients already": "connections",
    "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute": "connections",
    'FATAL:  database "timeout" does not exist': "database",
    'FATAL:  database "d" is not currently accepting connections': "database-closed",
    "FATAL:  the database system is starting up": "starting",
    "FATAL:  the database system is not yet accepting connections": "starting",
    "FATAL:  the database system is in recovery mode": "starting",
    "FATAL:  the database system is shutting down": "stopping",
    "Connection refused": "refused",
    "timeout expired": "timeout",
    "server closed the connection unexpectedly": "closed",
    "WRONGPASS invalid username-password pair or user is disabled.": "password",
    "NOAUTH Authentication required.": "password-missing",
    "READONLY You can't write against a read only replica.": "read-only",
    "something else": None,
}


@pytest.mark.parametrize(("message", "cause"), CAUSES.items())
def test_the_most_exact_cause_is_named(message: str, cause: str | None) -> None:
    assert cause_of(message) == cause


@pytest.mark.parametrize(
    ("message", "error_id", "words"),
    [
        ("SSL error: certificate verify failed: self-signed certificate", "database-tls", "has a certificate"),
        ('FATAL:  too many connections for role "u"', "database-refused", "has no connection left"),
        ('FATAL:  pg_hba.conf rejects connection for host "h", user "u", database "d"', "database-refused", "pg_hba"),
        ("received invalid response to SSL negotiation: H", "database-unreachable", "that a PostgreSQL listens"),
    ],
)
def test_the_preflight_says_that_cause(
    monkeypatch: pytest.MonkeyPatch, message: str, error_id: str, words: str
) -> None:
    import psycopg

    def refuse(**_parameters: object) -> None:
        raise psycopg.OperationalError(message)

    monkeypatch.setattr(psycopg, "connect", refuse)
    with (
        pytest.raises(CollectorError) as caught,
        session("postgresql://u:p@127.0.0.1/d", connect_timeout=1, lock_timeout_ms=1, statement_timeout_ms=1),
    ):
        pass
    assert (caught.value.id, words in caught.value.message) == (error_id, True), caught.value.message
