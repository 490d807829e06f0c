"""Where the lab's parts come from: released binaries and images, or Go modules and Debian packages."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable

from lab import mirror
from lab.paths import LAB
from lab.progress import LabError

REGISTRIES = "registries"
PACKAGES = "packages"
AUTO = "auto"
"""Released parts where every server of theirs answers, else packages."""
DEFAULT = AUTO
"""What counts where LAB_SOURCE says nothing."""

PROBES = ("https://registry-1.docker.io/v2/", "https://dl.k8s.io/release/stable.txt", "https://get.helm.sh/")
"""One of each kind of server that the released parts come from."""

CHOICE = LAB / "source"
"""The decision, kept as long as the cluster that was made by it: a flaky network must not replace a cluster."""


def chosen() -> str:
    """:data:`REGISTRIES` or :data:`PACKAGES`: named by LAB_SOURCE, decided earlier, or found out now.

    A mirror of the registries (LAB_MIRROR) is named to be used.

    :raises LabError: LAB_SOURCE has another value
    """
    wish = os.environ.get("LAB_SOURCE") or (REGISTRIES if os.environ.get("LAB_MIRROR") else DEFAULT)
    if wish not in {REGISTRIES, PACKAGES, AUTO}:
        raise LabError(f"LAB_SOURCE={wish} is unknown: choose {REGISTRIES}, {PACKAGES} or {AUTO}, or leave it out")
    if wish != AUTO:
        return wish
    if CHOICE.exists() and (kept := CHOICE.read_text().strip()) in (REGISTRIES, PACKAGES):
        return kept
    found = decide(answers)
    keep(found)
    return found


def decide(probe: Callable[[str], bool]) -> str:
    """:data:`REGISTRIES` when every one of :data:`PROBES` answers: half of the released parts make no cluster."""
    return REGISTRIES if all(probe(url) for url in PROBES) else PACKAGES


def keep(source: str) -> None:
    """Remember the decision for the next command."""
    LAB.mkdir(exist_ok=True)
    CHOICE.write_text(source + "\n")


def forget() -> None:
    """Find out anew the next time."""
    CHOICE.unlink(missing_ok=True)


def answers(url: str, seconds: float = 3) -> bool:
    """Whether a server answers at *url* within *seconds*; any answer of HTTP counts (a registry asks for a login)."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds):  # noqa: S310 - PROBES
            return True
    except urllib.error.HTTPError as error:
        return error.code in (401, 404, 405)
    except OSError:
        return False


def describe(source: str) -> str:
    """One line for a reader."""
    if source == REGISTRIES and (found := mirror.configured()):
        return f"released binaries and images from the mirror {found.prefix}, images from {found.images}"
    if source == REGISTRIES:
        return "from registries: released binaries and images (LAB_SOURCE=packages builds them)"
    return "from packages: Go modules and Debian packages (LAB_SOURCE=registries takes released binaries and images)"
