"""What the lab and the tests take from this machine's distribution: the only list of it, asked for in one call."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import apt, debian, shell
from lab.debian import Host
from lab.progress import LabError, say


@dataclass(frozen=True)
class Package:
    """A package of Debian and Ubuntu, and how to see that what it brings is there.

    :param brings: programs on PATH or absolute paths of files; one of them is enough
    :param debian: its name there
    :param ubuntu: its name there; empty: it has none, and somebody must find another way
    :param newer: on Debian bookworm, the package comes from this suite
    """

    brings: tuple[str, ...]
    debian: str
    ubuntu: str
    newer: str = ""

    def is_installed(self) -> bool:
        """Whether this machine has it, whoever installed it."""
        return any(find(name) for name in self.brings)

    def name(self, release: Host) -> str:
        """What apt is asked for on this distribution."""
        if release.ident == "ubuntu":
            return self.ubuntu
        return f"{self.debian}/{self.newer}" if self.newer and release.codename == "bookworm" else self.debian


@dataclass(frozen=True)
class Need:
    """One thing that some step cannot do without.

    :param what: what a reader calls it
    :param remedy: what to do about it by hand
    :param otherwise: whether the thing is there in another way than by the packages
    :param asked: a person at the terminal is asked before it is installed
    """

    what: str
    packages: tuple[Package, ...]
    remedy: str
    otherwise: Callable[[], bool] = lambda: False
    asked: bool = False

    def missing(self) -> list[Package]:
        """The packages that this machine lacks."""
        absent = [package for package in self.packages if not package.is_installed()]
        return [] if not absent or self.otherwise() else absent


def answers() -> bool:
    """Whether ``docker info`` reaches an engine."""
    done = shell.capture(["docker", "info", "--format", "{{.ServerVersion}}"], timeout=20)
    # Debian trixie's docker-cli (26.1) ends with 0 and an empty line where no engine answers.
    return done.returncode == 0 and bool(done.stdout.strip())


def _engine() -> bool:
    # One that is said to be elsewhere is not replaced by one here; whoever asks it says whether it answers.
    return bool(os.environ.get("DOCKER_HOST")) or answers()


def _browser() -> bool:
    return bool(os.environ.get("LAB_BROWSER"))


ENGINE = Need(
    "Docker's engine",
    (
        # bookworm's docker.io 20.10 cannot start privileged containers where CAP_SYS_RESOURCE is out of reach.
        Package(("dockerd",), "docker.io", "docker.io", newer="trixie"),
        Package(("containerd",), "containerd", "containerd", newer="trixie"),
        # Since trixie the command is a package of its own, which docker.io only recommends.
        Package(("docker",), "docker-cli", "docker.io", newer="trixie"),
        Package(("iptables",), "iptables", "iptables"),
    ),
    "install Docker's engine by hand (on Debian 13 or Ubuntu: the package docker.io), then run this again",
    otherwise=_engine,
    asked=True,
)
ROOTS = Need(
    "mmdebstrap with Debian's keys",
    (
        Package(("mmdebstrap",), "mmdebstrap", "mmdebstrap"),
        Package((str(debian.KEYRING),), "debian-archive-keyring", "debian-archive-keyring"),
    ),
    "install mmdebstrap and debian-archive-keyring by hand (Debian and Ubuntu call them so), then run this again",
)
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = Need(
    "Chromium",
    (
        # Ubuntu's is a snap, which does not start everywhere.
        Package(BROWSERS, "chromium-headless-shell", ""),
        # Without a font no letter is drawn; a machine that has a browser has fonts for it.
        Package(BROWSERS, "fonts-dejavu-core", "fonts-dejavu-core"),
    ),
    "install Chromium by hand, or name one in LAB_BROWSER, then run this again",
    otherwise=_browser,
)
JAVA = Need(
    "Java",
    (Package(("java",), "default-jre-headless", "default-jre-headless"),),
    "install a Java runtime of version 17 or later by hand, then run this again",
)
ALL = (ENGINE, ROOTS, BROWSER)

_ONE = threading.Lock()


def find(name: str) -> str | None:
    """Where a program or a file is; administrators' programs too, which are not on every user's PATH."""
    if Path(name).is_absolute():
        return name if Path(name).exists() else None
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def ensure(*needs: Need) -> None:
    """Leave with everything that *needs* ask for; what is missing is installed in one call.

    :raises LabError: something is missing and this run may not, or cannot, install it
    """
    with _ONE:
        lacking = {need: found for need in needs if (found := need.missing())}
        if not lacking:
            return
        whats = " and ".join(need.what for need in lacking)
        remedy = "; ".join(need.remedy for need in lacking)
        release = debian.host()
        if ENGINE in lacking and os.environ.get("LAB_INSTALL_DOCKER") == "no":
            raise LabError(
                f"Docker's engine is missing and LAB_INSTALL_DOCKER=no forbids to install it: {ENGINE.remedy}"
            )
        names = [package.name(release) for found in lacking.values() for package in found] if release else [""]
        names = list(dict.fromkeys(names))
        if release is None or os.geteuid() != 0 or "" in names:
            only = "only root on Debian or Ubuntu may have it installed"
            suites = any("/" in name for name in names)
            by_hand = f"run as root apt-get install {' '.join(names)}, then this again"
            raise LabError(f"{whats} is missing, and {only}: {remedy if '' in names or suites else by_hand}")
        if any(need.asked for need in lacking) and os.environ.get("LAB_INSTALL_DOCKER", "ask") == "ask":
            _ask(whats, remedy, release)
        say(f"        installing {whats} with apt: {' '.join(names)}")
        for suite in sorted({name.partition("/")[2] for name in names if "/" in name}):
            debian.add_suite(suite)
        apt.install(names)
        if left := [need for need in lacking if need.missing()]:
            raise LabError(f"{left[0].what} is still missing after apt installed {' '.join(names)}: {left[0].remedy}")


def _ask(whats: str, remedy: str, release: Host) -> None:
    if not sys.stdin.isatty():
        return
    print(f"{whats} is missing. Install it with apt on this {release.name} machine? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise LabError(f"{whats} is missing and was not wanted: {remedy}")
