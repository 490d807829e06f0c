from __future__ import annotations

import asyncio
import time

from starlette.types import Message, Receive, Scope, Send

from agent.lifecycle import Lifecycle, Tracking

SCOPE: Scope = {"type": "http", "path": "/v1/chat", "method": "POST", "headers": []}


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_a_stream_counts_until_its_last_byte_and_the_drain_waits_for_it() -> None:
    async def scenario() -> tuple[int, float, list[Message]]:
        lifecycle = Lifecycle()
        sent: list[Message] = []

        async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.sleep(0.3)
            await send({"type": "http.response.body", "body": b"end"})

        async def send(message: Message) -> None:
            sent.append(message)

        lifecycle.begin_drain()
        running = asyncio.create_task(Tracking(stream, lifecycle)(SCOPE, receive, send))
        await asyncio.sleep(0.05)
        during = lifecycle.in_flight
        begin = time.monotonic()
        await lifecycle.drained(10)
        await running
        return during, time.monotonic() - begin, sent

    during, took, sent = asyncio.run(scenario())
    assert during == 1
    # The rest of the stream, then a moment without any request.
    assert 1.2 <= took < 3
    assert (b"connection", b"close") in sent[0]["headers"]
    assert sent[1]["body"] == b"end"


def test_the_drain_ends_at_its_limit() -> None:
    lifecycle = Lifecycle()
    lifecycle.in_flight = 1
    begin = time.monotonic()
    asyncio.run(lifecycle.drained(0.3))
    assert 0.3 <= time.monotonic() - begin < 1
