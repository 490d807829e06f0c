"""The arguments of `migration_preflight` as a module of Ansible, and what it calls."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.execution import execute
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.options import CONSTRAINTS, OPTIONS
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

ARGUMENTS: t.Final[dict[str, t.Any]] = {**AUTH_ARG_SPEC, **OPTIONS}

__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
