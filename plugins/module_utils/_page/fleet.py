"""Many releases: who is on what, who failed, who was not begun. Pure functions over what each host recorded."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_logins
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._page.outcome import Level

FORM: t.Final = "ai_platform.agent/fleet/1"
Row = dict[str, t.Any]
Phase = t.Literal["judged", "begun", "deployed"]
State = t.Literal["failed", "unfinished", "waiting", "deployed", "unchanged", "left out"]

PHASES: t.Final = ("judged", "begun", "deployed")
"""When the page is written: all are judged and nothing was changed; a wave begins; a wave has ended."""

RECORDED: t.Final = ("begun", "failed", "waiting", "deployed", "unchanged")
"""What a host records of itself. One that recorded nothing was left out of the run."""

_WORDS: t.Final[dict[State, str]] = {
    "failed": "Failed",
    "unfinished": "Not finished",
    "waiting": "Not begun",
    "deployed": "Deployed",
    "unchanged": "Unchanged",
    "left out": "Left out",
}
_LEVELS: t.Final[dict[State, Level]] = {
    "failed": "bad",
    "unfinished": "bad",
    "waiting": "neutral",
    "deployed": "good",
    "unchanged": "good",
    "left out": "neutral",
}
# Worst first; of two that went well, the one that was changed is the one to look at.
_STATES: t.Final[tuple[State, ...]] = ("failed", "unfinished", "waiting", "deployed", "unchanged", "left out")
_SORTED_LEVELS: t.Final[tuple[Level, ...]] = ("bad", "warn", "neutral", "good")
_UNREACHABLE = "Ansible lost it on the way (unreachable, or the run was ended); what became of it is not known."
_IN_WORK = "The run was at work on it when this page was written, and did not say yet how it ended."
# Most hosts that the message of a stopped fleet names; the page has all.
_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Release:
    """One host of the inventory.

    :param word: of its own report (Installed, Blocked), or of the state
    :param wave: in which it is or was deployed, from 1; None before that, and where it needs nothing
    :param chart: version that it is on now; empty where it is not known, or nothing is installed
    :param wanted: version that the inventory wants, empty where that is not known
    :param image: of the agent, as it is now; empty likewise
    :param page: its own report, a file on the controller; empty without one
    """

    host: str
    state: State
    level: Level
    word: str
    sentence: str
    wave: int | None = None
    release: str = ""
    namespace: str = ""
    environment: str = ""
    cluster: str = ""
    chart: str = ""
    wanted: str = ""
    image: str = ""
    page: str = ""

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts the worst first."""
        return _SORTED_LEVELS.index(self.level), _STATES.index(self.state), self.host


@dataclasses.dataclass(frozen=True)
class Version:
    """Hosts that are on the same chart and the same image; both empty where nothing is installed or nobody knows."""

    chart: str
    image: str
    hosts: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Fleet:
    """All of it. `problem` is empty, or why the run must stop, for Ansible's output."""

    level: Level
    word: str
    sentence: str
    problem: str
    counts: dict[str, int]
    releases: tuple[Release, ...]
    versions: tuple[Version, ...]


def fleet(records: t.Mapping[str, Row | None], phase: Phase, *, check_mode: bool = False) -> Fleet:
    """The fleet as it is.

    :param records: by host of the inventory, what it recorded: `state` (one of `RECORDED`), `wave`, and `report`, which
        is what deployment_report returned for it. Empty where the host was left out of this run
    """
    plain = t.cast("dict[str, Row]", _printable(dict(records)))
    releases = sorted(
        (_release(host, record or {}, phase, check_mode=check_mode) for host, record in plain.items()),
        key=lambda one: one.rank,
    )
    counts: dict[str, int] = {state: sum(one.state == state for one in releases) for state in _STATES}
    level, word, sentence = _verdict(releases, counts, phase, check_mode=check_mode)
    return Fleet(
        level=level,
        word=word,
        sentence=sentence,
        problem=_problem(releases, sentence, phase),
        counts=counts,
        releases=tuple(releases),
        versions=_versions(releases),
    )


def document(found: Fleet, *, ended: float, phase: Phase, check_mode: bool) -> Row:
    """fleet.json. `ended` in seconds since 1970."""
    about = {"ended": ended, "phase": phase, "check_mode": check_mode}
    return {"form": FORM, **about, **{k: v for k, v in dataclasses.asdict(found).items() if k != "problem"}}


def lines(found: Fleet) -> list[str]:
    """Who is on what, for a terminal: a line for each version, and one for each release that is not well."""
    said = []
    for one in found.versions:
        if one.chart:
            subject = f"chart {one.chart}" + (f", image {one.image}" if one.image else "")
        else:
            subject = "nothing installed, or not known"
        more = len(one.hosts) - _NAMED
        said.append(f"{subject}: {', '.join(one.hosts[:_NAMED])}{f' and {more} more' if more > 0 else ''}")
    return said + [f"{one.host}: {one.word}. {one.sentence}" for one in found.releases if one.level in ("bad", "warn")]


