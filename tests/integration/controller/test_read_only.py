"""A checkout and a home folder that cannot be written: the run gets as far as with any other, and says so where not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.role import living
from tests.integration.role.conftest import Run

from .conftest import CANARY, PASSWORDS, bound_by_modes, play

DEV: list[str | Path] = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "site.yml"]


def deploy(folder: Path, home: Path, credential: dict[str, str], **variables: str) -> Run:
    """Deploy dev up to the first thing that would be written."""
    given = PASSWORDS | {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": living.helm()} | variables
    words = [*DEV, "--tags", "guard,credentials", "-e", json.dumps(given)]
    return play(words, folder, credential | {"HOME": str(home)})


def test_modes_bind_here(nowhere: Path, tmp_path: Path) -> None:
    """Without this, the tests below would prove nothing for root."""
    done = play(["--version"], tmp_path, {"HOME": str(nowhere), "ANSIBLE_LOCAL_TEMP": str(nowhere)})
    assert done.code != 0
    assert "Permission denied" in done.output
    assert bound_by_modes(["true"])[-1] == "true"


def test_a_read_only_checkout_without_a_home_deploys(checkout: Path, nowhere: Path, credential: dict[str, str]) -> None:
    run = deploy(checkout, nowhere, credential)
    assert "Traceback" not in run.output
    # The first thing that would be written is what the stand-in refuses.
    assert len(run.errors) == 1, run.output
    assert "Secret dev/agent-dev-secret could not be written" in run.errors[0], run.output
    assert CANARY not in run.output
    assert not (checkout / ".ansible").exists()


@pytest.mark.parametrize("variable", [False, True], ids=["none", "one that cannot be written"])
def test_a_chosen_cache_must_work(
    variable: bool, checkout: Path, nowhere: Path, credential: dict[str, str], tmp_path: Path
) -> None:
    chosen = {"ai_agent_chart_cache": str(nowhere if variable else tmp_path / "cache")}
    run = deploy(checkout, nowhere, credential, **chosen)
    assert len(run.errors) == 1, run.output
    if variable:
        assert f"cannot be assembled in {nowhere}" in run.errors[0]
        assert "ai_agent_chart_cache" in run.errors[0]
    else:
        assert "could not be written" in run.errors[0]
        assert list((tmp_path / "cache").glob("ai-agent-*")), "it was not used"
