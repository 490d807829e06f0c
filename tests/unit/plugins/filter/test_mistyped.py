"""The name that was meant by one that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.filter.mistyped import mistyped

ROLE = Path(__file__).resolve().parents[4] / "roles/ai_agent"
KNOWN = list(yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"])


@pytest.mark.parametrize("name", KNOWN)
def test_every_variable_of_the_role_is_found_again_with_a_letter_missing(name: str) -> None:
    typed = name[:-2] + name[-1]
    assert mistyped([typed, name], KNOWN, "ai_agent_") == [{"name": typed, "meant": name}]


@pytest.mark.parametrize("name", ["ai_agent_team", "ai_agent_next_images", "ai_agent_x"])
def test_a_name_of_ones_own_is_like_none(name: str) -> None:
    assert mistyped([name], KNOWN, "ai_agent_") == [{"name": name, "meant": ""}]