def _release(host: str, record: Row, phase: Phase, *, check_mode: bool) -> Release:
    said = record.get("report") or {}
    run = said.get("run") or {}
    state, begun = _state(record), record.get("wave") is not None
    images = {when: (found or {}).get("agent") for when, found in (run.get("images") or {}).items()}
    level, word = _LEVELS[state], _WORDS[state]
    if state in ("failed", "deployed", "unchanged"):
        word = str(said.get("word") or word)
        # A deployment that went well may still have findings that want a look.
        level = "warn" if state != "failed" and said.get("level") == "warn" else level
    return Release(
        host=host,
        state=state,
        level=level,
        word=word,
        sentence=_sentence(state, said, phase, check_mode=check_mode),
        wave=record.get("wave"),
        release=str(run.get("release") or ""),
        namespace=str(run.get("namespace") or ""),
        environment=str(run.get("environment") or ""),
        cluster=str(run.get("cluster") or ""),
        chart=_now(run.get("chart") or {}, state, word, begun=begun),
        wanted=str(record.get("wanted") or ""),
        image=_now(images, state, word, begun=begun),
        page=str(said.get("path") or ""),
    )


def _state(record: Row) -> State:
    recorded = record.get("state")
    if recorded not in RECORDED:
        return "left out"
    # What a host that is lost before it is deployed recorded last is `waiting` or `begun`.
    return "unfinished" if recorded == "begun" else t.cast("State", recorded)


def _sentence(state: State, said: Row, phase: Phase, *, check_mode: bool) -> str:
    if state == "unfinished":
        return _IN_WORK if phase == "begun" else _UNREACHABLE
    if state == "waiting":
        return "It would change." if check_mode else "It was judged and may be deployed."
    if state == "left out":
        return "This run was not to touch it."
    return str(said.get("sentence") or "")


def _now(before_and_after: t.Mapping[str, t.Any], state: State, word: str, *, begun: bool) -> str:
    """What a release is on: after it where the run came so far, before it where it did not."""
    # A release that failed in the middle of its wave, or of which nobody heard, may be on either, or on both.
    if state == "unfinished" or (state == "failed" and word == "Failed" and begun):
        return ""
    after = "" if state == "waiting" else before_and_after.get("after")
    return str(after or before_and_after.get("before") or "")


def _verdict(
    releases: t.Sequence[Release], counts: t.Mapping[str, int], phase: Phase, *, check_mode: bool
) -> tuple[Level, str, str]:
    bad = [one for one in releases if one.level == "bad"]
    attention = sum(one.level == "warn" for one in releases)
    level: Level = "warn" if attention else "good"
    looks = f" {attention} of them {'wants' if attention == 1 else 'want'} a look." if attention else ""
    if phase == "judged":
        return _judged(releases, bad, level, looks, check_mode=check_mode)
    numbers = ", ".join(f"{counts[state]} {_WORDS[state].lower()}" for state in _STATES if counts[state])
    numbered = f"Of {len(releases)} releases: {numbers}."
    if bad and phase == "deployed":
        names = _names(bad, lambda one: f"{one.host} ({one.word.lower()}{_in_wave(one)})")
        remedy = "Repair what stopped it and run again: the run goes on with those that differ."
        return "bad", "Stopped", f"{names} stopped the fleet. {numbered} {remedy}"
    if bad or counts["waiting"]:
        return "neutral", "Under way", numbered
    return level, "Deployed", numbered + looks


def _judged(
    releases: t.Sequence[Release], bad: t.Sequence[Release], level: Level, looks: str, *, check_mode: bool
) -> tuple[Level, str, str]:
    """One verdict for all, before anything was changed."""
    members = sum(one.state != "left out" for one in releases)
    waiting = [one for one in releases if one.state == "waiting"]
    if bad:
        names = _names(bad, lambda one: f"{one.host} ({one.word.lower()})")
        return "bad", "Stopped", f"Nothing was changed: {len(bad)} of {members} releases stop the fleet: {names}."
    if check_mode:
        would = _names(waiting, lambda one: one.host)
        words = f"Check mode changed nothing: {len(waiting)} of {members} releases would change"
        return "neutral", "Rehearsed", f"{words}{f' ({would})' if would else ''}.{looks}"
    if not waiting:
        words = f"All {members} releases were already as the inventory wants them, nothing was changed."
        return level, "Unchanged", words + looks
    words = f"All {members} releases may be deployed, {len(waiting)} of them will change; nothing was changed yet."
    return "neutral", "Ready", words


def _in_wave(one: Release) -> str:
    return f", wave {one.wave}" if one.wave else ""


def _names(releases: t.Sequence[Release], called: t.Callable[[Release], str]) -> str:
    words = [called(one) for one in releases[:_NAMED]]
    more = len(releases) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _problem(releases: t.Sequence[Release], sentence: str, phase: Phase) -> str:
    bad = [one for one in releases if one.level == "bad"]
    if not bad or phase == "begun":
        return ""
    told = " ".join(f"{one.host}: {one.sentence}" for one in bad[:_NAMED])
    aside = " Or leave them out by name (ai_agent_fleet_skip, --limit)." if phase == "judged" else ""
    return f"{sentence} {told}{aside}"


def _versions(releases: t.Sequence[Release]) -> tuple[Version, ...]:
    """Most hosts first; those that the run left out were not asked."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in releases:
        if one.state != "left out":
            found.setdefault((one.chart, one.image), []).append(one.host)
    grouped = [Version(chart, image, tuple(sorted(hosts))) for (chart, image), hosts in found.items()]
    return tuple(sorted(grouped, key=lambda one: (-len(one.hosts), one.chart, one.image)))


def _printable(value: t.Any) -> t.Any:
    """A value as a page can show it: no control characters, no password of a URL."""
    if isinstance(value, dict):
        return {str(name): _printable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    return without_logins(printable(str(value))) if isinstance(value, str) else value


__all__ = ("FORM", "PHASES", "RECORDED", "Fleet", "Phase", "Release", "State", "Version", "document", "fleet", "lines")
