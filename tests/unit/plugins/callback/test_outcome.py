"""The line at the end of a run, and vaults that cannot be opened."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.callback.outcome import CallbackModule, closed_vaults, line

REPORT = "ai_platform.agent.deployment_report"


class Screen:
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def display(self, text: str, **_: t.Any) -> None:
        self.lines.append(text)


class Stats:
    """Counters of hosts, as Ansible keeps them."""

    def __init__(self, **failures: int) -> None:
        self.processed = dict.fromkeys(failures, 1)
        self._failures = failures

    def summarize(self, host: str) -> dict[str, int]:
        return {"failures": self._failures[host], "unreachable": 0}


def result(host: str, task: str, action: str, **values: t.Any) -> t.Any:
    """A task's result as a callback gets it."""
    return types.SimpleNamespace(
        _host=types.SimpleNamespace(get_name=lambda: host),
        _task=types.SimpleNamespace(action=action, get_name=lambda: task),
        _result=values,
    )


@pytest.fixture
def callback() -> CallbackModule:
    made = CallbackModule()
    made._display = Screen()
    return made


def test_each_host_has_one_line_and_the_last_word_counts(callback: CallbackModule) -> None:
    callback.v2_runner_on_ok(result("a", "Judge", "ai_platform.agent.migration_preflight", summary=["SAFE  a/x", "b"]))
    callback.v2_runner_on_ok(result("a", "Report", REPORT, word="Installed", sentence="a in dev was installed."))
    callback.v2_runner_on_ok(result("c", "Judge", "ai_platform.agent.migration_preflight", summary=["SAFE  c/x", "b"]))
    callback.v2_runner_on_failed(result("b", "role : Stop at it", "ansible.builtin.fail", msg="It cannot be."))
    callback.v2_playbook_on_stats(Stats(a=0, b=1, c=0, d=0))
    assert callback._display.lines == [
        "OK  a: Installed. a in dev was installed.",
        "FAILED  b: Stop at it: It cannot be.",
        "OK  c: SAFE c/x",
    ]


@pytest.mark.parametrize(
    ("module", "result", "said"),
    [
        ("credentials_rotation", {"summary": ["role b was made ready", "role b logs in."]}, "role b logs in."),
        (
            "image_contract",
            {"summary": ["right  start", "The image keeps the contract."]},
            "The image keeps the contract.",
        ),
        (
            "release_plan",
            {"summary": ["+ x", "y"], "sentence": "A deployment would do this."},
            "A deployment would do this.",
        ),
        ("release_rollback", {"summary": ["-> 3"], "sentence": "It was rolled back."}, "It was rolled back."),
        # The same module in its other role, and the list of all backups that is asked for after one was made.
        ("release_rollback", {"changed": True}, ""),
        ("database_backup", {"summary": ["b-1: 7 rows, verified", "note"]}, "b-1: 7 rows, verified"),
        ("database_backup", {"summary": ["b-0: 5 rows, verified"], "backups": []}, ""),
        ("data_retention", {"summary": []}, ""),
    ],
)
def test_each_module_that_ends_a_playbook_says_what_it_did(module: str, result: dict[str, t.Any], said: str) -> None:
    assert line(f"ai_platform.agent.{module}", result) == said


def test_a_failure_that_was_caught_is_not_the_outcome(callback: CallbackModule) -> None:
    callback.v2_runner_on_failed(result("a", "Try", "x", msg="no"))
    callback.v2_runner_on_failed(result("a", "Ask", "x", msg="no"), ignore_errors=True)
    callback.v2_runner_on_ok(result("a", "Report", REPORT, word="Unchanged", sentence="Nothing was changed."))
    callback.v2_playbook_on_stats(Stats(a=0))
    assert callback._display.lines == ["OK  a: Unchanged. Nothing was changed."]


def test_a_condition_of_a_task_of_many_has_its_own_name(callback: CallbackModule) -> None:
    guard = "ai_platform.agent.guard"
    callback.v2_runner_on_failed(result("a", "role : Guard the tools", guard, stop="Stop at a helm", msg="Too old."))
    callback.v2_playbook_on_stats(Stats(a=1))
    assert callback._display.lines == ["FAILED  a: Stop at a helm: Too old."]


def test_what_says_nothing_of_the_run_has_no_line() -> None:
    assert line("ansible.builtin.debug", {"word": "x", "sentence": "y"}) == ""
    assert line(REPORT, {"skipped": True}) == ""


def test_vaults_that_stay_closed_are_named_with_their_id(tmp_path: Path) -> None:
    folder = tmp_path / "group_vars/all"
    folder.mkdir(parents=True)
    (folder / "vault.yml").write_text("$ANSIBLE_VAULT;1.2;AES256;prod\n33\n")
    (folder / "old.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n33\n")
    (folder / "main.yml").write_text("a: 1\n")
    (tmp_path / "hosts.yml").write_text("all:\n")
    for source in (tmp_path, tmp_path / "hosts.yml"):
        found = closed_vaults([str(source)], lambda _content: False)
        assert found == [(folder / "old.yml", ""), (folder / "vault.yml", "prod")]
    assert closed_vaults([str(tmp_path)], lambda _content: True) == []


def test_of_a_fleet_one_task_speaks_for_all_hosts(callback: CallbackModule) -> None:
    """A host that failed was rescued, and what a host would become is not what became of it."""
    fleet = "ai_platform.agent.fleet_report"
    callback.v2_runner_on_ok(result("b", "Report", REPORT, word="Installed", sentence="b was installed."))
    callback.v2_runner_on_failed(result("a", "role : Stop at it", "ansible.builtin.fail", msg="Nobody knows."))
    said = {"a": {"level": "bad", "text": "Blocked. Why."}, "b": {"level": "neutral", "text": "Not begun."}}
    callback.v2_runner_on_ok(result("b", "Page", fleet, word="Stopped", sentence="Two.", said=said))
    callback.v2_playbook_on_stats(Stats(a=0, b=1))
    assert callback._display.lines == ["FAILED  a: Blocked. Why.", "OK  b: Not begun."]
