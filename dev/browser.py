"""A browser that a test can look through: found on this machine, or installed where that is allowed."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from pathlib import Path

from lab import needs
from lab.progress import LabError

if t.TYPE_CHECKING:
    from playwright.sync_api import Browser


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


@contextlib.contextmanager
def running() -> t.Iterator[Browser]:
    """Chromium as it is on this machine, driven by Playwright.

    :raises LabError: there is none
    """
    from playwright.sync_api import sync_playwright

    found = find()
    if found is None:
        raise LabError("no Chromium: python -m dev.suite report installs one, or name it in LAB_BROWSER")
    # Chromium refuses its sandbox to root.
    words = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=words)
        yield started
        started.close()
