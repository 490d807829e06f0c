"""Where the marks of the latency plot stand: pure functions from a connectivity report to positions.

Positions and widths along the axis are percentages of the drawing's width, so that it fits a phone and a desktop.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.latency import judged_figure, summary

# More pods than these are drawn as one row: a plot that does not fit a screen is not read at a glance.
SHOWN_PODS = 12
# Width of a bin in units of the drawing: 4 px on a phone, 7 on a desktop.
_BIN = 1.25
# Below this a figure is a clock's noise.
_LEAST_MS = 0.001
# Where an axis may end.
_ENDS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
# Width of a label on a phone.
_LABEL = 12.5
# Narrower parts of a stacked bar could not be seen.
_LEAST_WIDTH = 0.4
_POOLED = "other pods"


def milliseconds(value: float) -> str:
    """A time as a person reads it, from milliseconds: three digits at most."""
    if value >= 9995:
        return f"{value / 1000:.0f} s"
    if value >= 999.5:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 9.95 else f"{value:.1f} ms" if value >= 0.995 else f"{value:.2f} ms"


def _tick_label(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"


@dataclasses.dataclass(frozen=True)
class Tick:
    """A line across the plot with its label, empty where there is no room; `anchor` keeps it inside."""

    x: float
    label: str
    anchor: str


@dataclasses.dataclass(frozen=True)
class Scale:
    """A logarithmic axis between two times in milliseconds, `low` < `high`."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Position of a time, 0 to 100; what lies outside is put at the end."""
        value = min(max(value, self.low), self.high)
        return round(100 * math.log(value / self.low) / math.log(self.high / self.low), 2)

    def ticks(self) -> list[Tick]:
        """Round times: decades on a long axis, 1-2-5 on a short one."""
        decades = math.log10(self.high / self.low)
        steps = (1.0, 2.0, 5.0) if decades <= 2.1 else (1.0, 3.0) if decades <= 3.1 else (1.0,)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [step * 10.0**power for power in powers for step in steps]
        inside = [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]
        ticks = {value: self._tick(value) for value in inside}
        kept: list[float] = []
        # Decades are labelled first, the others where there is room.
        for value in sorted(inside, key=lambda value: (not math.log10(value).is_integer(), value)):
            if all(_apart(ticks[value], ticks[other]) for other in kept):
                kept.append(value)
        return [tick if value in kept else dataclasses.replace(tick, label="") for value, tick in ticks.items()]

    def _tick(self, value: float) -> Tick:
        x = self.x(value)
        return Tick(x, _tick_label(value), "start" if x < _LABEL / 2 else "end" if x > 100 - _LABEL / 2 else "middle")


def _apart(one: Tick, other: Tick) -> bool:
    middles = [tick.x + {"start": 1, "middle": 0, "end": -1}[tick.anchor] * _LABEL / 2 for tick in (one, other)]
    return abs(middles[0] - middles[1]) >= _LABEL


def scale(values: t.Iterable[float]) -> Scale:
    """The axis for these times, its ends on the next round numbers, a decade at least."""
    given = [max(value, _LEAST_MS) for value in values] or [1.0]
    low, high = _round(min(given) * 0.9, up=False), _round(max(given) * 1.1, up=True)
    return Scale(low, max(high, low * 10))


def _round(value: float, *, up: bool) -> float:
    power = math.floor(math.log10(value))
    numbers = [step * 10.0**exponent for exponent in (power - 1, power, power + 1) for step in _ENDS]
    if up:
        return min(number for number in numbers if number >= value)
    return max(number for number in numbers if number <= value)


@dataclasses.dataclass(frozen=True)
class Mark:
    """One figure of a row: `name` is p50, p95, p99 or worst."""

    name: str
    x: float
    label: str


@dataclasses.dataclass(frozen=True)
class Bar:
    """Rounds of about the same time: position, and height as a share (0 to 1) of the row's fullest bar."""

    x: float
    height: float


