"""The action plugin of migration_preflight, which looks in the worker of the task where it may (`_in_worker`)."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.ai_platform.agent.plugins.action.migration_preflight import (
    ActionModule as KubeconfigActionModule,
)
from ansible_collections.ai_platform.agent.plugins.modules import release_info
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_worker import InWorker, Work


class ActionModule(InWorker, KubeconfigActionModule):
    """Action plugin, see the documentation in plugins/modules."""

    work = Work(release_info.ARGUMENTS, release_info.told, release_info.secrets)
