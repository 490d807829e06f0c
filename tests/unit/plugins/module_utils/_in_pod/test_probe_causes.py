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
    # Of poolers and of services in clouds.
    "FATAL:  server login has been failing, try again later (server_login_retry)": "pooler",
    'FATAL:  server login has been failing, cached error: password authentication failed for user "u" '
    "(server_login_retry)": "pooler",
    "FATAL:  pgbouncer cannot connect to server": "pooler",
    "FATAL:  query_wait_timeout": "connections",
    "FATAL:  no more connections allowed (max_client_conn)": "connections",
    "FATAL:  client connections exceeded (max_db_client_connections)": "connections",
    "FATAL:  MaxClientsInSessionMode: max clients reached": "connections",
    "FATAL:  Max client connections reached": "connections",
    "FATAL:  no such database: d": "database",
    'FATAL:  database "d" is disabled': "database-closed",
    "FATAL:  SASL authentication failed": "password",
    "FATAL:  auth failed": "password",
    "FATAL:  Tenant or user not found": "password",
    "FATAL:  Invalid Username specified. Please check the Username and retry connection.": "password",
    "FATAL:  Azure AD access token not valid for role u": "password",
    "FATAL:  This RDS proxy has no credentials for the role u.": "password",
    "FATAL:  unsupported startup parameter in options: search_path": "startup-parameter",
    "ERROR:  Endpoint ID is not specified. Either please upgrade": "endpoint",
    "ERROR:  connection is insecure (try using `sslmode=require`)": "tls-wanted",
    'FATAL:  permission denied for database "d"': "connect-right",
    'FATAL:  could not write file "base/1/pg_internal.init": No space left on device': "disk",
    "FATAL:  the database system is not accepting connections": "starting",
    "server is in hot standby mode": "standby",
    "session is read-only": "read-only",
    'invalid sslmode value: "required"': "parameter",
    "could not match 2 port numbers to 3 hosts": "parameter",
    'private key file "/k" has group or world access; file must have permissions u=rw': "client-key",
    "unknown command 'HELLO', with args beginning with: '3'": "resp3",
    "DB index is out of range": "parameter",
    "this user has no permissions to access one of the keys used as arguments": "key-permission",
    "No permissions to access a key": "key-permission",
    "Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "read-only",
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
