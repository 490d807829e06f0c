"""What is done in the worker of a task tells what the module would; nothing secret is told or left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
Row = dict[str, t.Any]
TOKEN = "c4nary-token"
# A helm that quotes what it should not, says what the task's environment holds, and keeps what started it.
HELM = """#!/bin/sh
tr '\\0' ' ' <"/proc/$PPID/cmdline" >>"$PARENTS"
[ "$1" = version ] && { echo "v4.3.1 $OF_THE_TASK"; exit; }
echo "Error: refused: $(tr -d '\\n' <"$KUBECONFIG")" >&2
exit 1
"""
KUBECONFIG = {
    "apiVersion": "v1", "kind": "Config", "current-context": "x",
    "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}}],
    "users": [{"name": "x", "user": {"token": TOKEN}}],
}  # fmt: skip
TASKS: dict[str, Row] = {
    "a server that is away": {"host": "https://127.0.0.1:1", "api_key": TOKEN},
    "a kubeconfig of its own": {"kubeconfig": KUBECONFIG},
    "no kubeconfig there": {"kubeconfig": "/nowhere"},
    "an unknown option": {"unknown": 1},
    "a wrong type": {"helm_timeout": "soon"},
    "an alias given twice": {
        "host": "https://127.0.0.1:1",
        "api_key": TOKEN,
        "verify_ssl": False,
        "validate_certs": True,
    },
}
AWAY = {"host": "https://127.0.0.1:1", "api_key": TOKEN}
DEPLOYED = {"status": "deployed", "chart": "ai-agent-1.0.0"}
# Of the other modules the calls that are short enough, and those that are not.
OTHERS: dict[str, tuple[str, Row]] = {
    "a record": ("release_rollback", AWAY | {"state": "recorded", "revision": 3, "manifests": "", "preflight": {}}),
    "a record without its revision": ("release_rollback", AWAY | {"state": "recorded"}),
    "a roll back": ("release_rollback", AWAY),
    "a Lease given back": ("release_lease", {"state": "free", "folder": "/nowhere"}),
    "a Lease given back from nowhere": ("release_lease", {"state": "free"}),
    "a Lease held": ("release_lease", AWAY | {"wait": 0}),
    # No helm is there that could be asked.
    "a release as wanted": ("release_deploy", {"up_to_date": DEPLOYED, "chart_ref": "/nowhere"}),
}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, tuple[dict[str, Row], str, list[Path]]]:
    """What each way registered for each task, what was printed, and what stayed in the folder of temporary files."""
    folder = tmp_path_factory.mktemp("ways")
    helm = folder / "helm"
    helm.write_text(HELM)
    helm.chmod(0o755)
    common = {"release_name": "x", "release_namespace": "y", "helm_binary": str(helm), "helm_values": True}
    tasks: list[Row] = [
        {
            "name": name,
            "ai_platform.agent.release_info": common | arguments,
            "register": f"result_{number}",
            "failed_when": False,
            "environment": {"OF_THE_TASK": 7},
        }
        for number, (name, arguments) in enumerate(TASKS.items())
    ]
    tasks += [
        {
            "name": name,
            f"ai_platform.agent.{module}": {"release_name": "x", "release_namespace": "y"} | arguments,
            "register": f"result_{number}",
            "failed_when": False,
        }
        for number, (name, (module, arguments)) in enumerate(OTHERS.items(), len(TASKS))
    ]
    results = "{{ [" + ", ".join(f"result_{number}" for number in range(len(tasks))) + "] | to_json }}"
    tasks.append({"ansible.builtin.copy": {"content": results, "dest": "{{ told }}"}})
    book = folder / "book.yml"
    book.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], sort_keys=False))
    found = {}
    for here in (True, False):
        told, temporary = folder / f"told-{here}.json", folder / f"tmp-{here}"
        temporary.mkdir()
        others = ("K8S_AUTH_", "ANSIBLE_CONFIG")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(others)} | {
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_LOCAL_TEMP": str(temporary),
            "ANSIBLE_REMOTE_TEMP": str(temporary),
            "ANSIBLE_NOCOLOR": "1",
            "TMPDIR": str(temporary),
            "PARENTS": str(folder / f"parents-{here}"),
            "AI_AGENT_MODULES_IN_PLACE": str(here).lower(),
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
        rows = dict(zip([*TASKS, *OTHERS], json.loads(told.read_text()), strict=True))
        # Ansible's archives are started from a file, modules in place from _module_process.py.
        assert ("book.yml" in (folder / f"parents-{here}").read_text()) is here
        found[here] = rows, done.stdout, [path for path in temporary.rglob("*") if path.is_file()]
    return found


@pytest.mark.parametrize("name", [*TASKS, *OTHERS])
def test_the_same_result(ways: dict[bool, tuple[dict[str, Row], str, list[Path]]], name: str) -> None:
    here, module = (dict(ways[way][0][name]) for way in (True, False))
    for row in (here, module):
        for trace in ("invocation", "exception"):
            row.pop(trace, None)
    assert here == module


def test_what_was_compared(ways: dict[bool, tuple[dict[str, Row], str, list[Path]]]) -> None:
    rows = ways[True][0]
    assert rows["a server that is away"]["error_id"] == "cluster-unreachable"
    assert rows["a server that is away"]["helm"]["said"] == "v4.3.1 7"
    assert "refused" in rows["a kubeconfig of its own"]["helm"]["problem"]
    assert "unknown" in rows["an unknown option"]["msg"]
    assert rows["a record"]["error_id"] == "manifests-unreadable"
    assert "revision" in rows["a record without its revision"]["msg"]
    assert "was killed" in rows["a Lease given back"]["msg"]
    assert rows["a Lease held"]["error_id"] == "cluster-unreachable"
    assert (rows["a release as wanted"]["changed"], rows["a release as wanted"]["status"]) == (False, DEPLOYED)


def test_nothing_secret_is_told_or_left(ways: dict[bool, tuple[dict[str, Row], str, list[Path]]]) -> None:
    for rows, printed, left in ways.values():
        assert TOKEN not in json.dumps(rows) + printed
        assert not left
        assert "errantly" not in printed
