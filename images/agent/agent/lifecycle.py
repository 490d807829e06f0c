"""Requests in flight, and the drain: after SIGTERM nothing that runs is cut off, and late comers are still answered."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.metrics import DRAINING, IN_FLIGHT, REQUESTS, SECONDS

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0
"""How long nothing may be in flight before the drain is over: a proxy may still pass on a request it had accepted."""


class Lifecycle:
    """State of this process: serving or draining."""

    def __init__(self) -> None:
        self.draining = False
        self.in_flight = 0
        self.last_request = time.monotonic()

    def begin_drain(self) -> None:
        """Readiness goes off; requests are still answered."""
        self.draining = True
        self.last_request = time.monotonic()
        DRAINING.set(1)

    async def drained(self, seconds: float) -> None:
        """Return when nothing has been in flight for a moment, at the latest after *seconds*."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.in_flight and time.monotonic() - self.last_request >= min(QUIET_SECONDS, seconds):
                log.info("drained")
                return
            await asyncio.sleep(0.05)
        log.warning("%d requests were still running after %.0f s", self.in_flight, seconds)


class Tracking:
    """ASGI middleware: counts requests until the last byte of their answer, and measures them."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        begin = time.monotonic()
        status = 500

        async def tracked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._lifecycle.draining:
                    # A kept-alive connection would bring the client's next request here as well.
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        self._lifecycle.in_flight += 1
        IN_FLIGHT.inc()
        try:
            await self._app(scope, receive, tracked)
        finally:
            self._lifecycle.in_flight -= 1
            self._lifecycle.last_request = time.monotonic()
            IN_FLIGHT.dec()
            # The route's pattern, never the path: ids would make a time series each.
            route = getattr(scope.get("route"), "path", "unknown")
            seconds = time.monotonic() - begin
            REQUESTS.labels(route, status).inc()
            SECONDS.labels(route).observe(seconds)
            log.info("%s %s %d in %.0f ms", scope["method"], route, status, seconds * 1000)
