"""One playbook, run with modules in place and with Ansible's archives of them: the same results, the same words.

What is compared is what a task registers and what Ansible prints. Each row is a task.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.unit.plugins.plugin_utils.module_process import collection

ROOT = Path(__file__).resolve().parents[4]
Row = dict[str, t.Any]

MODULE = """
import os, time
from ansible.module_utils.basic import AnsibleModule

def main():
    spec = {
        "case": {"type": "str"}, "given": {"type": "raw"}, "time": {"type": "str"}, "token": {"no_log": True},
        "name": {"type": "str", "aliases": ["title"]},
        "old": {"type": "str", "removed_in_version": "9.9.9", "removed_from_collection": "tried.kit"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    case = module.params["case"]
    if case == "noise":
        print("a library says something", flush=True)
    if case == "warn":
        module.warn("mind the gap")
    if case == "fail":
        module.fail_json(msg="it failed", found=[1])
    if case == "raise":
        raise RuntimeError("nobody caught it")
    if case == "silent":
        os._exit(3)
    if case == "slow":
        time.sleep(60)
    given = module.params["given"]
    told = {"length": len(given)} if case == "long" else {"given": given, "type": type(given).__name__}
    told |= {"variable": os.environ.get("OF_THE_TASK"), "check": module.check_mode, "file": __file__}
    module.exit_json(changed=True, **told)

if __name__ == "__main__":
    main()
"""

TASKS: dict[str, Row] = {
    "a date": {"given": "{{ '2026-11-21' | to_datetime('%Y-%m-%d') }}", "time": "{{ moment }}"},
    "unquoted times": {"given": "{{ {'day': day, 'moments': [moment]} }}"},
    "numbers": {"given": [1, 2.5, True, None, "{{ 10 ** 20 }}"]},
    "Unicode": {"given": "Zürich 東京 😀 \u2028 \\ud800"},
    "three megabytes": {"case": "long", "given": "{{ 'é' * 3000000 }}"},
    "an alias given twice": {"name": "a", "title": "b"},
    "a warning": {"case": "warn"},
    "an option that goes away": {"old": "x"},
    "a secret": {"token": "c4nary", "given": "c4nary"},
    "a line of a library": {"case": "noise"},
    "a failure": {"case": "fail"},
    "an exception": {"case": "raise"},
    "an unknown option": {"unknown": 1},
    "an end without a result": {"case": "silent"},
    "a time-out": {"case": "slow"},
    "a number in the environment": {},
    "check mode": {},
}
OTHERS: dict[str, Row] = {
    "a time-out": {"timeout": 3},
    "a number in the environment": {"environment": {"OF_THE_TASK": 7}},
    "check mode": {"check_mode": True},
}
VARIABLES = {
    "day": datetime.date(2026, 11, 21),
    "moment": datetime.datetime(2026, 11, 21, 3, tzinfo=datetime.UTC),
}
# What may differ: where and when a process was.
TRACES = re.compile(r"/\S+|line \d+|\bat 0x[0-9a-f]+")


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, tuple[dict[str, Row], str]]:
    """What each way registered for each task, and what Ansible printed."""
    folder = tmp_path_factory.mktemp("ways")
    path = collection(folder, MODULE)
    common = {"ignore_errors": True}
    tasks: list[Row] = [
        {"name": name, "tried.kit.tried": arguments, "register": f"result_{number}"} | common | OTHERS.get(name, {})
        for number, (name, arguments) in enumerate(TASKS.items())
    ]
    results = "{{ [" + ", ".join(f"result_{number}" for number in range(len(TASKS))) + "] | to_json }}"
    tasks.append({"ansible.builtin.copy": {"content": results, "dest": "{{ told }}"}})
    book = folder / "book.yml"
    play = {"hosts": "localhost", "gather_facts": False, "vars": VARIABLES, "tasks": tasks}
    book.write_text(yaml.safe_dump([play], allow_unicode=True, sort_keys=False))
    found = {}
    for in_place in (True, False):
        told = folder / f"told-{in_place}.json"
        environment = os.environ | {
            # No ansible.cfg is around that keeps it out of the user's.
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": f"{path}:{ROOT / 'collections'}",
            "ANSIBLE_DEPRECATION_WARNINGS": "true",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "1000",
            "AI_AGENT_MODULES_IN_PLACE": str(in_place).lower(),
        }
        variables = json.dumps({"told": str(told), "ansible_python_interpreter": "{{ ansible_playbook_python }}"})
        words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local"]
        done = subprocess.run(
            [*words, "-e", variables, str(book)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        found[in_place] = dict(zip(TASKS, json.loads(told.read_text()), strict=True)), done.stdout
    return found


def alike(value: t.Any) -> t.Any:
    """Without traces, times, and Python's own words about a file."""
    if isinstance(value, dict):
        return {name: alike(item) for name, item in value.items() if name not in {"exception", "start", "end", "delta"}}
    if isinstance(value, list):
        return [alike(item) for item in value]
    return TRACES.sub("...", value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", TASKS)
def test_the_same_result(ways: dict[bool, tuple[dict[str, Row], str]], name: str) -> None:
    assert alike(ways[True][0][name]) == alike(ways[False][0][name])


def test_the_same_words(ways: dict[bool, tuple[dict[str, Row], str]]) -> None:
    def said(output: str) -> list[str]:
        lines = re.findall(r"(?m)^\[(?:WARNING|DEPRECATION WARNING|ERROR)\].*", output)
        return [alike(line) for line in lines]

    assert said(ways[True][1]) == said(ways[False][1])
    words = "\n".join(said(ways[True][1]))
    for expected in ("mind the gap", "Module failed: it failed", "Both option name and its alias title"):
        assert expected in words, expected
    assert "DEPRECATION" in words


def test_what_was_compared_ran_both_ways(ways: dict[bool, tuple[dict[str, Row], str]]) -> None:
    in_place, packed = ({Path(row["file"]) for row in ways[way][0].values() if "file" in row} for way in (True, False))
    assert [file.parts[-5:] for file in in_place] == [("tried", "kit", "plugins", "modules", "tried.py")]
    assert packed
    assert all(".zip" in str(file) for file in packed)
    results = ways[True][0]
    assert results["unquoted times"]["given"]["moments"] == ["2026-11-21T03:00:00+00:00"]
    assert results["a number in the environment"]["variable"] == "7"
    assert results["three megabytes"]["length"] == 3_000_000
    assert results["check mode"]["check"] is True
    assert "Timed out" in results["a time-out"]["msg"]
    assert [name for name, result in results.items() if result["failed"]] == [
        "a failure",
        "an exception",
        "an unknown option",
        "an end without a result",
        "a time-out",
    ]
