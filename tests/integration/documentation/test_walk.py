"""Every command of the documentation, run in the printed order on the lab (dev/walk.py)."""

from __future__ import annotations

import pytest

from dev import walk
from dev.documentation import PAGES


@pytest.mark.parametrize("page", [page for page in PAGES if walk.blocks_of(page)])
def test_page_runs_as_printed(page: str) -> None:
    walk.run(page)
