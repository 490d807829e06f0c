"""`python -m agent`: one process, one event loop, WORKER_THREADS threads."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import threading
from types import FrameType

import uvicorn

from agent.app import create_app
from agent.lifecycle import Lifecycle
from agent.logs import set_up
from agent.settings import Settings, SettingsError

log = logging.getLogger("agent")


BACKLOG = 2048
"""Connections that wait to be taken, as many as uvicorn's own."""
LAST_SECONDS = 5.0
"""What may pass between the end of the drain and the end of the process."""


class Server(uvicorn.Server):
    """uvicorn, that on SIGTERM first drains and only then closes its socket."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, drain_seconds: float) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal starts the drain, the second one ends it."""
        if self._lifecycle.draining or self._loop is None:
            _end_after(LAST_SECONDS)
            super().handle_exit(sig, frame)
            return
        _end_after(self._drain_seconds + LAST_SECONDS)
        self._lifecycle.begin_drain()
        self._loop.call_soon_threadsafe(self._start_drain, sig, frame)

    def _start_drain(self, sig: int, frame: FrameType | None) -> None:
        log.info("told to stop: readiness is off, %d requests are running", self._lifecycle.in_flight)
        self._drain = asyncio.ensure_future(self._finish(sig, frame))

    async def _finish(self, _sig: int, _frame: FrameType | None) -> None:
        await self._lifecycle.drained(self._drain_seconds)
        self.should_exit = True


def _end_after(seconds: float) -> None:
    """Leave then, whatever hangs: a thread that waits for a frozen database would hold the process until SIGKILL."""

    def end() -> None:
        log.error("something still hangs %.0f s after the signal: leaving without it", seconds)
        logging.shutdown()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def listen(port: int) -> socket.socket:
    """A socket for every address of this pod, of both families where there is IPv6: a cluster may have one or both.

    :raises OSError: the port is taken, or not allowed
    """
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        except OSError as error:
            # A kernel that knows IPv6 may have no address of it.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("", port), backlog=BACKLOG)


def main() -> int:
    """Exit code 0 after a drain, 2 with one sentence for wrong settings."""
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    set_up(settings.log_level)
    lifecycle = Lifecycle()
    config = uvicorn.Config(
        create_app(settings, lifecycle),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )
    try:
        listening = listen(settings.port)
    except OSError as error:
        print(f"error: port {settings.port} cannot be listened on: {error.strerror}", file=sys.stderr)
        return 2
    log.info("listening on port %d, %s", settings.port, listening.family.name)
    Server(config, lifecycle, settings.drain_seconds).run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
