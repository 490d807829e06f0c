"""Why a server lets nobody in: the preflight and the connectivity test name one cause, and it is the real one."""

from __future__ import annotations

import tempfile
import time
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_causes import cause_of
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import session

from dev.postgresql import with_certificate
from tests.integration.preflight.conftest import CHOSEN

SETUP = (
    "CREATE ROLE limited LOGIN CONNECTION LIMIT 0 PASSWORD 'p'",
    "CREATE ROLE guest PASSWORD 'p'",
    "CREATE ROLE certified LOGIN PASSWORD 'p'",
    "CREATE ROLE rejected LOGIN PASSWORD 'p'",
    "CREATE DATABASE closed ALLOW_CONNECTIONS false",
)
# Before the lines that initdb wrote.
HBA = "hostssl all certified 127.0.0.1/32 scram-sha-256 clientcert=verify-full\nhost all rejected 127.0.0.1/32 reject\n"
PEER = "?sslmode=verify-full&sslrootcert="
# User, database and parameters; the cause, the finding, and words of its sentence.
CASES = {
    "authority": (("postgres", "postgres", f"{PEER}system"), "certificate", "database-tls", "has a certificate"),
    "name": (("postgres", "postgres", f"{PEER}AUTHORITY"), "certificate", "database-tls", "has a certificate"),
    "no-root": (("postgres", "postgres", f"{PEER}/no"), "root-certificate", "database-tls", "no root certificate"),
    "limit": (("limited", "postgres", ""), "connections", "database-refused", "has no connection left"),
    "no-login": (("guest", "postgres", ""), "role", "database-auth", "may not log in"),
    "no-certificate": (
        ("certified", "postgres", "?sslmode=require"),
        "client-certificate",
        "database-tls",
        "wants a client certificate",
    ),
    "rejected": (("rejected", "postgres", ""), "pg-hba", "database-refused", "has no pg_hba.conf entry"),
    "closed": (("postgres", "closed", ""), "database-closed", "database-refused", "closed to connections"),
    "missing": (("postgres", "certificate", ""), "database", "database-missing", "does not have the database"),
}


@pytest.fixture(scope="module", params=sorted({CHOSEN[0], CHOSEN[-1]}), ids=str)
def urls(request: pytest.FixtureRequest) -> t.Iterator[dict[str, str]]:
    """A URL for each case."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        with_certificate(request.param, Path(folder), "DNS:db.example.com", verifies_clients=True) as made,
    ):
        server, authority = made
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for text in SETUP:
                connection.execute(text)
            [[file, before]] = connection.execute("SELECT current_setting('hba_file'), pg_conf_load_time()")
            Path(file).write_text(HBA + Path(file).read_text())
            connection.execute("SELECT pg_reload_conf()")
            end = time.monotonic() + 30
            while list(connection.execute("SELECT pg_conf_load_time()")) == [(before,)]:
                assert time.monotonic() < end
                time.sleep(0.05)
        yield {
            case: server.url(database, user, None if user == "postgres" else "p")
            + more.replace("AUTHORITY", str(authority))
            for case, ((user, database, more), *_rest) in CASES.items()
        }


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_the_one_that_the_server_means(urls: dict[str, str], case: str) -> None:
    _where, cause, error_id, words = CASES[case]
    with pytest.raises(psycopg.OperationalError) as said:
        psycopg.connect(urls[case])
    assert cause_of(str(said.value)) == cause, str(said.value)
    with (
        pytest.raises(CollectorError) as caught,
        session(urls[case], connect_timeout=5, lock_timeout_ms=500, statement_timeout_ms=1000),
    ):
        pass
    assert (caught.value.id, words in caught.value.message) == (error_id, True), caught.value.message
