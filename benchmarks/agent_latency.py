"""How long the agent takes to answer, from the cache and from the built-in model, by percentiles.

    python benchmarks/agent_latency.py http://127.0.0.1:8000 [--requests 500] [--clients 8]

Leave BUILTIN_TOKEN_DELAY_MS at its default, 0: measured is the agent with its database and cache, not a model.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx


def measure(client: httpx.Client, requests: int, clients: int, one: Callable[[httpx.Client], None]) -> str:
    """Run `one` as often as wanted; returns a line of figures.

    :raises httpx.HTTPError: an answer was no success
    """

    def timed(_number: int) -> float:
        begin = time.perf_counter()
        one(client)
        return (time.perf_counter() - begin) * 1000

    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        times = list(threads.map(timed, range(requests)))
    rate = requests / (time.perf_counter() - begin)
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {cuts[49]:7.1f} ms   p95 {cuts[94]:7.1f} ms   p99 {cuts[98]:7.1f} ms   {rate:6.0f} answers/s"


def chat(message: Callable[[], str], path: str = "/v1/chat") -> Callable[[httpx.Client], None]:
    """A request that asks what `message` returns and reads the whole answer."""

    def one(client: httpx.Client) -> None:
        client.post(path, json={"message": message()}).raise_for_status()

    return one


def get(path: str) -> Callable[[httpx.Client], None]:
    """A request for `path`."""

    def one(client: httpx.Client) -> None:
        client.get(path).raise_for_status()

    return one


def main() -> int:
    """Print one line a kind of request; exit code 1 with one sentence where the agent does not answer."""
    parser = argparse.ArgumentParser(description="Latency of a running agent")
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    same = f"Hello {uuid.uuid4()}"
    kinds = {
        "health": get("/health"),
        "ready": get("/ready"),
        "chat, from the cache": chat(lambda: same),
        "chat, new": chat(lambda: f"Hello {uuid.uuid4()}"),
        "stream, new": chat(lambda: f"Hello {uuid.uuid4()}", "/v1/chat/stream"),
    }
    with httpx.Client(base_url=options.url, timeout=30) as client:
        for name, one in kinds.items():
            try:
                one(client)
                print(f"{name:22}{measure(client, options.requests, options.clients, one)}", flush=True)
            except httpx.HTTPError as error:
                print(f"error: {name}: {error or type(error).__name__}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
