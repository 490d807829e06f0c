"""The action plugin of migration_preflight: finds the kubeconfig and runs the module in place."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import ActionModule

__all__ = ("ActionModule",)
