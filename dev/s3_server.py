"""An S3-compatible store for tests: versitygw, compiled from its Go module, over a folder of this machine.

It checks signatures, regions and clocks as AWS does, and is one process without anything beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dev.postgresql import free_port
from lab import golang
from lab.progress import LabError

VERSION = "1.8.0"
SECONDS = 60
ACCESS_KEY = "backup-writer"
SECRET_KEY = "s3cr3t-0f-the-t3st-st0re"  # noqa: S105 - of a server for the time of a test
REGION = "eu-test-1"


@dataclasses.dataclass(frozen=True)
class Store:
    """A store that runs.

    :param endpoint: its URL
    :param folder: a folder in it is a bucket, a file in that an object
    """

    endpoint: str
    folder: Path
    process: subprocess.Popen[bytes]


def program() -> Path:
    """The server.

    :raises LabError: it cannot be compiled
    """
    return golang.install("versitygw", VERSION, "github.com/versity/versitygw/cmd/versitygw", "versitygw", later=True)


@contextlib.contextmanager
def running(folder: Path, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Store]:
    """A store with the buckets that *folder* has.

    :param certificate: with this certificate and key it speaks TLS
    :raises LabError: it does not answer within a minute
    """
    port = free_port()
    scheme = "https" if certificate else "http"
    words: list[str | Path] = [program(), "--port", f"127.0.0.1:{port}", "--region", REGION, "--quiet"]
    words += ["--cert", certificate[0], "--key", certificate[1]] if certificate else []
    own = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY, "PATH": os.defpath}
    with (
        # Not every file system of a folder keeps what it would write beside the files.
        tempfile.TemporaryDirectory(prefix="s3-beside-") as beside,
        tempfile.TemporaryFile() as log,
    ):
        words += ["posix", "--sidecar", beside, folder]
        process = subprocess.Popen(words, env=own, stdout=log, stderr=log)
        try:
            _wait(port, process)
            yield Store(f"{scheme}://127.0.0.1:{port}", folder, process)
        finally:
            process.kill()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise LabError(f"the S3 server at port {port} did not answer within {SECONDS} s") from None
            time.sleep(0.1)
