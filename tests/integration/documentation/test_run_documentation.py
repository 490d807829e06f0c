"""Every command of the documentation, run in the printed order on the lab (dev/run_documentation.py)."""

from __future__ import annotations

import pytest

from dev import run_documentation
from dev.documentation import PAGES


@pytest.mark.parametrize("page", [page for page in PAGES if run_documentation.blocks_of(page)])
def test_page_runs_as_printed(page: str) -> None:
    run_documentation.run(page)
