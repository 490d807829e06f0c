"""The chat page: three files of this image, and headers that let a browser run nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response

FOLDER = Path(__file__).parent / "chat_page"
TYPES = {"chat.css": "text/css; charset=utf-8", "chat.js": "text/javascript; charset=utf-8"}
HEADERS = {
    # The page's own script and style, answers of this server, and no icon at all.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # What belongs together comes together: a new version has a new script.
    "Cache-Control": "no-cache",
}


@cache
def _file(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def wants_page(accept: str) -> bool:
    """Whether an Accept header is a browser's that shows a page; what asks for JSON or for anything gets JSON."""
    return any(part.split(";")[0].strip().lower() == "text/html" for part in accept.split(","))


def page() -> Response:
    """The page."""
    return Response(_file("index.html"), media_type="text/html; charset=utf-8", headers=HEADERS | {"Vary": "Accept"})


def add_files(app: FastAPI) -> None:
    """The page's script and style."""

    @app.get("/chat.js", include_in_schema=False)
    async def script() -> Response:
        return Response(_file("chat.js"), media_type=TYPES["chat.js"], headers=HEADERS)

    @app.get("/chat.css", include_in_schema=False)
    async def style() -> Response:
        return Response(_file("chat.css"), media_type=TYPES["chat.css"], headers=HEADERS)
