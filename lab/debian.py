"""Debian: which one this machine is, and root file systems made from its packages (no container registry needed)."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import apt, shell
from lab.cache import cached, digest
from lab.paths import REGISTRY

TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
OWN_SOURCES = Path("/etc/apt/sources.list.d/ai-agent-lab.sources")
BASE = ("ca-certificates",)
"""What the base images have besides Debian's minbase."""
OWN_PIN = Path("/etc/apt/preferences.d/ai-agent-lab")


@dataclass(frozen=True)
class Host:
    """The distribution of this machine, as os-release names it."""

    ident: str
    codename: str
    name: str


def host() -> Host | None:
    """This machine's distribution when it is Debian or Ubuntu, else None."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    if release["ID"] not in {"debian", "ubuntu"}:
        return None
    return Host(release["ID"], release.get("VERSION_CODENAME", ""), release.get("PRETTY_NAME", release["ID"]))


def add_suite(suite: str) -> None:
    """Let apt see *suite* from the same mirror as the host's own, at a priority that upgrades nothing by itself."""
    OWN_SOURCES.write_text(_stanza(apt.mirror(), [suite]))
    OWN_PIN.write_text(f"Package: *\nPin: release n={suite}\nPin-Priority: 50\n")


def base_image(suite: str) -> str:
    """Name of a minimal Debian image, made by mmdebstrap when Docker does not have it.

    It trusts the certificate authorities that this machine trusts: pip in a build works behind a company's proxy.
    """
    name = f"{REGISTRY}/debian:{suite}"
    key = root_key(suite, BASE)
    label = ["--format", '{{index .Config.Labels "recipe"}}']
    if shell.capture(["docker", "image", "inspect", *label, name]).stdout.strip() != key:

        def build(folder: Path) -> None:
            make_root(suite, BASE, folder / "root.tar")

        archive = cached(f"debian-{suite}", key, build) / "root.tar"
        words = ["docker", "import", "--change", f"LABEL recipe={key}", archive, name]
        shell.run(words, log="images", what=f"importing {name}")
    return name


def root_key(suite: str, packages: Sequence[str]) -> str:
    """Digest of what :func:`make_root` makes a root file system of."""
    return digest([f"minbase {' '.join(packages)}", suite, TRUSTED if TRUSTED.exists() else ""])


def make_root(suite: str, packages: Sequence[str], archive: Path) -> None:
    """Write a tar archive with Debian's minimal root file system and *packages*, by mmdebstrap.

    :raises LabError: mmdebstrap is missing or failed
    """
    words: list[object] = ["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"]
    if TRUSTED.exists():
        words.append(f"--customize-hook=copy-in {TRUSTED} {TRUSTED.parent}")
    words.append('--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin')
    words += [suite, archive]
    # mmdebstrap's built-in mirror serves hosts that are not Debian themselves.
    if (found := host()) and found.ident == "debian":
        mirror = apt.mirror()
        security = re.sub(r"/debian/?$", "/debian-security", mirror)
        source = archive.with_name("debian.sources")
        source.write_text(
            _stanza(mirror, [suite, f"{suite}-updates"]) + "\n" + _stanza(security, [f"{suite}-security"])
        )
        words.append(source)
    shell.run(words, log=f"debian-{suite}", what=f"making a Debian {suite} root file system")


def _stanza(mirror: str, suites: Sequence[str]) -> str:
    return f"Types: deb\nURIs: {mirror}\nSuites: {' '.join(suites)}\nComponents: main\nSigned-By: {KEYRING}\n"
