"""A task that hands a password to a module hides it everywhere: in results, in events, and in files of the run."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

TASKS = Path(__file__).resolve().parents[3] / "roles/ai_agent/tasks"
# What holds a password in clear or in base64.
SECRET = (
    "__ai_agent_secret_data",
    "__ai_agent_passwords",
    "__ai_agent_secrets",
    "_password }}",
    "ai_agent_model_key }}",
)
# They run on the controller, in Ansible's own process, and are asked for what they are given to say.
WITHOUT_A_PROCESS = {
    "ansible.builtin.fail",
    "ansible.builtin.debug",
    "ansible.builtin.set_fact",
    "ansible.builtin.assert",
    "ai_platform.agent.guard",
}
# What other people's programs say, which may quote one.
READS_WHAT_PODS_SAY = {"kubernetes.core.k8s_info", "kubernetes.core.k8s_log"}
KEYWORDS = {
    *("name", "when", "register", "vars", "failed_when", "changed_when", "no_log", "environment", "tags", "check_mode"),
    *("block", "rescue", "loop", "loop_control", "module_defaults", "run_once", "diff", "until", "retries", "delay"),
}

Task = dict[str, t.Any]


def tasks(items: list[Task]) -> t.Iterator[Task]:
    """All tasks, those of blocks too."""
    for item in items:
        if "block" in item:
            yield from tasks(item["block"] + item.get("rescue", []))
        else:
            yield item


ALL = [(path.name, task) for path in sorted(TASKS.glob("*.yml")) for task in tasks(yaml.safe_load(path.read_text()))]


def module(task: Task) -> str:
    (name,) = task.keys() - KEYWORDS
    return str(name)


WITH_SECRETS = [
    (file, task)
    for file, task in ALL
    if module(task) not in WITHOUT_A_PROCESS and any(mark in str(task[module(task)]) for mark in SECRET)
]


def test_they_are_found() -> None:
    assert {file for file, _task in WITH_SECRETS} == {
        "guard_look.yml",
        "credentials.yml",
        "diagnose.yml",
        "plan_ask.yml",
        "rotate.yml",
        "rotate_generate.yml",
        "rotate_generate_vaulted.yml",
        "rotate_model.yml",
        "rotate_redis.yml",
        "rotate_replication.yml",
        "support_bundle.yml",
    }


@pytest.mark.parametrize(
    ("file", "task"), WITH_SECRETS, ids=lambda each: each if isinstance(each, str) else each["name"]
)
def test_a_password_for_a_module(file: str, task: Task) -> None:
    assert task.get("no_log") is True, file
    assert task.get("vars", {}).get("ansible_pipelining") is True, file
    # ansible-core says a failure's words in spite of no_log.
    assert task.get("failed_when") is False, file


def test_what_pods_say_is_not_registered_for_show() -> None:
    reading = [task for _file, task in ALL if module(task) in READS_WHAT_PODS_SAY]
    # release_evidence reads it, and takes out what is secret before it returns.
    assert reading == []
