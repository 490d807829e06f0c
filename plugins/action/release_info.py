"""The action plugin of migration_preflight, which looks in the worker of the task where it may (`_in_worker`)."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import (
    ActionModule as KubeconfigActionModule,
)
from ansible_collections.ai_platform.agent.plugins.modules import release_info
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _in_worker
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import possible

Row = dict[str, t.Any]

try:
    # Before the workers are made: each of them has then what was imported once.
    import kubernetes.config
    import kubernetes.dynamic
except ImportError:
    # The module says which package is missing, and how the run goes on.
    HERE = False
else:
    HERE = kubernetes.dynamic is not None


class ActionModule(KubeconfigActionModule):
    """Action plugin, see the documentation in plugins/modules."""

    def _execute_module(self, **options: t.Any) -> Row:
        """Look in the worker of the task where that is possible, else run the module."""
        arguments, task_vars = options.get("module_args"), options.get("task_vars") or {}
        if HERE and arguments is not None and possible(self, task_vars):
            environment: Row = {}
            self._compute_environment_string(environment)
            told = _in_worker.run(
                release_info.ARGUMENTS, release_info.told, release_info.secrets, arguments, environment
            )
            if told is not None:
                return told
        return super()._execute_module(**options)
