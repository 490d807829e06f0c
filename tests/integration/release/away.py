"""Ask the agent without a pause while its servers go away; print once a second what it answered. Runs in a pod.

`answered`: replies. `later`: 503 with Retry-After. `wrong`: anything else. Of each the longest in seconds, and of the
gap between two replies.
"""

from __future__ import annotations

import json
import os
import time
import typing as t
import urllib.error
import urllib.request

URL = os.environ["AGENT_URL"]
counts: dict[str, t.Any] = {"answered": 0, "later": 0, "wrong": 0, "first_wrong": ""}
longest = {"answered": 0.0, "later": 0.0, "wrong": 0.0, "gap": 0.0}
printed = replied = time.monotonic()
number = 0
while True:
    number += 1
    begin = time.monotonic()
    body = json.dumps({"message": f"question {number} under load"}).encode()
    request = urllib.request.Request(f"{URL}/v1/chat", body, {"Content-Type": "application/json"})  # noqa: S310 - a Service of this namespace
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the same
            json.load(response)["reply"]
        kind = "answered"
        longest["gap"] = max(longest["gap"], time.monotonic() - replied)
        replied = time.monotonic()
    except urllib.error.HTTPError as error:
        kind = "later" if error.code == 503 and error.headers.get("Retry-After") else "wrong"
        said = f"{error.code} {error.read()[:200]!r}"
    except Exception as error:
        kind, said = "wrong", f"{type(error).__name__}: {error}"
    if kind == "wrong":
        counts["first_wrong"] = counts["first_wrong"] or f"request {number}: {said}"
    counts[kind] += 1
    longest[kind] = max(longest[kind], time.monotonic() - begin)
    if time.monotonic() - printed > 1:
        printed = time.monotonic()
        told = {f"longest_{name}_seconds": round(seconds, 2) for name, seconds in longest.items()}
        print(json.dumps(counts | {"requests": number} | told), flush=True)
    time.sleep(0.1)
