"""The action plugin of migration_preflight, which also names the process that the Lease is for, and frees it here."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import os
import typing as t

from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import ActionModule as FindsKubeconfig
from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import outcome, secrets
from ansible_collections.ai_platform.agent.plugins.module_utils._release.lease_module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_worker import InWorker, Work


class ActionModule(InWorker, FindsKubeconfig):
    """Action plugin, see the documentation in plugins/modules."""

    work = Work(ARGUMENTS, functools.partial(outcome, execute), secrets, CONSTRAINTS)

    def is_short(self, arguments: t.Mapping[str, t.Any]) -> bool:
        """Who gives a Lease back asks its keeper; the keeper itself would inherit the worker's pipes to Ansible."""
        return arguments.get("state") == "free"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The result of the task."""
        if self._connection.transport != "local":
            # The end of ansible-playbook would not be seen from there.
            words = "release_lease keeps a Lease for the ansible-playbook of its own machine: use `connection: local`."
            return {"failed": True, "changed": False, "msg": words, "error_id": "argument-invalid"}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result

    def _execute_module(self, **options: t.Any) -> dict[str, t.Any]:
        # This is a worker, which ends with its task. Its parent is ansible-playbook.
        arguments = {"controller_pid": os.getppid()} | (options.get("module_args") or {})
        return super()._execute_module(**options | {"module_args": arguments})


__all__ = ("ActionModule",)
