"""Who may accept a finding, in which environment."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.acceptance import (
    Acceptance,
    apply_acceptances,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import ARGUMENTS


@pytest.mark.parametrize(
    ("environment", "worth"), [("dev", True), ("staging", True), ("prod", False), ("production", False), ("qa", False)]
)
def test_a_docstring_accepts_where_nobody_depends_on_it(environment: str, worth: bool) -> None:
    by_docstring = Acceptance("destructive", "a reason", "0002", None, "docstring")
    found = apply_acceptances([finding("destructive", "Words.", revision="0002")], [by_docstring], environment)
    assert ("acceptance-worthless" in [item.id for item in found]) is not worth
    by_inventory = Acceptance("destructive", "a reason", "0002", None, "inventory")
    found = apply_acceptances([finding("destructive", "Words.", revision="0002")], [by_inventory], environment)
    assert [item.id for item in found] == ["destructive"]


def test_every_environment_with_values_has_a_preflight() -> None:
    assert "choices" not in ARGUMENTS["environment"]
