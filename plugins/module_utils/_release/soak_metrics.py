"""What a pod's metrics say of its requests: Prometheus' text in, counts out, and several counts together. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import math
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterable, Sequence

Object = dict[str, t.Any]


class Names(t.NamedTuple):
    """How the image names what is read.

    :param requests: a counter of answered requests
    :param status: its label that holds the HTTP status
    :param seconds: a histogram of their seconds, without `_bucket`
    """

    requests: str
    status: str
    seconds: str


class Counts(t.TypedDict):
    """What one pod has counted since it began.

    :param requests: answers by HTTP status
    :param buckets: requests that took at most so many seconds, by the bound as text; empty without a histogram
    """

    requests: dict[str, float]
    buckets: dict[str, float]


def read(text: str, names: Names) -> Counts:
    """The counts in the text that a pod's metrics are.

    :raises ValueError: it is no such text, or the counter is not in it; says what is wrong
    :raises ImportError: the package prometheus_client is missing
    """
    from prometheus_client.parser import text_string_to_metric_families

    requests: dict[str, float] = {}
    buckets: dict[str, float] = {}
    there = False
    for family in text_string_to_metric_families(text):
        # The library calls a counter by its name without the end.
        there = there or names.requests in {family.name, f"{family.name}_total"}
        for sample in family.samples:
            if sample.name == names.requests:
                status = sample.labels.get(names.status)
                if status is None:
                    raise ValueError(f"{names.requests} has no label {names.status}")
                requests[status] = requests.get(status, 0.0) + _whole(sample.value, sample.name)
            elif sample.name == f"{names.seconds}_bucket" and "le" in sample.labels:
                bound = repr(float(sample.labels["le"]))
                buckets[bound] = buckets.get(bound, 0.0) + _whole(sample.value, sample.name)
    if not there:
        raise ValueError(f"{names.requests} is not among them")
    return {"requests": requests, "buckets": buckets}


def _whole(value: float, name: str) -> float:
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} is {value:g}")
    return value


def since_began(looks: Sequence[Counts]) -> Counts:
    """What a pod counted in all, also where its container began anew between two looks and counted from 0 again.

    What it counted between the last look and such a beginning is lost. Counters of one process begin anew together, so
    one that fell says that all did (Prometheus' `increase` knows one series only).
    """
    total: Counts = {"requests": {}, "buckets": {}}
    empty: Counts = {"requests": {}, "buckets": {}}
    for before, after in itertools.pairwise([empty, *looks]):
        anew = _fell(before["requests"], after["requests"]) or _fell(before["buckets"], after["buckets"])
        old = empty if anew else before
        total = together([total, _more(old, after)])
    return total


def _fell(before: dict[str, float], after: dict[str, float]) -> bool:
    return any(after.get(name, 0.0) < value for name, value in before.items())


def _more(before: Counts, after: Counts) -> Counts:
    return {
        "requests": {name: value - before["requests"].get(name, 0.0) for name, value in after["requests"].items()},
        "buckets": {name: value - before["buckets"].get(name, 0.0) for name, value in after["buckets"].items()},
    }


def together(found: Iterable[Counts]) -> Counts:
    """The sum. Of histograms with other bounds, those bounds remain that all of them have."""
    requests: dict[str, float] = {}
    histograms = []
    for each in found:
        for status, number in each["requests"].items():
            requests[status] = requests.get(status, 0.0) + number
        histograms += [each["buckets"]] if each["buckets"] else []
    bounds = set[str]().union(*histograms).intersection(*histograms) if histograms else set[str]()
    return {"requests": requests, "buckets": {name: sum(each[name] for each in histograms) for name in bounds}}


class Quantile(t.NamedTuple):
    """The time in which a share of the requests was answered.

    :param seconds: at most so much, interpolated within a bucket; the largest bound where it lies `beyond`
    """

    seconds: float
    beyond: bool


def quantile(buckets: dict[str, float], share: float) -> Quantile | None:
    """The seconds in which that share of the requests was answered, None without any.

    As Prometheus' histogram_quantile: what a bucket holds counts as spread evenly.
    """
    bounds = sorted((float(name), number) for name, number in buckets.items())
    if not bounds or not math.isinf(bounds[-1][0]) or bounds[-1][1] <= 0:
        return None
    rank, lower, below = share * bounds[-1][1], 0.0, 0.0
    for bound, number in bounds:
        if number >= rank:
            if math.isinf(bound):
                return Quantile(lower, beyond=True)
            return Quantile(lower + (bound - lower) * (rank - below) / ((number - below) or 1.0), beyond=False)
        lower, below = bound, number
    return None  # pragma: no cover - the last bound has every request


def share_of(counts: Counts, first: str) -> float:
    """The share of answers whose status begins so, 0 without any."""
    return number_of(counts, first) / (sum(counts["requests"].values()) or 1.0)


def number_of(counts: Counts, first: str = "") -> int:
    """Answers whose status begins so."""
    return round(sum(number for status, number in counts["requests"].items() if status.startswith(first)))


__all__ = ("Counts", "Names", "Quantile", "number_of", "quantile", "read", "share_of", "since_began", "together")
