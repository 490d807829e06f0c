"""What the role makes of the inventory's values: nothing that an inventory says is dropped in silence."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).parents[3] / "roles" / "ai_agent"


def release_values(given: dict[str, t.Any], **variables: t.Any) -> dict[str, t.Any]:
    """The values for Helm.

    :param given: ai_agent_values, which has more of the inventory beside it in a real run
    """
    known = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    trusted = {name: trust_as_template(text) if isinstance(text, str) else text for name, text in known.items()}
    world = {"ai_agent_release_name": "demo", "ai_agent_existing_secret": "", "ai_agent_values": given} | variables
    templar = Templar(DataLoader(), variables=trusted | {"__ai_agent_inventory_values": given} | world)
    return t.cast("dict[str, t.Any]", templar.template(trusted["__ai_agent_release_values"]))


@pytest.mark.parametrize(
    ("given", "existing", "live", "rotation_id"),
    [
        ({"rotationId": "2026-11-29"}, "theirs", "", "2026-11-29"),
        ({"rotationId": "2026-11-29"}, "theirs", "abc", "2026-11-29"),
        ({"rotationId": 7}, "theirs", "", "7"),
        ({}, "theirs", "abc", "abc"),
        ({"rotationId": ""}, "theirs", "", ""),
        # The role's own id changes with the passwords, whatever the inventory says.
        ({"rotationId": "2"}, "", "abc", "abc-2"),
        ({}, "", "abc", "abc"),
    ],
)
def test_the_rotation_id_of_an_inventory_reaches_the_pods(
    given: dict[str, t.Any], existing: str, live: str, rotation_id: str
) -> None:
    found = {"secret": {"shown": {"rotation-id": live} if live else {}}}
    values = release_values(given, ai_agent_existing_secret=existing, __ai_agent_found=found)
    assert values["rotationId"] == rotation_id
    assert values["existingSecret"] == (existing or "demo-secret")


def test_every_other_value_is_as_the_inventory_says() -> None:
    given = {"agent": {"replicaCount": 3}, "postgresql": {"auth": {"existingSecret": "x", "username": "u"}}}
    values = release_values(given, __ai_agent_found={"secret": {"shown": {}}})
    assert values["agent"] == given["agent"]
    assert values["postgresql"]["auth"] == {"existingSecret": "x", "username": "u"}
