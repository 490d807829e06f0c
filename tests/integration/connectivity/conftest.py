"""Servers for the situations, of one version of PostgreSQL."""

from __future__ import annotations

import os
import tempfile
import typing as t
from pathlib import Path

import pytest

from tests.integration.connectivity.situations import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Stage]:
    """Shared servers; CONNECTIVITY_VERSION chooses PostgreSQL's major version."""
    # Not below pytest's own folder, which only this user may enter: PostgreSQL runs as another one.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Stage(Path(folder), int(os.environ.get("CONNECTIVITY_VERSION", "18")))
        yield made
        made.close()
