"""Does the work of a module that looks, or writes one line, in the process that Ansible makes for its task anyway.

A process of its own would import the client of Kubernetes and what belongs to it anew, three quarters of a second of
CPU for each host. Here the action plugin has imported them, once in a run: Ansible's strategy loads it before it makes
the process of the first task. Whatever such a module leaves behind, files and variables, goes when its work is done.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import typing as t

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import (
    as_a_module_gets,
    as_strings,
    possible,
)

try:
    # Before the workers are made: each of them has then what was imported once.
    import kubernetes.config
    import kubernetes.dynamic
except ImportError:
    # The module says which package is missing, and how the run goes on.
    HERE = False
else:
    HERE = kubernetes.dynamic is not None

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Iterator, Mapping

    from ansible.plugins.action import ActionBase
else:
    ActionBase = object

Row = dict[str, t.Any]
# What Ansible tells a module beside its options.
_INTERNAL = "_ansible_"


class Work(t.NamedTuple):
    """What a module does.

    :param specification: its options
    :param result: its result by its parameters and `check_mode`; with `msg` where it failed
    :param secrets: of its parameters, what must not be in a result besides the options with `no_log`
    :param constraints: which options go together, as AnsibleModule takes them
    """

    specification: Row
    result: Callable[[Row], Row]
    secrets: Callable[[Row], t.Iterable[str]]
    constraints: Mapping[str, t.Any] = {}


class InWorker(ActionBase):
    """Mixed into an action plugin; `work` says what its module does."""

    work: Work

    def is_short(self, arguments: Mapping[str, t.Any]) -> bool:  # noqa: ARG002 - for those that override it
        """Whether nothing that this call starts has to end with it, and nothing half done is left where it is ended."""
        return True

    def _execute_module(self, **options: t.Any) -> Row:
        """Do the work in the worker of the task where that is possible, else run the module."""
        arguments, task_vars = options.get("module_args"), options.get("task_vars") or {}
        if HERE and arguments is not None and self.is_short(arguments) and possible(self, task_vars):
            environment: Row = {}
            self._compute_environment_string(environment)
            told = run(self.work, arguments, environment, check_mode=bool(self._task.check_mode))
            if told is not None:
                return told
        return t.cast("Row", super()._execute_module(**options))


def run(
    work: Work, arguments: Mapping[str, t.Any], environment: Mapping[str, t.Any], *, check_mode: bool = False
) -> Row | None:
    """The result of a module, always without `invocation`; None where the module itself has to say what is wrong.

    :param arguments: of the task
    :param environment: variables of the task
    """
    with _alone(environment):
        given = {name: value for name, value in arguments.items() if not name.startswith(_INTERNAL)}
        checked = ArgumentSpecValidator(work.specification, **work.constraints).validate(as_a_module_gets(given))
        if checked.error_messages or checked._warnings or checked._deprecations:
            return None
        parameters = checked.validated_parameters
        result = work.result(parameters | {"check_mode": check_mode})
    hidden = {*checked._no_log_values, *work.secrets(parameters)}
    told = {"changed": False} | result | ({"failed": True} if "msg" in result else {})
    return t.cast("Row", remove_values(told, hidden))


@contextlib.contextmanager
def _alone(environment: Mapping[str, t.Any]) -> Iterator[None]:
    """Variables of the task, a folder for temporary files, and nothing on Ansible's own output."""
    before, folder_before = dict(os.environ), tempfile.tempdir
    # The client of Kubernetes writes keys of a kubeconfig into files, and a worker's end does not remove them.
    with (
        tempfile.TemporaryDirectory(prefix="looks-", dir=constants.DEFAULT_LOCAL_TMP) as folder,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        os.environ.update(as_strings(environment))
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = folder_before
            for name in set(os.environ) - set(before):
                del os.environ[name]
            os.environ.update(before)


__all__ = ("HERE", "InWorker", "Work", "run")
