"""Each form of a URL: what libpq itself connects, preflight and connectivity test connect; else they say why not."""

from __future__ import annotations

import json
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import probe_answers
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import phases
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import session

from dev.postgresql import free_port
from tests.integration.preflight.conftest import CHOSEN, Servers

LIMITS = {"connect_timeout": 3, "lock_timeout_ms": 500, "statement_timeout_ms": 1000}
# P: a port where the server listens, N: where nothing does, U: user and password.
CONNECTING = [
    "postgresql://U@127.0.0.1:P,127.0.0.1:N/postgres?target_session_attrs=read-write",
    "postgresql://U@127.0.0.1:N,127.0.0.1:P/postgres",
    "postgresql://U@127.0.0.1,localhost:P/postgres",
    "postgresql://U@no-such-host.invalid,127.0.0.1:P/postgres",
    "postgresql://U@/postgres?host=127.0.0.1,127.0.0.1&port=P,N",
    "postgresql://U@db.internal.invalid:P/postgres?hostaddr=127.0.0.1",
    "postgresql://U@127.0.0.1:P/postgres?sslmode=prefer&keepalives=1",
]
# What the sentence holds.
REFUSED = {
    "postgresql+asyncpg://U@127.0.0.1:P/postgres?ssl=disable": ["ssl", "sslmode"],
    "postgresql://U@127.0.0.1:P/postgres?sslmode=prefer&pool_size=5": ["pool_size"],
    "postgresql://U@127.0.0.1:P/postgres?prepared_statement_cache_size=0": ["prepared_statement_cache_size"],
    "postgresql://postgres:s3c/s3cret@127.0.0.1:P/postgres": ["percent-encode"],
}


@pytest.fixture(scope="module")
def written(servers: Servers) -> t.Callable[[str], str]:
    """A function from a form to a URL of a running server."""
    server, nobody = servers(CHOSEN[-1]).server, free_port()

    def write(form: str) -> str:
        known = {"U@": f"postgres:{server.password}@", ":P": f":{server.port}"}
        known["port=P,N"] = f"port={server.port},{nobody}"
        for mark, value in (known | {":N": f":{nobody}"}).items():
            form = form.replace(mark, value)
        return form

    return write


@pytest.mark.parametrize("form", CONNECTING)
def test_what_libpq_connects_is_connected(written: t.Callable[[str], str], form: str) -> None:
    url = written(form)
    psycopg.connect(url, connect_timeout=3).close()
    with session(url, **LIMITS) as opened, opened.snapshot() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    dependency = {"name": "postgresql", "kind": "postgresql", "url": url}
    seen = probe_answers.run_here({"timeout": 3, "rounds": 1, "deadline": 30, "dependencies": [dependency]})
    assert [item for item in phases(seen) if not item["ok"]] == []


@pytest.mark.parametrize("form", REFUSED)
def test_what_libpq_does_not_take_is_told_with_the_true_reason(written: t.Callable[[str], str], form: str) -> None:
    url = written(form)
    with pytest.raises(CollectorError) as caught, session(url, **LIMITS):
        pass
    dependency = {"name": "postgresql", "kind": "postgresql", "url": url}
    seen = probe_answers.run_here({"timeout": 3, "rounds": 1, "deadline": 30, "dependencies": [dependency]})
    [failed] = [item for item in phases(seen) if not item["ok"]]
    for said in (caught.value.message, failed["error"]["text"]):
        for word in REFUSED[form]:
            assert word in said, said
    assert (caught.value.id, failed["phase"]) == ("database-url-invalid", "url")
    assert "s3c" not in json.dumps([caught.value.message, seen])
