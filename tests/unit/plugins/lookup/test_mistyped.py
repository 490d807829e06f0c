"""The name that was meant by one that does not exist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.lookup.mistyped import mistyped, specified

ROOT = Path(__file__).resolve().parents[4]
SPECIFICATION = ROOT / "roles/ai_agent/meta/argument_specs.yml"
KNOWN = list(yaml.safe_load(SPECIFICATION.read_text())["argument_specs"]["main"]["options"])


@pytest.mark.parametrize("name", KNOWN)
def test_every_variable_of_the_role_is_found_again_with_a_letter_missing(name: str) -> None:
    typed = name[:-2] + name[-1]
    assert mistyped([typed, name], KNOWN, "ai_agent_") == [{"name": typed, "meant": name}]


@pytest.mark.parametrize("name", ["ai_agent_team", "ai_agent_next_images", "ai_agent_x"])
def test_a_name_of_ones_own_is_like_none(name: str) -> None:
    assert mistyped([name], KNOWN, "ai_agent_") == [{"name": name, "meant": ""}]


def test_a_name_that_lacks_a_word_is_meant_where_only_one_goes_on() -> None:
    assert mistyped(["ai_agent_release"], KNOWN, "ai_agent_") == [
        {"name": "ai_agent_release", "meant": "ai_agent_release_name"}
    ]
    known = ["ai_agent_backup_directory", "ai_agent_backup_passphrase"]
    assert mistyped(["ai_agent_backup"], known, "ai_agent_") == [{"name": "ai_agent_backup", "meant": ""}]


def test_each_entry_point_of_a_role_may_have_options_of_its_own() -> None:
    found: dict[str, Any] = {
        "main": {"options": {"ai_agent_a": {}}},
        "other": {"options": {"ai_agent_b": {}}},
        "third": {},
    }
    assert specified(found) == ["ai_agent_a", "ai_agent_b"]


def test_variables_are_read_as_ansible_hands_them_over() -> None:
    variables = {"ai_agent_namespce": "x", "ai_agent_namespace": "y", "ai_agent_team": "z", "other": 1}
    expression = f"{{{{ query('ai_platform.agent.mistyped', '{SPECIFICATION}', prefix='ai_agent_') }}}}"
    words = ["localhost", "-m", "ansible.builtin.debug", "-a", f'msg="{expression}"', "-e", json.dumps(variables)]
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible"), *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load(done.stdout.partition("=> ")[2])["msg"] == [
        {"name": "ai_agent_namespce", "meant": "ai_agent_namespace"},
        {"name": "ai_agent_team", "meant": ""},
    ]
