"""A registry, and keys to sign what is in it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import oci_registry

ENVIRONMENT = {"COSIGN_PASSWORD": "key-of-a-test"}


@pytest.fixture(scope="module")
def registry() -> Iterator[tuple[str, Path]]:
    """An empty registry: its address, and its folder."""
    with oci_registry.running() as running:
        yield running


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two key pairs, one.key, one.pub, two.key, two.pub."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        words = [str(oci_registry.cosign()), "generate-key-pair", "--output-key-prefix", name]
        subprocess.run(words, cwd=folder, env=ENVIRONMENT, capture_output=True, check=True)
    return folder
