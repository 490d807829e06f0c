"""The chart, rendered by the real helm; databases and places as the contract's tests have them, and a real Redis."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import assemble

from dev import redis_server
from dev.examples import Example
from dev.postgresql import Server, binaries
from dev.redis_server import RedisServer
from tests.integration.contract.conftest import database, server
from tests.integration.servers.life import NAMESPACE, RELEASE, Life, Secrets, Seen

Live = t.Callable[[Example, Secrets], Seen]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm program: $HELM, else the lab's."""
    program = os.environ.get("HELM") or str(ROOT / ".lab" / "bin" / "helm")
    if not shutil.which(program):
        pytest.fail(f"There is no helm at {program}: run `make helm`, or name one in HELM.")
    return program


@pytest.fixture(scope="session")
def redis() -> t.Iterator[RedisServer]:
    """A Redis."""
    with redis_server.running(secrets.token_hex(8)) as started:
        yield started


@pytest.fixture
def render(helm: str, tmp_path: Path) -> t.Callable[[dict[str, t.Any]], str]:
    """Render the chart with values."""
    cache = tmp_path / "charts"
    made = assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=cache)

    def call(values: dict[str, t.Any]) -> str:
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        words = [helm, "template", RELEASE, str(made.path), "--namespace", NAMESPACE, "-f", str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def live(
    server: Server,
    database: str,
    render: t.Callable[[dict[str, t.Any]], str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Live:
    """What is seen of an example in an empty database, with the Secrets that its values name; a Redis if it has one."""
    # Where the server runs as another user, that user's own copy.
    reachable = server.folder / "programs"
    programs = (reachable if reachable.exists() else binaries(server.major)) / "bin"

    def call(example: Example, given: Secrets) -> Seen:
        wanted = (example.values.get("redis") or {}).get("enabled", True)
        cache: RedisServer | None = request.getfixturevalue("redis") if wanted else None
        places: dict[str, t.Any] = {"render": render, "folder": tmp_path, "programs": programs}
        return Life(example, database, cache, secrets=given, **places).live()

    return call


__all__ = ("database", "server")
