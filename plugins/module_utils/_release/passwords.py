"""What can be said of a release's passwords before anything is asked: missing, a placeholder, or in the wrong place."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

# This project's demo ones, the specification's, and what people write for "later".
PLACEHOLDER: t.Final = re.compile(
    r"^(demo|dev-password|staging-password|prod-secret-from|change|password|secret|example|todo)"
    r"|change-?(me|this)|^<.*>$",
    re.IGNORECASE,
)

# Values of the chart and its subcharts that would carry a password, readable for everybody who may read the release.
IN_VALUES: t.Final = (
    "postgresql.auth.password",
    "postgresql.auth.postgresPassword",
    "postgresql.auth.replicationPassword",
    "redis.auth.password",
    "global.postgresql.auth.password",
    "global.postgresql.auth.postgresPassword",
    "global.redis.password",
)


def problems(passwords: Mapping[str, str], values: Mapping[str, t.Any]) -> dict[str, list[str]]:
    """What stops a release with these passwords and values, nothing of a password among it.

    :param passwords: by the keys of the role's Secret, empty where there is none
    :param values: what the chart gets
    :return: `missing` and `placeholders` are keys of `passwords`, `in_values` paths in `values`
    """
    return {
        "missing": sorted(key for key in _needed(values) if not passwords.get(key)),
        "placeholders": sorted(key for key, value in passwords.items() if PLACEHOLDER.search(str(value))),
        "in_values": [path for path in IN_VALUES if _at(values, path)],
    }


def _needed(values: Mapping[str, t.Any]) -> set[str]:
    """Keys of the role's own Secret; what an existing one must have is read from the manifests (references.py)."""
    needed = {"password", "postgres-password"}
    if _at(values, "redis.auth.enabled", default=True):
        needed.add("redis-password")
    if _at(values, "postgresql.architecture") == "replication":
        needed.add("replication-password")
    return needed


def _at(values: t.Any, path: str, default: t.Any = None) -> t.Any:
    for name in path.split("."):
        if not isinstance(values, Mapping) or name not in values:
            return default
        values = values[name]
    return values


__all__ = ("IN_VALUES", "PLACEHOLDER", "problems")
