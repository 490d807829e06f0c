"""For how long the passwords of Redis and of the read replicas have been in a release's Secret. Pure.

The agent's own is in database_login.py, with the role that it is of.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    database_login,
    redis_rotation,
    replication_rotation,
)

if t.TYPE_CHECKING:  # pragma: no cover
    import datetime

Object = dict[str, t.Any]
# Which record says since when a key has been in use.
_RECORDS: t.Final[dict[str, t.Callable[[Object | None], t.Any]]] = {
    "redis-password": redis_rotation.record_of,
    "replication-password": replication_rotation.record_of,
}


def ages_days(secret: Object | None, now: datetime.datetime) -> dict[str, int]:
    """For how many whole days each has been in use: since it was rotated, else since the Secret was made.

    :param secret: the living one
    :param now: with its time zone
    :return: by key, of those that the Secret has and whose beginning somebody knows
    :raises FindingError: `rotation-record`: an annotation is not what a rotation writes
    """
    data = (secret or {}).get("data") or {}
    found = {
        key: database_login.days_since(record_of(secret).since, secret, now)
        for key, record_of in _RECORDS.items()
        if key in data
    }
    return {key: days for key, days in found.items() if days is not None}


__all__ = ("ages_days",)
