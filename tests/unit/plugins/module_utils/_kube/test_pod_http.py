"""The program that asks a pod over HTTP, as a process of its own in front of a real server."""

from __future__ import annotations

import base64
import http.server
import json
import subprocess
import sys
import threading
import typing as t
import zlib

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import HTTP_ANSWERS, bundle, command

MOST = 1000
BODIES = {"/metrics": (200, b"requests 7\n"), "/large": (200, b"x" * (MOST + 1)), "/broken": (503, b"later")}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = BODIES[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@pytest.fixture(scope="module")
def port() -> t.Iterator[int]:
    """Of a server that listens on one address of this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def told(port: int, path: str, addresses: t.Sequence[str], lines: int = 1) -> list[dict[str, t.Any]]:
    """What the program answers to so many lines."""
    request = {"addresses": addresses, "port": port, "path": path, "most": MOST}
    given = bundle(HTTP_ANSWERS, request) + "\n" * (lines + 1)
    words = [sys.executable, *command()[1:]]
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_line_is_answered_by_the_first_address_that_listens(port: int) -> None:
    answers = told(port, "/metrics", ["127.0.0.1", "127.0.0.2"], lines=3)
    assert [zlib.decompress(base64.b64decode(answer["body"])) for answer in answers] == [BODIES["/metrics"][1]] * 3


@pytest.mark.parametrize(
    ("path", "addresses", "problem"),
    [
        ("/broken", ["127.0.0.2"], "HTTP 503"),
        ("/large", ["127.0.0.2"], "too large"),
        ("/metrics", ["127.0.0.1"], "ConnectionRefusedError"),
    ],
)
def test_what_is_no_answer_is_a_problem(port: int, path: str, addresses: list[str], problem: str) -> None:
    assert told(port, path, addresses) == [{"problem": problem}]
