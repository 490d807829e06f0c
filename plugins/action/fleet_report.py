"""Runs on the controller: the page is a template file, which the payload of a module could not carry."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet_module import ARGUMENTS, execute
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import as_a_module_gets


class ActionModule(ActionBase):
    """Action plugin, see the documentation in plugins/modules."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The result of the task."""
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            return execute(as_a_module_gets(arguments), check_mode=self._task.check_mode)
        except FindingError as error:
            raise AnsibleActionFail(error.message) from None
