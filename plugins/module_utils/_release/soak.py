"""Whether a new version answers as well as the one before, by what its own pods count. Pure: looks in, findings out."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._release import soak_metrics

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.soak_metrics import Counts

Object = dict[str, t.Any]
SHARE: t.Final = 0.95
# A pod's count of restarts never falls, so one look is enough.
_AT_ONCE: t.Final = frozenset({"soak-restarts"})


@dataclasses.dataclass(frozen=True)
class Limits:
    """From when on the new version is worse.

    :param requests: fewer cannot be judged
    :param failures: fewer failed ones are no breach, whatever their share
    :param success_fall: percentage points by which the share of answers without a status 5xx may be lower
    :param refused_rise: percentage points by which the share of 4xx may be higher before that is told
    :param p95_factor: how many times as long as before the slowest of 95 of 100 requests may take
    :param p95_rise: seconds that it must take longer besides
    :param restarts: of agent containers that are let pass
    """

    requests: int = 100
    failures: int = 5
    success_fall: float = 1.0
    refused_rise: float = 10.0
    p95_factor: float = 2.0
    p95_rise: float = 0.1
    restarts: int = 0


@dataclasses.dataclass(frozen=True)
class Seen:
    """One agent pod at one look.

    :param restarts: of the agent's container
    :param ready: None where it is about to go
    :param counts: None where its metrics could not be read, for the reason in `problem`
    """

    uid: str
    name: str
    image: str
    restarts: int
    ready: bool | None
    counts: Counts | None
    problem: str = ""

    def as_dict(self) -> Object:
        """The dictionary that the module returns and takes."""
        return dataclasses.asdict(self)


Look = t.Sequence[Seen]


@dataclasses.dataclass(frozen=True)
class Group:
    """What several pods counted together.

    :param unread: pods of which nothing could be read, each with the reason
    """

    pods: int
    counts: Counts
    unread: dict[str, str]

    @property
    def dark(self) -> bool:
        """Whether nothing is known of any of them."""
        return self.pods > 0 and len(self.unread) == self.pods

    @property
    def requests(self) -> int:
        """Answers."""
        return soak_metrics.number_of(self.counts)

    @property
    def failed(self) -> int:
        """Answers with a status 5xx."""
        return soak_metrics.number_of(self.counts, "5")

    @property
    def p95(self) -> soak_metrics.Quantile | None:
        """Seconds, None without a histogram."""
        return soak_metrics.quantile(self.counts["buckets"], SHARE)

    def figures(self) -> Object:
        """For the report; shares in percent, times in seconds."""
        p95 = self.p95
        return {
            "pods": self.pods,
            "requests": self.requests,
            "failed": self.failed,
            "success": round(100 * (1 - soak_metrics.share_of(self.counts, "5")), 3) if self.requests else None,
            "refused": round(100 * soak_metrics.share_of(self.counts, "4"), 3) if self.requests else None,
            "p95_seconds": round(p95.seconds, 4) if p95 else None,
            "p95_beyond": bool(p95 and p95.beyond),
        }


def group(looks: Sequence[Look]) -> Group:
    """The pods of these looks."""
    names = {seen.uid: seen.name for look in looks for seen in look}
    read: dict[str, list[Counts]] = {uid: [] for uid in names}
    problems: dict[str, str] = {}
    for look in looks:
        for seen in look:
            if seen.counts is not None:
                read[seen.uid].append(seen.counts)
            else:
                problems[seen.uid] = seen.problem
    totals = [soak_metrics.since_began(counts) for counts in read.values() if counts]
    unread = {names[uid]: why for uid, why in problems.items() if not read[uid]}
    return Group(len(names), soak_metrics.together(totals), unread)


def new_ones(before: Look, look: Look) -> list[Seen]:
    """The pods that were not there before the release."""
    old = {seen.uid for seen in before}
    return [seen for seen in look if seen.uid not in old]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is said of the new version.

    :param figures: before and after, for the report
    """

    findings: list[Finding]
    figures: Object

    @property
    def breaches(self) -> frozenset[str]:
        """Ids for which the version is worse."""
        return frozenset(item.id for item in self.findings if item.severity == "fail")


def over(verdicts: Sequence[Verdict]) -> bool:
    """Whether the last looks leave nothing to wait for: a breach that was seen twice, or that does not heal."""
    last = verdicts[-1].breaches
    return bool(last & _AT_ONCE) or (len(verdicts) > 1 and bool(last & verdicts[-2].breaches))


def judge(before: Look, looks: Sequence[Look], limits: Limits) -> Verdict:
    """Compare the pods that are new with those from before the release.

    :param before: with what each of these pods had counted since it began
    :param looks: at the new pods, in their order, at least one
    """
    old, new = group([before]), group(looks)
    gone = {seen.uid: seen.name for look in looks for seen in look}
    for seen in looks[-1]:
        if seen.ready is not None:
            gone.pop(seen.uid, None)
    restarts = _restarts(looks)
    findings = [*_restarted(restarts, limits), *_unready(looks)]
    if gone:
        words = f"{_list(list(gone.values()))} went away during the soak: what was counted after the last look is lost."
        findings.append(finding("soak-replaced", words))
    findings += _unread(old, new)
    findings += _compared(old, new, limits) if before else [_alone()]
    figures = {"before": old.figures(), "after": new.figures() | {"restarts": sum(restarts.values())}}
    return Verdict(findings, figures | {"replaced": len(gone)})


