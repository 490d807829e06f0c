"""An endpoint of a model: what it answers is the first folder of the path, such as /429/v1/models."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import threading
import time
import typing as t

LISTED = ["small", "large"]


class _Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: t.ClassVar[list[dict[str, str]]] = []

    def log_message(self, *_: t.Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as the path says."""
        type(self).seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        kind = self.path.split("/")[1] if not self.path.startswith("http://") else "well"
        with contextlib.suppress(OSError):
            getattr(self, f"_{kind}", self._status)()

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _well(self) -> None:
        models = [{"id": name, "object": "model"} for name in LISTED]
        self._say(200, json.dumps({"object": "list", "data": models}).encode())

    def _login(self) -> None:
        self._say(200, b"<html>Sign in</html>", Content_Type="text/html")

    def _huge(self) -> None:
        self._say(200, b'{"data": ["' + b"x" * (10 << 20) + b'"]}')

    def _endless(self) -> None:
        """A byte now and then, so that the connection is never silent."""
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.2)

    def _moved(self) -> None:
        self._say(308, b"", Location="https://other.example.com/v1/models?token=hidden")

    def _status(self) -> None:
        """The number, with words that quote the key, as providers do."""
        status = int(self.path.split("/")[1])
        words = f"Incorrect API key provided: {self.headers.get('Authorization', 'none')}"
        body = {"error": {"message": words, "code": "of_the_endpoint"}}
        more = {"Retry_After": "20"} if status == 429 else {}
        self._say(status, json.dumps(body).encode(), **more)


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: t.Any) -> None:
        """Say nothing: callers that do not trust the certificate break off."""


@contextlib.contextmanager
def model_server(tls: ssl.SSLContext | None = None) -> t.Iterator[tuple[int, list[dict[str, str]]]]:
    """The port of an endpoint, and the requests it got: `path`, and headers by their names in lower case."""
    seen: list[dict[str, str]] = []
    handler = type("Endpoint", (_Endpoint,), {"seen": seen})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if tls:
            # Each connection shakes hands in its own thread, at its first byte.
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, seen
        server.shutdown()


@contextlib.contextmanager
def answering(body: bytes, *, login: str, **headers: str) -> t.Iterator[int]:
    """The port of an endpoint with this body for whoever sends this `Authorization`; 401 for anybody else."""

    class Endpoint(_Endpoint):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                if self.headers.get("Authorization") == login:
                    self._say(200, body, **headers)
                else:
                    self._say(401, b"{}")

    with _Server(("127.0.0.1", 0), Endpoint) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextlib.contextmanager
def proxy_server(answer: bytes = b"200 Established") -> t.Iterator[tuple[int, list[str]]]:
    """The port of a proxy that makes tunnels, or answers otherwise; and the first lines of what it was asked."""
    asked: list[str] = []

    def serve(near: socket.socket) -> None:
        head = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in head:
                head += near.recv(4096)
            asked.append(head.decode())
            near.sendall(b"HTTP/1.1 " + answer + b"\r\nServer: test\r\n\r\n")
            if not answer.startswith(b"200"):
                near.close()
                return
            host, _colon, port = head.split(b" ")[1].decode().rpartition(":")
            far = socket.create_connection((host, int(port)))
            threading.Thread(target=_hand_on, args=(far, near), daemon=True).start()
            _hand_on(near, far)

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], asked


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
