"""Runs on the controller: the chart is part of the collection, which is there."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible import constants
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart_module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)
from ansible_collections.ai_platform.agent.plugins.plugin_utils._on_controller import OnController


class ActionModule(OnController):
    """Action plugin, see the documentation in plugins/modules."""

    arguments = ARGUMENTS
    constraints = CONSTRAINTS
    refusals = (ChartError,)

    def result(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result of the module."""
        return execute(arguments, self.environment(), Path(constants.DEFAULT_LOCAL_TMP))
