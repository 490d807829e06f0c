"""URLs that cannot lead to a PostgreSQL, each with one sentence that quotes no secret."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import parameters, place, session


@pytest.mark.parametrize(
    ("url", "error_id"),
    [
        ("", "database-url-invalid"),
        ("host/db", "database-url-invalid"),
        ("mysql://u:s3cret@h/d", "database-url-kind"),
        ("sqlite:///x.db", "database-url-kind"),
        ("postgresql://u:s3cret/@h/d", "database-url-invalid"),
        ("postgresql://u:s3cret@h:port/d", "database-url-invalid"),
        ("postgresql://u:s3cret@h/d?nonsense=1", "database-url-invalid"),
    ],
)
def test_a_url_that_is_none(url: str, error_id: str) -> None:
    with pytest.raises(CollectorError) as caught:
        parameters(url)
    assert caught.value.id == error_id
    assert "s3cret" not in caught.value.message
    assert caught.value.__cause__ is None


def test_a_driver_is_left_out_and_a_password_is_not_shown() -> None:
    found = parameters("postgresql+psycopg://u:p%40ss@h:5433/d?sslmode=require")
    assert found == {"user": "u", "password": "p@ss", "host": "h", "port": "5433", "dbname": "d", "sslmode": "require"}
    assert place(found) == "h:5433/d"


@pytest.mark.parametrize(
    ("url", "error_id"),
    [
        ("postgresql://u:s3cret@no-such-host.invalid/d", "database-host-unknown"),
        ("postgresql://u:s3cret@127.0.0.1:1/d", "database-unreachable"),
    ],
)
def test_a_server_that_is_not_there(url: str, error_id: str) -> None:
    with (
        pytest.raises(CollectorError) as caught,
        session(url, connect_timeout=2, lock_timeout_ms=500, statement_timeout_ms=1000),
    ):
        pass
    assert caught.value.id == error_id
    assert "s3cret" not in caught.value.message
