"""deployment_report in a playbook, and the role that calls it where a step fails. No cluster is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.modules.deployment_report import EXAMPLES

from tests.unit.plugins.module_utils._page.runs import preflight, run

ROOT = Path(__file__).resolve().parents[3]
NAME = "ai_platform.agent.deployment_report"
Json = dict[str, t.Any]


def ansible(*words: str | Path, callback: str = "default") -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook in the checkout."""
    env = os.environ | {"ANSIBLE_STDOUT_CALLBACK": callback, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
    command = [sys.executable, "-m", "ansible", "playbook", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def play(folder: Path, tasks: list[Json], *options: str) -> list[Json]:
    """Run tasks on localhost; the result of each."""
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = ansible("-i", "localhost,", "-c", "local", path, *options, callback="ansible.posix.json")
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    document, _end = json.JSONDecoder().raw_decode(done.stdout)
    return [task["hosts"]["localhost"] for task in document["plays"][0]["tasks"]]


def _task(place: Path, **changed: t.Any) -> Json:
    result = preflight() | {"changed": False, "failed": False}
    arguments: Json = {
        "folder": str(place / "report"),
        "run": run(),
        "reports": [{"kind": "migration_preflight", "result": result}],
    }
    return {"name": "Report", NAME: arguments | changed, "register": "report"}


def test_the_report_is_written_once_and_changes_only_with_what_it_says(tmp_path: Path) -> None:
    first, second = play(tmp_path, [_task(tmp_path), _task(tmp_path)])
    assert (first["changed"], second["changed"], first["level"]) == (True, False, "warn")
    assert first["files"] == [str(tmp_path / "report" / name) for name in ("report.json", "junit.xml", "report.html")]
    full = json.loads((tmp_path / "report" / "report.json").read_text())
    assert full["reports"]["migration_preflight"] == preflight()
    assert "invocation" not in json.dumps(full)


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    [result] = play(tmp_path, [_task(tmp_path)], "--check")
    assert (result["changed"], result["word"]) == (True, "Rehearsed")
    assert not (tmp_path / "report").exists()


def test_markup_and_templates_in_messages_are_text(tmp_path: Path) -> None:
    message = "{{ 1 + 1 }} <script>alert(1)</script> {% raw %}"
    task = _task(tmp_path, run=run(failure={"task": "t", "message": "{{ said }}"}))
    play(tmp_path, [task | {"vars": {"said": "{{ lookup('file', said_in) }}", "said_in": _file(tmp_path, message)}}])
    full = json.loads((tmp_path / "report" / "report.json").read_text())
    assert message in full["outcome"]["sentence"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in (tmp_path / "report" / "report.html").read_text()


def _file(folder: Path, text: str) -> str:
    (folder / "said.txt").write_text(text)
    return str(folder / "said.txt")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"folder": "/proc/nowhere"}, "/proc/nowhere cannot be made: "),
        ({"run": {"release": "x"}}, "missing required arguments: host found in run"),
        ({"reports": [{"kind": "other", "result": {}}]}, "must be one of: migration_preflight, connectivity_test"),
        ({"run": run(steps={"guard": "noon"})}, "run.steps must say when each step began"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: Json, words: str) -> None:
    [result] = play(tmp_path, [_task(tmp_path, **changed)])
    assert result["failed"]
    assert words in result["msg"]
    assert "\n" not in result["msg"]
    assert "Traceback" not in json.dumps(result)


def test_the_example_runs(tmp_path: Path) -> None:
    """All but its first task, which the preflight's own tests run."""
    found = tmp_path / "preflight.json"
    found.write_text(json.dumps(preflight()))
    text = EXAMPLES.replace("/tmp/preflight.json", str(found)).replace("/tmp/report", str(tmp_path / "report"))  # noqa: S108
    tasks = yaml.safe_load(text)
    given: Json = {"preflight": preflight() | {"changed": False}}
    results = play(tmp_path, [task | {"vars": given} for task in tasks[1:]])
    assert len(results) == 2, results
    assert results[1]["msg"] == f"Checked: {tmp_path}/report/report.html"


DEV = ("-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "site.yml")


def _deploy(folder: Path, **variables: t.Any) -> tuple[subprocess.CompletedProcess[str], Path]:
    given = {"ai_agent_redis_password": "", "ai_agent_reports_dir": str(folder / "reports")} | variables
    return ansible(*DEV, "-e", json.dumps(given)), folder / "reports" / "agent-dev"


def test_a_run_that_guard_stops_has_a_report_and_still_fails(tmp_path: Path) -> None:
    done, folder = _deploy(tmp_path)
    assert done.returncode == 2, done.stdout
    full = json.loads((folder / "report.json").read_text())
    assert full["outcome"]["word"] == "Stopped"
    assert "ai_agent_redis_password" in full["run"]["failure"]["message"]
    assert [step["state"] for step in full["steps"]] == ["failed", *["not reached"] * 4]
    assert "demo-only" not in (folder / "report.html").read_text() + (folder / "report.json").read_text()
    last = re.findall(r"\[ERROR\]: (.*)", done.stderr + done.stdout)[-1]
    assert last.endswith(f"Report: {folder}/report.html")
    assert "changed=0" in done.stdout


def test_without_a_folder_a_failure_is_told_once(tmp_path: Path) -> None:
    done, folder = _deploy(tmp_path, ai_agent_reports_dir="")
    assert done.returncode == 2
    assert len(re.findall(r"\[ERROR\]: ", done.stderr + done.stdout)) == 1
    assert not folder.exists()


def test_check_mode_of_the_role_keeps_the_report_of_the_last_run(tmp_path: Path) -> None:
    _done, folder = _deploy(tmp_path)
    kept = (folder / "report.json").read_text()
    given = {"ai_agent_redis_password": "", "ai_agent_reports_dir": str(tmp_path / "reports")}
    done = ansible(*DEV, "--check", "-e", json.dumps(given))
    assert "Check mode writes no report." in done.stdout + done.stderr
    assert (folder / "report.json").read_text() == kept
