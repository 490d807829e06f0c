"""URLs that cannot lead to a PostgreSQL, each with one sentence that quotes no secret."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.libpq_url import complaint, unknown_parameter
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
        ("postgresql://u:s3cret%92@h/d", "database-url-invalid"),
    ],
)
def test_a_url_that_is_none(url: str, error_id: str) -> None:
    with pytest.raises(CollectorError) as caught:
        parameters(url)
    assert caught.value.id == error_id
    assert not [part for part in ("s3cret", "0x92") if part in caught.value.message]
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u@h1:1,h2:2/d", "h1:1,h2:2/d"),
        ("postgresql://u@h1,h2/d", "h1:5432,h2:5432/d"),
        ("postgresql://u@/d?host=h1,h2&port=1", "h1:1,h2:1/d"),
        ("postgresql://u@/d?hostaddr=192.0.2.1", "192.0.2.1:5432/d"),
        ("postgresql:///d", "localhost:5432/d"),
    ],
)
def test_the_place_of_several_hosts(url: str, shown: str) -> None:
    assert place(parameters(url)) == shown


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:s3cret@h/d?ssl=require", "ssl"),
        ("postgresql+asyncpg://u@h/d?sslmode=prefer&pool_size=5", "pool_size"),
        ("postgresql://u@h/d?sslmode=prefer", None),
        ("postgresql://u:pa?s3cret=x@h/d", None),
        ("postgresql://u@h/d?s3%63ret=1", None),
    ],
)
def test_a_parameter_that_libpq_does_not_know_is_named_and_no_piece_of_a_password(url: str, named: str | None) -> None:
    assert unknown_parameter(url) == named
    said = complaint(url)
    assert (f"its parameter {named}:" in said) == (named is not None)
    assert "s3" not in said


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
