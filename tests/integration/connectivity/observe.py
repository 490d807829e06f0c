"""A situation asked by the real probe, as the module does it without Kubernetes."""

from __future__ import annotations

import urllib.parse

from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import probe_answers
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Facts

from tests.integration.connectivity import fault_situations  # noqa: F401 - its situations are registered
from tests.integration.connectivity.model_situations import KEY
from tests.integration.connectivity.situations import CANARY, SITUATIONS, Stage

# Enough for a busy machine, and short enough for the cases in which nothing answers.
REQUEST = {"timeout": 2, "deadline": 30, "rounds": 5}


def facts(name: str, stage: Stage) -> Facts:
    """What the probe says about a situation, as facts of a test without Kubernetes."""
    with SITUATIONS[name](stage) as dependencies:
        observation = probe_answers.run_here(REQUEST | {"dependencies": dependencies})
    return {"observations": [observation], "release": None, "untested": []}


def forms_of_the_canary() -> set[str]:
    """The forms in which it could come out."""
    quoted = {urllib.parse.quote(CANARY, safe=""), urllib.parse.quote(CANARY), urllib.parse.quote_plus(CANARY)}
    return {CANARY, repr(CANARY)[1:-1], CANARY.encode("unicode_escape").decode(), *quoted, "nary@", "nary%40", KEY}
