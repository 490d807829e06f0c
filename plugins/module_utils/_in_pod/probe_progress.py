"""How many bytes pass on a connection, as the kernel counts them: a slow way and a broken one. Part of probe.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time

PAUSE_SECONDS = 0.1
# Where `tcpi_bytes_acked` stands in struct tcp_info (linux/tcp.h), with
# `tcpi_bytes_received` behind it; Linux 4.1 and later.
_COUNTS = struct.Struct("=QQ")
_COUNTS_AT = 120


class Progress:
    """Counts what the peer acknowledged and what came from it, from now on until it is closed."""

    def __init__(self, descriptor: int) -> None:
        self._channel = socket.socket(fileno=os.dup(descriptor))
        self._samples = [(time.monotonic(), passed(self._channel))]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(PAUSE_SECONDS):
            self._samples.append((time.monotonic(), passed(self._channel)))

    def facts(self) -> dict[str, int]:
        """Bytes that passed in both directions, and how many of them in the second half; nothing where no kernel says.

        What is lost is sent again and again, and never acknowledged; what is slow goes on until the end.
        """
        known = [(at, count) for at, count in self._samples if count is not None]
        if not known:
            return {}
        (begin, first), (end, last) = known[0], known[-1]
        half = next(count for at, count in known if at >= (begin + end) / 2)
        return {"passed": last - first, "passed_late": last - half}

    def close(self) -> None:
        """Let go."""
        self._done.set()
        self._thread.join()
        self._channel.close()


def passed(channel: socket.socket) -> int | None:
    """Bytes acknowledged by the peer and received from it, together; None where the kernel does not count them."""
    with contextlib.suppress(OSError, struct.error, AttributeError):
        told = channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _COUNTS_AT + _COUNTS.size)
        acked, received = _COUNTS.unpack_from(told, _COUNTS_AT)
        return int(acked + received)
    return None


__all__ = ("Progress", "passed")
