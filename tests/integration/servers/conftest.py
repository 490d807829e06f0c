"""The chart, rendered by the real helm; databases and places as the contract's tests have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble

from tests.integration.contract.conftest import database, server

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm program: $HELM, else the lab's."""
    program = os.environ.get("HELM") or str(ROOT / ".lab" / "bin" / "helm")
    if not shutil.which(program):
        pytest.fail(f"There is no helm at {program}: run `make helm`, or name one in HELM.")
    return program


@pytest.fixture
def render(helm: str, tmp_path: Path) -> t.Callable[[dict[str, t.Any]], str]:
    """Render the chart with values."""
    cache = tmp_path / "charts"
    made = assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=cache)

    def call(values: dict[str, t.Any]) -> str:
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        words = [helm, "template", "my-agent", str(made.path), "--namespace", "servers", "-f", str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


__all__ = ("database", "server")
