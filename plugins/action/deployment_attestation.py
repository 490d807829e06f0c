"""Runs on the controller, where the report, the keys and the login to the registry are."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.deployment_attestation import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)
from ansible_collections.ai_platform.agent.plugins.plugin_utils._on_controller import OnController


class ActionModule(OnController):
    """Action plugin, see the documentation in plugins/modules."""

    arguments = ARGUMENTS
    constraints = CONSTRAINTS
    refusals = (ChartError, FindingError)

    def result(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result of the module."""
        return execute(arguments, self.environment(), check_mode=self._task.check_mode)
