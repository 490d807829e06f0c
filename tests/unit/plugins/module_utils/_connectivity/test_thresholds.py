"""The thresholds stand once, in a dataclass: the module's arguments come from it, its documentation agrees with it."""

from __future__ import annotations

import dataclasses

import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.judge import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.module import ARGUMENTS
from ansible_collections.ai_platform.agent.plugins.modules.connectivity_test import DOCUMENTATION


def test_arguments_and_documentation_have_the_defaults_of_the_dataclass() -> None:
    documented = yaml.safe_load(DOCUMENTATION)["options"]["thresholds"]["suboptions"]
    defaults = dataclasses.asdict(Thresholds())
    assert {name: option["default"] for name, option in documented.items()} == defaults
    assert {name: option["default"] for name, option in ARGUMENTS["thresholds"]["options"].items()} == defaults
    assert {name: option["type"] for name, option in documented.items()} == {
        name: option["type"] for name, option in ARGUMENTS["thresholds"]["options"].items()
    }
