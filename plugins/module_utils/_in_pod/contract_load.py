"""Requests to a server of others: one that is answered or not, and many at once while the server is told to end."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.client
import socket
import threading
import time
from typing import Any

Row = dict[str, Any]

# How long one request may take, in seconds.
ANSWER_SECONDS = 30.0
# Between two tries to connect to a server that no longer listens.
PAUSE_SECONDS = 0.05


def ask(target: Row) -> Row:
    """One request, or a mere connection where `target` names no path.

    :param target: `host`, `port`, `path`, and if you like `method`, `body`, `headers`, `seconds`
    :return: `outcome`: `answered` with `status`; `refused`: no connection; `broken`: a connection without an answer;
        `late`: no answer in time
    """
    seconds = float(target.get("seconds") or ANSWER_SECONDS)
    connection = http.client.HTTPConnection(target["host"], int(target["port"]), timeout=seconds)
    try:
        try:
            connection.connect()
        except OSError as error:
            return {"outcome": "refused", "words": type(error).__name__}
        if not target.get("path"):
            return {"outcome": "answered", "status": 0}
        headers = {"Connection": "close", **(target.get("headers") or {})}
        connection.request(target.get("method") or "GET", target["path"], target.get("body"), headers)
        answer = connection.getresponse()
        answer.read()
    except socket.timeout:  # noqa: UP041 - it is TimeoutError from Python 3.10 on, and a name that all know
        return {"outcome": "late"}
    except (OSError, http.client.HTTPException) as error:
        return {"outcome": "broken", "words": type(error).__name__}
    else:
        return {"outcome": "answered", "status": answer.status}
    finally:
        connection.close()


class Load:
    """Requests by several threads, one after the other in each, until it is told to stop or nobody listens."""

    def __init__(self, target: Row, threads: int) -> None:
        """Begin.

        :param target: as for `ask`
        """
        self._target, self._over = target, threading.Event()
        self._lock = threading.Lock()
        self._requests: list[Row] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _thread in range(threads)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while not self._over.is_set():
            began = time.time()
            found = ask(self._target)
            with self._lock:
                self._requests.append({**found, "began": began, "ended": time.time()})
            if found["outcome"] == "refused":
                self._over.wait(PAUSE_SECONDS)

    def told(self) -> Row:
        """What came of the requests until now: how many were answered by which status, and when one was not."""
        with self._lock:
            requests = list(self._requests)
        statuses: dict[str, int] = {}
        for each in requests:
            if each["outcome"] == "answered":
                statuses[str(each["status"])] = statuses.get(str(each["status"]), 0) + 1
        lost = [each for each in requests if each["outcome"] in ("broken", "late")]
        refused = [each["began"] for each in requests if each["outcome"] == "refused"]
        return {
            "requests": len(requests) - len(refused),
            "statuses": statuses,
            "lost": [{"outcome": each["outcome"], "began": each["began"], "ended": each["ended"]} for each in lost],
            "refused_from": min(refused, default=None),
            "last_answer": max((each["ended"] for each in requests if each["outcome"] == "answered"), default=None),
        }

    def stop(self) -> Row:
        """Let what runs end, and tell."""
        self._over.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS)
        return self.told()


__all__ = ("Load", "ask")
