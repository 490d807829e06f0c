"""Ask the agent without a pause, each time on a new connection, and print the counts so far once a second."""

from __future__ import annotations

import itertools
import json
import os
import time
import typing as t
import urllib.request

URL = os.environ["AGENT_URL"]
counts: dict[str, t.Any] = {"requests": 0, "failed": 0, "longest_seconds": 0.0, "first_failure": ""}
printed = 0.0
for number in itertools.count():
    begin = time.monotonic()
    body = json.dumps({"message": f"question {number} under load"}).encode()
    request = urllib.request.Request(f"{URL}/v1/chat", body, {"Content-Type": "application/json"})  # noqa: S310 - a Service of this namespace
    counts["requests"] += 1
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - the same
            json.load(response)["reply"]
    except Exception as error:
        counts["failed"] += 1  # whatever it is, a caller was not answered
        counts["first_failure"] = counts["first_failure"] or f"request {number}: {error}"
    counts["longest_seconds"] = max(counts["longest_seconds"], round(time.monotonic() - begin, 2))
    if time.monotonic() - printed > 1:
        printed = time.monotonic()
        print(json.dumps(counts), flush=True)
    time.sleep(0.1)
