"""A browser that a test can look through: found on this machine, or installed where that is allowed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab import needs
from lab.progress import LabError


def find() -> Path | None:
    """A Chromium: the one that LAB_BROWSER names, else one on PATH."""
    wish = os.environ.get("LAB_BROWSER")
    names = [wish] if wish else needs.BROWSERS
    return next((Path(path) for name in names if (path := shutil.which(name))), None)


def ensure() -> Path:
    """Leave with a Chromium.

    :raises LabError: there is none, and this is no Debian where root may install one
    """
    needs.ensure(needs.BROWSER)
    if (found := find()) is None:
        raise LabError("no Chromium was found: install one, or name it in LAB_BROWSER")
    return found
