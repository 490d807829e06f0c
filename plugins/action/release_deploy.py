"""Runs kubernetes.core.helm, and says meanwhile what the release waits for."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_place import InPlace
from ansible_collections.ai_platform.agent.plugins.plugin_utils._progress import of_release, shown
from ansible_collections.kubernetes.core.plugins.action.k8s_info import ActionModule as KubernetesActionModule

Row = dict[str, t.Any]

# Options that kubernetes.core.helm does not have.
_OWN: t.Final = ("cluster_expected", "progress", "up_to_date")
# The connection options of kubernetes.core's other modules that its module `helm` has as well.
_SHARED: t.Final = ("kubeconfig", "context", "host", "api_key", "ca_cert", "validate_certs")
HELM: t.Final = "kubernetes.core.helm"


class ActionModule(InPlace, KubernetesActionModule):
    """Action plugin, see the documentation in plugins/modules."""

    def _execute_module(self, **options: t.Any) -> Row:
        given = dict(options.get("module_args") or {})
        own = {name: given.pop(name, None) for name in _OWN}
        if own["up_to_date"]:
            return {"changed": False, "status": own["up_to_date"]}
        task_vars = options.get("task_vars") or {}
        # In check mode nothing is waited for.
        interval = 0.0 if self._task.check_mode else float(own["progress"] or 0)
        params = {name: given.get(name) for name in _SHARED} | {
            "cluster_expected": own["cluster_expected"],
            "release_name": given.get("release_name"),
            "release_namespace": given.get("release_namespace"),
            "timeout": given.get("timeout") or "5m",
        }
        with shown(lambda: of_release(params), interval, task_vars.get("inventory_hostname", "")):
            return super()._execute_module(**options | {"module_name": HELM, "module_args": given})


__all__ = ("ActionModule",)
