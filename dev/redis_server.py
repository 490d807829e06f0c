"""A Redis with settings of its own, for one test; gone when it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import redis

from dev.postgresql import free_port
from lab.progress import LabError


@dataclass
class RedisServer:
    """A running server on 127.0.0.1."""

    port: int
    password: str

    def url(self, password: str | None = None) -> str:
        """A URL of this server, with another password where one is given; an empty one is left out."""
        chosen = self.password if password is None else password
        return f"redis://{f':{quote(chosen, safe="")}@' if chosen else ''}127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A connection with its password."""
        return redis.Redis(port=self.port, password=self.password, decode_responses=True)


@contextlib.contextmanager
def running(password: str, *settings: str) -> Iterator[RedisServer]:
    """A server with `settings`, words of redis-server's command line.

    Debian's redis-server where it is on PATH, else the one inside the image that TEST_REDIS_IMAGE names.

    :raises LabError: there is neither, or it did not answer within 30 s
    """
    words = ["--bind", "*", "--protected-mode", "no", "--save", "", "--appendonly", "no", *settings]
    image, program = os.environ.get("TEST_REDIS_IMAGE"), shutil.which("redis-server")
    if not image and not program:
        raise LabError("there is no redis-server on PATH, and TEST_REDIS_IMAGE names no image that has one")
    port = free_port()
    words += ["--port", str(port), "--requirepass", password]
    command = [program or "", *words]
    if not program:
        command = ["docker", "run", "--rm", "--network", "host", "--entrypoint", "redis-server", str(image), *words]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server = RedisServer(port, password)
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _wait(server: RedisServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            server.client().ping()
            return
        time.sleep(0.05)
    raise LabError("the Redis of a test did not answer within 30 s")
