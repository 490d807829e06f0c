"""Who may ask: bearer tokens (RFC 6750), where any are set. Health, readiness, metrics and the page stay open."""

from __future__ import annotations

import hashlib
import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.metrics import REFUSED

OPEN = frozenset({"/", "/chat.js", "/chat.css", "/health", "/ready", "/metrics"})
"""What needs no token. Everything else does, so that a path that is added later is closed."""
CALLER = "agent.caller"
"""Key of the scope under which the caller's name is: the digest of its token."""


def digest(token: str) -> bytes:
    """What is compared and kept in place of a token: of one length, whatever was sent."""
    return hashlib.sha256(token.encode()).digest()


class BearerAuth:
    """ASGI middleware: a request with none of the tokens gets 401."""

    def __init__(self, app: ASGIApp, tokens: tuple[str, ...]) -> None:
        self._app = app
        self._known = [digest(token) for token in tokens]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("Authorization")
        scheme, _space, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() == "bearer" and self._knows(token.strip()):
            scope[CALLER] = digest(token.strip()).hex()
            await self._app(scope, receive, send)
            return
        REFUSED.labels("token").inc()
        await _refused(wrong=bool(given))(scope, receive, send)

    def _knows(self, token: str) -> bool:
        """Compare with every token, each time as long, so that the time says nothing of where they differ."""
        asked = digest(token)
        matches = [hmac.compare_digest(asked, known) for known in self._known]
        return any(matches)


def _refused(*, wrong: bool) -> JSONResponse:
    challenge = 'Bearer realm="ai-agent"' + (', error="invalid_token"' if wrong else "")
    sentence = "this token is not known" if wrong else "a token is needed"
    # The rest of a body is not read, so the connection cannot serve another request.
    return JSONResponse(
        {"error": f"{sentence}: send it as Authorization: Bearer ..."},
        401,
        {"WWW-Authenticate": challenge, "Connection": "close"},
    )
