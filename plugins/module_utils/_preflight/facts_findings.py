"""What a file of facts cannot say, and how old what it says is: findings, pure functions."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

# Clocks of two machines differ by less.
_CLOCKS: t.Final = datetime.timedelta(minutes=10)
_NO_ACTIVITY: t.Final = (
    "Sessions, locks, prepared transactions, other migrators, standbys, replication slots, free connections, where"
    " sequences stand and which names the search path reaches were not looked at: the facts come from a file."
)


def age(written: datetime.datetime, now: datetime.datetime, most_hours: int) -> Finding:
    """How old the facts are.

    :param most_hours: older ones warn
    """
    when = f"{written.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    passed = now - written
    if passed < -_CLOCKS:
        words = f"The facts are of {when}, which is still to come: how old they are is not known; look at both clocks."
        return finding("facts-age", words, severity="warn")
    hours = max(0, int(passed.total_seconds() // 3600))
    words = f"The facts are of {when}, {hours} h old"
    if passed <= datetime.timedelta(hours=most_hours):
        return finding("facts-age", f"{words}; what changed since is not known.")
    return finding("facts-age", f"{words}; more than {most_hours} h are too old to rely on.", severity="warn")


def not_asked(request: dict[str, t.Any]) -> list[Finding]:
    """What only the server itself could have answered.

    Questions to rows and keys are told with the statements that raise them, and so is what is known of a table's use.

    :param request: of _sql/questions.py
    """
    several = {
        "statement": len(
            {item[0] for item in request["statements"]}
            | {item["number"] for kind in ("shaped", "planned") for item in request[kind]}
            - {item["number"] for item in request["bodies"]}
        ),
        "function body": len(request["bodies"]),
        "named object": len(request["addresses"]),
        "setting": len(request["settings"]),
    }
    counted = [f"{number} {_many(kind, number)}" for kind, number in several.items() if number]
    found = [finding("server-not-asked", _NO_ACTIVITY)]
    if counted:
        words = f"Whether the server takes {_listed(counted)} was not asked: the facts come from a file."
        found.append(finding("server-not-asked", words))
    if checks := len(request["checks"]):
        words = f"Whether the constants of {checks} {_many('write', checks)} fulfil checks and domains was not asked"
        found.append(finding("server-not-asked", f"{words}: the facts come from a file."))
    if statistics := len(request["objects"]["statistics"]):
        words = f"Whether {statistics} {_many('statistics object', statistics)} of the upgrade are there was not asked"
        found.append(finding("server-not-asked", f"{words}: a file of facts has none."))
    return found


def _many(kind: str, number: int) -> str:
    if number == 1:
        return kind
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def _listed(items: t.Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


__all__ = ("age", "not_asked")
