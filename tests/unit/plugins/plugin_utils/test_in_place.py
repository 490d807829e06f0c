"""A module run from its own files, in a process of its own: what goes in, what comes out, and what is left behind."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
import types
import typing as t
from pathlib import Path

import pytest
from ansible.playbook.play_context import PlayContext
from ansible.template import Templar
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _in_place

from tests.unit.plugins.plugin_utils.module_process import MODULE, collection

ROOT = Path(__file__).resolve().parents[4]
CHECK: dict[str, t.Any] = {"_ansible_check_mode": True, "_ansible_inject_invocation": True}
Row = dict[str, t.Any]


@pytest.fixture
def tried(tmp_path: Path) -> t.Callable[..., Row]:
    """Run a module of that body."""

    def run(body: str, arguments: Row | None = None, environment: Row | None = None) -> Row:
        text = "import atexit, json, os, signal, subprocess, sys\nfrom ansible.module_utils import basic\n"
        path = collection(tmp_path, f"{text}{body}\nraise SystemExit(0)\n")
        return _in_place.run(MODULE, arguments or {}, environment or {}, [path])

    return run


def gone(pid: int) -> bool:
    """Whether a process ended, within two seconds."""
    for _ in range(40):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_real_module_tells_what_it_always_tells() -> None:
    arguments = {"release_name": "x", "release_namespace": "y", "kubeconfig": "/nowhere", "database_url": "z"}
    name = "ansible_collections.ai_platform.agent.plugins.modules.connectivity_test"
    result = json.loads(_in_place.run(name, arguments | CHECK, {}, [str(ROOT / "collections")])["stdout"])
    assert result["failed"] is True
    assert result["msg"] == "parameters are mutually exclusive: release_name|database_url"
    # A parameter with no_log stays out of the result here, too.
    assert result["invocation"]["module_args"]["database_url"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_the_time_of_a_backup_as_yaml_reads_it_without_quotes() -> None:
    """It is a datetime then, and the form that the module's own message recommends."""
    arguments = {"last_verified_backup": datetime.datetime(2026, 11, 21, 3, tzinfo=datetime.UTC)}
    name = "ansible_collections.ai_platform.agent.plugins.modules.migration_preflight"
    result = json.loads(_in_place.run(name, arguments | CHECK, {}, [str(ROOT / "collections")])["stdout"])
    assert result["invocation"]["module_args"]["last_verified_backup"] == "2026-11-21T03:00:00+00:00"


def test_arguments_and_variables_are_the_modules_own(tried: t.Any) -> None:
    body = 'print(json.dumps([basic._ANSIBLE_ARGS.decode(), os.environ["NUMBER"], os.environ["YES"], sys.argv[1:]]))'
    given, *others = json.loads(tried(body, {"a": "ü"}, {"NUMBER": 7, "YES": True})["stdout"])
    assert json.loads(given) == {"ANSIBLE_MODULE_ARGS": {"a": "ü"}}
    assert others == ["7", "True", []]
    assert not {"NUMBER", "YES"} & set(os.environ)


def test_no_argument_is_on_its_command_line_or_in_its_environment(tried: t.Any) -> None:
    body = 'print(open("/proc/self/cmdline").read(), open("/proc/self/environ").read())'
    assert "c4nary" not in tried(body, {"api_key": "c4nary"})["stdout"]


def test_what_is_long_arrives_whole(tried: t.Any) -> None:
    ended = tried('print(len(basic._ANSIBLE_ARGS.decode())); print("x" * 3_000_000)', {"manifests": "y" * 3_000_000})
    read, text = ended["stdout"].split()
    assert (len(text), int(read) > 3_000_000) == (3_000_000, True)


def test_long_arguments_that_nobody_reads(tried: t.Any) -> None:
    assert tried('print("{}")', {"manifests": "y" * 3_000_000}) == {"rc": 0, "stdout": "{}\n", "stderr": ""}


def test_what_a_module_leaves_to_its_end_is_done(tried: t.Any, tmp_path: Path) -> None:
    """The Kubernetes client keeps a kubeconfig's certificates and keys in files until its process ends."""
    key = tmp_path / "key"
    tried(f'open("{key}", "w").close(); atexit.register(os.unlink, "{key}")')
    assert not key.exists()


def test_a_module_that_dies(tried: t.Any) -> None:
    ended = tried("1 / 0")
    assert (ended["rc"], "division by zero" in ended["stdout"]) == (1, True)


