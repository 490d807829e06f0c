"""Ask the agent without a pause while its servers go away; print once a second what it answered. Runs in a pod.

`answered`: replies. `later`: 503 with Retry-After. `wrong`: anything else. Of each the longest in seconds, and of the
gap between two replies. Every answered turn is read back later: one that is not stored as it was answered is wrong.
"""

from __future__ import annotations

import collections
import json
import os
import random
import threading
import time
import typing as t
import urllib.error
import urllib.request

URL = os.environ["AGENT_URL"]
ASKERS = int(os.environ.get("ASKERS", "1"))
counts: dict[str, t.Any] = {"answered": 0, "later": 0, "wrong": 0, "read_back": 0, "first_wrong": ""}
longest = {"answered": 0.0, "later": 0.0, "wrong": 0.0, "gap": 0.0}
replied = time.monotonic()
number = 0
lock = threading.Lock()
turns: collections.deque[tuple[str, str, str]] = collections.deque(maxlen=500)


def http(path: str, body: dict[str, str] | None = None) -> t.Any:
    """The answer of the agent."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}{path}", content, {"Content-Type": "application/json"})  # noqa: S310 - a Service of this namespace
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the same
        return json.load(response)


def ask(question: str) -> str:
    """A turn, kept to be read back; what is wrong with its answer, empty where it is a reply."""
    answer = http("/v1/chat", {"message": question})
    turns.append((answer["session_id"], question, answer["reply"]))
    return "" if answer["reply"] else "the reply is empty"


def read_back() -> str:
    """What is wrong with a turn of some time ago, empty where it is stored as it was answered."""
    session, question, reply = random.choice(turns)  # noqa: S311 - which one is no secret
    told = [(message["role"], message["content"]) for message in http(f"/v1/sessions/{session}/messages")]
    with lock:
        counts["read_back"] += 1
    return "" if told == [("user", question), ("assistant", reply)] else f"{question!r} is stored as {told}"


def once() -> None:
    """One request, counted by what came of it."""
    global number, replied  # noqa: PLW0603 - a script
    with lock:
        number += 1
        question = f"question {number} under load"
        back = bool(turns) and number % 4 == 0
    begin = time.monotonic()
    try:
        said = read_back() if back else ask(question)
        kind = "wrong" if said else "answered"
    except urllib.error.HTTPError as error:
        kind = "later" if error.code == 503 and error.headers.get("Retry-After") else "wrong"
        said = f"{error.code} {error.read()[:200]!r}"
    except Exception as error:
        kind, said = "wrong", f"{type(error).__name__}: {error}"
    now = time.monotonic()
    with lock:
        if kind == "answered":
            longest["gap"] = max(longest["gap"], now - replied)
            replied = now
        if kind == "wrong":
            counts["first_wrong"] = counts["first_wrong"] or f"{question}, after {now - begin:.1f} s: {said}"
        counts[kind] += 1
        longest[kind] = max(longest[kind], now - begin)


def asking() -> None:
    """Until the pod ends."""
    while True:
        once()
        time.sleep(0.1)


for _asker in range(ASKERS):
    threading.Thread(target=asking).start()
while True:
    time.sleep(1)
    with lock:
        told = {f"longest_{name}_seconds": round(seconds, 2) for name, seconds in longest.items()}
        print(json.dumps(counts | {"requests": number} | told), flush=True)
