"""The action plugin of migration_preflight, which also prints what the release waits for; it records in the worker."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import outcome, secrets
from ansible_collections.ai_platform.agent.plugins.module_utils._release.rollback_module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)
from ansible_collections.ai_platform.agent.plugins.plugin_utils._in_worker import InWorker, Work
from ansible_collections.ai_platform.agent.plugins.plugin_utils._progress import LeasedHelm


class ActionModule(InWorker, LeasedHelm):
    """Action plugin, see the documentation in plugins/modules."""

    work = Work(ARGUMENTS, functools.partial(outcome, execute), secrets, CONSTRAINTS)

    def is_short(self, arguments: t.Mapping[str, t.Any]) -> bool:
        """A record is one request; a roll back is helm's, which must end with its module."""
        return arguments.get("state") == "recorded"


__all__ = ("ActionModule",)
