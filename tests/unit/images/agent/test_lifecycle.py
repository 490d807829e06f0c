"""The drain, and the line that is logged of it."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest
from starlette.types import Message, Receive, Scope, Send

from agent import lifecycle as module
from agent.lifecycle import Lifecycle, Tracking
from agent.logs import JsonLines


@pytest.fixture(autouse=True)
def short_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain that is over soon."""
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.2)


def drain(lifecycle: Lifecycle, seconds: float, leave_after: float | None = None) -> float:
    """Drain; one request ends after *leave_after* seconds. Returns how long it took."""

    async def run() -> float:
        begin = time.monotonic()
        lifecycle.begin_drain()
        if leave_after is not None:
            asyncio.get_running_loop().call_later(leave_after, setattr, lifecycle, "in_flight", 0)
        await lifecycle.drained(seconds)
        return time.monotonic() - begin

    return asyncio.run(run())


def test_an_idle_process_waits_for_late_comers() -> None:
    lifecycle = Lifecycle()
    lifecycle.last_request = time.monotonic() - 100
    assert 0.2 <= drain(lifecycle, 5) < 2
    assert lifecycle.draining


def test_it_waits_for_a_running_request() -> None:
    lifecycle = Lifecycle()
    lifecycle.in_flight = 1
    assert 0.5 <= drain(lifecycle, 5, leave_after=0.5) < 2


def test_it_gives_up_at_the_limit() -> None:
    lifecycle = Lifecycle()
    lifecycle.in_flight = 1
    assert 0.4 <= drain(lifecycle, 0.4) < 2


def answer(lifecycle: Lifecycle, path: str) -> tuple[list[Message], int]:
    """Send one request through the middleware; returns what was sent and how many were in flight meanwhile."""
    sent: list[Message] = []
    inside: list[int] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        inside.append(lifecycle.in_flight)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path}
    asyncio.run(Tracking(app, lifecycle)(scope, receive, send))
    return sent, inside[0]


def test_requests_count_while_they_are_answered_and_probes_do_not() -> None:
    lifecycle = Lifecycle()
    assert answer(lifecycle, "/v1/chat")[1] == 1
    assert answer(lifecycle, "/ready")[1] == 0
    assert lifecycle.in_flight == 0


def test_a_draining_process_sends_its_clients_elsewhere() -> None:
    lifecycle = Lifecycle()
    assert answer(lifecycle, "/v1/chat")[0][0]["headers"] == []
    lifecycle.begin_drain()
    assert (b"connection", b"close") in answer(lifecycle, "/v1/chat")[0][0]["headers"]


def test_a_line_of_the_log_is_one_line_whatever_it_says() -> None:
    error = ValueError("two\nlines")
    record = logging.LogRecord("agent", logging.ERROR, __file__, 1, "a\nb %s", ("c",), (type(error), error, None))
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "a\nb c"
    assert "two" in json.loads(line)["exception"]
