"""Released programs and manifests, each verified against a SHA-256 before it is used."""

from __future__ import annotations

import hashlib
import io
import platform
import re
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import download, mirror, own_checksums
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


def everything() -> Iterator[Release]:
    """All that the lab takes, with each Helm and for each architecture."""
    for arch in ARCHITECTURES.values():
        yield from (helm(major, arch) for major in HELMS)
        yield kind(arch)
        yield kubectl(arch)
    yield calico()


def fetch(release: Release) -> Path:
    """The verified file, from the user's cache or fetched now; a program is executable.

    :raises LabError: it cannot be had, or the content is not what LAB_RELEASES, this file or its publisher says
    """
    known = own_checksums.of(release.url) or release.sha256
    # Where the server itself says what is right, the entry is for that server alone.
    key = f"{release.version}-{digest([release.url, known] if known else [release.url, mirror.url(release.url)])}"

    def build(folder: Path) -> None:
        expected = known or published(download.text(release.sha256_url), release.url)
        arrived = _verified(release.url, expected, folder.parent)
        path = folder / release.name
        if release.member:
            _unpack(arrived, release, path)
            arrived.unlink()
        else:
            arrived.rename(path)
        path.chmod(0o755)

    return cached(f"released-{release.name}", key, build) / release.name


def _verified(url: str, expected: str, cache: Path) -> Path:
    """The downloaded file, which is what it should be.

    It is named after its checksum, so that a broken download is continued, and never as another release.
    """
    arrived = cache / f".part-{expected}"
    while True:
        begun = arrived.exists()
        download.file(url, arrived)
        with arrived.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found == expected:
            return arrived
        arrived.unlink()
        if not begun:
            where = mirror.url(url)
            raise LabError(f"{where} has the SHA-256 {found}, not {expected}: it is not used; try again later")


def _unpack(archive: Path, release: Release, path: Path) -> None:
    try:
        with tarfile.open(archive) as packed, path.open("wb") as stream:
            # A folder of that name has no content either.
            shutil.copyfileobj(packed.extractfile(release.member) or io.BytesIO(), stream)
    except (KeyError, tarfile.TarError):
        raise LabError(f"{mirror.url(release.url)} has no file {release.member} in it: it is not used") from None


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
