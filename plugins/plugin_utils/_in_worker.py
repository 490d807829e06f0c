"""Does the work of a module that only looks in the process that Ansible makes for its task anyway.

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
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import as_a_module_gets, as_strings

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Iterator, Mapping

Row = dict[str, t.Any]
# What Ansible tells a module beside its options.
_INTERNAL = "_ansible_"


def run(
    specification: Row,
    work: Callable[[Row], Row],
    secrets: Callable[[Row], t.Iterable[str]],
    arguments: Mapping[str, t.Any],
    environment: Mapping[str, t.Any],
) -> Row | None:
    """The result of a module, always without `invocation`; None where the module itself has to say what is wrong.

    :param specification: its options
    :param work: its result by its parameters; with `msg` where it failed
    :param secrets: of its parameters, what must not be in a result besides the options with `no_log`
    :param arguments: of the task
    :param environment: variables of the task
    """
    with _alone(environment):
        given = {name: value for name, value in arguments.items() if not name.startswith(_INTERNAL)}
        checked = ArgumentSpecValidator(specification).validate(as_a_module_gets(given))
        if checked.error_messages or checked._warnings or checked._deprecations:
            return None
        parameters = checked.validated_parameters
        result = work(parameters)
    hidden = {*checked._no_log_values, *secrets(parameters)}
    told = result | ({"failed": True} if "msg" in result else {"changed": False})
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


__all__ = ("run",)
