"""A browser that a test can look through: found on this machine, or installed where that is allowed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab import debian
from lab.progress import LabError, say

# Debian's packages; without a font no letter is drawn.
PACKAGES = ["chromium-headless-shell", "fonts-dejavu-core"]
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find() -> Path | None:
    """A Chromium: the one that LAB_BROWSER names, else one on PATH."""
    wish = os.environ.get("LAB_BROWSER")
    found = next((path for name in ([wish] if wish else NAMES) if name and (path := shutil.which(name))), None)
    return Path(found) if found else None


def ensure() -> Path:
    """Leave with a Chromium.

    :raises LabError: there is none, and this is no Debian where root may install one
    """
    if (found := find()) is None and (host := debian.host()) is not None and host.ident == "debian":
        say("        installing Debian's headless Chromium")
        debian.install(PACKAGES)
        found = find()
    if found is None:
        raise LabError("no Chromium was found: install one, or name it in LAB_BROWSER")
    return found
