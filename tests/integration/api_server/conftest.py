"""An API server for all tests of this folder, with a namespace."""

from __future__ import annotations

import typing as t

import pytest

from dev import api_server

NAMESPACE = "dev"


@pytest.fixture(scope="session")
def api() -> t.Iterator[api_server.Server]:
    """A Kubernetes without nodes."""
    with api_server.running() as server:
        server.apply(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}")
        yield server
