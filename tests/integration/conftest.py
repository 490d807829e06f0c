"""What tests of several folders start from."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import pytest


@pytest.fixture
def temporary() -> t.Iterator[Path]:
    """A folder with a short path: ansible-core's own socket lies in it, and a socket's path ends at 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="kept-") as folder:
        yield Path(folder)