@dataclasses.dataclass(frozen=True)
class Row:
    """The rounds of one pod: `over` says that one failed or a figure is beyond its threshold."""

    pod: str
    node: str
    marks: tuple[Mark, ...]
    bars: tuple[Bar, ...]
    span: tuple[float, float]
    rounds: int
    failed: int
    over: bool
    problem: str

    @property
    def judged(self) -> Mark | None:
        """What is held against the threshold: p95, or p50 of few rounds; None where no round came back."""
        marks = {mark.name: mark for mark in self.marks}
        return marks.get("p95") or marks.get("p50")


@dataclasses.dataclass(frozen=True)
class Panel:
    """One dependency and its pods, slowest first; `left_out` of them are one row."""

    name: str
    rows: tuple[Row, ...]
    left_out: int


@dataclasses.dataclass(frozen=True)
class Plot:
    """Every panel has the same axis, so dependencies can be compared; `limit` is the threshold of p95 on it."""

    scale: Scale
    limit: Mark | None
    panels: tuple[Panel, ...]


MARKS = ("p50", "p95", "p99", "worst")


def latency_plot(dependencies: t.Sequence[dict[str, t.Any]], limits: t.Mapping[str, float]) -> Plot | None:
    """The plot of the rounds that a connectivity report lists, or None when it lists none.

    :param dependencies: as the module's RETURN says, times in milliseconds
    :param limits: its thresholds, p95_ms and p99_ms
    """
    by_name: dict[str, list[dict[str, t.Any]]] = {}
    for item in dependencies:
        if item.get("rounds"):
            by_name.setdefault(str(item["name"]), []).append(item)
    if not by_name:
        return None
    limit = limits.get("p95_ms")
    times = [value for items in by_name.values() for item in items for value in _times(item["rounds"])]
    axis = scale([*times, *([limit] if limit else [])])
    mark = Mark("limit", axis.x(limit), milliseconds(limit)) if limit else None
    return Plot(axis, mark, tuple(_panel(name, items, limits, axis) for name, items in by_name.items()))


def _times(rounds: dict[str, t.Any]) -> list[float]:
    figures = [rounds[name] for name in MARKS if rounds.get(name) is not None]
    return [float(value) for value in [*figures, *rounds.get("samples_ms", ())]]


def _panel(name: str, items: list[dict[str, t.Any]], limits: t.Mapping[str, float], axis: Scale) -> Panel:
    ordered = sorted(items, key=lambda item: (-_slowness(item["rounds"]), str(item.get("pod", ""))))
    shown, others = ordered[:SHOWN_PODS], ordered[SHOWN_PODS:]
    rows = [_row(str(item.get("pod", "")), str(item.get("node") or ""), item["rounds"], limits, axis) for item in shown]
    if others:
        samples = [value for item in others for value in item["rounds"].get("samples_ms", ())]
        pooled: dict[str, t.Any] = summary(samples) if samples else {}
        # The worst of them may have been left out of the samples, not out of the figures.
        pooled["worst"] = max((_slowest(item["rounds"]) for item in others), default=0)
        for field in ("count", "failed"):
            pooled[field] = sum(item["rounds"].get(field) or 0 for item in others)
        rows.append(_row(f"{len(others)} {_POOLED}", "", pooled | {"samples_ms": samples}, limits, axis))
    return Panel(name, tuple(rows), len(others))


def _slowness(rounds: dict[str, t.Any]) -> float:
    """A pod whose rounds failed comes first, then the one with the largest p95, or p50 where there is none."""
    return math.inf if rounds.get("failed") else float(rounds.get(judged_figure(rounds)) or 0)


def _slowest(rounds: dict[str, t.Any]) -> float:
    return max(_times(rounds), default=0.0)


