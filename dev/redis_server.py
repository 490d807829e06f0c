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
from pathlib import Path
from urllib.parse import quote

import redis

from dev.postgresql import free_port
from lab import apt
from lab.cache import cached
from lab.progress import LabError

# Debian's and Ubuntu's packages with the server, and the libraries of its own that a machine without it may lack.
PACKAGES = ("redis-server", "redis-tools", "liblzf1", "libjemalloc2", "libatomic1")


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
def running(password: str, *settings: str, reads: bool = False) -> Iterator[RedisServer]:
    """A server with `settings`, words of redis-server's command line.

    Debian's redis-server where it is on PATH, else the one inside the image that TEST_REDIS_IMAGE names, else that of
    the distribution's packages, which are only unpacked.

    :param reads: the settings name files, which no container would find
    :raises LabError: there is none, or it did not answer within 30 s
    """
    words = ["--bind", "*", "--protected-mode", "no", "--save", "", "--appendonly", "no", *settings]
    port = free_port()
    words += ["--port", str(port), "--requirepass", password]
    program, env = _program(reads=reads)
    command = [*program, *words]
    with tempfile.TemporaryDirectory() as work:
        process = subprocess.Popen(command, cwd=work, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server = RedisServer(port, password)
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def running_sentinel(file: Path) -> Iterator[int]:
    """The port of a Sentinel that watches nothing, with its configuration in `file`, which it writes.

    :raises LabError: it did not answer within 30 s
    """
    port = free_port()
    command, env = _program(reads=True)
    words = [*command, str(file), "--sentinel", "--bind", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(RedisServer(port, ""), process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _program(*, reads: bool) -> tuple[list[str], dict[str, str]]:
    """The command that starts redis-server, and its environment."""
    image = os.environ.get("TEST_REDIS_IMAGE")
    if image and not reads and not shutil.which("redis-server"):
        words = ["docker", "run", "--rm", "--network", "host", "--entrypoint", "redis-server", image]
        return words, dict(os.environ)
    env = environment()
    return [shutil.which("redis-server", path=env["PATH"]) or "redis-server"], env


def environment() -> dict[str, str]:
    """This process' variables, with redis-server and redis-cli on PATH.

    Those of this machine where it has both, else those of the distribution's packages, which are only unpacked.
    """
    env = dict(os.environ)
    if not (shutil.which("redis-server") and shutil.which("redis-cli")):
        folder = _unpacked() / "usr"
        env["PATH"] = os.pathsep.join([str(folder / "bin"), env.get("PATH", os.defpath)])
        env["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, (folder / "lib").glob("*-linux-gnu*")))
    return env


def _unpacked() -> Path:
    """A folder with the files of the packages, kept in the cache."""

    first, *more = PACKAGES
    return cached("debian-redis-server", "1", lambda folder: apt.unpack(first, folder, *more))


def _wait(server: RedisServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            server.client().ping()
            return
        time.sleep(0.05)
    raise LabError("the Redis of a test did not answer within 30 s")