def _alone() -> Finding:
    words = "No pod of the agent was there before, so restarts and readiness alone were judged."
    return finding("soak-first", words)


def _restarts(looks: Sequence[Look]) -> dict[str, int]:
    """By pod, since the first look at it."""
    first: dict[str, Seen] = {}
    found: dict[str, int] = {}
    for look in looks:
        for seen in look:
            began = first.setdefault(seen.uid, seen)
            found[seen.name] = max(found.get(seen.name, 0), seen.restarts - began.restarts)
    return {name: number for name, number in found.items() if number > 0}


def _restarted(restarts: dict[str, int], limits: Limits) -> list[Finding]:
    number = sum(restarts.values())
    if number <= limits.restarts:
        return []
    words = f"The agent's container began anew {_times(number)} during the soak ({_list(sorted(restarts))})"
    return [finding("soak-restarts", f"{words}; {limits.restarts} are let pass.", pods=tuple(sorted(restarts)))]


def _unready(looks: Sequence[Look]) -> list[Finding]:
    """A pod that was ready, and is not in the last two looks."""
    were = {seen.uid for look in looks for seen in look if seen.ready}
    last = [{seen.uid: seen.name for seen in look if seen.ready is False} for look in looks[-2:]]
    if len(last) < 2:
        return []
    names = sorted(name for uid, name in last[1].items() if uid in last[0] and uid in were)
    if not names:
        return []
    return [finding("soak-unready", f"{_list(names)} was ready, and is not any more.", pods=tuple(names))]


def _unread(old: Group, new: Group) -> list[Finding]:
    found = []
    for which, each in (("before the release", old), ("of the new version", new)):
        # A pod from before may have been about to start; of the new ones each counts.
        if each.dark or (each is new and each.unread):
            name, why = next(iter(each.unread.items()))
            more = f", and {len(each.unread) - 1} more" if len(each.unread) > 1 else ""
            words = f"The metrics of a pod {which} could not be read ({name}{more}): {why}"
            found.append(finding("soak-unread", words.rstrip(".") + "."))
    return found


def _compared(old: Group, new: Group, limits: Limits) -> list[Finding]:
    if old.dark or new.dark:
        return []
    for who, each in (("The new pods", new), ("The pods from before the release", old)):
        if each.requests < limits.requests:
            counted = f"{who} counted {each.requests} requests, and {limits.requests} are needed to judge"
            return [finding("soak-few", f"{counted}: whether the new version is as good is not known.")]
    return [*_failing(old, new, limits), *_refusing(old, new, limits), *_slow(old, new, limits)]


def _failing(old: Group, new: Group, limits: Limits) -> list[Finding]:
    was, now = (100 * soak_metrics.share_of(each.counts, "5") for each in (old, new))
    if new.failed < limits.failures or now - was <= limits.success_fall:
        return []
    words = f"{new.failed} of {new.requests} requests to the new pods failed ({now:.2f} %)"
    return [finding("soak-errors", f"{words}, {old.failed} of {old.requests} before ({was:.2f} %).")]


def _refusing(old: Group, new: Group, limits: Limits) -> list[Finding]:
    was, now = (100 * soak_metrics.share_of(each.counts, "4") for each in (old, new))
    if now - was <= limits.refused_rise:
        return []
    words = f"The new pods answer {now:.2f} % of the requests with a status 4xx, {was:.2f} % before"
    return [finding("soak-refusals", f"{words}.")]


def _slow(old: Group, new: Group, limits: Limits) -> list[Finding]:
    was, now = old.p95, new.p95
    if was is None or now is None:
        words = "The metrics hold no histogram of the requests' seconds, so whether they take longer is not known."
        return [finding("soak-unread", words)]
    said = f"95 of 100 requests to the new pods take up to {_seconds(now)}, {_seconds(was)} before"
    if now.seconds > was.seconds * limits.p95_factor and now.seconds - was.seconds > limits.p95_rise:
        # Where the old ones lie beyond the largest bucket, the new ones cannot seem slower.
        return [finding("soak-slow", f"{said}.")]
    if now.beyond:
        return [finding("soak-unread", f"{said}: the histogram's largest bucket is too small to compare them.")]
    return []


def _seconds(found: soak_metrics.Quantile) -> str:
    return f"{'more than ' if found.beyond else ''}{found.seconds:.3g} s"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"pod{'s' if len(names) > 1 else ''} {', '.join(names[:3])}{more}"


__all__ = ("Group", "Limits", "Look", "Seen", "Verdict", "group", "judge", "new_ones", "over")
