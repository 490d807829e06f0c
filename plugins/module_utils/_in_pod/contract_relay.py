"""A relay before a database or a cache: while it is shut, the server behind it is away for whoever comes through it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import socket
import threading

BYTES = 1 << 16
CONNECT_SECONDS = 5.0


class Relay:
    """Passes connections on to an address; shut, it breaks those that are and refuses new ones."""

    def __init__(self, port: int, to: tuple[str, int], host: str = "") -> None:
        """Listen.

        :param port: 0 for any that is free
        :param to: host and port of the server behind it
        :param host: on which address; every one, of both families where the machine has both
        """
        self._host, self._to = host, to
        self._lock = threading.Lock()
        self._wires: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._port = port
        self.open()

    @property
    def port(self) -> int:
        """On which it listens."""
        return self._port

    def open(self) -> None:
        """Listen, again after `shut`."""
        if self._listener is not None:
            return
        if self._host or not socket.has_dualstack_ipv6():
            made = socket.create_server((self._host, self._port))
        else:
            made = socket.create_server(("", self._port), family=socket.AF_INET6, dualstack_ipv6=True)
        self._port, self._listener = made.getsockname()[1], made
        threading.Thread(target=self._accept, args=[made], daemon=True).start()

    def shut(self) -> None:
        """Refuse new connections, and break those that are."""
        listener, self._listener = self._listener, None
        with self._lock:
            wires, self._wires = self._wires, []
        for wire in [*([listener] if listener else []), *wires]:
            # A thread that waits in accept() or recv() keeps a socket open that is merely closed.
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()

    def _accept(self, listener: socket.socket) -> None:
        while listener is self._listener:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._to, CONNECT_SECONDS)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                if listener is not self._listener:
                    client.close()
                    server.close()
                    return
                self._wires += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=[source, target], daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(BYTES):
                target.sendall(data)
        for wire in (source, target):
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)


__all__ = ("Relay",)
