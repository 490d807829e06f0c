"""Runs on the controller: the chart is part of the collection, which is there."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.publish import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import as_a_module_gets, as_strings


class ActionModule(ActionBase):
    """Action plugin, see the documentation in plugins/modules."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The result of the task."""
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS, **CONSTRAINTS)
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        try:
            return execute(as_a_module_gets(arguments), as_strings(environment), check_mode=self._task.check_mode)
        except ChartError as error:
            # Not raised: `failed_when` and `register` of a task count for what is returned.
            return {"failed": True, "changed": False, "msg": str(error)}
