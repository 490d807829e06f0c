"""The two images under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.images.containers import Machine, image


def _postgresql() -> Iterator[Machine]:
    made = Machine(
        image("TEST_POSTGRESQL_IMAGE", "postgresql"),
        5432,
        "/bitnami/postgresql",
        ["/opt/bitnami/postgresql/conf", "/opt/bitnami/postgresql/tmp", "/tmp"],  # noqa: S108 - a folder of the container
    )
    yield made
    made.close()


postgresql = pytest.fixture(_postgresql, name="postgresql")
"""Containers of the PostgreSQL image, for one test."""
postgresql_for_all = pytest.fixture(_postgresql, scope="module", name="postgresql_for_all")
"""The same for the tests of one file."""


@pytest.fixture
def redis() -> Iterator[Machine]:
    """Containers of the Redis image."""
    writable = ["/opt/bitnami/redis/etc", "/tmp"]  # noqa: S108 - as above
    made = Machine(image("TEST_REDIS_IMAGE", "redis"), 6379, "/data", writable)
    yield made
    made.close()
