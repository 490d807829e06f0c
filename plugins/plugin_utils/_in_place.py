"""Runs a module from the collection's own files, without Ansible's archive of a module for another machine.

Packing, unpacking and compiling that archive costs half a second of CPU for each start of a module. On `connection:
local` with the controller's own Python the same files are there already. Arguments, result, warnings and failures go
through Ansible's own encoders, so a task ends the same on both ways, which tests/unit/plugins/plugin_utils compares.

`ai_agent_modules_in_place: false` (a variable) or `AI_AGENT_MODULES_IN_PLACE=false` (in the environment of
ansible-playbook) chooses Ansible's own way everywhere.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

from ansible import constants
from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.display import Display

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

    from ansible.plugins.action import ActionBase
else:
    ActionBase = object

Row = dict[str, t.Any]

PROGRAM = Path(__file__).with_name("_module_process.py")
# How Ansible encodes the arguments of a module that says nothing else about itself, as all modules here.
PROFILE = "legacy"
SWITCH = "ai_agent_modules_in_place"
# Seconds that a module has for its end, to delete what it made in the cluster and on disk.
GRACE_SECONDS = 5


def possible(action: ActionBase, task_vars: Mapping[str, t.Any]) -> bool:
    """Whether the module would run on this machine, as this user, with this Python, while the task waits for it."""
    task = action._task
    if action._connection.transport != "local" or action._play_context.become or task.delegate_to or task.async_val:
        return False
    # Who keeps the files of modules wants to look at the archive. Only Linux ends a process together with its parent.
    if constants.DEFAULT_KEEP_REMOTE_FILES or sys.platform != "linux":
        return False
    switches = (action._templar.template(task_vars.get(SWITCH, True)), os.environ.get(SWITCH.upper()) or True)
    if not all(boolean(switch) for switch in switches):
        return False
    wanted = action._templar.template(task_vars.get("ansible_python_interpreter"))
    return bool(wanted == sys.executable)


def as_strings(environment: Mapping[str, t.Any]) -> dict[str, str]:
    """The `environment` of a task as a process can have it: Ansible's own shell writes numbers and others as str()."""
    return {str(name): str(value) for name, value in environment.items()}


def as_a_module_gets(arguments: Mapping[str, t.Any]) -> Row:
    """The arguments of a task as a module would get them: times as strings, and nothing of Ansible's own types."""
    decoder = get_module_decoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    return t.cast("Row", json.loads(_encoded(arguments), cls=decoder))


def as_plain_json(arguments: Mapping[str, t.Any]) -> str:
    """The arguments of a task as JSON that any program may read."""
    return json.dumps(as_a_module_gets(arguments), sort_keys=True)


def _encoded(arguments: Mapping[str, t.Any]) -> str:
    return json.dumps(arguments, cls=get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE))


def run(module: str, arguments: Row, environment: Mapping[str, t.Any], paths: Sequence[str] = ()) -> Row:
    """Run a module in a process of its own, and end with it what it started.

    :param module: dotted name for Python, `ansible_collections.ai_platform.agent.plugins.modules.connectivity_test`
    :param arguments: its options, and Ansible's own (`_ansible_check_mode` and others). They go through a pipe: some
        are secret
    :param environment: the task's, besides the variables of this process
    :param paths: where collections are searched; without any, where this Ansible searches them
    :return: `rc`, `stdout` and `stderr`
    """
    given = _encoded({"ANSIBLE_MODULE_ARGS": arguments})
    places = paths or AnsibleCollectionConfig.collection_paths
    process = subprocess.Popen(
        [sys.executable, PROGRAM, str(os.getpid()), PROFILE, module, *places],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | as_strings(environment),
        encoding="utf-8",
        errors="surrogateescape",
        process_group=0,
    )
    threading.Thread(target=_end_the_rest, args=(process,), daemon=True).start()
    try:
        told, complained = process.communicate(given)
    finally:
        _end(process)
    return {"rc": process.returncode, "stdout": told, "stderr": complained}


def _end(process: subprocess.Popen[str]) -> None:
    """End the process, where a time-out of the task came before its result, and whatever it left running."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _end_the_rest(process: subprocess.Popen[str]) -> None:
    """End what a killed module left: a Helm that goes on holds the pipes open, so that nobody would see the end."""
    process.wait()
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class InPlace(ActionBase):
    """Mixed into an action plugin that executes a module of its own collection."""

    def _execute_module(self, **options: t.Any) -> Row:
        name, arguments = options.get("module_name"), options.get("module_args")
        task_vars = options.get("task_vars") or {}
        if not name or name.count(".") != 2 or arguments is None or not possible(self, task_vars):
            return t.cast("Row", super()._execute_module(**options))
        self._update_module_args(name, arguments, task_vars)
        environment: Row = {}
        self._compute_environment_string(environment)
        collection, _dot, module = name.rpartition(".")
        Display().vvv(f"{name} runs in place, from the files of its collection")
        ended = run(f"ansible_collections.{collection}.plugins.modules.{module}", arguments, environment)
        result = self._parse_returned_data(ended, PROFILE)
        if isinstance(result, dict):  # ansible-core 2.19 and 2.20
            from ansible.vars.clean import remove_internal_keys

            remove_internal_keys(result)
            return result
        result.remove_internal_keys()
        return t.cast("Row", result.as_result_dict(for_round_trip=True))


__all__ = ("InPlace", "as_a_module_gets", "as_plain_json", "as_strings", "possible", "run")
