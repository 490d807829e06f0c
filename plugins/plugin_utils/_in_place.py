"""Runs a module of this collection from its own files, where Ansible would pack it for the very Python it runs with.

Packing, unpacking and compiling what a module imports takes a second each time. With `connection: local` and the
controller's own interpreter all of it is there already, compiled and partly loaded, so a fork of Ansible's worker runs
the module's main() with its arguments on stdin: the way of the Developer Guide, "Testing modules locally", and what
ansible.netcommon does with `import_modules`. Anywhere else Ansible does as it always does.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
import typing as t

from ansible import constants

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.plugins.action import ActionBase

Row = dict[str, t.Any]


def possible(action: ActionBase, task_vars: t.Mapping[str, t.Any]) -> bool:
    """Whether the module would run on this machine, as this user, with this Python, to its end."""
    task = action._task
    if action._connection.transport != "local" or action._play_context.become or task.delegate_to or task.async_val:
        return False
    # Who keeps the files of modules wants to look at what was packed.
    if constants.DEFAULT_KEEP_REMOTE_FILES:
        return False
    wanted = action._templar.template(task_vars.get("ansible_python_interpreter"))
    return bool(wanted == sys.executable)


def run(name: str, arguments: Row, environment: t.Mapping[str, str]) -> Row:
    """The result of the collection's module `name`; a failed one where it ended without any.

    arguments: its options, and Ansible's own (`_ansible_check_mode` and others). environment: the task's.
    """
    # The arguments hold secrets, so they go through a pipe. What comes back holds none and may be longer than a pipe.
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as complained:
        theirs, ours = os.pipe()
        child = os.fork()
        if not child:
            os.close(ours)
            _child(name, environment, (theirs, told.fileno(), complained.fileno()))
        os.close(theirs)
        status = None
        try:
            # It may die before it reads.
            with contextlib.suppress(BrokenPipeError), os.fdopen(ours, "wb") as given:
                given.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
            _, status = os.waitpid(child, 0)
        finally:
            # A time-out of the task arrives as an exception.
            if status is None:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        for file in (told, complained):
            file.seek(0)
        return _result(name, told.read().decode(), complained.read().decode(errors="replace"), status)


def _child(name: str, environment: t.Mapping[str, str], streams: tuple[int, int, int]) -> t.NoReturn:
    """As a program of its own: streams, signals, variables and what it leaves to its end are its, not the worker's.

    The Kubernetes client keeps a kubeconfig's certificates and keys in files until its process ends.
    """
    code = 1
    try:
        # As multiprocessing does after a fork.
        atexit._clear()
        for target, source in enumerate(streams):
            os.dup2(source, target)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - open to its end
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update(environment)
        sys.argv = [name]
        code = _ended(name)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # Whatever happens, it must not go on as a second worker.
        os._exit(code)


def _ended(name: str) -> int:
    """The exit code of the module's main()."""
    try:
        importlib.import_module(f"ansible_collections.ai_platform.agent.plugins.modules.{name}").main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _result(name: str, told: str, complained: str, status: int) -> Row:
    try:
        result = json.loads(told[told.index("{") :])
    except ValueError:
        words = f"The module {name} ended without a result (exit code {os.waitstatus_to_exitcode(status)})."
        return {"failed": True, "msg": words, "module_stdout": told, "module_stderr": complained}
    return {"changed": False} | result


class InPlace:
    """Mixed into an action plugin that executes a module of this collection."""

    def _execute_module(self: t.Any, **options: t.Any) -> Row:
        module, arguments = options.get("module_name"), options.get("module_args")
        task_vars = options.get("task_vars") or {}
        if not module or arguments is None or not possible(self, task_vars):
            return t.cast("Row", super()._execute_module(**options))
        self._update_module_args(module, arguments, task_vars)
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        return run(module.rpartition(".")[2], arguments, environment)


__all__ = ("InPlace", "possible", "run")
