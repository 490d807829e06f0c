"""meta/argument_specs.yml, defaults/main.yml and README.md describe the same variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import SWITCH

ROLE = Path(__file__).resolve().parents[3] / "roles/ai_agent"
SPECS = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"][
    "options"
]
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
INTERNALS = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
READERS = [*ROLE.glob("tasks/*.yml"), ROLE / "vars/main.yml", ROLE.parents[1] / "playbooks/fleet.yml"]
SOURCES = {path: path.read_text(encoding="utf-8") for path in READERS}


def test_defaults_and_specification_name_the_same_variables() -> None:
    assert set(SPECS) == set(DEFAULTS)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_default_is_the_specified_one(name: str) -> None:
    assert SPECS[name]["default"] == DEFAULTS[name]


@pytest.mark.parametrize("name", sorted(name for name in SPECS if "{{" not in str(DEFAULTS[name])))
def test_the_default_is_one_that_the_specification_takes(name: str) -> None:
    """Whoever does not set a variable must not be told of what it lacks."""
    judged = ArgumentSpecValidator({name: SPECS[name]}).validate({})
    assert judged.error_messages == []


@pytest.mark.parametrize("name", sorted(SPECS))
def test_variable_is_described_and_used(name: str) -> None:
    assert SPECS[name]["description"]
    assert any(re.search(rf"\b{name}\b", text) for text in SOURCES.values())
    assert f"`{name}`" in (ROLE / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(name for name in SPECS if name.endswith("_password")))
def test_password_is_not_logged(name: str) -> None:
    assert SPECS[name]["no_log"] is True


def test_every_variable_that_is_used_is_declared() -> None:
    used = {name for text in SOURCES.values() for name in re.findall(r"(?<![\w.`])ai_agent_\w+", text)}
    assert {name for name in used if not name.startswith("ai_agent_chart_")} - set(SPECS) <= {"ai_agent_", SWITCH}


def test_internals_are_marked_as_such() -> None:
    assert not [name for name in INTERNALS if not name.startswith("__ai_agent_")]


def test_variables_of_the_plugins_are_known_as_well() -> None:
    assert SPECS[SWITCH]["type"] == "bool"


@pytest.mark.parametrize("name", sorted(name for name in SPECS if SPECS[name]["type"] == "bool"))
def test_a_word_for_a_boolean_is_taken_for_one(name: str) -> None:
    """`-e name=false` and a survey give text, which is true for Ansible; an option of a module converts it."""
    for path, text in SOURCES.items():
        for line in text.splitlines():
            uses = re.findall(rf"(?<![\w.`]){name}(?!\w| `|: true)(?P<after>.*)", line.partition("# ")[0])
            whole = re.search(rf'^ +\w+: "{{{{ {name} }}}}"$', line)
            assert whole or all(after.startswith(" | bool") for after in uses), f"{path.name}: {line.strip()}"


def test_the_fleets_waves_are_the_specified_ones() -> None:
    """A keyword of a play cannot read the role's defaults, so its template repeats this one."""
    [_judge, deploy] = yaml.safe_load((ROLE.parents[1] / "playbooks/fleet.yml").read_text(encoding="utf-8"))
    assert re.findall(r"ai_agent_fleet_waves \| default\((.*)\) }}", deploy["serial"]) == [
        str(DEFAULTS["ai_agent_fleet_waves"])
    ]
