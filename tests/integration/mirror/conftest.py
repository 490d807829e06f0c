"""A mirror that the nodes and Docker's engine can reach, with an empty registry behind it."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import mirror, pull, registry, shell
from tests.mirror_server import Authority, MirrorServer, serving


def docker(*words: object) -> str:
    """Output of a docker command that has to succeed."""
    done = shell.capture(["docker", *words], timeout=600)
    assert done.returncode == 0, f"docker {words[0]}: {done.stderr.strip()}"
    return done.stdout.strip()


@dataclass
class Mirror:
    """The mirror of a closed network, and the way its administrator fills it."""

    server: MirrorServer
    authority: Authority
    registry: str
    """``127.0.0.1:<port>`` of the registry itself, to push to."""

    digests: dict[str, str] = field(default_factory=dict)
    """By full name and tag, of what was pushed."""

    def push(self, local: str, name: str) -> str:
        """Make the image *local* of this machine available as *name*; returns its digest."""
        full = mirror.full_name(name).partition("@")[0]
        there = f"{self.registry}/{full}"
        docker("tag", local, there)
        try:
            said = docker("push", there)
        finally:
            docker("image", "rm", there)
        found = re.search("digest: (sha256:[0-9a-f]{64})", said)
        assert found, said
        self.digests[full] = found[1]
        return found[1]

    def variables(self) -> dict[str, str]:
        """What somebody who uses the mirror exports."""
        return {"LAB_MIRROR": f"{self.server.url}/lab", "LAB_MIRROR_CA": str(self.authority.file)}


@pytest.fixture(scope="session")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """An empty mirror."""
    registry.build()
    # Docker trusts a registry at a loopback address without a certificate, and the nodes would not find it there.
    address = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    name = f"mirror-{uuid.uuid4().hex[:8]}"
    docker("run", "--detach", "--rm", "--name", name, "--publish", "127.0.0.1::5000", registry.image())
    try:
        behind = docker("port", name, "5000/tcp").split()[0]
        _wait(f"http://{behind}/v2/")
        authority = Authority(tmp_path_factory.mktemp("authority"))
        with serving(authority, {}, address, behind) as server:
            yield Mirror(server, authority, behind)
    finally:
        shell.capture(["docker", "rm", "--force", "--volumes", name])


@pytest.fixture
def closed_network(mirrored: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    """The lab of this process uses the mirror; what it pulled from there is removed."""
    for name in ("LAB_MIRROR_IMAGES", "LAB_RELEASES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in mirrored.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pull, "TRUSTED", tmp_path / "trusted")
    mirrored.server.asked.clear()
    yield mirrored
    mirrored.server.faults.clear()
    mirrored.server.swapped.clear()
    pull.distrust()
    forget(mirrored)


def forget(mirrored: Mirror) -> None:
    """Remove the images that Docker pulled from the mirror."""
    host = mirrored.server.url.removeprefix("https://")
    lines = shell.capture(["docker", "image", "ls", "--digests", "--format", "{{json .}}"]).stdout.splitlines()
    for line in lines:
        entry = json.loads(line)
        if entry["Repository"].startswith(f"{host}/"):
            end = f":{entry['Tag']}" if entry["Tag"] != "<none>" else f"@{entry['Digest']}"
            shell.capture(["docker", "image", "rm", f"{entry['Repository']}{end}"])


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)
