"""One release for all faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .stage import Stage
from .told import Table


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The old version, under load."""
    with Stage(tmp_path_factory.mktemp("faults")).deployed() as made:
        yield made


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """What every fault of this session came to, printed at the end."""
    made = Table()
    yield made
    made.print()
