"""A version that becomes ready and then answers with errors is found by its soak and rolled back, on the lab."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

import pytest

from lab.cluster import kubectl

from .loaded import RELEASE, LoadedRelease

# Its pods are ready: readiness asks the database and not the model, which is not there.
WORSE = {"agent": {"llm": {"baseUrl": "http://127.0.0.1:9/v1"}}}


@pytest.fixture(scope="module")
def release(lab: dict[str, t.Any]) -> Iterator[LoadedRelease]:
    with LoadedRelease(lab, "soaks") as made:
        yield made


def model(release: LoadedRelease) -> str:
    """The endpoint of the model that the deployed version asks, empty for its built-in one."""
    found = json.loads(kubectl("-n", release.namespace, "get", "configmap", f"{RELEASE}-config", "-o", "json"))
    return str(found["data"].get("LLM_BASE_URL", ""))


def test_a_worse_version_goes_and_the_one_before_it_serves_again(release: LoadedRelease) -> None:
    soak = {"ai_agent_soak": "25s", "ai_agent_soak_rollback": True}
    # A first deployment has recorded nothing yet of the schema that it made; the next one learns it.
    better = release.play("site.yml", ai_agent_values={"agent": {"env": {"GREETING": "hello"}}}, **soak)
    assert better.code == 0, better.output[-3000:]
    assert "SAFE" in better.output
    assert release.counts(20)["failed"] == 0
    worse = release.play("site.yml", ai_agent_values=WORSE, **soak)
    assert worse.code != 0
    assert "fail soak-errors" in worse.output
    assert "It was rolled back to Helm revision 2" in " ".join(worse.output.split())
    assert model(release) == ""
    before = release.counts(1)["failed"]
    assert release.counts(20)["failed"] == before


def test_without_the_permission_it_stays_and_says_what_to_do(release: LoadedRelease) -> None:
    worse = release.play("site.yml", ai_agent_values=WORSE, ai_agent_soak="25s")
    assert worse.code != 0
    assert "It stays deployed: Read the new pods' logs; playbooks/rollback.yml goes back" in " ".join(
        worse.output.split()
    )
    assert model(release) == WORSE["agent"]["llm"]["baseUrl"]
    # The inventory names the version that stays, and the way back is the playbook's.
    back = release.play("playbooks/rollback.yml", ai_agent_values=WORSE)
    assert back.code == 0, back.output[-3000:]
    assert model(release) == ""
