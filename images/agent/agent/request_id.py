"""An id for each request: the caller's own where it is well-formed, in the answer and in every line of the log."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
CURRENT: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered. A server answers each in a task of its own, so it need not be reset."""
# What every proxy makes, and nothing that a log or a header could read as something else.
WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


def chosen(given: list[str]) -> str:
    """The id that the caller gave, where it is one and well-formed; else a new one."""
    return given[0] if len(given) == 1 and WELL_FORMED.fullmatch(given[0]) else uuid.uuid4().hex


class RequestIds:
    """ASGI middleware: give each request its id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = chosen(Headers(scope=scope).getlist(HEADER))
        CURRENT.set(own)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER.lower().encode(), own.encode())]
            await send(message)

        await self._app(scope, receive, named)
