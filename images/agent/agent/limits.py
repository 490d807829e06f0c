"""How much one request may cost: its body, and the reply that it asks for."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A message may have 100,000 characters, each of which JSON may write in twelve bytes (two halves of a surrogate pair).
BODY_BYTES = 2 * 1024 * 1024
# Longer than any model's answer to one question; what a broken endpoint sends without end must not fill the memory.
REPLY_CHARACTERS = 1_000_000
# Server-sent events write some two hundred bytes around each word.
ANSWER_BYTES = 64 * 1024 * 1024
REPLY_SECONDS = 900.0
"""Seconds that a whole reply may take; the settings limit only the wait for its next piece."""


class BodyLimit:
    """ASGI middleware: a body above BODY_BYTES is refused with 413, and never read as a whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if length.isdigit() and int(length) > BODY_BYTES:
            await _refuse(send)
            return
        read: list[Message] = []
        size = 0
        while not read or (read[-1]["type"] == "http.request" and read[-1].get("more_body")):
            read.append(await receive())
            size += len(read[-1].get("body", b""))
            if size > BODY_BYTES:
                await _refuse(send)
                return

        async def again() -> Message:
            return read.pop(0) if read else await receive()

        await self._app(scope, again, send)


async def _refuse(send: Send) -> None:
    body = json.dumps({"error": f"the body is larger than {BODY_BYTES // 1024} KiB: send a shorter message"}).encode()
    # The rest of the body is not read, so the connection cannot serve another request.
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
