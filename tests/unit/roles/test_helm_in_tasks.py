"""A task that starts helm leaves it no variable by which it would ask another cluster than the other tasks do."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.kubeconfig import HELMS_OWN

from tests.unit.roles.test_secrets_in_tasks import ALL, TASKS, Task, module

STARTS_HELM = [
    (file, task)
    for file, task in ALL
    if module(task).startswith("kubernetes.core.helm") or "helm_binary" in (task[module(task)] or {})
]


def test_they_are_found() -> None:
    assert {file for file, _task in STARTS_HELM} == {"guard_look.yml", "release.yml", "uninstall.yml", "verify.yml"}


@pytest.mark.parametrize(
    ("file", "task"), STARTS_HELM, ids=lambda each: each if isinstance(each, str) else each["name"]
)
def test_helm_gets_the_roles_environment(file: str, task: Task) -> None:
    given = task.get("environment")
    assert str(given).startswith("{{ __ai_agent_helm_environment "), file


def test_the_roles_environment_blanks_what_the_modules_blank() -> None:
    variables = yaml.safe_load((TASKS.parent / "vars/main.yml").read_text(encoding="utf-8"))
    blank = {name for name, value in variables["__ai_agent_helm_environment"].items() if value == ""}
    assert blank == set(HELMS_OWN)
