"""Faults of the new version: its image is not there, it is never ready, or it ends after it was."""

from __future__ import annotations

from tests.integration.role.conftest import Run

from .in_migration import values
from .stage import Stage

_NEVER_READY = ["python", "-m", "http.server", "8000", "--directory", "/tmp"]  # noqa: S108 - in the pod
_ENDS_AGAIN = ["sh", "-c", "timeout --signal=KILL 25 python -m agent"]


def missing(stage: Stage) -> Run:
    """The registry has no such image."""
    images = stage.variables()["ai_agent_images"]
    nowhere = {"agent": images["agent"] | {"tag": "1.1.0-nowhere"}}
    return stage.run(ai_agent_images=images | nowhere, ai_agent_preflight_fail_on="unknown")


def never_ready(stage: Stage) -> Run:
    """What runs in the new pods answers, and never that it is ready."""
    agent = {"command": _NEVER_READY, "progressDeadlineSeconds": 45}
    return stage.run(ai_agent_timeout="100s", **values(stage, agent=agent, migration={"startTimeout": 50}))


def crashes(stage: Stage) -> Run:
    """The new pods become ready, and end without a word half a minute later."""
    return stage.run(ai_agent_soak="60s", ai_agent_soak_rollback=True, **values(stage, agent={"command": _ENDS_AGAIN}))
