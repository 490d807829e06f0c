"""Released programs and manifests, each verified against a SHA-256 before it is used."""

from __future__ import annotations

import hashlib
import platform
import re
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.cache import cached, digest
from lab.paths import CALICO, HELMS, KIND, RELEASED_KUBERNETES
from lab.progress import LabError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Release:
    """One file of a release: where it is, and what its SHA-256 is or which file of its publisher says so."""

    name: str
    version: str
    url: str
    sha256: str = ""
    sha256_url: str = ""
    member: str = ""
    """Name inside the archive, when *url* is one."""


def architecture() -> str:
    """This machine's name in the releases' addresses.

    :raises LabError: nothing is released for it
    """
    try:
        return ARCHITECTURES[platform.machine()]
    except KeyError:
        known = " and ".join(ARCHITECTURES)
        raise LabError(
            f"nothing is released for {platform.machine()}, only for {known}: use LAB_SOURCE=packages"
        ) from None


def helm(major: str, arch: str) -> Release:
    """Helm *major*."""
    url = f"https://get.helm.sh/helm-v{HELMS[major]}-linux-{arch}.tar.gz"
    return Release("helm", HELMS[major], url, sha256_url=f"{url}.sha256sum", member=f"linux-{arch}/helm")


def kind(arch: str) -> Release:
    """kind."""
    url = f"https://github.com/kubernetes-sigs/kind/releases/download/v{KIND}/kind-linux-{arch}"
    return Release("kind", KIND, url, sha256_url=f"{url}.sha256sum")


def kubectl(arch: str) -> Release:
    """kubectl, of the version that the released node image has."""
    url = f"https://dl.k8s.io/release/v{RELEASED_KUBERNETES}/bin/linux/{arch}/kubectl"
    return Release("kubectl", RELEASED_KUBERNETES, url, sha256_url=f"{url}.sha256")


def calico() -> Release:
    """Calico's VXLAN manifest; the checksum is that of the file in Calico's Go module of the same release."""
    url = f"https://raw.githubusercontent.com/projectcalico/calico/v{CALICO}/manifests/calico-vxlan.yaml"
    return Release(
        "calico-vxlan.yaml", CALICO, url, sha256="034b15449b896732fd65e30ec109fb469fa97b78d0d8b6986dac478f7a960629"
    )


def fetch(release: Release, download: Callable[[str], bytes] | None = None) -> Path:
    """The verified file, from the user's cache or fetched now; a program is executable.

    :param download: what gets an address's content (for tests)
    :raises LabError: a server does not answer, or the content is not what its publisher says
    """
    get = download or _download

    def build(folder: Path) -> None:
        content = get(release.url)
        expected = release.sha256 or published(get(release.sha256_url).decode(), release.url)
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise LabError(f"{release.url} has the SHA-256 {found}, not {expected}: it is not used; try again later")
        path = folder / release.name
        if release.member:
            archive = folder / "archive.tar.gz"
            archive.write_bytes(content)
            with tarfile.open(archive) as packed:
                content = packed.extractfile(release.member).read()  # type: ignore[union-attr]
            archive.unlink()
        path.write_bytes(content)
        path.chmod(0o755)

    key = f"{release.version}-{digest([release.url, release.sha256])}"
    return cached(f"released-{release.name}", key, build) / release.name


def published(text: str, url: str) -> str:
    """The checksum in a publisher's file: the digits alone, or ``<digits>  <file name>`` lines.

    :raises LabError: there is none for the file of *url*
    """
    name = url.rpartition("/")[2]
    for line in text.splitlines():
        words = line.split()
        if words and re.fullmatch("[0-9a-f]{64}", words[0]) and (len(words) == 1 or words[1].lstrip("*") == name):
            return words[0]
    raise LabError(f"the publisher's checksum file for {url} names no SHA-256 for it: it is not used; try again later")


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the addresses above, all https
            return bytes(answer.read())
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise LabError(
            f"{url} could not be fetched ({reason}): check the network, or use LAB_SOURCE=packages"
        ) from None
