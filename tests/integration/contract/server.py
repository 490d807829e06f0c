"""A server that keeps the contract of an agent image, or breaks the part of it that BREAKS names.

Run with `migrate` it migrates. It needs psycopg and nothing else, so that many of it start quickly.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

BREAKS = os.environ.get("BREAKS", "")
REVISION = "0001"


def migrate() -> None:
    """One table, and Alembic's version table as it leaves it."""
    # As schema.py does: two at once are let in one after the other.
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
        live = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
        if live and BREAKS != "again":
            if BREAKS == "ahead-migration" and live != [REVISION]:
                sys.exit("Can't locate revision identified by 'a_later_version'")
            return
        connection.execute("CREATE TABLE items (id int)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", (REVISION,))


def asked() -> bool:
    """Whether the database answers."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2) as one:
        one.execute("SELECT version_num FROM alembic_version")
        return True
    return False


def cached() -> bool:
    """Whether the cache listens."""
    host, port = os.environ["CACHE"].split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1) as wire:
        wire.settimeout(1)
        wire.sendall(b"PING\r\n")
        return bool(wire.recv(1))
    return False


class Handler(BaseHTTPRequestHandler):
    """The two paths that the chart asks, and one that takes a while."""

    def do_GET(self) -> None:
        """Answer."""
        status = 404
        if self.path == "/health":
            status = 503 if BREAKS == "alive" and not asked() else 200
        elif self.path == ("/healthz" if BREAKS == "ready-elsewhere" else "/ready"):
            status = 200
            if BREAKS != "ready-always":
                status = 200 if asked() else 503
            if BREAKS == "cache" and not cached():
                status = 503
        elif self.path == "/slow":
            time.sleep(0.4)
            status = 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


class Server(ThreadingHTTPServer):
    """It ends when all that it works at is answered."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128


def watch() -> None:
    """End with the database, as a program that never catches."""
    while asked():
        time.sleep(0.3)
    os._exit(3)


def serve() -> None:
    """Serve until SIGTERM."""
    if BREAKS == "start":
        sys.exit("the variable MODEL is not set")
    if BREAKS == "ahead-start":
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            if connection.execute("SELECT version_num FROM alembic_version").fetchone() != (REVISION,):
                sys.exit("Detected out-of-date database schema")
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
    if BREAKS == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif BREAKS == "drops":
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    else:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    if BREAKS == "dies":
        threading.Thread(target=watch, daemon=True).start()
    server.serve_forever(0.05)
    server.server_close()


if __name__ == "__main__":
    migrate() if sys.argv[1:] == ["migrate"] else serve()
