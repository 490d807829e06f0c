"""Ask the agent from four threads without a pause, two of them on kept connections; print the counts each second."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
import typing as t
import urllib.parse

ADDRESS = urllib.parse.urlsplit(os.environ["AGENT_URL"])
counts: dict[str, t.Any] = {"requests": 0, "failed": 0, "longest_seconds": 0.0, "first_failure": ""}
lock = threading.Lock()


def ask(connection: http.client.HTTPConnection, text: str) -> None:
    """One request.

    :raises Exception: it was not answered
    """
    body = json.dumps({"message": text})
    connection.request("POST", "/v1/chat", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {content[:200]!r}")
    json.loads(content)["reply"]


def go_on(*, kept: bool) -> None:
    """Ask for ever."""
    connection = http.client.HTTPConnection(ADDRESS.hostname or "", ADDRESS.port, timeout=20)
    for number in range(1 << 31):
        begin, failure = time.monotonic(), ""
        try:
            ask(connection, f"question {number}")
        except Exception as error:
            # Whatever it is, a caller was not answered.
            failure = f"{time.strftime('%H:%M:%S')} {'kept' if kept else 'new'} connection: {error!r}"
            connection.close()
        if not kept:
            connection.close()
        with lock:
            counts["requests"] += 1
            counts["failed"] += bool(failure)
            counts["first_failure"] = counts["first_failure"] or failure
            counts["longest_seconds"] = max(counts["longest_seconds"], round(time.monotonic() - begin, 2))


for kept in (True, True, False, False):
    threading.Thread(target=go_on, kwargs={"kept": kept}, daemon=True).start()
while True:
    time.sleep(1)
    with lock:
        print(json.dumps(counts), flush=True)
