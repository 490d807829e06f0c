"""Which backups are kept, and which may go. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import typing as t


@dataclasses.dataclass(frozen=True)
class Retention:
    """How many are kept: the last ones, and the last one of each of so many days, weeks and months.

    Days, weeks and months without a backup are not counted, as in restic.
    """

    last: int = 3
    daily: int = 7
    weekly: int = 4
    monthly: int = 6


class Kept(t.NamedTuple):
    """A backup, as the retention sees it.

    :param verified: it was restored and compared
    """

    name: str
    time: datetime.datetime
    verified: bool


def _week(time: datetime.datetime) -> tuple[int, int]:
    year, week, _day = time.isocalendar()
    return year, week


_PERIODS: t.Final[dict[str, t.Callable[[datetime.datetime], t.Any]]] = {
    "daily": lambda time: time.date(),
    "weekly": _week,
    "monthly": lambda time: (time.year, time.month),
}


def superfluous(backups: t.Iterable[Kept], rule: Retention) -> list[str]:
    """The names of those that may go.

    One that is not verified takes nobody's place: it stays while it is the newest, and goes once a later one is
    verified. The newest verified one always stays.
    """
    ordered = sorted(backups, key=lambda item: (item.time, item.name), reverse=True)
    verified = [item for item in ordered if item.verified]
    if not verified:
        return []
    kept = {item.name for item in verified[: max(1, rule.last)]}
    kept |= {item.name for item in ordered if not item.verified and item.time > verified[0].time}
    for period, key in _PERIODS.items():
        seen: dict[t.Any, str] = {}
        for item in verified:
            seen.setdefault(key(item.time), item.name)
        kept |= set(list(seen.values())[: getattr(rule, period)])
    return sorted(item.name for item in ordered if item.name not in kept)


__all__ = ("Kept", "Retention", "superfluous")
