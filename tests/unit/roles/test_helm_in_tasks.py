"""A task that starts helm leaves it no variable by which it would ask another cluster than the other tasks do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.kubeconfig import HELMS_OWN

from tests.unit.roles.test_secrets_in_tasks import ALL, TASKS, Task, module

STARTS_HELM = [
    (file, task)
    for file, task in ALL
    if "binary_path" in (task[module(task)] or {}) or "helm_binary" in (task[module(task)] or {})
]


def test_they_are_found() -> None:
    assert {file for file, _task in STARTS_HELM} == {
        "check_image.yml",
        "guard_cluster.yml",
        "guard_look.yml",
        "diagnose.yml",
        "plan_ask.yml",
        "release.yml",
        "repair.yml",
        "rollback_if_safe.yml",
        "support_bundle.yml",
        "uninstall.yml",
        "verify.yml",
    }


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


def test_a_helm_that_changes_the_release_is_ended_with_the_lease() -> None:
    assert not [task for _file, task in ALL if module(task) == "kubernetes.core.helm"]
    [task] = [task for _file, task in ALL if module(task) == "ai_platform.agent.release_deploy"]
    assert task["ai_platform.agent.release_deploy"]["binary_path"] == "{{ __ai_agent_writing_helm }}"
    assert "__ai_agent_lease_environment" in task["environment"]


def test_the_program_before_helm_gets_its_variables() -> None:
    variables = yaml.safe_load((TASKS.parent / "vars/main.yml").read_text(encoding="utf-8"))
    program = TASKS.parent / "files/helm-under-lease"
    assert set(re.findall(r"\$(AI_AGENT_\w+)", program.read_text())) == set(variables["__ai_agent_lease_environment"])
    assert program.stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("words", "leased"),
    [
        (["version"], False),
        (["list", "--filter", "upgraded"], False),
        (["--version=1", "upgrade", "-i", "demo"], True),
        (["rollback", "demo", "1"], True),
        (["uninstall", "demo"], True),
        (["install", "demo", "a chart"], True),
    ],
)
def test_only_what_changes_a_release_runs_under_the_lease(words: list[str], leased: bool, tmp_path: Path) -> None:
    for name in ("python", "helm"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name}; printf "%s\\n" "$@"\n')
        (tmp_path / name).chmod(0o755)
    folder = str(tmp_path / "a folder")
    environment = {
        "AI_AGENT_LEASE_PYTHON": str(tmp_path / "python"),
        "AI_AGENT_LEASE_FOLDER": folder,
        "AI_AGENT_LEASE_HELM": str(tmp_path / "helm"),
    }
    command = [str(TASKS.parent / "files/helm-under-lease"), *words]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    before = ["python", "-I", f"{folder}/helm_child.py", folder, str(tmp_path / "helm")] if leased else ["helm"]
    assert told == [*before, *words]
