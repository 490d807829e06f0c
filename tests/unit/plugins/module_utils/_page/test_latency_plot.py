"""Positions of the marks: figures in, percentages out."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._page.latency_plot import (
    SHOWN_PODS,
    Scale,
    latency_plot,
    milliseconds,
    phase_stacks,
    scale,
)

from tests.unit.plugins.module_utils._page.runs import connectivity, rounds

Json = dict[str, t.Any]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0421, "0.04 ms"), (0.999, "1.0 ms"), (4.25, "4.2 ms"), (9.96, "10 ms"), (123.4, "123 ms"), (999.6, "1.0 s"),
     (1234, "1.2 s"), (30000, "30 s")],
)  # fmt: skip
def test_a_time_has_no_more_digits_than_a_reader_wants(value: float, words: str) -> None:
    assert milliseconds(value) == words


def test_the_axis_is_logarithmic_and_ends_outside_the_figures() -> None:
    axis = Scale(0.1, 100)
    assert [axis.x(value) for value in (0.1, 1, 10, 100)] == [0, 33.33, 66.67, 100]
    assert [axis.x(value) for value in (0, 0.01, 1e9)] == [0, 0, 100]
    assert scale([0.3, 40]) == Scale(0.2, 50)
    assert scale([0.25, 60]) == Scale(0.2, 70)
    assert scale([7]) == Scale(5, 50)
    assert scale([0]).low > 0


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.5, 50, ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms"]),
        (0.1, 100, ["0.1 ms", "1 ms", "3 ms", "10 ms", "100 ms"]),
        (0.15, 150, ["0.3 ms", "1 ms", "3 ms", "10 ms", "100 ms"]),
        (0.1, 10000, ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]),
        (0.001, 100000, ["0.001 ms", "0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]),
        (3, 30, ["5 ms", "10 ms", "20 ms"]),
    ],
)
def test_ticks_are_round_times_whose_labels_keep_apart(low: float, high: float, labels: list[str]) -> None:
    shown = [tick for tick in Scale(low, high).ticks() if tick.label]
    assert [tick.label for tick in shown] == labels
    left = {"start": 0, "middle": 6.25, "end": 12.5}
    begins = [tick.x - left[tick.anchor] for tick in shown]
    assert all(later - earlier >= 12.49 for earlier, later in itertools.pairwise(begins))
    assert begins[0] >= 0
    assert begins[-1] <= 100 - 12.5


def _items(*medians: float) -> list[Json]:
    return [
        {"name": "redis", "pod": f"pod-{number}", "node": "n", "rounds": rounds(middle, 0.1, number)}
        for number, middle in enumerate(medians)
    ]


def test_the_slowest_pod_comes_first_and_is_marked_when_it_is_over_the_threshold() -> None:
    plot = latency_plot(_items(1, 30, 2), {"p95_ms": 10.0})
    assert plot is not None
    [panel] = plot.panels
    assert [row.pod for row in panel.rows] == ["pod-1", "pod-2", "pod-0"]
    assert [row.over for row in panel.rows] == [True, False, False]
    assert plot.limit is not None
    assert plot.limit.label == "10 ms"
    slow, quick = panel.rows[0], panel.rows[2]
    assert slow.marks[1].x > plot.limit.x > quick.marks[1].x


def test_every_mark_and_every_round_is_on_the_drawing() -> None:
    items = _items(1, 40)
    plot = latency_plot(items, {})
    assert plot is not None
    for row in plot.panels[0].rows:
        assert [mark.name for mark in row.marks] == ["p50", "p95", "p99", "worst"]
        assert sorted(mark.x for mark in row.marks) == [mark.x for mark in row.marks]
        assert 0 <= row.span[0] <= row.marks[0].x <= row.marks[3].x <= row.span[1] <= 100
        assert max(bar.height for bar in row.bars) == 1
        assert all(0 <= bar.x < 100 and 0 < bar.height <= 1 for bar in row.bars)
    # As many different places as different times, at the plot's resolution.
    [lone] = latency_plot([items[0] | {"rounds": rounds(5, 0, 1)}], {}).panels[0].rows  # type: ignore[union-attr]
    assert len(lone.bars) == 1


def test_a_tail_over_its_threshold_counts_as_well() -> None:
    plot = latency_plot(_items(1, 2), {"p95_ms": 10.0, "p99_ms": 2.1})
    assert plot is not None
    assert [(row.pod, row.over) for row in plot.panels[0].rows] == [("pod-1", True), ("pod-0", False)]


def test_of_few_rounds_the_median_is_held_against_the_threshold_and_no_tail_is_shown() -> None:
    items = [item | {"rounds": rounds(item["rounds"]["p50"], 0.5, 3, count=10)} for item in _items(1, 30)]
    plot = latency_plot(items, {"p95_ms": 20.0, "p99_ms": 0.1})
    assert plot is not None
    slow, quick = plot.panels[0].rows
    assert [mark.name for mark in slow.marks] == ["p50", "worst"]
    assert (slow.over, quick.over) == (True, False)
    assert slow.judged is not None
    assert slow.judged.name == "p50"


def test_pods_whose_rounds_failed_come_before_slow_ones() -> None:
    items = [*_items(1, 900), {"name": "redis", "pod": "ill", "rounds": rounds(1, 0.1, 7, failed=3)}]
    plot = latency_plot(items, {})
    assert plot is not None
    first = plot.panels[0].rows[0]
    assert (first.pod, first.over, first.problem) == ("ill", True, "3 of 120 rounds failed")


def test_many_pods_are_pooled_and_nothing_of_them_is_lost() -> None:
    full = connectivity(50)
    plot = latency_plot(full["dependencies"], full["thresholds"])
    assert plot is not None
    assert [panel.name for panel in plot.panels] == ["postgresql", "redis"]
    for panel in plot.panels:
        assert len(panel.rows) == SHOWN_PODS + 1
        pooled = panel.rows[-1]
        assert (pooled.pod, pooled.rounds, panel.left_out) == ("38 other pods", 38 * 120, 38)
        assert pooled.marks[1].x <= min(row.marks[1].x for row in panel.rows[:-1])


def test_a_dependency_without_rounds_has_no_panel() -> None:
    assert latency_plot([], {}) is None
    assert latency_plot([{"name": "redis", "pod": "p", "rounds": None, "phases": []}], {"p95_ms": 1.0}) is None


def test_rounds_of_which_none_succeeded_are_drawn_without_marks() -> None:
    empty: dict[str, t.Any] = {
        "count": 5,
        "failed": 5,
        "p50": None,
        "p95": None,
        "p99": None,
        "worst": None,
        "samples_ms": [],
    }
    plot = latency_plot([{"name": "redis", "pod": "p", "rounds": empty}, *_items(1)], {})
    assert plot is not None
    assert (plot.panels[0].rows[0].marks, plot.panels[0].rows[0].problem) == ((), "5 of 5 rounds failed")


def test_phases_are_stacked_without_a_gap_on_one_scale() -> None:
    items = connectivity(2)["dependencies"]
    stacks, left_out = phase_stacks(items)
    assert (len(stacks), left_out) == (4, 0)
    for stack in stacks:
        for part, following in zip(stack.parts, stack.parts[1:], strict=False):
            assert part.x + part.width == pytest.approx(following.x, abs=0.02)
        assert stack.parts[-1].x + stack.parts[-1].width <= 100.05
    ends = [stack.parts[-1].x + stack.parts[-1].width for stack in stacks]
    assert max(ends) == pytest.approx(100, abs=0.05)


@pytest.mark.parametrize(("status", "shown"), [("pass", ["tcp"]), ("fail", ["tcp", "large"])])
def test_the_large_message_is_no_time_until_the_first_answer(status: str, shown: list[str]) -> None:
    phases = [{"name": "tcp", "ms": 1.0, "status": "pass"}, {"name": "large", "ms": 9.0, "status": status}]
    stacks, _left_out = phase_stacks([{"name": "redis", "pod": "b", "phases": phases}])
    assert [part.name for part in stacks[0].parts] == shown


def test_a_broken_pod_comes_first() -> None:
    quick = {"name": "redis", "pod": "b", "phases": [{"name": "tcp", "ms": 1.0, "status": "fail", "error": "refused"}]}
    slow = {"name": "redis", "pod": "a", "phases": [{"name": "tcp", "ms": 90.0, "status": "pass"}]}
    stacks, _left_out = phase_stacks([slow, quick])
    assert [(stack.pod, stack.broken) for stack in stacks] == [("b", True), ("a", False)]
    assert stacks[0].parts[0].error == "refused"


def test_many_stacks_are_counted() -> None:
    stacks, left_out = phase_stacks(connectivity(50)["dependencies"])
    assert (len(stacks), left_out) == (2 * SHOWN_PODS, 2 * (50 - SHOWN_PODS))
