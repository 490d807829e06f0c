"""A module run from its own files in a fork: the same result, and no trace of it in the process that asked."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import types
import typing as t
from pathlib import Path

import pytest
from ansible.playbook.play_context import PlayContext
from ansible.template import Templar
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _in_place

MODULES = "ansible_collections.ai_platform.agent.plugins.modules"
# pytest's workers have threads, Ansible's have not.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
CHECK: dict[str, t.Any] = {"_ansible_check_mode": True, "_ansible_inject_invocation": True}


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[t.Callable[[], None]], None]:
    """Put a function in the place of the main() of a module `tried`."""

    def put(main: t.Callable[[], None]) -> None:
        monkeypatch.setitem(sys.modules, f"{MODULES}.tried", types.SimpleNamespace(main=main))  # type: ignore[misc]

    return put


def test_a_real_module_tells_what_it_always_tells() -> None:
    arguments = {"release_name": "x", "release_namespace": "y", "kubeconfig": "/nowhere", "database_url": "z"}
    result = _in_place.run("connectivity_test", arguments | CHECK, {})
    assert result["failed"] is True
    assert result["msg"] == "parameters are mutually exclusive: release_name|database_url"
    # A parameter with no_log stays out of the result here, too.
    assert result["invocation"]["module_args"]["database_url"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_arguments_variables_and_name_are_the_modules_own(module: t.Any) -> None:
    def main() -> None:
        given = sys.stdin.read()
        print(f'{{"given": {given}, "variable": "{os.environ["OF_THE_TASK"]}", "name": "{sys.argv[0]}"}}')
        os.environ["LEFT"] = "behind"
        raise SystemExit(0)

    module(main)
    before = sys.stdin, sys.stdout, sys.argv
    result = _in_place.run("tried", {"a": "ü"}, {"OF_THE_TASK": "yes"})
    assert result == {
        "changed": False,
        "given": {"ANSIBLE_MODULE_ARGS": {"a": "ü"}},
        "variable": "yes",
        "name": "tried",
    }
    assert (sys.stdin, sys.stdout, sys.argv) == before
    assert not {"LEFT", "OF_THE_TASK"} & set(os.environ)


def test_what_is_long_arrives_whole(module: t.Any) -> None:
    module(lambda: print(f'{{"read": {len(sys.stdin.read())}, "text": "{"x" * 3_000_000}"}}'))
    result = _in_place.run("tried", {"manifests": "y" * 3_000_000}, {})
    assert (len(result["text"]), result["read"] > 3_000_000) == (3_000_000, True)


def test_long_arguments_that_nobody_reads(module: t.Any) -> None:
    module(lambda: print("{}"))
    assert _in_place.run("tried", {"manifests": "y" * 3_000_000}, {}) == {"changed": False}


def test_what_a_module_leaves_to_its_end_is_done_and_nothing_of_the_workers(module: t.Any, tmp_path: Path) -> None:
    key, ours = tmp_path / "key", tmp_path / "ours"

    def main() -> None:
        key.write_text("c4nary")
        atexit.register(key.unlink)
        print("{}")
        raise SystemExit(0)

    atexit.register(ours.touch)
    try:
        module(main)
        _in_place.run("tried", {}, {})
    finally:
        atexit.unregister(ours.touch)
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_dies(module: t.Any) -> None:
    module(lambda: 1 / 0)
    result = _in_place.run("tried", {}, {})
    assert (result["failed"], result["msg"]) == (True, "The module tried ended without a result (exit code 1).")
    assert "ZeroDivisionError" in result["module_stderr"]


def test_a_module_that_is_killed(module: t.Any) -> None:
    module(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert _in_place.run("tried", {}, {})["msg"] == "The module tried ended without a result (exit code -9)."


def test_the_time_out_of_a_task_ends_it(module: t.Any) -> None:
    module(lambda: time.sleep(60))

    def late(*_: object) -> t.NoReturn:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(TimeoutError):
            _in_place.run("tried", {}, {})
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_thread_of_the_module_may_run(module: t.Any) -> None:
    def main() -> None:
        thread = threading.Thread(target=lambda: print('{"from": "thread"}'))
        thread.start()
        thread.join()

    module(main)
    assert _in_place.run("tried", {}, {})["from"] == "thread"


def action(**changed: t.Any) -> t.Any:
    """An action of a task on this machine."""
    given: dict[str, t.Any] = {"transport": "local", "become": False, "delegate_to": None, "async_val": 0} | changed
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
def test_where_it_is_the_same_program(changed: dict[str, t.Any], interpreter: str | None, expected: bool) -> None:
    assert _in_place.possible(action(**changed), {"ansible_python_interpreter": interpreter}) is expected


def test_who_keeps_the_files_gets_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.constants.DEFAULT_KEEP_REMOTE_FILES", True)
    assert not _in_place.possible(action(), {"ansible_python_interpreter": sys.executable})
