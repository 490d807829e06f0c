"""What the reference agent itself costs: latency and requests a second of one process with the built-in model.

    TEST_DATABASE_URL=postgresql://... TEST_REDIS_URL=redis://... python benchmarks/agent_latency.py

It makes a database of its own, migrates it, starts the agent as its container does, measures, and removes the database.
Client and server share the machine, so the rates are a floor; "CPU ms" is what a request costs the agent's process, and
hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

IMAGE = Path(__file__).resolve().parents[1] / "images" / "agent"
JSON = {"Content-Type": "application/json"}

Request = Callable[[http.client.HTTPConnection], None]


class BenchmarkError(Exception):
    """Why nothing was measured; one sentence."""


@contextmanager
def database(server: str) -> Iterator[str]:
    """The URL of an empty database, removed afterwards."""
    name = f"agent_latency_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def agent(database_url: str, redis_url: str, threads: int) -> Iterator[int]:
    """The port of a migrated, ready agent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    env = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(port),
        "WORKER_THREADS": str(threads),
        "BUILTIN_TOKEN_DELAY_MS": "0",
        "LOG_LEVEL": "warning",
        "LLM_BASE_URL": "",
    }
    subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=IMAGE, env=env, check=True)
    process = subprocess.Popen([sys.executable, "-m", "agent"], cwd=IMAGE, env=env)
    try:
        _until_ready(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def _until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/ready")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise BenchmarkError("the agent was not ready within 30 s: its own lines above say why")


def get(path: str) -> Request:
    """A GET that must answer 200."""

    def request(connection: http.client.HTTPConnection) -> None:
        connection.request("GET", path)
        _body(connection)

    return request


def chat(message: Callable[[], str], cached: bool) -> Request:
    """A chat in a new session whose reply must (not) come from the cache."""

    def request(connection: http.client.HTTPConnection) -> None:
        connection.request("POST", "/v1/chat", json.dumps({"message": message()}), JSON)
        answer = json.loads(_body(connection))
        if answer["cached"] is not cached:
            raise BenchmarkError(f"a reply had cached={answer['cached']}, {cached} was to be measured")

    return request


def _body(connection: http.client.HTTPConnection) -> bytes:
    response = connection.getresponse()
    body = response.read()
    if response.status != http.HTTPStatus.OK:
        raise BenchmarkError(f"the agent answered {response.status}: {body[:200]!r}")
    return body


def measure(port: int, request: Request, clients: int, count: int) -> tuple[list[float], float]:
    """Seconds of each of *count* requests, and of all, sent by *clients* at once, each on one kept-alive connection."""

    def client(share: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        request(connection)  # connect and warm up
        taken = []
        for _ in range(share):
            begin = time.perf_counter()
            request(connection)
            taken.append(time.perf_counter() - begin)
        connection.close()
        return taken

    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        taken = [seconds for part in pool.map(client, [count // clients] * clients) for seconds in part]
    return taken, time.perf_counter() - begin


def cpu_seconds(port: int) -> float:
    """Processor time that the agent has used so far, by its own metric."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = _body(connection).decode()
    connection.close()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("process_cpu_seconds_total"))


def first_token(port: int) -> float:
    """Seconds until the first event of a stream."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    begin = time.perf_counter()
    connection.request("POST", "/v1/chat/stream", json.dumps({"message": uuid.uuid4().hex}), JSON)
    response = connection.getresponse()
    response.readline()
    taken = time.perf_counter() - begin
    response.read()
    connection.close()
    return taken


def show(title: str, port: int, request: Request, clients: int, count: int) -> None:
    """Measure, and print one line of figures."""
    before = cpu_seconds(port)
    taken, whole = measure(port, request, clients, count)
    # Each client's first request warmed up and is in the processor time.
    cpu = (cpu_seconds(port) - before) / (len(taken) + clients)
    cuts = statistics.quantiles(taken, n=100)
    figures = (len(taken) / whole, cuts[49] * 1e3, cuts[94] * 1e3, cuts[98] * 1e3, cpu * 1e3)
    print(f"  {title:44}{figures[0]:9.0f}" + "".join(f"{figure:9.2f}" for figure in figures[1:]), flush=True)


def main() -> int:
    """Print the figures; exit code 1 with one sentence where nothing could be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000, help="requests a line (default %(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="clients at once (default %(default)s)")
    parser.add_argument("--threads", type=int, default=4, help="WORKER_THREADS of the agent (default %(default)s)")
    words = parser.parse_args()
    try:
        server, redis_url = os.environ["TEST_DATABASE_URL"], os.environ["TEST_REDIS_URL"]
    except KeyError as missing:
        print(f"error: {missing.args[0]} is not set: name a PostgreSQL (may create databases) and a Redis")
        return 1
    try:
        with database(server) as url, agent(url, redis_url, words.threads) as port:
            load = os.getloadavg()[0]
            print(f"{os.cpu_count()} CPUs shared with the client, load {load:.1f}, {words.threads} worker threads")
            print(f"{'':46}{'req/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'CPU ms':>9}")
            same = uuid.uuid4().hex
            lines = [
                ("GET /health", get("/health"), words.requests),
                ("GET /ready", get("/ready"), words.requests // 10),
                ("POST /v1/chat, reply from the cache", chat(lambda: same, cached=True), words.requests),
                ("POST /v1/chat, reply from the built-in model", chat(lambda: uuid.uuid4().hex, False), words.requests),
            ]
            prime = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            chat(lambda: same, cached=False)(prime)
            prime.close()
            for clients in sorted({1, words.clients}):
                print(f"{clients} client{'s' if clients > 1 else ''}")
                for title, request, count in lines:
                    show(title, port, request, clients, count)
            cuts = statistics.quantiles([first_token(port) for _ in range(200)], n=100)
            print(f"a stream's first token: p50 {cuts[49] * 1e3:.2f} ms, p95 {cuts[94] * 1e3:.2f} ms")
    except BenchmarkError as error:
        print(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
