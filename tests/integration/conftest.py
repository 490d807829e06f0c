"""What tests of several folders start from."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest

from dev import browser as chromium

if t.TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def temporary() -> t.Iterator[Path]:
    """A folder with a short path: ansible-core's own socket lies in it, and a socket's path ends at 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="kept-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def browser() -> t.Iterator[Browser]:
    """Chromium as it is on this machine: one for all folders, for Playwright is started once in a process."""
    with chromium.running() as started:
        yield started
