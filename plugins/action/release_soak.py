"""The action plugin of migration_preflight, which also prints for how long the pods have been watched."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import (
    ActionModule as KubeconfigActionModule,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release import waits
from ansible_collections.ai_platform.agent.plugins.plugin_utils._progress import Elapsed, shown

Row = dict[str, t.Any]

# Nothing of it changes from one second to the next.
LEAST_SECONDS = 15.0


class ActionModule(KubeconfigActionModule):
    """Action plugin, see the documentation in plugins/modules."""

    def _execute_module(self, **options: t.Any) -> Row:
        """Run the module, and print meanwhile for how long the pods have been watched."""
        given, task_vars = options.get("module_args") or {}, options.get("task_vars") or {}
        watched = given.get("state") == "watched" and not self._task.check_mode
        progress = float(given.get("progress") or 0) if watched else 0.0
        interval = max(progress, LEAST_SECONDS) if progress else 0.0

        def made() -> Elapsed:
            return Elapsed(waits.whole_seconds(str(given.get("duration") or "5m")), "the new pods are watched")

        with shown(made, interval, task_vars.get("inventory_hostname", "")):
            return super()._execute_module(**options)


__all__ = ("ActionModule",)
