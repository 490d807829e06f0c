"""A new pod's network may begin later than its program: the facts Job tries again, a guest does not."""

from __future__ import annotations

import contextlib
import time
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import collect, session
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

LIMITS = {"connect_timeout": 1, "lock_timeout_ms": 1, "statement_timeout_ms": 1}


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the errors that connecting raises, one after the other; then there is a session."""
    errors: list[str] = []

    @contextlib.contextmanager
    def tried(_url: str, **_limits: int) -> t.Iterator[str]:
        if errors:
            raise CollectorError(errors.pop(0), "no.")
        yield "session"

    monkeypatch.setattr(session, "session", tried)
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    return errors


def connected(settle: float) -> object:
    with contextlib.ExitStack() as stack:
        return collect._session(LIMITS, stack, settle)


def test_what_a_mesh_that_is_not_ready_refuses_is_tried_again(refused: list[str]) -> None:
    refused += ["database-host-unknown", "database-unreachable", "database-unreachable"]
    assert connected(20) == "session"


def test_a_guest_whose_pod_runs_already_does_not_wait(refused: list[str]) -> None:
    refused.append("database-unreachable")
    with pytest.raises(CollectorError):
        connected(0)


def test_what_the_server_itself_says_is_told_at_once(refused: list[str]) -> None:
    refused.append("database-auth")
    with pytest.raises(CollectorError):
        connected(20)


def test_a_database_that_is_away_is_told_once_the_network_had_its_time(refused: list[str]) -> None:
    refused += ["database-unreachable"] * 100
    begin = time.monotonic()
    with pytest.raises(CollectorError):
        connected(0.7)
    assert 0.6 < time.monotonic() - begin < 5
