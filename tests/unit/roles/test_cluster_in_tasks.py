"""Every task of a run asks the cluster that guard looked at, and says which one is meant where its module can."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tests.unit.roles.test_secrets_in_tasks import ALL, TASKS, Task, module

ROOT = Path(__file__).resolve().parents[3]
NAMES = (
    "connectivity_test",
    "migration_preflight",
    "release_deploy",
    "release_evidence",
    "release_info",
    "release_lease",
    "release_plan",
    "release_repair",
    "release_rollback",
    "release_soak",
)
ASKS = {f"ai_platform.agent.{name}" for name in NAMES}
# To give a Lease back asks the process that keeps it, and no cluster.
ASKING = [(file, task) for file, task in ALL if module(task) in ASKS and task[module(task)].get("state") != "free"]


@pytest.mark.parametrize(("file", "task"), ASKING, ids=lambda each: each if isinstance(each, str) else each["name"])
def test_the_cluster_that_is_meant_is_told_to_each_module(file: str, task: Task) -> None:
    assert task[module(task)]["cluster_expected"] == "{{ ai_agent_cluster | default(omit, true) }}", file


def test_they_are_found() -> None:
    assert {module(task) for _file, task in ASKING} == ASKS


@pytest.mark.parametrize(
    "path",
    [
        "roles/ai_agent/tasks/main.yml",
        "playbooks/plan.yml",
        "playbooks/preflight.yml",
        "playbooks/rollback.yml",
        "playbooks/support_bundle.yml",
        "playbooks/fleet.yml",
    ],
)
def test_later_tasks_name_the_context_that_guard_found(path: str) -> None:
    for each in yaml.safe_load((ROOT / path).read_text(encoding="utf-8")):
        defaults: dict[str, t.Any] = each["module_defaults"]["group/ai_platform.agent.ai_agent"]
        assert defaults["context"] == "{{ __ai_agent_context | default(omit, true) }}"


@pytest.mark.parametrize("file", ["guard_look.yml", "lease.yml"])
def test_guard_itself_does_not_take_what_an_earlier_guard_found(file: str) -> None:
    [look] = [task for task in yaml.safe_load((TASKS / file).read_text()) if module(task) in ASKS]
    assert look[module(look)]["context"] == "{{ ai_agent_context | default(omit, true) }}"
