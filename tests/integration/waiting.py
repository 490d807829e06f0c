"""Waiting for what another process does in its own time."""

from __future__ import annotations

import time
import typing as t

import pytest


def eventually(condition: t.Callable[[], object], seconds: float = 15) -> None:
    """Return as soon as *condition* holds; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"what was waited for did not happen within {seconds} s")
        time.sleep(0.1)
