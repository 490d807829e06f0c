"""How often one caller may ask: a token bucket for each, in this process alone."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.auth import CALLER
from agent.metrics import REFUSED

CALLERS = 10_000
"""Most clients that are remembered; the one that asked longest ago is forgotten first, and begins anew."""


class Buckets:
    """Each caller has `burst` requests, which come back at `per_minute`."""

    def __init__(self, per_minute: int, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._now = per_minute / 60, burst, now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Take one request: 0 where the caller has one left, else the seconds until it has."""
        now = self._now()
        left, since = self._left.pop(caller, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._rate)
        allowed = left >= 1
        self._left[caller] = (left - 1 if allowed else left, now)
        if len(self._left) > CALLERS:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate


class RateLimit:
    """ASGI middleware: a client that asks too often gets 429 with Retry-After.

    A caller is its token, or without tokens the address that the connection comes from, which behind a proxy is the
    proxy's: no header that anybody may write is believed.
    """

    def __init__(self, app: ASGIApp, per_minute: int, burst: int) -> None:
        self._app = app
        self._buckets = Buckets(per_minute, burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        caller = scope.get(CALLER) or (scope.get("client") or ("unknown", 0))[0]
        if not (seconds := self._buckets.wait(caller)):
            await self._app(scope, receive, send)
            return
        REFUSED.labels("rate").inc()
        again = math.ceil(seconds)
        answer = JSONResponse(
            {"error": f"you ask too often: try again in {again} s"},
            429,
            {"Retry-After": str(again), "Connection": "close"},
        )
        await answer(scope, receive, send)
