"""An endpoint that speaks OpenAI's list of models and chat completions, and knows the keys of a file. Runs in a pod."""

from __future__ import annotations

import json
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8080
KEYS = Path("/keys/keys")


class Handler(BaseHTTPRequestHandler):
    """Each answer ends its connection."""

    def do_GET(self) -> None:
        """The list of the models."""
        self._answer({"object": "list", "data": [{"id": "small", "object": "model"}]})

    def do_POST(self) -> None:
        """One word."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer({"choices": [{"delta": {"content": "word"}, "finish_reason": "stop"}]}, stream=True)

    def _answer(self, value: dict[str, t.Any], *, stream: bool = False) -> None:
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        known = key in KEYS.read_text(encoding="utf-8").split()
        body = json.dumps(value) if known else "{}"
        if stream and known:
            body = f"data: {body}\n\ndata: [DONE]\n\n"
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_words: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
