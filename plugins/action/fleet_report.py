"""Runs on the controller: the page is a template file, which the payload of a module could not carry."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet_module import ARGUMENTS, execute
from ansible_collections.ai_platform.agent.plugins.plugin_utils._on_controller import OnController


class ActionModule(OnController):
    """Action plugin, see the documentation in plugins/modules."""

    arguments = ARGUMENTS

    def result(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result of the module."""
        try:
            return execute(arguments, check_mode=self._task.check_mode)
        except FindingError as error:
            raise AnsibleActionFail(error.message) from None
