"""Where a chart is published, judged before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import publish
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("registry", ["registry.example.com/charts", "https://registry.example.com/charts", "oci:/x"])
def test_an_address_that_is_no_registry_is_refused_first(registry: str, check_mode: bool, tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="is no OCI registry: write oci://"):
        publish.execute({"registry": registry, "chart": str(tmp_path / "nowhere")}, {}, check_mode=check_mode)
    assert list(tmp_path.iterdir()) == []
