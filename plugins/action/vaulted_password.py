"""Runs on the controller: only there are the file of the inventory and the vault's passwords."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.password import generated
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _vault_file
from ansible_collections.ai_platform.agent.plugins.plugin_utils._on_controller import OnController

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    "current": {"type": "str", "required": True, "no_log": True},
    "file": {"type": "path", "required": True},
    "variable": {"type": "str", "default": "ai_agent_postgresql_password"},
}


class ActionModule(OnController):
    """Action plugin, see the documentation in plugins/modules."""

    arguments = ARGUMENTS

    def result(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result of the module."""
        new = generated()
        path = Path(arguments["file"])
        if not path.is_absolute():
            # Relative paths count from where the run was started, as Ansible reads -i.
            path = Path.cwd() / path
        vault = self._loader._vault
        meant, write = arguments["variable"], not self._task.check_mode
        try:
            name, label = _vault_file.replace(path, arguments["current"], new, vault, meant=meant, write=write)
        except FindingError as error:
            return {"failed": True, "changed": False, "msg": error.message, "error_id": error.id}
        return {"changed": True, "password": new, "variable": name, "vault_id": label, "path": str(path)}
