"""The mirror of a closed network (LAB_MIRROR): where in it released files and images are, and who vouches for it."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.debian import TRUSTED
from lab.progress import LabError

DOCKER_HUB = "docker.io"


@dataclass(frozen=True)
class Mirror:
    """Everything under its real name: files below a prefix, images below a registry."""

    prefix: str
    """``https://mirror.example.com/lab``: the file ``https://get.helm.sh/x`` is ``<prefix>/get.helm.sh/x``."""

    images: str
    """``mirror.example.com``, or a path of it: ``docker.io/calico/node`` is ``<images>/docker.io/calico/node``."""

    authority: Path | None = None
    """Certificates of the authorities that vouch for it; None leaves that to this machine's own."""

    @property
    def host(self) -> str:
        """``host`` or ``host:port`` that serves the images."""
        return self.images.partition("/")[0]

    def url(self, address: str) -> str:
        """Where the mirror has the file of *address*."""
        return f"{self.prefix}/{address.removeprefix('https://')}"

    def image(self, reference: str) -> str:
        """Where the mirror has the image *reference*; tag and digest stay."""
        return f"{self.images}/{full_name(reference)}"


def configured() -> Mirror | None:
    """What LAB_MIRROR, LAB_MIRROR_IMAGES and LAB_MIRROR_CA ask for; None without LAB_MIRROR.

    :raises LabError: one of them cannot be meant
    """
    prefix = os.environ.get("LAB_MIRROR", "").rstrip("/")
    wish = os.environ.get("LAB_MIRROR_IMAGES", "").rstrip("/")
    if not prefix:
        if wish:
            raise LabError(f"LAB_MIRROR_IMAGES={wish} without LAB_MIRROR: the files need a mirror as well")
        return None
    try:
        parts = urlsplit(prefix)
        usable = parts.scheme == "https" and parts.hostname and not (parts.query or parts.fragment or parts.port == 0)
    except ValueError:
        usable = False
    if not usable:
        raise LabError(f"LAB_MIRROR={_without_login(prefix)} is no address of a mirror: https://host[:port][/path]")
    if "@" in parts.netloc:
        raise LabError("LAB_MIRROR has a login in it, which logs would show: let the mirror be read without one")
    images = wish or parts.netloc
    if "://" in images or "@" in images:
        raise LabError(
            "LAB_MIRROR_IMAGES is no place for images: host[:port][/path], without https:// and without a login"
        )
    _refuse_loopback(images)
    return Mirror(prefix, images, _authority())


def url(address: str) -> str:
    """Where the file of *address* comes from: the mirror where there is one, else its publisher."""
    found = configured()
    return found.url(address) if found else address


def image(reference: str) -> str:
    """Where the image comes from: the mirror where there is one, else the registry that it names."""
    found = configured()
    return found.image(reference) if found else reference


def full_name(reference: str) -> str:
    """*reference* with the registry that Docker adds to a short one: ``python:3.13`` is of ``docker.io/library``."""
    first, slash, _ = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return reference
    return f"{DOCKER_HUB}/{reference}" if slash else f"{DOCKER_HUB}/library/{reference}"


def tls() -> ssl.SSLContext:
    """What this machine trusts, and the mirror's authority."""
    context = ssl.create_default_context()
    found = configured()
    if found and found.authority:
        context.load_verify_locations(found.authority)
    return context


def node_authorities(found: Mirror) -> Path | None:
    """Certificates that the nodes need for the mirror: they know neither LAB_MIRROR_CA nor this machine's store."""
    if found.authority:
        return found.authority
    store = Path(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or TRUSTED)
    return store if store.is_file() else None


def _authority() -> Path | None:
    name = os.environ.get("LAB_MIRROR_CA", "")
    if not name:
        return None
    path = Path(name).expanduser().absolute()
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise LabError(f"LAB_MIRROR_CA={name} has no certificate in it: a PEM file of an authority is needed") from None
    except OSError as error:
        raise LabError(f"LAB_MIRROR_CA={name} cannot be read ({error.strerror}): name the authority's file") from None
    return path


def _refuse_loopback(images: str) -> None:
    host = (urlsplit(f"//{images}").hostname or "").lower()
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if loopback:
        raise LabError(f"the mirror {host} would be each node itself, seen from a node: use its name in the network")


def _without_login(address: str) -> str:
    """*address* for a message: what stands before an ``@`` may be a password."""
    before, at, after = address.rpartition("@")
    return f"{before.partition('://')[0]}://...@{after}" if at else address
