"""An OCI registry for tests, Debian's `docker-registry` without Docker; and `cosign`, which signs what is in it.

Both are single programs: where they are not installed, their packages are fetched with apt and only unpacked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml

from dev.postgresql import free_port
from lab import apt, debian
from lab.cache import cached
from lab.progress import LabError
from lab.registry import DIRECT

SECONDS = 60


def program(name: str, package: str, newer: str = "") -> Path:
    """A program, from PATH or out of the package of Debian that this machine's apt knows.

    :param newer: the suite that has the package where bookworm has none
    :raises LabError: there is neither
    """
    if found := shutil.which(name):
        return Path(found)

    def unpack(folder: Path) -> None:
        release = debian.host()
        if newer and release and release.codename == "bookworm" and os.geteuid() == 0:
            debian.add_suite(newer)
        apt.unpack(package, folder)

    return cached(f"debian-{name}", "1", unpack) / "usr" / "bin" / name


def cosign() -> Path:
    """The program that signs. Debian has it from trixie on.

    :raises LabError: it cannot be had
    """
    return program("cosign", "cosign", newer="trixie")


@contextlib.contextmanager
def running() -> Iterator[tuple[str, Path]]:
    """A registry on 127.0.0.1, without TLS and login: its address, `127.0.0.1:<port>`, and the folder that it keeps.

    :raises LabError: it cannot be had, or does not answer within a minute
    """
    binary = program("docker-registry", "docker-registry")
    with tempfile.TemporaryDirectory(prefix="registry-") as name:
        folder, address = Path(name), f"127.0.0.1:{free_port()}"
        (folder / "kept").mkdir()
        storage: dict[str, t.Any] = {"filesystem": {"rootdirectory": str(folder / "kept")}}
        # In-memory descriptors would hide what a test changes on disk.
        settings = {"version": 0.1, "log": {"level": "error"}, "storage": storage, "http": {"addr": address}}
        (folder / "config.yml").write_text(yaml.safe_dump(settings))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([binary, "serve", folder / "config.yml"], stdout=log, stderr=log)
        try:
            _wait(address, folder / "log")
            yield address, folder / "kept"
        finally:
            process.terminate()
            process.wait(30)


def _wait(address: str, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with DIRECT.open(f"http://{address}/v2/", timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise LabError(f"the registry did not answer within {SECONDS} s: {log.read_text()[-300:]}") from None
            time.sleep(0.2)
