"""An action that does the work of its module on the controller, with the collection's own files beside it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import abc
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import as_a_module_gets, as_strings

Row = dict[str, t.Any]


class OnController(ActionBase, abc.ABC):
    """Reads the arguments as a module would, and has `result` make of them what the task returns."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    arguments: t.ClassVar[Row]
    constraints: t.ClassVar[Row] = {}
    # Errors that end the task with their own words.
    refusals: t.ClassVar[tuple[type[Exception], ...]] = ()

    def run(self, tmp: str | None = None, task_vars: Row | None = None) -> Row:
        """The result of the task."""
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=self.arguments, **self.constraints)
        try:
            return self.result(as_a_module_gets(arguments))
        except self.refusals as error:
            # Not raised: `failed_when` and `register` of a task count for what is returned.
            return {"failed": True, "changed": False, "msg": str(error)}

    @abc.abstractmethod
    def result(self, arguments: Row) -> Row:
        """What the task returns.

        :param arguments: with defaults, as a module gets them
        """

    def environment(self) -> dict[str, str]:
        """The variables that the task sets."""
        found: Row = {}
        self._compute_environment_string(found)
        return as_strings(found)