def _row(pod: str, node: str, rounds: dict[str, t.Any], limits: t.Mapping[str, float], axis: Scale) -> Row:
    marks = tuple(
        Mark(name, axis.x(float(rounds[name])), milliseconds(float(rounds[name])))
        for name in MARKS
        if rounds.get(name) is not None
    )
    samples = [float(value) for value in rounds.get("samples_ms", ())]
    places = [axis.x(value) for value in samples] or [mark.x for mark in marks]
    failed, count = int(rounds.get("failed") or 0), int(rounds.get("count") or 0)
    return Row(
        pod=pod,
        node=node,
        marks=marks,
        bars=_bars([axis.x(value) for value in samples]),
        span=(min(places), max(places)) if places else (0.0, 0.0),
        rounds=count,
        failed=failed,
        over=bool(failed) or any(_over(rounds, limits.get(limit), name) for limit, name in _held(rounds)),
        problem=f"{failed} of {count} rounds failed" if failed else "",
    )


def _held(rounds: dict[str, t.Any]) -> tuple[tuple[str, str], ...]:
    """Thresholds, each with the figure that is held against it."""
    return ("p95_ms", judged_figure(rounds)), ("p99_ms", "p99")


def _over(rounds: dict[str, t.Any], limit: float | None, name: str) -> bool:
    return bool(limit) and float(rounds.get(name) or 0) > float(limit or 0)


def _bars(places: list[float]) -> tuple[Bar, ...]:
    counts: dict[int, int] = {}
    last = math.floor(100 / _BIN) - 1
    for place in places:
        number = min(math.floor(place / _BIN), last)
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=1)
    return tuple(Bar(round(number * _BIN, 2), round(count / most, 3)) for number, count in sorted(counts.items()))


@dataclasses.dataclass(frozen=True)
class Part:
    """One phase within a stacked bar."""

    name: str
    x: float
    width: float
    label: str
    status: str
    error: str


@dataclasses.dataclass(frozen=True)
class Stack:
    """The phases of one pod up to its first answer; `broken` says that one of them failed."""

    dependency: str
    pod: str
    parts: tuple[Part, ...]
    total: str
    broken: bool


def phase_stacks(dependencies: t.Sequence[dict[str, t.Any]]) -> tuple[tuple[Stack, ...], int]:
    """Stacked bars on one linear scale: of each dependency the broken and slowest pods; and how many are left out."""
    by_name: dict[str, list[dict[str, t.Any]]] = {}
    for item in dependencies:
        # The large message comes after the first answers; it is shown where it failed.
        phases = [one for one in item.get("phases") or () if one.get("name") != "large" or one.get("status") == "fail"]
        if phases:
            by_name.setdefault(str(item["name"]), []).append(item | {"phases": phases})
    longest = max((_total(item) for items in by_name.values() for item in items), default=0.0) or 1.0
    stacks, left_out = [], 0
    for items in by_name.values():
        ordered = sorted(items, key=lambda item: (not _broken(item), -_total(item), str(item.get("pod", ""))))
        stacks += [_stack(item, longest) for item in ordered[:SHOWN_PODS]]
        left_out += len(ordered[SHOWN_PODS:])
    return tuple(stacks), left_out


def _total(item: dict[str, t.Any]) -> float:
    return sum(float(phase.get("ms") or 0) for phase in item["phases"])


def _broken(item: dict[str, t.Any]) -> bool:
    return any(phase.get("status") == "fail" for phase in item["phases"])


def _stack(item: dict[str, t.Any], longest: float) -> Stack:
    parts, x = [], 0.0
    # Room for the least width of every part, so that the longest bar still ends at the edge.
    room = 100 - _LEAST_WIDTH * len(item["phases"])
    for phase in item["phases"]:
        took = float(phase.get("ms") or 0)
        width = _LEAST_WIDTH + room * took / longest
        parts.append(
            Part(
                str(phase.get("name", "")),
                round(x, 2),
                round(width, 2),
                milliseconds(took),
                str(phase.get("status", "pass")),
                str(phase.get("error") or ""),
            )
        )
        x += width
    return Stack(str(item["name"]), str(item.get("pod", "")), tuple(parts), milliseconds(_total(item)), _broken(item))


__all__ = (
    "MARKS", "SHOWN_PODS", "Bar", "Mark", "Panel", "Part", "Plot", "Row", "Scale", "Stack", "Tick", "latency_plot",
    "milliseconds", "phase_stacks", "scale",
)  # fmt: skip
