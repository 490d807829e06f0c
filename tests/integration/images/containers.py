"""Containers and volumes of one test, gone when it ends; every wait has its limit."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from dev.servers import in_memory

LIMIT = 90.0
"""Seconds that anything may take on a busy machine."""


def docker(
    *words: str | Path, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run docker.

    :raises AssertionError: it failed, and `check` is on; the message is docker's
    """
    done = subprocess.run(
        ["docker", *map(str, words)],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0 or not check, f"docker {words[0]}: {done.stderr.strip()}"
    return done


def eventually(what: str, probe: Callable[[], t.Any], seconds: float = LIMIT) -> t.Any:
    """Return the first true answer of `probe`; fail when there was none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)
    return answer


class Container:
    """A container of the image under test."""

    def __init__(self, name: str) -> None:
        """Speak for the container of that name."""
        self.name = name

    def port(self, inner: int) -> int:
        """Return the port of this machine that leads to `inner`."""
        return int(docker("port", self.name, f"{inner}/tcp").stdout.split()[0].rpartition(":")[2])

    def logs(self) -> str:
        """Return what the container said on both streams."""
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def run(self, *words: str, user: str = "1001") -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        return docker("exec", "--user", user, self.name, *words, check=False)

    def state(self, field: str) -> str:
        """Return a field of the container's state."""
        return docker("inspect", "--format", f"{{{{.State.{field}}}}}", self.name).stdout.strip()

    def ended(self) -> int:
        """Wait until the container has ended; return its exit code."""
        eventually(f"{self.name} ends", lambda: self.state("Running") == "false")
        return int(self.state("ExitCode"))

    def command_lines(self) -> str:
        """Return the command lines of all its processes, as anybody on the node can read them."""
        # Not `docker top`: it runs this machine's ps, which a bare Debian does not have.
        script = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $file; echo; done"
        return docker("exec", "--user", "0", self.name, "sh", "-c", script).stdout


class Machine:
    """Makes containers and volumes, and removes them."""

    def __init__(self, image: str, port: int, data: str, writable: Sequence[str]) -> None:
        """Use `image`, which listens on `port` and keeps what lasts in the folder `data`.

        `writable` are the folders that the chart mounts an empty volume at.
        """
        self.image, self.port, self.data = image, port, data
        self.writable = writable
        self._containers: list[str] = []
        self._volumes: list[str] = []

    def volume(self) -> str:
        """Return the name of a new volume."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        docker("volume", "create", name)
        self._volumes.append(name)
        return name

    def start(
        self,
        settings: Mapping[str, str],
        *,
        volumes: Mapping[str, str] | None = None,
        files: Mapping[str, bytes | str] | None = None,
        options: Sequence[str] = (),
        read_only: bool = False,
        scratch: Path | None = None,
    ) -> Container:
        """Start a container.

        :param settings: its environment; docker takes the values from its own, so no command line shows them
        :param volumes: name of a volume to the folder where it goes; where a test puts nothing in the place of the data
            these are in memory, for it would wait for the disk and is not about what lasts
        :param files: path inside to content, written to `scratch`, copied in before the start
        :param read_only: the root file system cannot be written, as under the chart
        """
        name = f"test-{uuid.uuid4().hex[:12]}"
        words = ["create", "--name", name, "--publish", f"127.0.0.1::{self.port}", *options]
        words += [word for key in settings for word in ("--env", key)]
        words += [word for volume, folder in (volumes or {}).items() for word in ("--volume", f"{volume}:{folder}")]
        if not any(path.startswith(self.data) for path in [*(volumes or {}).values(), *(files or {})]):
            words += [in_memory(self.data)]
        if read_only:
            words += ["--read-only", *(f"--tmpfs={folder}:uid=1001,mode=0770" for folder in self.writable)]
        docker(*words, self.image, env=settings)
        self._containers.append(name)
        for number, (path, content) in enumerate((files or {}).items()):
            assert scratch is not None, "files need a scratch folder"
            source = scratch / f"{name}-{number}"
            source.write_bytes(content.encode() if isinstance(content, str) else content)
            source.chmod(0o644)
            docker("cp", source, f"{name}:{path}")
        docker("start", name)
        return Container(name)

    def close(self) -> None:
        """Remove what was made."""
        for name in self._containers:
            docker("rm", "--force", "--volumes", name, check=False)
        for name in self._volumes:
            docker("volume", "rm", "--force", name, check=False)


def image(variable: str, folder: str) -> str:
    """Return the name of the image under test; fail where nobody named one."""
    name = os.environ.get(variable)
    if not name:
        pytest.fail(f"{variable} is not set: run `make test-integration`, or name an image built from images/{folder}.")
    return name
