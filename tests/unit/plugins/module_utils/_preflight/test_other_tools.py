"""Migrations that nobody can render are unknown by name, unless nothing runs, or nothing is there."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collection_plan import decide
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.other_tools import without_rendering
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned, planned

from tests.unit.plugins.module_utils._preflight.test_collection_plan import BOTH, EMPTY, KEPT, Rights, live
from tests.unit.plugins.module_utils._release.manifests import release

PROGRAMS = {
    "alembic": ["python", "/migration/schema.py", "wait"],
    "command": ["python", "/migration/command_migration.py", "wait"],
    "none": ["python", "/migration/first_pod.py"],
}


def wanted(tool: str, image: str = "agent:2") -> Planned:
    objects = copy.deepcopy(release(image, replicas=2))
    if tool == "none":
        objects = [item for item in objects if item["kind"] != "Job"]
    for item in objects:
        if item["kind"] == "Deployment":
            [gate] = item["spec"]["template"]["spec"]["initContainers"]
            gate["command"] = PROGRAMS[tool]
    return planned(objects, "demo")


@pytest.mark.parametrize("tool", ["command", "none"])
@pytest.mark.parametrize(
    ("there", "rights", "state", "severity"),
    [
        (live("agent:1"), BOTH, "unknown", "unknown"),
        (live("agent:1"), Rights(may_exec=False), "unknown", "unknown"),
        (live(), BOTH, "unknown", "unknown"),
        (EMPTY, BOTH, "absent", "info"),
        (KEPT, BOTH, "unknown", "unknown"),
    ],
)
def test_what_would_run_is_not_known(tool: str, there: Live, rights: Rights, state: str, severity: str) -> None:
    plan = without_rendering(decide(there, rights, wanted(tool), "demo"), there, wanted(tool))
    assert plan.kind == "none"
    assert plan.inferred is not None
    assert plan.inferred.state == state
    name = {"command": "migration-by-command", "none": "migration-by-image"}[tool]
    assert (plan.inferred.because.id, plan.inferred.because.severity) == (name, severity)
    assert wanted(tool).tool == tool


def test_alembics_plan_stays() -> None:
    plan = decide(live("agent:1"), BOTH, wanted("alembic"), "demo")
    assert without_rendering(plan, live("agent:1"), wanted("alembic")) is plan


def test_no_namespace_is_said_first() -> None:
    plan = without_rendering(decide(None, BOTH, wanted("command"), "demo"), None, wanted("command"))
    assert plan.inferred is not None
    assert plan.inferred.because.id == "namespace-missing"


def test_what_serves_with_the_same_migration_is_current() -> None:
    there, same = live("agent:1"), wanted("command", "agent:1")
    gate: dict[str, t.Any] = t.cast("dict[str, t.Any]", there.template)["spec"]["initContainers"][0]
    gate["command"] = PROGRAMS["command"]
    plan = without_rendering(decide(there, BOTH, same, "demo"), there, same)
    assert plan.inferred is not None
    assert (plan.inferred.state, plan.inferred.because.id) == ("current", "schema-deduced")
