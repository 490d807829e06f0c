"""How long helm waits for a release, and how long the release may take. In seconds."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import DEADLINE_ANNOTATION

_UNITS = {"h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d+[hms])+")
# The time limits in the manifests: the migration's in the hook, and the Deployment's for its rollout.
_DEADLINE = re.compile(rf'(?m)^\s*(?:{re.escape(DEADLINE_ANNOTATION)}|progressDeadlineSeconds): "?(\d+)"?\s*$')


def seconds(duration: str) -> int:
    """A duration as helm takes it, whole numbers of h, m and s: "1h30m" is 5400.

    :raises ValueError: it is none
    """
    if not _DURATION.fullmatch(duration):
        raise ValueError(f'"{duration}" is no duration such as 10m or 90s')
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))


def whole_seconds(duration: str) -> int:
    """A duration as `seconds` has it; a number alone is one of seconds.

    :raises ValueError: it is none
    """
    return int(duration) if duration.isascii() and duration.isdigit() else seconds(duration)


def longest(manifests: str) -> int:
    """The longest time that something in rendered manifests may take, 0 where nothing has a limit."""
    return max((int(number) for number in _DEADLINE.findall(manifests)), default=0)


__all__ = ("longest", "seconds", "whole_seconds")