HELM = (
    'helm = subprocess.Popen(["sh", "-c", "sleep 60; touch {file}.done"])\nopen("{file}", "w").write(str(helm.pid))\n'
)


def test_a_module_that_is_killed_takes_its_helm_with_it(tried: t.Any, tmp_path: Path) -> None:
    file = tmp_path / "helm"
    assert tried(HELM.format(file=file) + "os.kill(os.getpid(), signal.SIGKILL)")["rc"] == -signal.SIGKILL
    assert gone(int(file.read_text()))
    # It did not go because its work was done.
    assert not file.with_name("helm.done").exists()


@pytest.mark.parametrize("stubborn", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"])
def test_the_time_out_of_a_task_ends_it_and_its_helm(
    tried: t.Any, tmp_path: Path, stubborn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_in_place, "GRACE_SECONDS", 0.5)
    key, file = tmp_path / "key", tmp_path / "helm"

    def late(*_: object) -> t.NoReturn:
        raise TimeoutError

    def when_it_runs(*_: object) -> None:
        if file.exists() and file.read_text():
            late()
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    before = signal.signal(signal.SIGALRM, when_it_runs)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    leaves = f'open("{key}", "w").close(); atexit.register(os.unlink, "{key}")\n'
    try:
        with pytest.raises(TimeoutError):
            tried(leaves + stubborn + HELM.format(file=file) + "helm.wait()")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert gone(int(file.read_text()))
    # It had the time to remove its secrets, unless it would not listen.
    assert key.exists() is bool(stubborn)


def test_it_ends_with_the_worker_that_started_it(tmp_path: Path) -> None:
    file = tmp_path / "helm"
    path = collection(tmp_path, f"import subprocess\n{HELM.format(file=file)}helm.wait()\n")
    worker = "import sys; from ansible_collections.ai_platform.agent.plugins.plugin_utils import _in_place"
    call = f"_in_place.run({MODULE!r}, {{}}, {{}}, [{path!r}])"
    loader = "from ansible.plugins.loader import init_plugin_loader"
    program = f"{loader}; init_plugin_loader([{str(ROOT / 'collections')!r}]); {worker}; {call}"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        while not (file.exists() and file.read_text()):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert gone(int(file.read_text()))


def action(**changed: t.Any) -> t.Any:
    """An action of a task on this machine."""
    given: Row = {"transport": "local", "become": False, "delegate_to": None, "async_val": 0} | changed
    play_context = PlayContext()
    play_context.become = given["become"]
    return types.SimpleNamespace(
        _task=types.SimpleNamespace(delegate_to=given["delegate_to"], async_val=given["async_val"]),
        _connection=types.SimpleNamespace(transport=given["transport"]),
        _play_context=play_context,
        _templar=Templar(variables={"ansible_playbook_python": sys.executable}),
    )


@pytest.mark.parametrize(
    ("changed", "interpreter", "expected"),
    [
        ({}, sys.executable, True),
        ({}, "/usr/bin/another", False),
        # Ansible looks for one: it need not be its own.
        ({}, None, False),
        ({"transport": "ssh"}, sys.executable, False),
        ({"become": True}, sys.executable, False),
        ({"delegate_to": "elsewhere"}, sys.executable, False),
        ({"async_val": 60}, sys.executable, False),
    ],
)
def test_where_it_is_the_same_program(changed: Row, interpreter: str | None, expected: bool) -> None:
    assert _in_place.possible(action(**changed), {"ansible_python_interpreter": interpreter}) is expected


@pytest.mark.parametrize(
    ("variable", "environment", "expected"),
    [(True, "", True), (False, "", False), ("no", "true", False), (True, "0", False), (True, "yes", True)],
)
def test_the_switch(variable: t.Any, environment: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_AGENT_MODULES_IN_PLACE", environment)
    variables = {"ansible_python_interpreter": sys.executable, "ai_agent_modules_in_place": variable}
    assert _in_place.possible(action(), variables) is expected


@pytest.mark.parametrize(
    ("place", "value"), [("ansible.constants.DEFAULT_KEEP_REMOTE_FILES", True), ("sys.platform", "x")]
)
def test_where_it_would_not_be_the_same(place: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, value)
    assert not _in_place.possible(action(), {"ansible_python_interpreter": sys.executable})
